"""Attribution by rule. A rule gives every touch of a path a share; a path's shares sum to 1.

Conversions without a touch belong to no channel: they are the baseline, the last column of
`credit`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from td_mta.journeys.paths import Paths
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Floats

PAIRS_AT_ONCE = 1 << 22  # of a path and a channel


@dataclass(frozen=True, kw_only=True)
class RuleSettings:
    """What rules leave open. `direct` is the channel that `last_non_direct` passes over, -1 none.

    `first` and `last` are the ends' shares in `position_based`; half-life in days.
    """

    direct: int = -1
    first: float = 0.4
    last: float = 0.4
    half_life_days: float = 7.0


Rule = Callable[[Paths, RuleSettings], Floats]


def first_touch(paths: Paths, settings: RuleSettings) -> Floats:
    """All to the first touch; one share per touch, shape `(touches,)`."""
    return _all_to(paths, paths.offsets[:-1][paths.sizes > 0])


def last_touch(paths: Paths, settings: RuleSettings) -> Floats:
    """All to the last touch."""
    return _all_to(paths, paths.offsets[1:][paths.sizes > 0] - 1)


def last_non_direct(paths: Paths, settings: RuleSettings) -> Floats:
    """All to the last touch of a channel other than `settings.direct`; else to the last touch."""
    filled = paths.offsets[:-1][paths.sizes > 0]
    if not len(filled):
        return np.zeros(0)
    at = np.arange(len(paths.channel))
    named = np.where(paths.channel != settings.direct, at, -1)
    chosen = np.maximum.reduceat(named, filled)
    last = paths.offsets[1:][paths.sizes > 0] - 1
    return _all_to(paths, np.where(chosen < 0, last, chosen))


def linear(paths: Paths, settings: RuleSettings) -> Floats:
    """The same to every touch, repeats included."""
    sizes = paths.sizes
    return np.repeat(1 / np.maximum(sizes, 1), sizes)


def linear_unique(paths: Paths, settings: RuleSettings) -> Floats:
    """The same to every channel of a path, however often it touched; evenly to its touches.

    This is the Shapley value of the game in which a set of channels is worth the paths that no
    other channel touched (Zhao, Mahboobi & Bagheri 2018, "simplified").
    """
    shares = np.empty(len(paths.channel))
    width = int(paths.channel.max(initial=0)) + 1
    step = max(1, PAIRS_AT_ONCE // width)
    for first in range(0, len(paths.sizes), step):
        rows = slice(first, min(first + step, len(paths.sizes)))
        touches = slice(paths.offsets[rows.start], paths.offsets[rows.stop])
        path = np.repeat(np.arange(rows.stop - rows.start), paths.sizes[rows])
        pair = path * width + paths.channel[touches]
        repeats = np.bincount(pair, minlength=width * (rows.stop - rows.start))
        distinct = np.count_nonzero(repeats.reshape(-1, width), axis=1)
        shares[touches] = 1 / (distinct[path] * repeats[pair])
    return shares


def position_based(paths: Paths, settings: RuleSettings) -> Floats:
    """`first` and `last` to the ends, the rest evenly between; two touches share as `first:last`.

    >>> path = Paths(np.arange(4), np.array([0, 4]), *np.ones((3, 1)), np.zeros(4))
    >>> position_based(path, RuleSettings()).round(2).tolist()
    [0.4, 0.1, 0.1, 0.4]
    """
    sizes = paths.sizes
    between = np.where(sizes > 2, (1 - settings.first - settings.last), 0.0)
    shares = np.repeat(between / np.maximum(sizes - 2, 1), sizes)
    scale = 1 / np.where(sizes > 2, 1.0, settings.first + settings.last)
    filled = sizes > 0
    opens, closes = paths.offsets[:-1][filled], paths.offsets[1:][filled] - 1
    shares[opens] = settings.first * scale[filled]
    shares[closes] = settings.last * scale[filled]
    shares[opens[opens == closes]] = 1.0
    return shares


def time_decay(paths: Paths, settings: RuleSettings) -> Floats:
    """Shares as 2^(-age / half-life), `age` being the time from the touch to the conversion."""
    sizes = paths.sizes
    filled = paths.offsets[:-1][sizes > 0]
    if not len(filled):
        return np.zeros(0)
    youngest = np.repeat(np.minimum.reduceat(paths.age, filled), sizes[sizes > 0])
    weight = np.exp2(-(paths.age - youngest) / (settings.half_life_days * SECONDS_PER_DAY))
    return weight / np.repeat(np.add.reduceat(weight, filled), sizes[sizes > 0])


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        first_touch,
        last_touch,
        last_non_direct,
        linear,
        linear_unique,
        position_based,
        time_decay,
    )
}


def credit(rule: Rule, paths: Paths, channels: int, settings: RuleSettings) -> Floats:
    """Conversions and value, shape `(2, channels + 1)`; the last column is the baseline.

    Credit is additive: that of two parts of the paths adds up to that of all.
    """
    shares, owner = rule(paths, settings), paths.owner
    untouched = paths.sizes == 0
    out = np.zeros((2, channels + 1))
    for row, amount in enumerate((paths.conversions, paths.value)):
        out[row, :channels] = np.bincount(paths.channel, shares * amount[owner], minlength=channels)
        out[row, channels] = amount[untouched].sum()
    return out


def _all_to(paths: Paths, touches: np.ndarray) -> Floats:
    shares = np.zeros(len(paths.channel))
    shares[touches] = 1
    return shares
