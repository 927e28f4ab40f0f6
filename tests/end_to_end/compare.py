"""Are the tables of two runs the same within what printing a float loses? And their requests?

What must differ between two runs is named here, and nothing else is let through.
"""

import math
import re
from collections.abc import Iterable, Mapping

import pyarrow as pa

Row = tuple[object, ...]

PRINTED = 1e-12  # relative: CSV prints floats by repr, bulk import as eight bytes
ADDED = frozenset({"time"})  # Treasure Data adds it to a table that lacks it
# Facts of shapley_run_info that belong to a run and not to its result: (section, name).
OF_THE_RUN = re.compile(
    r"seconds/.*|parameters/(positive_tfrecords_dir|negative_tfrecords_dir|model_dir|td_api_server)"
)


def differing_tables(
    one: Mapping[str, pa.Table], other: Mapping[str, pa.Table], names: Iterable[str]
) -> list[str]:
    """A line for each table that is missing or differs, with the first difference."""
    found = []
    for name in names:
        absent = [which for which, made in (("first", one), ("second", other)) if name not in made]
        if absent:
            found.append(f"{name}: not among the {' and '.join(absent)} run's tables")
        elif difference := _difference(one[name], other[name]):
            found.append(f"{name}: {difference}")
    return found


def _difference(one: pa.Table, other: pa.Table) -> str | None:
    if one.equals(other):
        return None
    one, other = _named_as_there(one), _named_as_there(other)
    one, other = _without_added(one, other), _without_added(other, one)
    if one.column_names != other.column_names:
        return f"columns {one.column_names} and {other.column_names}"
    if one.num_rows != other.num_rows:
        return f"{one.num_rows} rows and {other.num_rows}"
    if "section" in one.column_names:
        one, other = (_of_the_result(table) for table in (one, other))
    for left, right in zip(_rows(one), _rows(other), strict=True):
        if not all(map(_same, left, right)):
            return f"{left} and {right}"
    return None


def _named_as_there(table: pa.Table) -> pa.Table:
    """Column names as Treasure Data has them: lower case, other characters turned into `_`."""
    return table.rename_columns([re.sub(r"[^a-z0-9_]", "_", c.lower()) for c in table.column_names])


def _without_added(table: pa.Table, beside: pa.Table) -> pa.Table:
    """A table without the columns that Treasure Data added, where the other has none such."""
    added = [name for name in table.column_names if name in ADDED - set(beside.column_names)]
    return table.drop_columns(added)


def _of_the_result(run_info: pa.Table) -> pa.Table:
    rows = run_info.to_pylist()
    kept = [not OF_THE_RUN.fullmatch(f"{row['section']}/{row['name']}") for row in rows]
    return run_info.filter(pa.array(kept))


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
        return math.isclose(one, other, rel_tol=PRINTED, abs_tol=1e-15)
    return one == other
