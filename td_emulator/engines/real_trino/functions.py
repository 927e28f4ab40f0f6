"""Treasure Data's functions in Trino: `functions.sql`, and TD_TIME_RANGE's many forms."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from td_emulator.engines.real_trino.connection import connected

SCHEMA = "udf"
_SQL = Path(__file__).with_name("functions.sql")
# An end of TD_TIME_RANGE by the type that is given, as unix seconds.
_ENDS = {"bigint": "{end}", "varchar": "td_time_parse({end}, {zone})"}


def create(url: str) -> None:
    """Make all of them in a Trino that has just started."""
    with connected(url) as run:
        run(f"create schema if not exists {SCHEMA}")
        for statement in statements():
            run(statement)


def statements() -> list[str]:
    written = _SQL.read_text(encoding="utf-8").rstrip(";\n").split(";\n\n")
    return [*written, *_time_ranges()]


def _time_ranges() -> Iterator[str]:
    """TD_TIME_RANGE(time, start[, end[, zone]]): routines know no optional arguments."""
    for start, end in product(_ENDS, _ENDS):
        yield _time_range({"first": start, "last": end}, zone=True)
        yield _time_range({"first": start, "last": end}, zone=False)
    for start in _ENDS:
        yield _time_range({"first": start}, zone=False)


def _time_range(ends: dict[str, str], *, zone: bool) -> str:
    params = [f"{name} {kind}" for name, kind in ends.items()] + ["zone varchar"] * zone
    texts = [
        _ENDS[ends[name]].format(end=name, zone="zone" if zone else "'UTC'")
        if name in ends
        else "cast(null as bigint)"
        for name in ("first", "last")
    ]
    return (
        f"create function td_time_range(time bigint, {', '.join(params)}) returns boolean "
        f"return (td_within(time, {', '.join(texts)}))"
    )
