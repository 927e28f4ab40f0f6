"""Attribution by rule. A rule gives every touch of a path a share; a path's shares sum to 1.

Conversions without a touch belong to no channel: they are the baseline, the last column of
`credit`. A new rule is a function here, a line in `methods.METHODS`, and a test.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from td_mta.journeys.paths import Paths
from td_mta.journeys.runs import offsets_of, owners, positions, reduced
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Floats, Ints

COARSE, FINE = 2.0**-20, 2.0**-30  # units of sums without rounding, one of the other
NUMBERED_DENSELY = 1 << 16  # numbers up to this are found without sorting
PAIRS_AT_ONCE = 1 << 22  # of a path and a channel, counted in one array


@dataclass(frozen=True, kw_only=True)
class RuleSettings:
    """Parameters of the rules."""

    direct: tuple[int, ...] = ()  # the channels that `last_non_direct` passes over
    first: float = 0.4  # share of the first touch in `position_based`
    last: float = 0.4  # share of the last one
    half_life_days: float = 7.0  # of `time_decay`


Rule = Callable[[Paths, RuleSettings], Floats]
"""One share per touch, shape `(touches,)`."""


def first_touch(paths: Paths, settings: RuleSettings) -> Floats:
    """All to the first touch."""
    return _all_to(paths, paths.first_touches)


def last_touch(paths: Paths, settings: RuleSettings) -> Floats:
    """All to the last touch."""
    return _all_to(paths, paths.last_touches)


def last_non_direct(paths: Paths, settings: RuleSettings) -> Floats:
    """All to the last touch of no channel of `settings.direct`; else to the last touch."""
    touch = np.arange(len(paths.channel))
    candidate = np.where(np.isin(paths.channel, settings.direct), -1, touch)
    by_path = reduced(np.maximum, candidate, paths.offsets)
    last_candidate = by_path[paths.sizes > 0]
    only_direct = last_candidate < 0
    credited = np.where(only_direct, paths.last_touches, last_candidate)
    return _all_to(paths, credited)


def linear(paths: Paths, settings: RuleSettings) -> Floats:
    """The same to every touch, repeats included."""
    share = 1 / np.maximum(paths.sizes, 1)
    return np.repeat(share, paths.sizes)


def linear_unique(paths: Paths, settings: RuleSettings) -> Floats:
    """The same to every channel of a path, however often it touched; evenly to its touches.

    This is the Shapley value of the game in which v(S) counts the paths that no channel outside S
    touched (Zhao, Mahboobi & Bagheri 2018, "simplified").
    """
    shares = np.empty(len(paths.channel))
    channels = int(paths.channel.max(initial=0)) + 1
    step = max(1, PAIRS_AT_ONCE // channels)
    for first in range(0, len(paths.sizes), step):
        sizes = paths.sizes[first : first + step]
        offsets = paths.offsets[first : first + len(sizes) + 1]
        touches = slice(offsets[0], offsets[-1])
        path = owners(sizes)
        pair = path * channels + paths.channel[touches]
        repeats = np.bincount(pair, minlength=len(sizes) * channels)
        by_path = repeats.reshape(-1, channels)  # (paths, channels)
        channels_of_path = np.count_nonzero(by_path, axis=1)
        shares[touches] = 1 / (channels_of_path[path] * repeats[pair])
    return shares


def position_based(paths: Paths, settings: RuleSettings) -> Floats:
    """`first` and `last` to the ends, the rest evenly between; two touches share as `first:last`.

    >>> path = Paths(np.arange(4), np.array([0, 4]), *np.ones((3, 1)), np.zeros(4))
    >>> position_based(path, RuleSettings()).round(2).tolist()
    [0.4, 0.1, 0.1, 0.4]
    """
    sizes = paths.sizes
    has_middle = sizes > 2
    middle = np.where(has_middle, 1 - settings.first - settings.last, 0.0)
    middle_touches = np.maximum(sizes - 2, 1)
    shares = np.repeat(middle / middle_touches, sizes)
    # Where there is no middle, the ends share what it would have had in their own proportion.
    both_ends = np.where(has_middle, 1.0, settings.first + settings.last)[sizes > 0]
    first = paths.first_touches
    last = paths.last_touches
    shares[first] = settings.first / both_ends
    shares[last] = settings.last / both_ends
    only_touch = first[first == last]
    shares[only_touch] = 1.0
    return shares


def time_decay(paths: Paths, settings: RuleSettings) -> Floats:
    """Shares as 2^(-age / half-life), `age` being the time from the touch to the conversion."""
    half_life = settings.half_life_days * SECONDS_PER_DAY
    # Ages from the youngest touch give the same shares, and no weights that all round to 0.
    youngest = reduced(np.minimum, paths.age, paths.offsets)
    age = paths.age - np.repeat(youngest, paths.sizes)
    weight = np.exp2(-age / half_life)
    total = reduced(np.add, weight, paths.offsets)
    shares: Floats = weight / np.repeat(total, paths.sizes)
    return shares


class Places(NamedTuple):
    """Conversions and value of paths by their size, a touch's place in it, and its channel."""

    paths: Paths  # one of each size; their touches, of no channel, are the places, `(places,)`
    amounts: Floats  # (2, places, channels)


class Shares(NamedTuple):
    """What a rule gives: so much of so many conversions, `n` distinct pairs of channel and share.

    Counts and values, which are multiples of a power of 2, add up exactly in any order; products
    with shares would not.
    """

    channel: Ints  # ascending, then by share; the number of channels is the baseline, (n,)
    share: Floats  # (n,)
    amounts: Floats  # conversions and value that it is a share of, (2, n)


def shares_of(rule: Rule, paths: Paths, channels: int, settings: RuleSettings) -> Shares:
    """What the rule gives to each channel, and to the baseline the conversions without a touch."""
    share = rule(paths, settings)
    gets = np.flatnonzero(share)
    amounts = np.stack([paths.conversions, paths.value])[:, paths.owner[gets]]
    of_touches = Shares(paths.channel[gets], share[gets], amounts)
    return merge([of_touches, _of_baseline(untouched(paths), channels)])


def places_of(paths: Paths, channels: int) -> Places:
    """The places that the touches of paths have, and what the paths sum to at each."""
    occurs = np.bincount(paths.sizes) > 0
    sizes = np.flatnonzero(occurs)
    offsets = offsets_of(sizes)
    none, of_touches = np.zeros(len(sizes)), np.zeros(offsets[-1])
    of_size = Paths(of_touches.astype(np.int64), offsets, none, none, none, of_touches)
    first = offsets[np.cumsum(occurs) - 1][paths.sizes]
    cell = positions(first, paths.sizes) * channels + paths.channel
    cells = int(offsets[-1]) * channels
    amounts = [
        np.bincount(cell, np.repeat(amount, paths.sizes), cells)
        for amount in (paths.conversions, paths.value)
    ]
    return Places(of_size, np.array(amounts, np.float64).reshape(2, -1, channels))


def shares_by_place(rule: Rule, places: Places, baseline: Floats, settings: RuleSettings) -> Shares:
    """The same as `shares_of` by a rule that gives all paths of a size the same shares.

    `baseline` `(2,)` is what is without a touch.
    """
    share = rule(places.paths, settings)
    gets = np.flatnonzero(share)
    channels = places.amounts.shape[2]
    of_places = Shares(
        np.tile(np.arange(channels), len(gets)),
        np.repeat(share[gets], channels),
        places.amounts[:, gets].reshape(2, -1),
    )
    return merge([of_places, _of_baseline(baseline, channels)])


def summed_of(rule: Rule, paths: Paths, channels: int, settings: RuleSettings) -> Shares:
    """The same where nearly every touch has a share of its own: their sums, as shares of 1."""
    shares = rule(paths, settings)
    parts = [_of_baseline(untouched(paths), channels)]
    amounts = np.stack([paths.conversions, paths.value])[:, paths.owner]
    # Shares of 1 and of 2^-30 hold coarse and fine digits, whose sums are exact in any order too.
    for share, digits in zip((1.0, FINE), _digits(shares * amounts), strict=True):
        sums = [np.bincount(paths.channel, amount, channels) for amount in digits / share]
        parts.append(Shares(np.arange(channels), np.full(channels, share), np.array(sums)))
    return merge(parts)


def merge(parts: Sequence[Shares]) -> Shares:
    """The shares of all parts; those of nothing are left out."""
    shares, of_share = _numbered_shares(np.concatenate([part.share for part in parts]))
    channel = np.concatenate([part.channel for part in parts])
    pairs, which = _numbered(channel * len(shares) + of_share)
    amounts = np.concatenate([part.amounts for part in parts], axis=1)
    sums = np.array([np.bincount(which, amount, len(pairs)) for amount in amounts])
    counts = sums.any(axis=0)
    channel, of_share = np.divmod(pairs[counts], max(len(shares), 1))
    return Shares(channel, shares[of_share], sums[:, counts])


def credit(shares: Shares, channels: int) -> Floats:
    """Conversions and value, shape `(2, channels + 1)`; the last column is the baseline."""
    of_channels = [
        np.bincount(shares.channel, shares.share * amount, channels + 1)
        for amount in shares.amounts
    ]
    return np.array(of_channels, np.float64)


def untouched(paths: Paths) -> Floats:
    """Conversions without a touch, and their value, shape `(2,)`."""
    empty = paths.sizes == 0
    conversions = paths.conversions[empty].sum()
    value = paths.value[empty].sum()
    return np.array([conversions, value])


def _digits(amounts: Floats) -> tuple[Floats, Floats]:
    """Multiples of 2^-20 and of 2^-50, which add up to the amounts."""
    coarse: Floats = np.rint(amounts / COARSE) * COARSE
    fine: Floats = np.rint((amounts - coarse) / (COARSE * FINE)) * (COARSE * FINE)
    return coarse, fine


def _numbered_shares(shares: Floats) -> tuple[Floats, Ints]:
    """The distinct shares, ascending, and which of them each is; fast where each is one of a whole
    number, as most are.
    """
    if shares.min(initial=1.0) >= COARSE:
        wholes = np.rint(1 / shares).astype(np.int64)
        if (1 / wholes == shares).all():
            distinct_wholes, which = _numbered(wholes)
            return 1 / distinct_wholes[::-1], len(distinct_wholes) - 1 - which
    distinct = np.unique(shares)
    return distinct, np.searchsorted(distinct, shares)


def _numbered(numbers: Ints) -> tuple[Ints, Ints]:
    """The distinct whole numbers, ascending, and which each is; fast where they are small."""
    if numbers.max(initial=0) > max(len(numbers), NUMBERED_DENSELY):
        return np.unique(numbers, return_inverse=True)
    occurs = np.bincount(numbers) > 0
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[numbers]


def _of_baseline(untouched: Floats, channels: int) -> Shares:
    return Shares(np.array([channels]), np.ones(1), untouched[:, None])


def _all_to(paths: Paths, touches: Ints) -> Floats:
    shares = np.zeros(len(paths.channel))
    shares[touches] = 1
    return shares
