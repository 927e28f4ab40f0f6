"""Whether two producers of `Extracted` counted the same, array by array."""

import dataclasses
from collections.abc import Iterator

import numpy as np
from scipy import sparse

from td_mta.dataset.extracted import Extracted
from td_mta.ingest.read_table import ReadTable

OF_TABLE = ("channels", "first_day", "last_day", "visits", "arrival")
OF_SCAN = (
    *("rows", "dropped", "conversions", "conversions_without_channel", "refunds", "refunded"),
    *("first_time", "last_time", "spelling", "null_users", "null_channels"),
)
SUMS = "time_decay"  # of shares that are all different, whose order of adding up is not told
PRECISION = 1e-9


def differing(
    table: ReadTable, other_table: ReadTable, extracted: Extracted, other: Extracted
) -> list[str]:
    """A line for each number, text or array that differs."""
    lines = _differing(_of_table(table), _of_table(other_table))
    for field in set(Extracted._fields) - {"model_totals"}:
        lines += _differing(getattr(extracted, field), getattr(other, field), field)
    totals, other_totals = extracted.model_totals, other.model_totals
    lines += _differing(totals.chosen_order(), other_totals.chosen_order(), "chosen_order")
    credits, other_credits = totals.credits(), other_totals.credits()
    if np.allclose(credits.pop(SUMS), other_credits.pop(SUMS), rtol=PRECISION, atol=0):
        return lines + _differing(credits, other_credits, "credits")
    return [*lines, SUMS]


def _of_table(table: ReadTable) -> dict[str, object]:
    scan = {name: getattr(table.scan, name) for name in OF_SCAN}
    several_ties = len(table.scan.ties) > 1
    rows = table.scan.rows_by_channel
    found = {name: getattr(table, name) for name in OF_TABLE}
    return found | scan | {"ties": several_ties, "rows": sorted(rows.items())}


def _differing(one: object, other: object, name: str = "") -> list[str]:
    these, those = dict(_arrays(one, name)), dict(_arrays(other, name))
    return [
        f"{key}: {these.get(key)!r} and {those.get(key)!r}"
        for key in sorted({*these, *those})
        if not np.array_equal(np.asarray(these.get(key)), np.asarray(those.get(key)))
    ]


def _arrays(value: object, name: str) -> Iterator[tuple[str, object]]:
    """Every number and array within a record, by its name."""
    if isinstance(value, sparse.csr_array):
        value = {"data": value.data, "indices": value.indices, "indptr": value.indptr}
    elif dataclasses.is_dataclass(value):
        value = vars(value)
    elif hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _arrays(part, f"{name}.{key}")
    elif isinstance(value, list | tuple) and not all(isinstance(part, str) for part in value):
        for number, part in enumerate(value):
            yield from _arrays(part, f"{name}.{number}")
    else:
        yield name, value
