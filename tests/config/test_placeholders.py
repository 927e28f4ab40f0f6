"""One file holds one statement; `${name}` is filled as `td>` would fill it, and nothing else is."""

import re
from pathlib import Path

import pytest

from local_runner.workflow import templates
from td_mta.config import placeholders
from td_mta.config.attribution import Config
from td_mta.errors import ConfigError

QUERIES = sorted((Path(__file__).parents[2] / "queries").glob("*.sql"))


@pytest.mark.parametrize(
    ("value", "text"),
    [("a b", "a b"), (3, "3"), (0.5, "0.5"), (True, "true"), (False, "false"), (None, "none")],
)
def test_a_value_is_written_as_params_yml_has_it(value: object, text: str) -> None:
    assert placeholders.fill("<${x}>", {"x": value}, "q.sql") == f"<{text}>"


def test_filled_text_is_not_filled_again() -> None:
    assert placeholders.fill("${a}", {"a": "${b}", "b": "no"}, "q.sql") == "${b}"


def test_a_lone_dollar_stays() -> None:
    assert (
        placeholders.fill("regexp_like(x, '^a$') ${a}", {"a": 1}, "q.sql")
        == "regexp_like(x, '^a$') 1"
    )


def test_an_unknown_name_is_reported_with_its_location() -> None:
    with pytest.raises(ConfigError, match=r"^q\.sql: \$\{tabel\} is not the name of a parameter$"):
        placeholders.fill("select 1 from ${tabel}", {"table": "t"}, "q.sql")


@pytest.mark.parametrize(
    ("value", "text"), [(None, "no orders"), ("none", "no orders"), ("shop_orders", "shop_orders")]
)
def test_a_choice_stands_for_what_is_optional(value: object, text: str) -> None:
    template = "${orders == 'none' ? 'no orders' : orders}"

    assert placeholders.fill(template, {"orders": value}, "q.sql") == text


def test_a_choice_between_parameters_takes_their_values() -> None:
    template = "${a == 'none' ? b : a} ${b == 'none' ? 'x' : a}"

    assert placeholders.fill(template, {"a": None, "b": 2}, "q.sql") == "2 none"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("'-' + (a - 1) + 'd'", "-2d"),
        ("a - (1 - a)", "5"),
        ("names.replace(/[a-z]+/g, '\"$&\"')", '"x", "y"'),
        ("names.replace(/([a-z]), ([a-z])/, '$2$1')", "yx"),
        ("names.replace(/[a-z]/, '') == names ? 'same' : 'other'", "other"),
        ("a == 3 ? b == 'none' ? 'neither' : b : a", "neither"),
    ],
)
def test_a_template_means_what_it_means_to_digdag(template: str, text: str) -> None:
    values = {"a": 3, "b": None, "names": "x, y"}
    assert placeholders.fill(f"${{{template}}}", values, "q.sql") == text
    by_runner = {name: "none" if value is None else value for name, value in values.items()}
    assert templates.fill(f"${{{template}}}", by_runner) == text


@pytest.mark.parametrize(
    "template", ["a == 3 ? 1", "(a", "a b", "a + a", "'x", "a.b", "a == 3 : 1"]
)
def test_what_is_no_such_template_is_refused(template: str) -> None:
    with pytest.raises(ConfigError, match="the name of a parameter alone"):
        placeholders.fill(f"${{{template}}}", {"a": 3, "b": 1}, "q.sql")


def test_a_template_that_computes_is_refused() -> None:
    with pytest.raises(
        ConfigError,
        match=r"^q\.sql: .* the name of a parameter alone, got \$\{a \+ 1\}$",
    ):
        placeholders.fill("${a + 1}", {"a": 1}, "q.sql")


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_every_query_is_filled_by_the_parameters_alone(path: Path) -> None:
    filled = placeholders.statement(path, Config())
    assert "${" not in filled and ";" not in filled


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_every_query_opens_with_what_a_row_means(path: Path) -> None:
    assert path.read_text().startswith(("-- A row is ", "-- No rows: "))


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_no_query_writes_decimals_which_trino_takes_for_exact(path: Path) -> None:
    code = "\n".join(line.split("--")[0] for line in path.read_text().splitlines())

    assert re.findall(r"\b\d+\.\d+\b(?!e)", code.replace("'1.0'", "").replace("'0.0'", "")) == []
