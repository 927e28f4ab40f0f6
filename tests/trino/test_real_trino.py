"""The server: up in one `with`, gone with it, also when its user dies; the engine over it."""

import datetime
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import psutil
import pyarrow as pa
import pytest

from td_emulator import EngineError
from td_emulator.engines.protocol import QueryResult
from td_emulator.engines.real_trino import TrinoEngine
from td_mta.trino_on_datafusion.kernels import td

ROOT = Path(__file__).parents[2]
NOW = 1_772_323_200  # 2026-03-01 00:00 UTC
USER = """
import sys
from td_emulator.engines.real_trino import RealTrino
with RealTrino() as trino:
    print(trino.url, flush=True)
    sys.stdin.read()
"""


def servers_of(url: str) -> list[int]:
    """Processes that listen at an address."""
    port = int(url.rpartition(":")[2])
    found = psutil.net_connections("tcp")
    return [c.pid for c in found if c.laddr and c.laddr.port == port and c.status == "LISTEN"]


def eventually(test: Callable[[], bool], seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while not test() and time.monotonic() < until:
        time.sleep(0.2)
    return test()


@pytest.mark.parametrize("end", ["killed", "ended"])
def test_no_server_outlives_its_user(end: str) -> None:
    command = [sys.executable, "-c", USER]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as user:
        assert user.stdin and user.stdout
        url = user.stdout.readline().strip()
        assert len(servers_of(url)) == 1
        if end == "killed":
            os.kill(user.pid, signal.SIGKILL)
        user.stdin.close()
        user.wait(120)
    assert eventually(lambda: servers_of(url) == [])


TABLE = pa.table(
    {
        "id": ["00012", None],
        "text": ["a'b\u0000日", ""],
        "whole": [2**53 + 1, None],
        "number": [0.1, float("nan")],
        "flag": [True, None],
        "day": [datetime.date(2026, 3, 1), None],
        "at": [datetime.datetime(2026, 3, 1, 1, 2, 3, 456), None],
        "raw": [b"\x00\xff", None],
        "price": [Decimal("1.50"), None],
        "list": pa.array([[1, 2], None]),
    }
)


@pytest.fixture
def mta(empty: TrinoEngine) -> TrinoEngine:
    empty.create_database("mta")
    return empty


def test_types_and_values_come_back(mta: TrinoEngine) -> None:
    mta.write("mta", "touches", TABLE)
    found = mta.read("mta", "touches").sort_by([("whole", "ascending")])  # its nulls come last
    assert str(found.to_pydict()) == str(TABLE.to_pydict())  # NaN equals itself as text
    assert [kind for _, kind in mta.columns("mta", "touches")] == [
        "varchar", "varchar", "bigint", "double", "boolean", "date", "timestamp(6)", "varbinary",
        "decimal(3,2)", "array(bigint)",
    ]  # fmt: skip


def test_rows_are_added_by_name(mta: TrinoEngine) -> None:
    mta.write("mta", "touches", pa.table({"a": [1], "b": ["x"]}))
    mta.append("mta", "touches", pa.table({"c": [0.5], "a": [2]}))
    rows = sorted(mta.read("mta", "touches").to_pylist(), key=lambda row: row["a"])
    assert rows == [{"a": 1, "b": "x", "c": None}, {"a": 2, "b": None, "c": 0.5}]
    assert mta.count("mta", "touches") == 2


def test_a_rename_replaces_and_a_missing_table_costs_nothing(mta: TrinoEngine) -> None:
    mta.write("mta", "new", pa.table({"a": [2]}))
    mta.write("mta", "old", pa.table({"a": [1]}))
    with pytest.raises(EngineError, match="does not exist"):
        mta.rename_table("mta", "nothing", "old")
    mta.rename_table("mta", "new", "old")
    assert mta.tables("mta") == ["old"]
    assert mta.read("mta", "old").to_pydict() == {"a": [2]}


def test_the_jobs_time_is_its_own(mta: TrinoEngine) -> None:
    sql = "select TD_Scheduled_Time(), td_interval(1772323199, '-1d'), TD_INTERVAL(null, '-1d')"
    for now, inside in [(NOW, True), (NOW - 1, False)]:
        found = mta.run(sql, "mta", now)
        assert isinstance(found, QueryResult)
        (batch,) = found.batches
        assert [column.to_pylist() for column in batch.columns] == [[now], [inside], [None]]


def test_statements_of_one_job_run_one_after_another(mta: TrinoEngine) -> None:
    sql = 'DROP TABLE IF EXISTS "made";\nCREATE TABLE "made" AS\nselect 1 as a union all select 2'
    assert mta.run(sql, "mta", NOW) == 2
    assert mta.run("insert into made select 3", "mta", NOW) == 1
    assert mta.count("mta", "made") == 3


@pytest.mark.parametrize(
    "sql,name",
    [
        ("select * from nothing", "TABLE_NOT_FOUND"),
        ("select * from nowhere.nothing", "SCHEMA_NOT_FOUND"),
        ("select 1 / a from (values 0) t(a)", "DIVISION_BY_ZERO"),
        ("select from", "SYNTAX_ERROR"),
        ("select td_interval(1, '-1x')", "GENERIC_USER_ERROR"),
    ],
)
def test_an_error_has_trinos_name(mta: TrinoEngine, sql: str, name: str) -> None:
    with pytest.raises(EngineError) as raised:
        mta.run(sql, "mta", NOW)
    assert raised.value.name == name


SPANS = [
    "-1d", "-30d", "-30d/now", "0d/now", "-7d/-1d", "-1M", "-2M/-1M", "-1w", "-1q", "-1y", "-2h",
    "-90m", "-30s", "-1h/now",
]  # fmt: skip
ZONES = ["UTC", "JST", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "+05:45"]


@pytest.mark.parametrize("zone", ZONES)
def test_an_interval_ends_where_the_local_engine_ends_it(zone: str, mta: TrinoEngine) -> None:
    tests, wanted = [], []
    for now in (NOW, NOW + 7 * 86400 + 7200, 1_793_500_000, 1_775_000_001):
        for span in SPANS:
            start, end = td.interval(span, now, zone)
            for time_ in (start - 1, start, end - 1, end):
                tests.append(f"td_interval_at({now}, {time_}, '{span}', '{zone}')")
                wanted.append((tests[-1], start <= time_ < end))
    numbered = ", ".join(f"({place}, {test})" for place, test in enumerate(tests))
    sql = f"select inside from (values {numbered}) t(place, inside) order by place"
    found = mta.run(sql, "mta", NOW)
    assert isinstance(found, QueryResult)
    seen = [value for batch in found.batches for value in batch.column(0).to_pylist()]
    assert [pair for pair, value in zip(wanted, seen, strict=True) if pair[1] != value] == []
