"""Rows of a media table by period: sums, means, and which periods lack some."""

from collections.abc import Mapping, Sequence

import numpy as np

from td_mta.ingest.media_mix.periods import Periods, date
from td_mta.journeys.touchpoints import Flags, Floats, Ints

MONTHS_DIFFER = 3  # by this many days


def holes(found: Periods, *, of_orders: bool = False) -> Flags:
    """Periods with fewer rows than most: of seven days by week, five without weekends.

    Of orders, periods without any row.
    """
    counts = _counts(found)
    if of_orders:
        return counts < 1
    usual = int(np.bincount(counts[counts > 0]).argmax())
    return counts < max(usual - (MONTHS_DIFFER if found.kind == "month" else 0), 1)


def hole_notes(is_hole: Flags, found: Periods) -> list[str]:
    """What periods without sales, and rows of part of a period, are worth in words."""
    notes = []
    if is_hole.any():
        first = date(found.first_day[is_hole.argmax()])
        notes.append(
            f"{int(is_hole.sum())} {found.kind}s lack rows, the first {first}: their sales are not "
            "known, and spend that is not there counts as none"
        )
    outside = int((found.of_row < 0).sum())
    if outside:
        notes.append(f"left out: {outside} rows of a {found.kind} that is cut off at either end")
    return notes


def summed(values: Floats, found: Periods) -> Floats:
    """Sums, `(n,)`."""
    inside = found.of_row >= 0
    sums = np.bincount(found.of_row[inside], values[inside], len(found.first_day))
    return np.asarray(sums, np.float64)


def sums(columns: Mapping[str, Floats], found: Periods) -> Floats:
    """Of each column, `(n, columns)`."""
    return _stacked([summed(values, found) for values in columns.values()], found)


def means(columns: Mapping[str, Floats], found: Periods) -> Floats:
    """Of each column, 0 in a period without rows, `(n, columns)`."""
    counts = np.maximum(_counts(found), 1)
    return _stacked([summed(values, found) / counts for values in columns.values()], found)


def _stacked(columns: Sequence[Floats], found: Periods) -> Floats:
    empty = np.zeros((len(found.first_day), 0))
    return np.stack(columns, axis=1) if columns else empty


def _counts(found: Periods) -> Ints:
    return np.bincount(found.of_row[found.of_row >= 0], minlength=len(found.first_day))
