"""A world with a known truth: who touched what, who converted, and what each cell really gave.

It runs day by day. Every user may be touched by channels; then comes one moment of trial, at which
he converts with a chance that depends on the cells of his window alone: `Hazard.worth`. A touch
after that moment, or before the previous conversion, plays no part. The truth's credit is the
Shapley value of that very chance, so a model that learned the world must give the same.
"""

from dataclasses import dataclass
from math import factorial
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Moment = Literal["day_end", "any_time"]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

DAY = 86_400
START = 1_767_225_600  # 2026-01-01 00:00 UTC
LARGEST_PATTERN = 16
COALITIONS_AT_ONCE = 1 << 17


@dataclass(frozen=True, kw_only=True)
class Hazard:
    """The chance to convert on a day: a base rate times the risk that each touched cell brings.

    `relative_risks` holds for a touch on the day itself; its logarithm shrinks by `decay` with
    every day since. A window touched by both channels of `pair` has `pair_risk` on top.
    """

    channels: tuple[str, ...] = ("Search", "Email", "Display", "Popup", "Video")
    base: float = 0.005
    relative_risks: tuple[float, ...] = (3.27, 4.83, 1.22, 0.61, 2.0)
    decay: float = 0.6
    window: int = 5
    pair: tuple[int, int] = (0, 4)
    pair_risk: float = 1.5

    def worth(self, cells: Bools) -> Floats:
        """Chance of a conversion `(n,)` with the cells `(n, window, channels)`, and only they.

        >>> hazard = Hazard(base=0.01, decay=0.5, relative_risks=(4.0, 1.0, 1.0, 1.0, 1.0))
        >>> cells = np.zeros((3, 5, 5), bool)
        >>> cells[1, 0, 0] = cells[2, 1, 0] = True  # Search on the day, Search the day before
        >>> hazard.worth(cells)
        array([0.01, 0.04, 0.02])
        """
        fading = self.decay ** np.arange(self.window)[:, None]
        effects = fading * np.log(self.relative_risks)
        reached: Bools = np.any(cells, axis=1)
        both = reached[:, self.pair[0]] & reached[:, self.pair[1]]
        log_risk = cells.reshape(len(cells), -1) @ effects.ravel() + both * np.log(self.pair_risk)
        return np.minimum(self.base * np.exp(log_risk), 1.0)


class Credit(NamedTuple):
    """What conversions owe to cells `(window, channels)` and to the baseline, in conversions."""

    cells: Floats
    baseline: float


@dataclass(frozen=True, kw_only=True)
class World:
    """Touchpoints as columns of one length, unordered, and the truth behind them.

    `time` is in seconds; `channel` indexes `hazard.channels`, -1 on conversion rows; `value` is NaN
    where nothing was sold. `patterns` `(conversions, window, channels)` holds what each conversion
    saw, in no order that the rows know.
    """

    user: Integers
    time: Integers
    channel: Integers
    conversion: Bools
    value: Floats
    patterns: Bools
    hazard: Hazard
    truth: Credit


def hazard_world(
    *,
    rng: np.random.Generator,
    hazard: Hazard | None = None,
    moment: Moment = "day_end",
    users: int = 150_000,
    days: int = 30,
    touch_rates: tuple[float, ...] = (0.05, 0.05, 0.08, 0.05, 0.05),
    repeat: float = 0.05,
) -> World:
    """A world of `users` on `days`; `touch_rates` are each channel's daily chance to touch.

    A touch is followed by another of the same channel on the same day with chance `repeat`. At
    `day_end` the trial comes after all touches of the day, else at any second of it, each alike.
    """
    hazard = hazard or Hazard()
    cells = np.zeros((users, hazard.window, len(hazard.channels)), bool)
    touches, conversions, patterns = [], [], []
    for day in range(days):
        first, last = _touches(rng, users, np.asarray(touch_rates), repeat)
        trial = rng.integers(DAY, size=users) if moment == "any_time" else np.full(users, DAY - 1)
        cells[:, 1:] = cells[:, :-1].copy()
        cells[:, 0] = first <= trial[:, None]
        converts = rng.random(users) < hazard.worth(cells)
        patterns.append(cells[converts])
        cells[converts] = False
        cells[:, 0] = (last >= 0) & ((last > trial[:, None]) | ~converts[:, None])
        touches.append(_touch_rows(first, last, day))
        conversions.append(_conversion_rows(converts, trial, day))
    return _world(rng, hazard, touches, conversions, np.concatenate(patterns))


def credit(hazard: Hazard, patterns: Bools) -> Credit:
    """The truth's own Shapley credit of conversions that saw `patterns` `(n, window, channels)`.

    Each conversion gives v(∅)/v(N) to the baseline and φ/v(N) to its cells: they sum to n.
    Exact over all coalitions. Raises ValueError for a pattern of more than 16 cells.
    """
    shape = patterns.shape[1:]
    distinct, counts = np.unique(patterns.reshape(len(patterns), -1), axis=0, return_counts=True)
    sizes = distinct.sum(axis=1)
    if sizes.max(initial=0) > LARGEST_PATTERN:
        wanted = f"at most {LARGEST_PATTERN} touched cells in a pattern, got {sizes.max()}"
        raise ValueError(f"exact credit needs {wanted}: touch less or shorten the window")
    cells, baseline = np.zeros(distinct.shape[1]), 0.0
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        for block in np.array_split(chosen, -(-(len(chosen) << size) // COALITIONS_AT_ONCE)):
            players = np.nonzero(distinct[block])[1].reshape(len(block), size)
            worth = _worth_of_coalitions(hazard, players, shape)
            per_conversion = (counts[block] / worth[:, -1])[:, None]
            np.add.at(cells, players, per_conversion * (worth @ _shapley_weights(size)))
            baseline += float((per_conversion[:, 0] * worth[:, 0]).sum())
    return Credit(cells.reshape(shape), baseline)


def _touches(
    rng: np.random.Generator, users: int, rates: Floats, repeat: float
) -> tuple[Integers, Integers]:
    """First and last second `(users, channels)` of a day's touches; untouched: DAY and -1."""
    shape = (users, len(rates))
    touched = rng.random(shape) < rates
    again = touched & (rng.random(shape) < repeat)
    # touches keep off the day's last second, which at `day_end` is the moment of trial
    one, other = rng.integers(DAY - 1, size=(2, *shape))
    other = np.where(again, other, one)
    first = np.where(touched, np.minimum(one, other), DAY)
    return first, np.where(touched, np.maximum(one, other), -1)


def _touch_rows(first: Integers, last: Integers, day: int) -> Integers:
    """Columns user, time, channel; a second touch is a row of its own."""
    user, channel = np.nonzero(last >= 0)
    again_user, again_channel = np.nonzero((last >= 0) & (last > first))
    second = np.concatenate([first[user, channel], last[again_user, again_channel]])
    time = START + day * DAY + second
    return np.stack(
        [np.concatenate([user, again_user]), time, np.concatenate([channel, again_channel])]
    )


def _conversion_rows(converts: Bools, trial: Integers, day: int) -> Integers:
    user = np.flatnonzero(converts)
    return np.stack([user, START + day * DAY + trial[user], np.full(len(user), -1)])


def _world(
    rng: np.random.Generator,
    hazard: Hazard,
    touches: list[Integers],
    conversions: list[Integers],
    patterns: Bools,
) -> World:
    user, time, channel = np.concatenate(touches + conversions, axis=1)
    order = rng.permutation(len(user))
    conversion = (channel < 0)[order]
    value = np.where(conversion, np.round(rng.gamma(4.0, 20.0, len(user)), 2), np.nan)
    return World(
        user=user[order],
        time=time[order],
        channel=channel[order],
        conversion=conversion,
        value=value,
        patterns=patterns,
        hazard=hazard,
        truth=credit(hazard, patterns),
    )


def _worth_of_coalitions(hazard: Hazard, players: Integers, shape: tuple[int, ...]) -> Floats:
    """v of every coalition of the players `(n, size)`: `(n, 2**size)`, ∅ first, N last."""
    n, size = players.shape
    members = _coalitions(size)
    cells = np.zeros((n, len(members), int(np.prod(shape))), bool)
    pattern, coalition = np.ogrid[:n, : len(members)]
    cells[pattern[..., None], coalition[..., None], players[:, None, :]] = members
    return hazard.worth(cells.reshape(-1, *shape)).reshape(n, -1)


def _shapley_weights(size: int) -> Floats:
    """W `(2**size, size)` with φ = v @ W: how a coalition's worth enters each player's φ."""
    members = _coalitions(size)
    others = members.sum(axis=1, keepdims=True) - members  # |S| without the player
    share = [factorial(s) * factorial(size - s - 1) / factorial(size) for s in range(size)]
    return np.where(members, 1.0, -1.0) * np.array([*share, 0.0])[others]


def _coalitions(size: int) -> Bools:
    return (np.arange(1 << size)[:, None] >> np.arange(size) & 1).astype(bool)
