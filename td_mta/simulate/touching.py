"""Who is touched when: daily probabilities by channel, by weekday, by the channel touched last."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Flags, Floats, Ints
from td_mta.simulate.hazard import require_one_per_channel
from td_mta.simulate.random_streams import RandomStreams
from td_mta.simulate.rows import START

FIRST_WEEKDAY = (START // SECONDS_PER_DAY + 3) % 7  # Monday is 0; 1970-01-01 was a Thursday


class Touches(NamedTuple):
    """A day's touches, of which a user has at most two per channel: seconds of the day."""

    first: Ints  # (channels, users), 86400 where untouched
    last: Ints  # (channels, users), -1 where untouched

    def with_second_ones(self) -> "Touches":
        """These, and below them the same channels as if touched where they were touched twice.

        By a moment there were two touches if the second one had come: it is `first`. After a moment
        two are still to come if the first one is: it is `last`.
        """
        is_twice = self.last > self.first
        since = np.where(is_twice, self.last, SECONDS_PER_DAY)
        until = np.where(is_twice, self.first, -1)
        return Touches(np.concatenate([self.first, since]), np.concatenate([self.last, until]))


@dataclass(frozen=True, kw_only=True)
class Touching:
    """Daily probabilities of a touch.

    `rates` are each channel's probability to touch a user on a day. They are multiplied by
    `weekday` (Monday first) and by `follow[l][c]`, when l is the channel of the user's last touch
    on an earlier day. So the order of channels is a Markov chain over the days with touches; within
    a day channels are independent. A touch is followed by another of its channel on the same day
    with probability `repeat`. Raises ValueError, naming the field.
    """

    rates: tuple[float, ...]
    repeat: float = 0.05
    weekday: tuple[float, ...] = (1.0,) * 7
    follow: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        channels = len(self.rates)
        if not all(0 <= rate <= 1 for rate in self.rates):
            raise ValueError(f"rates must be within 0 and 1, got {self.rates}")
        if not 0 <= self.repeat <= 1:
            raise ValueError(f"repeat must be within 0 and 1, got {self.repeat}")
        if len(self.weekday) != 7 or min(self.weekday) < 0:
            wanted = "7 factors, Monday first, none below 0"
            raise ValueError(f"weekday: wanted {wanted}, got {self.weekday}")
        if self.follow is not None:
            require_one_per_channel("follow", self.follow, channels)
            for factors in self.follow:
                require_one_per_channel("follow", factors, channels)

    def probabilities(self, day: int) -> Floats:
        """Probability of a touch `(channels,)` on the day, without a driver or an earlier touch."""
        weekday = (FIRST_WEEKDAY + day) % 7
        rates = np.array(self.rates) * self.weekday[weekday]
        return np.minimum(rates, 1.0)

    def follow_factors(self) -> Floats:
        """Factors `(channels, channels + 1)` by today's and the last channel.

        The last column is for users without an earlier touch.
        """
        channels = len(self.rates)
        no_effect = (1.0,) * channels
        follow = (no_effect,) * channels if self.follow is None else self.follow
        return np.array([*follow, no_effect]).T


def draw_touches(
    touching: Touching, user_days: RandomStreams, day: int, factors: Floats
) -> Touches:
    """A day's touches of the users with the streams `user_days` `(users,)`.

    The probabilities of the day are multiplied by `factors`, which broadcast to
    `(channels, users)`.
    """
    channels = np.arange(len(touching.rates))[:, None]
    uniform = user_days.fold_in("touch").fold_in(channels).uniform()  # (channels, users)
    probability = touching.probabilities(day)[:, None] * factors
    channel, user = np.nonzero(uniform < probability)  # (touches,)
    second, repeated = _draw_seconds(touching, user_days, channel, user)
    first = np.full(uniform.shape, SECONDS_PER_DAY)
    last = np.full(uniform.shape, -1)
    first[channel, user] = np.minimum(second, repeated)
    last[channel, user] = np.maximum(second, repeated)
    return Touches(first, last)


def _draw_seconds(
    touching: Touching, user_days: RandomStreams, channel: Ints, user: Ints
) -> tuple[Ints, Ints]:
    """Seconds of a touch and of its repetition, the same one where it is not repeated."""

    def streams(purpose: str) -> RandomStreams:
        return user_days.fold_in(purpose).take(user).fold_in(channel)

    # touches keep off the day's last second, which at `day_end` is the time of the trial
    second = streams("second").integers(SECONDS_PER_DAY - 1)
    other_second = streams("other second").integers(SECONDS_PER_DAY - 1)
    is_repeated = streams("again").uniform() < touching.repeat
    return second, np.where(is_repeated, other_second, second)


def channel_touched_last(touches: Touches, before: Ints) -> Ints:
    """The channel of each user's latest touch `(users,)`: today's, else the one `before`."""
    touched_today: Flags = touches.last.max(axis=0) >= 0
    return np.where(touched_today, touches.last.argmax(axis=0), before)
