"""All that a run takes from a table is the same, counted by the workflow's SQL or by Python."""

import re
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from td_mta.config import placeholders
from td_mta.config.attribution import Config
from td_mta.dataset import warehouse_counts
from td_mta.dataset.build import MOST_DAYS, day_rules, folders_of
from td_mta.errors import DataError
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.user_hash import user_rnd
from td_mta.journeys.controls import CONTROLS, LONGER_TIMES, MORE_TOUCHES, RATES
from td_mta.journeys.examples import CutTimes, groups_of, person_days
from td_mta.journeys.hashing import uniform
from td_mta.journeys.patterns import Grid
from td_mta.warehouse.local import LocalWarehouse
from tests.queries import counting
from tests.queries.odd_tables import READINGS, parameters
from tests.queries.option_sets import pairwise

# Values of parameters on which it depends what is counted of the rows.
COUNTED: dict[str, list[str]] = {
    "examples+augment_last_day+holdout": [
        *("person_days+false+users", "person_days+false+forward", "touch_days+true+users"),
    ],
    "lookback_window_days": ["1", "3", "16"],
    "controls": ["none", "calendar_day, since_conversion", ", ".join(CONTROLS)],
    "days_at_risk": ["all", "returning"],
    "window_after_conversion": ["cut", "keep"],
    "validation_fraction+seed": ["0.1+0", "0.5+5"],
    "markov_order": ["none", "1"],
    "markov_nulls": ["true", "false"],
    "users_per_tfrecord": ["20000", "7"],
}
BY_READING, BY_COUNT = pairwise(READINGS), pairwise(COUNTED)
SETS = [
    parameters(BY_READING[number % len(BY_READING)] | BY_COUNT[number % len(BY_COUNT)])
    for number in range(max(len(BY_READING), len(BY_COUNT)))
]
THRESHOLDS = {  # of what the controls count, as doubles
    "activity": MORE_TOUCHES,
    "rates": RATES,
    "days since a conversion": LONGER_TIMES,
}
WORKFLOWS = counting.ROOT / "workflows"
FEW = 300  # user-days, of which all are drawn; see `drawn`


def check(options: dict[str, str], seed: int, folder: Path) -> None:
    config = counting.config_of(options, folder)
    warehouse = LocalWarehouse(None, folder, now=0)
    warehouse.write(config.table, counting.table_of(seed), "overwrite")
    counting.count(warehouse, config)
    assert counting.differing(config, warehouse) == []


def test_counts_are_those_of_the_rows_by_default(tmp_path: Path) -> None:
    check({}, 0, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(SETS)))
def test_counts_are_those_of_the_rows_with_many_options(number: int, tmp_path: Path) -> None:
    check(SETS[number], number, tmp_path)


def test_users_of_one_hash_stay_apart(tmp_path: Path) -> None:
    """With hashes of one bit, which all users share with others, rows are the same but for keys."""
    config = counting.config_of({}, tmp_path)
    warehouse = LocalWarehouse(None, tmp_path, now=0)
    warehouse.write(config.table, counting.table_of(0), "overwrite")
    statements = counting.statements(config)
    found = []
    for bits in ("9007199254740991", "1"):
        for name in ("read", "channels", "rows"):
            table = f"{config.counts_table}_{name}"
            warehouse.create_table(table, statements[table].replace("9007199254740991", bits))
        rows = warehouse.query(f"select * from {config.counts_table}_rows").to_pandas()
        user = rows["user_name"].groupby(rows["user_key"]).transform("first")
        found.append(rows.assign(user_name=user).sort_values(["user_name", "row_in_order"]))
    assert found[0]["user_key"].nunique() == found[1]["user_key"].nunique() > 50
    assert set(found[1]["user_key"] // 1024) == {0, 1}
    without_keys = [rows.drop(columns="user_key").reset_index(drop=True) for rows in found]
    pd.testing.assert_frame_equal(*without_keys)


def outcome(counted: Callable[[], list[str]]) -> list[str]:
    """What differs, or what is refused."""
    try:
        return counted()
    except DataError as error:
        return [str(error)]


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "canonical_id": st.sampled_from(["u1", "u2", "u3", " u1 ", "", None]),
            "time": st.integers(0, 40).map(lambda part: 1_772_000_000 + part * 21_600),
            "channels": st.sampled_from(["Email", "e-mail", "Search", "NA", "", None]),
            "conversion": st.sampled_from([0, 0, 1]),
            "value": st.sampled_from([None, 0.25, 3.0, -1.5]),
            "hit": st.sampled_from(["2", "10", "a", None]),
            "order": st.sampled_from(["o1", "o2", None]),
            "leads_to": st.sampled_from(["c1", "-1", None]),
        }
    ),
    min_size=1,
    max_size=40,
)


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The first parse raises Python's recursion limit, of which Hypothesis would warn."""
    LocalWarehouse(None, tmp_path_factory.mktemp("parsed"), now=0).query("select 1")


@pytest.mark.slow
@pytest.mark.usefixtures("parsed")
@settings(max_examples=4, phases=[Phase.explicit, Phase.generate])
@given(rows=ROWS, options=st.sampled_from(SETS))
def test_counts_of_any_rows_are_theirs_or_the_same_is_refused(
    rows: list[dict[str, object]], options: dict[str, str]
) -> None:
    frame = pd.DataFrame(rows)
    frame["ab_rnd"] = user_rnd(pa.array(frame["canonical_id"].str.strip(), pa.string()), 18)
    with tempfile.TemporaryDirectory() as name:
        config = counting.config_of(options, Path(name))
        warehouse = LocalWarehouse(None, Path(name), now=0)
        warehouse.write(config.table, frame, "overwrite")
        counting.count(warehouse, config)
        refused = outcome(lambda: [str(x) for x in counting.by_python(config, warehouse)][:0])
        found = outcome(lambda: counting.differing(config, warehouse))
        # without any example the model refuses what it is to learn from rows; tables do so before
        if found and found[0].startswith(f"table {config.counts_table}_examples is empty"):
            _, extracted = counting.by_python(config, warehouse)
            assert not len(extracted.examples.counts)
        else:
            assert found == refused


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"controls": ", ".join(CONTROLS), "lookback_window_days": "2"},
        {"days_at_risk": "returning", "window_after_conversion": "keep"},
    ],
    ids=str,
)
def test_where_days_are_many_one_in_so_many_is_drawn_alike(
    options: dict[str, str], tmp_path: Path
) -> None:
    config = counting.config_of(options, tmp_path)
    warehouse = LocalWarehouse(None, tmp_path, now=0)
    warehouse.write(config.table, counting.table_of(3), "overwrite")
    for name, statement in counting.statements(config).items():
        assert str(MOST_DAYS) in statement or not name.endswith("_period")
        warehouse.create_table(name, statement.replace(str(MOST_DAYS), str(FEW)))
    found = warehouse_counts.read(config, warehouse, folders_of(config)).extracted
    [period] = table(warehouse, f"{config.counts_table}_period").to_pylist()
    assert period["one_in"] > 1
    wanted = drawn(warehouse, config, period["one_in"])
    assert counting.examples_of(found.examples, found.strata) == wanted


def drawn(warehouse: LocalWarehouse, config: Config, one_in: int) -> Counter:
    """The examples where one day without a conversion in so many stands for the others."""
    touchpoints = TouchpointTable(TableSettings.of(config), warehouse, warehouse.out)
    grid = Grid(config.lookback_window_days, len(touchpoints.channels))
    rules = day_rules(touchpoints, config, grid)._replace(one_in=one_in)
    seconds = table(warehouse, f"{config.counts_table}_times_of_day").sort_by("place")["second"]
    found: Counter = Counter()
    for page in touchpoints.pages("test"):
        held_out = uniform(page.user_hash, np.array([config.seed + 1], np.uint64))
        group = groups_of(page.user_hash, held_out < config.validation_fraction)
        cut = CutTimes(seconds.to_numpy() if len(seconds) else None, page.user_hash)
        examples = person_days(page.journeys, group, rules, cut)
        found += counting.examples_of(examples, rules.strata)
    return found


def table(warehouse: LocalWarehouse, name: str) -> pa.Table:
    return warehouse.query(f"select * from {name}")


@pytest.mark.parametrize("control", THRESHOLDS)
def test_levels_of_controls_begin_where_pythons_do(control: str) -> None:
    text = (counting.FOLDER / "windows.sql").read_text(encoding="utf-8")
    lists = re.findall(r"array\[([^]]*)\]", text)
    found = [[float(number) for number in of_list.split(",")] for of_list in lists]
    assert THRESHOLDS[control].tolist() in found
    assert len(found) == len(THRESHOLDS)


def test_every_query_has_its_task() -> None:
    queries = {path.stem for path in counting.FOLDER.glob("*.sql")} - {"size"}
    assert [f"${{counts_table}}_{Path(query).stem}" for _, query in counting.tasks()] == [
        table for table, _ in counting.tasks()
    ]
    assert {Path(query).stem for _, query in counting.tasks()} == queries


def test_every_table_is_dropped_at_the_end() -> None:
    drops = [WORKFLOWS / name for name in ("mta_tasks.dig", "drop_counts.dig")]
    dropped = [
        name
        for file in drops
        for name in re.findall(r'"(\$\{counts_table\}_\w+)"', file.read_text(encoding="utf-8"))
    ]
    assert sorted(dropped) == sorted(table for table, _ in counting.tasks())


def test_counts_are_dropped_on_the_condition_on_which_they_are_made() -> None:
    made, *dropped = (
        condition
        for name in ("counting_tasks.dig", "mta_tasks.dig", "drop_counts.dig")
        for condition in re.findall(
            r"if>: (\$\{count_in == 'warehouse' \|\| .*)", (WORKFLOWS / name).read_text()
        )
    )
    known = "td.last_results.rows > count_above"
    or_not_known = f"(typeof td == 'undefined' || !td.last_results || {known})"
    assert dropped == [made.replace(known, or_not_known)] * 2


def test_every_parameter_of_the_queries_is_among_the_facts(tmp_path: Path) -> None:
    queries = sorted(counting.FOLDER.glob("*.sql"))
    texts = "".join(path.read_text() for path in queries).replace("/'/g", "")
    templates = re.findall(r"\${(.*?)}", texts)
    words = re.findall(r"[a-z]\w+", re.sub("'[^']*'", "", " ".join(templates)))
    config = counting.config_of({}, tmp_path)
    facts = placeholders.statement(counting.FOLDER / "facts.sql", config)
    told = set(re.findall(r"^ {8}\('(\w+)', ", facts, re.M))
    assert told == {word for word in words if word in vars(Config())} - {"counts_table"}


def rows(**columns: object) -> pd.DataFrame:
    usual = {"canonical_id": "u1", "time": 1_772_000_000, "channels": "Email", "conversion": 0}
    frame = pd.DataFrame([usual | {"value": 1.5, "ab_rnd": 0.5}] * 3)
    return frame.assign(**columns)


# Tables that are read after the figures, of which most of these are refused.
AFTER_FIGURES = (
    *("users", "times_of_day", "anchors", "windows", "examples", "units", "credited"),
    *("profiles", "ngrams", "rules"),
)
REFUSED: dict[str, tuple[pd.DataFrame, dict[str, str]]] = {
    "no rows": (rows().head(0), {}),
    "no user": (rows(canonical_id=""), {}),
    "no conversion": (rows(), {}),
    "refunds alone": (rows(conversion=1, value=-1.0), {}),
    "no touch": (rows(conversion=1, channels=""), {}),
    "a channel of the baseline's name": (rows(conversion=1, channels="(baseline)"), {}),
    "history alone": (rows(conversion=1), {"history_days": "3"}),
    "one day to hold out": (rows(conversion=1), {"holdout": "forward"}),
    "nobody within the limits": (
        rows(conversion=1, channels=["a", "b", "c"]),
        {"max_conversions_per_user": "1"},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", REFUSED)
def test_what_python_refuses_is_refused_in_the_same_words(case: str, tmp_path: Path) -> None:
    frame, options = REFUSED[case]
    config = counting.config_of(options, tmp_path)
    warehouse = LocalWarehouse(None, tmp_path, now=0)
    warehouse.write(config.table, frame, "overwrite")
    with pytest.raises(DataError) as by_python:
        counting.by_python(config, warehouse)
    left_out = AFTER_FIGURES if case not in ("history alone", "nobody within the limits") else ()
    counting.count(warehouse, config, left_out)
    with pytest.raises(DataError) as by_warehouse:
        warehouse_counts.read(config, warehouse, folders_of(config))
    assert str(by_warehouse.value) == str(by_python.value)
