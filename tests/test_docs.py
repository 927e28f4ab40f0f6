"""What the documents say of parameters, tables, files and commands is so."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from local_runner import __main__ as local_runner
from td_mta import cli
from td_mta.baselines.methods import METHODS
from td_mta.config.attribution import PARAMETERS
from td_mta.tables import TABLES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAINTAINERS = (ROOT / "td_mta" / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ("README.md", "td_mta/README.md", "CHANGELOG.md")


def section(title: str, document: str = README) -> str:
    """The text under a heading, up to the next of its level."""
    return re.split(r"^## ", document.split(f"## {title}\n", 1)[1], flags=re.MULTILINE)[0]


def rows(markdown: str) -> list[list[str]]:
    """The cells of the tables in a text, their headings left out."""
    lines = re.findall(r"^\| (.*) \|$", markdown, re.MULTILINE)
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    headings = {at - 1 for at, row in enumerate(cells) if set("".join(row)) == {"-"}}
    return [row for at, row in enumerate(cells) if not headings & {at, at - 1}]


def commands() -> list[str]:
    """The lines of README's code blocks, continuation lines joined, comments left out."""
    blocks = re.findall(r"^```\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    inline = re.findall(r"`(python -m [^`]+)`", README)
    return [re.split(r"\s+#", line)[0].strip() for line in [*lines, *inline] if line.strip()]


def test_the_parameter_table_is_params_yml() -> None:
    lines = (ROOT / "config" / "params.yml").read_text(encoding="utf-8").splitlines()
    written = [re.fullmatch(r"(\w+): (.+?)\s+# (.+)", line) for line in lines]
    wanted = [[f"`{m[1]}`", f"`{m[2].strip()}`", m[3]] for m in written if m]
    assert rows(section("Parameters")) == wanted
    assert len(wanted) == len(PARAMETERS)


def test_the_table_of_tables_is_tables_py() -> None:
    wanted = [
        [f"`{t.name.replace('_table', '')}`", t.grain, ", ".join(t.columns), t.meaning]
        for t in TABLES
    ]
    assert rows(section("Output tables")) == wanted


def test_the_file_holds_every_parameter() -> None:
    assert tuple(yaml.safe_load((ROOT / "config" / "params.yml").read_text("utf-8"))) == PARAMETERS


@pytest.mark.parametrize("command", [c for c in commands() if c.startswith("python -m")])
def test_the_modules_and_parameters_of_a_command_exist(command: str) -> None:
    words = shlex.split(command)
    assert find_spec(words[2]) is not None
    names = [words[at + 1].split("=")[0] for at, word in enumerate(words) if word == "--set"]
    assert set(names) <= {*PARAMETERS, "key"}


@pytest.mark.parametrize("command", [c for c in commands() if "td_mta.main " in c])
def test_the_main_command_takes_the_options_that_are_shown(command: str) -> None:
    cli.parser().parse_args(shlex.split(command)[3:])


def test_the_runner_has_the_options_that_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        local_runner.main(["run", "--help"])
    helped = capsys.readouterr().out
    shown = re.findall(r"(?<![\w-])--?[a-zA-Z]+(?:-[a-z]+)*", section("The local runner"))
    lines = [line for line in commands() if "local_runner" in line]
    shown += [word for line in lines for word in re.findall(r" (--[a-z-]+)", line)]
    assert [option for option in shown if option not in helped] == []


def test_make_knows_every_target_that_is_shown() -> None:
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = {word for line in commands() for word in re.findall(r"^make (\w+)", line)}
    assert shown
    assert shown <= set(re.findall(r"^([a-z]+):", made, re.MULTILINE))


def test_every_method_has_its_row_in_which_method_when() -> None:
    named = [row[0].strip("`") for row in rows(section("Which method when"))]
    assert named == ["shapley", *METHODS]


def test_how_good_has_a_row_for_every_method() -> None:
    named = [row[0].strip("`") for row in rows(section("How good"))]
    assert named[: len(METHODS) + 1] == ["shapley", *METHODS]


def test_every_benchmark_has_its_command_in_the_readme() -> None:
    helper = "peers"  # what truth runs in another Python
    there = {path.stem for path in ROOT.glob("benchmarks/*.py")} - {"__init__", helper}
    assert set(re.findall(r"python -m benchmarks\.(\w+)", section("Speed and memory"))) == there


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file(document: str) -> None:
    path = ROOT / document
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    assert all((path.parent / link).exists() for link in links)


def tree() -> set[str]:
    """The files and folders that the maintainers' tree names."""
    block = section("The tree", MAINTAINERS).split("```")[1]
    names = [re.findall(r"\S+\.\w+|\S+/", line[:28]) for line in block.splitlines()]
    return {name for line in names for name in line}


def test_the_tree_names_what_is_there() -> None:
    assert {name for name in tree() if not (ROOT / "td_mta" / name).exists()} == set()


def test_every_module_stands_in_the_tree() -> None:
    there = {path.name for path in ROOT.glob("td_mta/*.py")} - {"__init__.py"}
    there |= {f"{path.parent.name}/" for path in ROOT.glob("td_mta/*/__init__.py")}
    assert there - tree() == set()
