"""Every file of queries/ on the real Trino and on the local engine: equal types, equal rows."""

import random
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from td_emulator.engines.real_trino import TrinoEngine
from td_mta.config import attribution as configuration
from td_mta.config import placeholders
from td_mta.ingest.user_hash import user_rnd
from td_mta.warehouse.local import LocalWarehouse
from tests.trino import odd_rows, same_rows

TESTS = Path(__file__).parents[1]
QUERIES = TESTS.parent / "queries"
CASES = sorted(path.parent for path in (TESTS / "queries").glob("*/*/expected.csv"))
DATABASE = "queries"
ROWS = 800
# In the order in which the clocks of these places differ: whole and half hours, summer time or not.
ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
INTERVALS = ("-30d", "-1d", "-30d/now", "-2w", "-1M", "-7d/-1d", "-36h")
# Two seeds for each case, in turn, so that the cases of a query have all of them together.
SEEDED = [
    (case, seed % len(ZONES))
    for place, case in enumerate(CASES)
    for seed in (2 * place, 2 * place + 1)
]


def by_name(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_a_case_of_the_queries_is_answered_alike(
    case: Path, engine: TrinoEngine, tmp_path: Path
) -> None:
    settings = configuration.load(case / "params.yml")
    statement = placeholders.statement(QUERIES / f"{case.parent.name}.sql", settings)
    assert alike(engine, inputs(case, tmp_path / "in"), statement, odd_rows.SESSION) == []


@pytest.mark.parametrize(
    "case,seed", SEEDED, ids=lambda value: by_name(value) if isinstance(value, Path) else str(value)
)
def test_random_rows_are_answered_alike(
    case: Path, seed: int, engine: TrinoEngine, tmp_path: Path
) -> None:
    source = random.Random(f"{by_name(case)} {seed}")
    settings = replace(
        configuration.load(case / "params.yml"),
        day_timezone=ZONES[seed],
        time_interval=INTERVALS[seed],
        read_interval="",  # of that time_interval
    )
    statement = placeholders.statement(QUERIES / f"{case.parent.name}.sql", settings)
    texts = case.parent.name == "union_touchpoints"
    tables = {
        name: odd_rows.like(table, ROWS, source, texts=texts)
        for name, table in inputs(case, tmp_path / "in").items()
    }
    now = odd_rows.SESSION + source.choice([0, -1, 3600 * 31, 86400 * 8 + 7200])
    assert alike(engine, tables, statement, now) == []


def test_the_number_of_a_user_is_trinos(engine: TrinoEngine) -> None:
    source = random.Random(18)
    letters = "aZ09 _-.@é日😀\u0130\u0000"
    users = ["".join(source.choices(letters, k=length)) for length in range(70) for _ in range(20)]
    engine.create_database(DATABASE)
    engine.write(DATABASE, "users", pa.table({"place": range(len(users)), "name": users}))
    found = same_rows.of_trino(
        engine,
        DATABASE,
        "select place, cast(bitwise_and(from_big_endian_64(xxhash64(to_utf8('18:' || name))), "
        "9007199254740991) as double) / 9007199254740992e0 as number from users",
        now=0,
    )
    numbers = user_rnd(pa.array(users), 18).tolist()
    assert dict(found.rows) == dict(enumerate(numbers))


def inputs(case: Path, scratch: Path) -> dict[str, pa.Table]:
    """The tables of a case, typed as the local engine types them."""
    local = LocalWarehouse(case, scratch, now=0)
    return {
        name: pq.read_table(local.typed_file(name)) for name in local.tables() if name != "expected"
    }


def alike(
    engine: TrinoEngine, tables: dict[str, pa.Table], statement: str, now: int
) -> list[object]:
    """How the answers of the two engines differ."""
    with tempfile.TemporaryDirectory() as folder:
        same_rows.write(Path(folder) / "data", tables)
        local = LocalWarehouse(Path(folder) / "data", Path(folder) / "out", now=now)
        same_rows.load(engine, DATABASE, local)
        return same_rows.differences(
            same_rows.of_trino(engine, DATABASE, statement, now),
            same_rows.of_local(local, statement),
        )
