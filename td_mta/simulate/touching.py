"""Who is touched when: daily chances by channel, by weekday, by the channel touched last.

`Intent` is what the data does not show: on a day in the mood to buy, a user is driven to some
channels and buys more readily, with them or without.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import SECONDS_PER_DAY
from td_mta.simulate.draws import Draws, Floats, Integers
from td_mta.simulate.hazard import one_each
from td_mta.simulate.rows import START, Bools

FIRST_WEEKDAY = (START // SECONDS_PER_DAY + 3) % 7  # Monday is 0; 1970-01-01 was a Thursday


class Touches(NamedTuple):
    """First and last second `(users, channels)` of a day's touches; untouched: 86400 and -1."""

    first: Integers
    last: Integers


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A user-day is in the mood with `chance`, whatever was before.

    In the mood the chance to be touched by channel c is `drives[c]` times as high, and that to
    convert `risk` times.
    """

    chance: float
    drives: tuple[float, ...]
    risk: float

    def __post_init__(self) -> None:
        if not 0 <= self.chance <= 1:
            raise ValueError(f"intent: chance must be within 0 and 1, got {self.chance}")
        if self.risk < 1:
            raise ValueError(f"intent: risk must be at least 1, got {self.risk}")


@dataclass(frozen=True, kw_only=True)
class Touching:
    """`rates` are each channel's daily chance to touch, times `weekday` (Monday first) and
    `follow[l][c]`, when l is the channel of the user's last touch on an earlier day.

    So the order of channels is a Markov chain over the days with touches; within a day channels are
    independent. A touch is followed by another of its channel on the same day with chance `repeat`.
    Raises ValueError, naming the field.
    """

    rates: tuple[float, ...]
    repeat: float = 0.05
    weekday: tuple[float, ...] = (1.0,) * 7
    follow: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        n = len(self.rates)
        if not all(0 <= rate <= 1 for rate in self.rates):
            raise ValueError(f"rates must be within 0 and 1, got {self.rates}")
        if not 0 <= self.repeat <= 1:
            raise ValueError(f"repeat must be within 0 and 1, got {self.repeat}")
        if len(self.weekday) != 7 or min(self.weekday) < 0:
            wanted = "7 factors, Monday first, none below 0"
            raise ValueError(f"weekday: wanted {wanted}, got {self.weekday}")
        if self.follow is not None:
            one_each("follow", self.follow, n)
            for row in self.follow:
                one_each("follow", row, n)

    def chances(self, day: int) -> Floats:
        """Chance `(channels,)` to be touched on the day, without intent or an earlier touch."""
        factor = self.weekday[(FIRST_WEEKDAY + day) % 7]
        return np.minimum(np.array(self.rates) * factor, 1.0)

    def following(self) -> Floats:
        """Factors `(channels, channels + 1)`: along a row the last channel, at its end none."""
        n = len(self.rates)
        rows = ((1.0,) * n,) * n if self.follow is None else self.follow
        return np.array([*rows, (1.0,) * n]).T


def touches_of(touching: Touching, place: Draws, day: int, factors: Floats) -> Touches:
    """A day's touches of the users at `place` `(users,)`, their chances times `factors`."""
    channels = np.arange(len(touching.rates))[:, None]
    chance = touching.chances(day)[:, None] * factors
    channel, user = np.nonzero(place.at("touch").at(channels).uniform() < chance)

    def drawn(purpose: str) -> Draws:
        return Draws(place.at(purpose).state[user]).at(channel)

    # touches keep off the day's last second, which at `day_end` is the moment of trial
    one, other = (
        drawn(purpose).below(SECONDS_PER_DAY - 1) for purpose in ("second", "other second")
    )
    other = np.where(drawn("again").uniform() < touching.repeat, other, one)
    shape = (len(channels), len(place.state))
    first, last = np.full(shape, SECONDS_PER_DAY), np.full(shape, -1)
    first[channel, user] = np.minimum(one, other)
    last[channel, user] = np.maximum(one, other)
    return Touches(first, last)


def channel_touched_last(touches: Touches, before: Integers) -> Integers:
    """The channel of each user's latest touch: today's, else the one `before`."""
    touched: Bools = touches.last.max(axis=0) >= 0
    return np.where(touched, touches.last.argmax(axis=0), before)
