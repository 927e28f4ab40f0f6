"""What drives touches or conversions beside the window's cells: one small class for each fact.

A driver multiplies the probability of a touch and that of a conversion by factors of the day and
the user. The truth holds its factor of a conversion fixed in v(S) and v(∅): what it does is part of
the baseline, and a channel that only coincides with it is owed nothing.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.simulate.hazard import require_one_per_channel
from td_mta.simulate.random_streams import RandomStreams

NEVER = 1 << 40  # days since a conversion that never was


class UserDays(NamedTuple):
    """What a driver may depend on: some users on a day."""

    day: int  # of the record, 0 the first; below 0 in the burn-in
    days: int  # of the record
    users: RandomStreams  # (users,): the same on all days
    user_days: RandomStreams  # (users,): of the day
    since_conversion: Ints  # (arms, users): days since the latest conversion before, or NEVER
    was_active: Flags  # (users,): with a row of the record before today


class Factors(NamedTuple):
    """Multiply the probabilities of the day."""

    touches: Floats  # broadcasts to (channels, users)
    conversion: Floats  # broadcasts to (arms, users)

    def times(self, other: "Factors") -> "Factors":
        """Both drivers at once."""
        return Factors(self.touches * other.touches, self.conversion * other.conversion)


NO_FACTORS = Factors(np.ones((1, 1)), np.ones((1, 1)))


class Driver(Protocol):
    """What multiplies touches and conversions."""

    def factors(self, today: UserDays) -> Factors:
        """The factors of a day."""

    def check(self, channels: int) -> None:
        """Raise ValueError, naming the field, unless it has a value for each of the channels."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A latent intent to buy: a user has it on a day with `probability`, whatever other days were.

    With intent, the probability to be touched by channel c is `drives[c]` times as high, and that
    to convert `risk` times. Raises ValueError, naming the field.
    """

    probability: float
    drives: tuple[float, ...]
    risk: float

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            wanted = f"must be within 0 and 1, got {self.probability}"
            raise ValueError(f"intent: probability {wanted}")
        if self.risk < 1:
            raise ValueError(f"intent: risk must be at least 1, got {self.risk}")

    def check(self, channels: int) -> None:
        """One drive for each channel."""
        require_one_per_channel("drives", self.drives, channels)

    def factors(self, today: UserDays) -> Factors:
        """Those of users with intent; 1 for the others."""
        # another key than "mood" would change the data of a seed
        has_intent = today.user_days.fold_in("mood").uniform() < self.probability
        touches = np.where(has_intent, np.array(self.drives)[:, None], 1.0)
        return Factors(touches, np.where(has_intent, self.risk, 1.0)[None])


@dataclass(frozen=True, kw_only=True)
class Season:
    """A calendar that buying follows, and spend too: a smooth rise and fall, and special days.

    Conversions are `exp(swing)` times as probable at the height, which comes every `period` days,
    and 1 / that at the low; on `special_days` of the record they are so another `special` times.
    The rate of channel c follows with the power `spend[c]`: 0 for the same rate all year.
    """

    spend: tuple[float, ...]
    swing: float
    period: float
    special_days: tuple[int, ...] = ()
    special: float = 1.0

    def check(self, channels: int) -> None:
        """One power for each channel."""
        require_one_per_channel("spend", self.spend, channels)

    def factors(self, today: UserDays) -> Factors:
        """The same for all users."""
        height = np.exp(self.swing * np.sin(2 * np.pi * today.day / self.period))
        demand = height * (self.special if today.day in self.special_days else 1.0)
        return Factors(demand ** np.array(self.spend)[:, None], np.full((1, 1), demand))


@dataclass(frozen=True, kw_only=True)
class Activity:
    """Heavy users: each has a lognormal activity of mean 1, cut at `most`, for good.

    Its logarithm has the standard deviation `spread`. The rate of channel c is the activity to the
    power `touches[c]` times as high, the probability of a conversion to the power `purchases`.
    """

    touches: tuple[float, ...]
    spread: float
    purchases: float = 1.0
    most: float = 5.0

    def check(self, channels: int) -> None:
        """One power for each channel."""
        require_one_per_channel("touches", self.touches, channels)

    def factors(self, today: UserDays) -> Factors:
        """The same on all days."""
        normal = today.users.fold_in("activity").normal()  # (users,)
        activity = np.minimum(np.exp(self.spread * normal - self.spread**2 / 2), self.most)
        touches = activity ** np.array(self.touches)[:, None]
        return Factors(touches, activity[None] ** self.purchases)


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """Who bought subscribes, and tends to buy again every `every` days until `lapse` days are over.

    On such a day a conversion is `risk` times as probable. All the while a subscriber's rate of
    channel c is `drives[c]` times as high. (Without a channel's touches fewer would subscribe; the
    counterfactual arms have the subscribers' touches all the same, the channel's own left out.)
    """

    drives: tuple[float, ...]
    risk: float
    every: int = 14
    lapse: int = 28

    def check(self, channels: int) -> None:
        """One drive for each channel."""
        require_one_per_channel("drives", self.drives, channels)

    def factors(self, today: UserDays) -> Factors:
        """Those of subscribers; 1 for the others."""
        subscribes = today.since_conversion <= self.lapse  # (arms, users)
        is_due = subscribes & (today.since_conversion % self.every == 0)
        touches = np.where(subscribes[0], np.array(self.drives)[:, None], 1.0)
        return Factors(touches, np.where(is_due, self.risk, 1.0))


@dataclass(frozen=True, kw_only=True)
class LostIds:
    """Ids that are seen on one day only: a cookie that was refused, or lost with the browser.

    A `share` of the users are such: new people, who come first on any day of the record, the same
    for all. After their first day with a row they are gone for the record: who comes back does so
    under the id of another user, and buys in another shop or under that id.
    """

    share: float

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"lost ids: share must be within 0 and 1, got {self.share}")

    def check(self, channels: int) -> None:
        """Nothing is given by channel."""

    def factors(self, today: UserDays) -> Factors:
        """0 for who has not come yet and for who is gone, 1 for the others."""
        is_kept = today.users.fold_in("lost").uniform() >= self.share
        has_come = today.day >= today.users.fold_in("first day").integers(today.days)
        is_there = np.where(is_kept | has_come & ~today.was_active, 1.0, 0.0)[None]
        return Factors(is_there, is_there)
