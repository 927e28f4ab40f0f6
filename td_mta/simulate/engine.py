"""Runs a world day by day: who is touched, who converts, and what would have been.

On every day channels may touch a user. At one second of the day comes the trial, at which the user
converts with a probability that depends on the cells of the window, `Hazard.probability`, times the
factors of the plan's drivers. A touch after the trial plays no part, nor does one before the
previous conversion, unless the plan keeps the window. Users may convert any number of times.
The days before the record are run alike, with no trace but the windows that they leave.

The same days run once more for every channel without its touches, and for no touches at all, with
the other touches, the trials and the uniform draws unchanged: the conversions that are then missing
are those that really disappear. These counterfactual runs are the arms of an array's first axis.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Flags, Floats, Ints
from td_mta.simulate.drivers import NEVER, NO_FACTORS, Factors, UserDays
from td_mta.simulate.hazard import Cells, cells_of
from td_mta.simulate.plan import TrialTime, WorldPlan
from td_mta.simulate.random_streams import RandomStreams
from td_mta.simulate.rows import (
    START,
    TouchpointRows,
    UnfitWorldError,
    concatenate_rows,
    conversion_rows,
    sort_rows,
    touch_rows,
)
from td_mta.simulate.touching import Touches, channel_touched_last, draw_touches

USERS_PER_BLOCK = 4096  # a block's windows stay in the processor's cache


class Block(NamedTuple):
    """What some users did on all days.

    The arms are: all channels, each channel switched off in turn, all of them switched off.
    """

    rows: TouchpointRows  # by user and time
    patterns: Cells  # (conversions, window, channels): the cells that each conversion saw
    factors: Floats  # (conversions,): of the drivers, for each
    dates: Ints  # (conversions,): the day of the record of each
    cents: Ints  # (conversions,): the value of each
    clicks: Ints  # (days, channels): numbers of touches
    orders: Ints  # (arms, users): numbers of conversions
    sold: Ints  # (arms, users): cents

    @property
    def users(self) -> int:
        """How many users the block has."""
        return self.orders.shape[1]


def blocks(
    plan: WorldPlan,
    *,
    seed: int,
    users: range | None = None,
    users_per_block: int = USERS_PER_BLOCK,
    switch_off: bool = True,
) -> Iterator[Block]:
    """The plan's users, or those of a range, block by block; the size of blocks changes nothing.

    What happens to a user depends on the seed and the user's number alone. Without `switch_off`
    there is only the arm with all channels. Raises ValueError for an empty block.
    """
    if users_per_block < 1:
        raise UnfitWorldError(f"users_per_block must be at least 1, got {users_per_block}")
    users = range(plan.users) if users is None else users
    arms = _arms(len(plan.channels))
    if not switch_off:
        arms = arms[:1]
    for first in range(users.start, users.stop, users_per_block):
        block_users = np.arange(first, min(first + users_per_block, users.stop))
        simulation = _BlockSimulation(plan, RandomStreams.of_seed(seed), block_users, arms)
        for day in range(-plan.burn_in_days, plan.days):
            simulation.run_day(day)
        yield simulation.block()


def _arms(channels: int) -> Flags:
    """Which channels are on in each arm `(channels + 2, channels)`."""
    # the row of arm 1 + c is off at column c: one diagonal below the main one
    arms = ~np.eye(channels + 2, channels, -1, dtype=bool)
    arms[-1] = False
    return arms


class _BlockSimulation:
    """The state of some users from day to day, in all arms at once."""

    def __init__(self, plan: WorldPlan, streams: RandomStreams, users: Ints, arms: Flags) -> None:
        channels = len(plan.channels)
        self._plan, self._users = plan, users
        self._streams = streams.fold_in(users)  # (users,)
        self._windows = _Windows(plan, arms, len(users))
        self._follow_factors = plan.touching.follow_factors()
        self._last_channel = np.full(len(users), channels)  # no earlier touch
        self._was_active = np.zeros(len(users), bool)
        self._since_conversion = np.full((len(arms), len(users)), NEVER)
        self._clicks = np.zeros((plan.days, channels), np.int64)
        self._orders = np.zeros((len(arms), len(users)), np.int64)
        self._sold = np.zeros_like(self._orders)
        self._rows: list[TouchpointRows] = []
        self._conversions: list[tuple[Cells, Floats, Ints, Ints]] = []

    def run_day(self, day: int) -> None:
        """Touches, trial and conversions of the next day."""
        plan, user_days = self._plan, self._streams.fold_in(day)
        drives, factor = self._factors(day, user_days)
        follow = self._follow_factors[:, self._last_channel]  # (channels, users)
        touches = draw_touches(plan.touching, user_days, day, follow * drives)
        self._last_channel = channel_touched_last(touches, self._last_channel)

        trial = _trial_seconds(plan.trial_time, user_days)
        self._windows.advance_to_trial(trial, touches)
        probability = plan.hazard.probability_of_windows(self._windows.bits, factor)
        converts = user_days.fold_in("conversion").uniform() < probability  # (arms, users)
        if day >= 0:
            cents = _order_cents(plan, user_days, self._orders) * converts
            self._record(day, touches, trial, converts[0], cents[0], factor[0])
            self._orders += converts
            self._sold += cents
        self._windows.finish_day(trial, touches, converts)
        self._since_conversion = np.where(converts, 1, self._since_conversion + 1)

    def _factors(self, day: int, user_days: RandomStreams) -> Factors:
        """Those of all drivers at once."""
        today = UserDays(
            day=day,
            days=self._plan.days,
            users=self._streams,
            user_days=user_days,
            since_conversion=self._since_conversion,
            was_active=self._was_active,
        )
        factors = NO_FACTORS
        for driver in self._plan.all_drivers:
            factors = factors.times(driver.factors(today))
        return factors

    def _record(
        self,
        day: int,
        touches: Touches,
        trial: Ints,
        converts: Flags,
        cents: Ints,
        factor: Floats,
    ) -> None:
        """Keep what happened with all channels on; to be called before the day is finished."""
        windows = self._windows.bits[:, 0, converts]  # (channels, conversions)
        factors = np.broadcast_to(factor, converts.shape)[converts]
        dates = np.full(len(factors), day)
        patterns = cells_of(windows, self._plan.hazard)
        self._conversions.append((patterns, factors, dates, cents[converts]))
        self._clicks[day] = _clicks(touches)
        self._was_active |= converts | (touches.last >= 0).any(axis=0)
        midnight = START + day * SECONDS_PER_DAY
        conversion_times = midnight + trial[converts]
        buyers = self._users[converts]
        self._rows.append(touch_rows(self._users, touches.first, touches.last, midnight))
        self._rows.append(conversion_rows(buyers, conversion_times, cents[converts]))

    def block(self) -> Block:
        """What was recorded."""
        columns = zip(*self._conversions, strict=True)
        patterns, factors, dates, cents = (np.concatenate(column) for column in columns)
        return Block(
            rows=sort_rows(concatenate_rows(self._rows)),
            patterns=patterns,
            factors=factors,
            dates=dates,
            cents=cents,
            clicks=self._clicks,
            orders=self._orders,
            sold=self._sold,
        )


class _Windows:
    """The users' windows in every arm: `bits` `(channels, arms, users)`, as in `Hazard`."""

    def __init__(self, plan: WorldPlan, arms: Flags, users: int) -> None:
        self._with_second_ones = plan.hazard.counts_touches
        self._is_cut = plan.window_after_conversion == "cut"
        layers = 2 if self._with_second_ones else 1
        self._is_on = np.tile(arms, layers).T[:, :, None]  # (channels, arms, 1)
        self._mask = (1 << plan.hazard.window) - 1  # drops the day that leaves the window
        self.bits = np.zeros((*self._is_on.shape[:2], users), np.int64)

    def advance_to_trial(self, trial: Ints, touches: Touches) -> None:
        """A new day, up to the second of the trial `(users,)`."""
        before_trial = (self._layers(touches).first <= trial)[:, None] & self._is_on
        self.bits = self.bits << 1 & self._mask | before_trial

    def finish_day(self, trial: Ints, touches: Touches, converts: Flags) -> None:
        """The rest of the day; a conversion empties a window that is cut: later touches stay."""
        last = self._layers(touches).last
        self.bits |= (last >= 0)[:, None] & self._is_on
        if self._is_cut:
            after_trial = (last > trial)[:, None] & self._is_on
            self.bits = np.where(converts, after_trial, self.bits)

    def _layers(self, touches: Touches) -> Touches:
        return touches.with_second_ones() if self._with_second_ones else touches


def _trial_seconds(trial_time: TrialTime, user_days: RandomStreams) -> Ints:
    """The second of the day `(users,)` at which each user converts or not."""
    if trial_time == "any_time":
        return user_days.fold_in("trial").integers(SECONDS_PER_DAY)
    return np.full(len(user_days.state), SECONDS_PER_DAY - 1)


def _order_cents(plan: WorldPlan, user_days: RandomStreams, orders: Ints) -> Ints:
    """The value in cents of an order of today `(arms, users)`, after so many earlier `orders`."""
    draws = np.arange(4)[:, None]
    uniform = user_days.fold_in("value").fold_in(draws).uniform()  # (4, users)
    # the sum of four exponentials is a gamma of shape 4, with mean 4
    gamma = -np.log1p(-uniform).sum(axis=0)  # (users,)
    cents = gamma * plan.order_value * 100 / 4
    repeat_factor = np.where(orders > 0, plan.repeat_order_value, 1.0)
    return np.rint(repeat_factor * cents).astype(np.int64)


def _clicks(touches: Touches) -> Ints:
    """Numbers of touches per channel `(channels,)`."""
    touched = (touches.last >= 0).sum(axis=1)
    touched_twice = (touches.last > touches.first).sum(axis=1)
    return touched + touched_twice
