"""Sums that come in parts, a part a page: merged now and then, so that they stay few."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def appended(
    parts: list[T], new: T, merge: Callable[[list[T]], T], size: Callable[[T], int]
) -> list[T]:
    """The parts and a new one; all merged to one once the later ones outweigh the first.

    Merging so seldom that every merge at least doubles the first part keeps the work linear, and
    memory within about twice that of the sum.

    >>> appended([5, 2], 4, sum, int), appended([5, 2], 1, sum, int)
    ([11], [5, 2, 1])
    """
    parts = [*parts, new]
    first, *later = map(size, parts)
    return [merge(parts)] if sum(later) > first else parts
