"""Treasure Data's functions in Trino: `functions.sql`, and TD_TIME_RANGE's many forms."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from td_emulator.engines.real_trino.connection import connected

SCHEMA = "udf"
_SQL = Path(__file__).with_name("functions.sql")
# A bound of TD_TIME_RANGE in unix seconds, by the type that the caller passes.
_ENDS = {"bigint": "{end}", "varchar": "td_time_parse({end}, {zone})"}


def create(url: str) -> None:
    """Create all functions in a Trino that has just started."""
    with connected(url) as run:
        run(f"create schema if not exists {SCHEMA}")
        for statement in statements():
            run(statement)


def statements() -> list[str]:
    """A `create function` for each function, and for each form of TD_TIME_RANGE."""
    from_file = _SQL.read_text(encoding="utf-8").rstrip(";\n").split(";\n\n")
    return [*from_file, *_time_ranges()]


def _time_ranges() -> Iterator[str]:
    """TD_TIME_RANGE(time, start[, end[, zone]]): Trino's routines have no optional arguments."""
    for start, end in product(_ENDS, _ENDS):
        yield _time_range({"first": start, "last": end}, zone=True)
        yield _time_range({"first": start, "last": end}, zone=False)
    for start in _ENDS:
        yield _time_range({"first": start}, zone=False)


def _time_range(ends: dict[str, str], *, zone: bool) -> str:
    parameters = [f"{name} {kind}" for name, kind in ends.items()]
    if zone:
        parameters.append("zone varchar")
    zone_text = "zone" if zone else "'UTC'"
    bounds = [
        _ENDS[ends[name]].format(end=name, zone=zone_text)
        if name in ends
        else "cast(null as bigint)"  # an open end
        for name in ("first", "last")
    ]
    return (
        f"create function td_time_range(time bigint, {', '.join(parameters)}) returns boolean "
        f"return (td_within(time, {', '.join(bounds)}))"
    )
