"""What a user may change in sums by period: at most so many periods, at most so much in each.

Which periods of a user count is drawn by a secret, apart for each user: keeping the first ones
would bend the series, and no user's choice may depend on another user.
"""

import hashlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class BoundedSums(NamedTuple):
    """Sums of what counts; none of it is to be shown without noise."""

    sums: Ints  # integer cents by period, (periods,)
    kept: int  # pairs of a user and a period that count
    pairs: int  # all of them


def bounded_sums(
    users: list[str], period: Ints, cents: Ints, *, periods: int, most: int, cap: int, secret: bytes
) -> BoundedSums:
    """A user's amounts by period, clamped to 0 … `cap`, in at most `most` of the periods.

    `users`, `period` (from 0) and `cents` have an entry for each order. A user that is added or
    removed changes `sums` by at most `most * cap` in all, `kept` by `most`, `pairs` by `periods`.
    """
    names, codes = np.unique(np.array(users, object), return_inverse=True)
    pair, of_order = np.unique(codes.astype(np.int64) * periods + period, return_inverse=True)
    amount = np.zeros(len(pair), np.int64)
    np.add.at(amount, of_order, cents)
    owner, when = pair // periods, pair % periods
    rank = np.array([_draw(secret, names[o], w) for o, w in zip(owner, when, strict=True)], object)
    order = sorted(range(len(pair)), key=lambda i: (owner[i], rank[i]))
    ordered = owner[order]
    first = np.searchsorted(ordered, ordered)
    counts = np.arange(len(order)) - first < most
    kept = np.array(order, np.int64)[counts]
    sums = np.zeros(periods, np.int64)
    np.add.at(sums, when[kept], np.clip(amount[kept], 0, cap))
    return BoundedSums(sums, len(kept), len(pair))


def _draw(secret: bytes, user: str, period: int) -> bytes:
    text = f"{period}:{user}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=secret, digest_size=16).digest()
