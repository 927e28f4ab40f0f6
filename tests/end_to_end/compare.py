"""Differences between the tables of two runs, beyond the digits that printing a float loses.

What must differ between two runs is named here; everything else counts as a difference.
"""

import math
import re
from collections.abc import Iterable, Mapping

import pyarrow as pa

Row = tuple[object, ...]

PRINTED_TOLERANCE = 1e-12  # relative: CSV prints floats by repr, bulk import as eight bytes
ADDED_COLUMNS = frozenset({"time"})  # Treasure Data adds it to a table that lacks it
# Entries section/name of shapley_run_info that depend on the run and not on its result.
RUN_SPECIFIC = re.compile(
    r"seconds/.*|parameters/(positive_tfrecords_dir|negative_tfrecords_dir|model_dir|td_api_server)"
)


def differing_tables(
    one: Mapping[str, pa.Table], other: Mapping[str, pa.Table], names: Iterable[str]
) -> list[str]:
    """A line for each table that is missing or differs, with the first difference."""
    differences = []
    for name in names:
        runs = (("first", one), ("second", other))
        absent = [which for which, tables in runs if name not in tables]
        if absent:
            differences.append(f"{name}: not among the {' and '.join(absent)} run's tables")
        elif difference := _difference(one[name], other[name]):
            differences.append(f"{name}: {difference}")
    return differences


def printed_rows(table: pa.Table) -> list[str]:
    """The rows as text, every digit of a float in it, without order and what Treasure Data adds."""
    named = _with_td_names(table)
    own = named.drop_columns([name for name in named.column_names if name in ADDED_COLUMNS])
    return [str(dict(zip(own.column_names, row, strict=True))) for row in _rows(own)]


def _difference(one: pa.Table, other: pa.Table) -> str | None:
    if one.equals(other):
        return None
    one, other = _with_td_names(one), _with_td_names(other)
    one, other = _without_added(one, other), _without_added(other, one)
    if one.column_names != other.column_names:
        return f"columns {one.column_names} and {other.column_names}"
    if one.num_rows != other.num_rows:
        return f"{one.num_rows} rows and {other.num_rows}"
    if "section" in one.column_names:
        one, other = (_without_run_specific(table) for table in (one, other))
    for left, right in zip(_rows(one), _rows(other), strict=True):
        if not all(map(_same, left, right)):
            return f"{left} and {right}"
    return None


def _with_td_names(table: pa.Table) -> pa.Table:
    """Column names as Treasure Data has them: lower case, other characters turned into `_`."""
    return table.rename_columns([re.sub(r"[^a-z0-9_]", "_", c.lower()) for c in table.column_names])


def _without_added(table: pa.Table, beside: pa.Table) -> pa.Table:
    """A table without the columns that Treasure Data added, where the other has none such."""
    added = [
        name for name in table.column_names if name in ADDED_COLUMNS - set(beside.column_names)
    ]
    return table.drop_columns(added)


def _without_run_specific(run_info: pa.Table) -> pa.Table:
    rows = run_info.to_pylist()
    is_of_result = [not RUN_SPECIFIC.fullmatch(f"{row['section']}/{row['name']}") for row in rows]
    return run_info.filter(pa.array(is_of_result))


def _rows(table: pa.Table) -> list[Row]:
    """The rows in an order of their own: words and whole numbers first, then floats."""
    columns = [[_plain(value) for value in column.to_pylist()] for column in table.columns]
    rows = list(zip(*columns, strict=True))
    return sorted(
        rows, key=lambda row: ([_key(v, False) for v in row], [_key(v, True) for v in row])
    )


def _key(value: object, floats: bool) -> tuple[str, str]:
    if isinstance(value, float):
        return ("float", f"{value:+.9e}") if floats else ("", "")
    return type(value).__name__, str(value)


def _plain(value: object) -> object:
    """NULL and NaN alike, whole floats as whole numbers, whose type a CSV file does not keep."""
    if isinstance(value, float):
        return None if math.isnan(value) else int(value) if value.is_integer() else value
    return value


def _same(one: object, other: object) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=PRINTED_TOLERANCE, abs_tol=1e-15)
    return one == other
