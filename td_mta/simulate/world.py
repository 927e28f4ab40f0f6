"""A world with a known truth: who touched what, who converted, and what would have been.

It runs day by day. Every user may be touched by channels; then comes one moment of trial, at which
he converts with a chance that depends on the cells of his window alone: `Hazard.worth` (times the
risk of his mood, where the plan has an `Intent`). A touch after that moment, or before the previous
conversion, plays no part. Users may convert again and again.

The same days run once more for every channel without its touches, all other touches, moments and
luck as they were: what then is missing is what really disappears.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import SECONDS_PER_DAY
from td_mta.simulate.draws import Draws, Floats, Integers
from td_mta.simulate.hazard import Hazard, cells_of, one_each
from td_mta.simulate.rows import START, Bools, Rows, in_order, joined
from td_mta.simulate.touching import Intent, Touches, Touching, channel_touched_last, touches_of

Moment = Literal["day_end", "any_time"]

USERS_AT_ONCE = 4096  # a block's windows stay in the cache


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a world is made of; raises ValueError, naming the field.

    At `day_end` the trial comes after all touches of the day, else at any second of it, each alike.
    An order's value has a gamma distribution of shape 4 around `order_value`; every order after a
    user's first is `repeat_order_value` times as large.
    """

    about: str = ""
    hazard: Hazard
    touching: Touching
    intent: Intent | None = None
    moment: Moment = "any_time"
    days: int = 28
    users: int = 150_000
    order_value: float = 80.0
    repeat_order_value: float = 1.25

    def __post_init__(self) -> None:
        channels = len(self.hazard.channels)
        one_each("rates", self.touching.rates, channels)
        if self.intent is not None:
            one_each("drives", self.intent.drives, channels)
        if self.users < 1 or self.days < 1:
            raise ValueError(f"wanted users and days, got {self.users} and {self.days}")

    @property
    def channels(self) -> tuple[str, ...]:
        return self.hazard.channels


class Block(NamedTuple):
    """What some users did.

    `patterns` `(conversions, window, channels)` holds what each conversion saw and `cents` its
    value. `clicks` `(days, channels)` counts touches. `orders` and `sold` `(channels + 2, users)`
    are each user's conversions and cents: with all channels, without each one, without any.
    """

    rows: Rows
    patterns: Bools
    cents: Integers
    clicks: Integers
    orders: Integers
    sold: Integers

    @property
    def users(self) -> int:
        return self.orders.shape[1]


def blocks(
    plan: Plan,
    *,
    seed: int,
    users: range | None = None,
    at_once: int = USERS_AT_ONCE,
    switch_off: bool = True,
) -> Iterator[Block]:
    """The plan's users, or those of a range, so many at once; how many changes nothing.

    A user's fate depends on the seed and his number alone. Without `switch_off` `orders` and `sold`
    have but their first row.
    """
    if at_once < 1:
        raise ValueError(f"at_once must be at least 1 user, got {at_once}")
    users = range(plan.users) if users is None else users
    channels = len(plan.hazard.channels)
    kept = ~np.eye(channels + 2, channels, -1, dtype=bool)
    kept[-1] = False
    for first in range(users.start, users.stop, at_once):
        some = np.arange(first, min(first + at_once, users.stop))
        yield _block(plan, Draws.of(seed), some, kept if switch_off else kept[:1])


def _block(plan: Plan, draws: Draws, users: Integers, kept: Bools) -> Block:
    """All days of some users, once for every row of `kept`, which says what channels there are."""
    seen = _Seen(plan, kept, len(users))
    orders, sold = np.zeros((2, len(kept), len(users)), np.int64)
    clicks = np.zeros((plan.days, kept.shape[1]), np.int64)
    latest = np.full(len(users), kept.shape[1])
    following = plan.touching.following()
    rows, patterns, cents = [], [], []
    for day in range(plan.days):
        place = draws.at(users).at(day)
        drives, risk = _mood(plan.intent, place)
        touches = touches_of(plan.touching, place, day, following[:, latest] * drives)
        latest = channel_touched_last(touches, latest)
        trial = _trial(plan.moment, place)
        seen.until(trial, touches)
        converts = place.at("conversion").uniform() < plan.hazard.worth_of(seen.windows) * risk
        paid = _paid(plan, place, orders) * converts
        now = converts[0]
        patterns.append(cells_of(seen.windows[:, 0, now], plan.hazard.window))
        cents.append(paid[0, now])
        rows += [_touch_rows(users, touches, day)]
        rows += [_conversion_rows(users[now], trial[now], day, cents[-1])]
        clicks[day] = (touches.last >= 0).sum(axis=1) + (touches.last > touches.first).sum(axis=1)
        orders += converts
        sold += paid
        seen.after(trial, touches, converts)
    return Block(
        rows=in_order(joined(rows)),
        patterns=np.concatenate(patterns),
        cents=np.concatenate(cents),
        clicks=clicks,
        orders=orders,
        sold=sold,
    )


class _Seen:
    """What the users' windows hold: `windows` `(channels, kept, users)`, bits as in `Hazard`."""

    def __init__(self, plan: Plan, kept: Bools, users: int) -> None:
        self.windows = np.zeros((*kept.T.shape, users), np.int64)
        self._kept = kept.T[:, :, None]
        self._whole = (1 << plan.hazard.window) - 1

    def until(self, trial: Integers, touches: Touches) -> None:
        """A new day, up to the moment of trial."""
        today = (touches.first <= trial)[:, None] & self._kept
        self.windows = self.windows << 1 & self._whole | today

    def after(self, trial: Integers, touches: Touches, converts: Bools) -> None:
        """The rest of the day; a conversion closes the window, only later touches stay."""
        today = (touches.last >= 0)[:, None] & self._kept
        later = (touches.last > trial)[:, None] & self._kept
        self.windows = np.where(converts, later, self.windows | today)


def _mood(intent: Intent | None, place: Draws) -> tuple[Floats, Floats]:
    """Factors of the users' chances to be touched `(channels, users)` and to convert."""
    if intent is None:
        return np.ones((1, 1)), np.ones(1)
    mood = place.at("mood").uniform() < intent.chance
    drives = np.where(mood, np.array(intent.drives)[:, None], 1.0)
    return drives, np.where(mood, intent.risk, 1.0)


def _trial(moment: Moment, place: Draws) -> Integers:
    if moment == "any_time":
        return place.at("trial").below(SECONDS_PER_DAY)
    return np.full(len(place.state), SECONDS_PER_DAY - 1)


def _paid(plan: Plan, place: Draws, orders: Integers) -> Integers:
    """The cents of an order today: the sum of four exponentials is a gamma of shape 4."""
    luck = place.at("value").at(np.arange(4)[:, None]).uniform()
    cents = -np.log1p(-luck).sum(axis=0) * plan.order_value * 100 / 4
    return np.rint(np.where(orders > 0, plan.repeat_order_value, 1.0) * cents).astype(np.int64)


def _touch_rows(users: Integers, touches: Touches, day: int) -> Rows:
    """A row a touch; a second touch is a row of its own."""
    channel, user = np.nonzero(touches.last >= 0)
    again_channel, again_user = np.nonzero(touches.last > touches.first)
    second = [touches.first[channel, user], touches.last[again_channel, again_user]]
    user = np.concatenate([user, again_user])
    return Rows(
        user=users[user],
        time=START + day * SECONDS_PER_DAY + np.concatenate(second),
        channel=np.concatenate([channel, again_channel]),
        conversion=np.zeros(len(user), bool),
        cents=np.full(len(user), -1),
    )


def _conversion_rows(users: Integers, trial: Integers, day: int, cents: Integers) -> Rows:
    return Rows(
        user=users,
        time=START + day * SECONDS_PER_DAY + trial,
        channel=np.full(len(users), -1),
        conversion=np.ones(len(users), bool),
        cents=cents,
    )
