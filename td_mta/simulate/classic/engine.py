"""Draws the users of a classic world, and the credit of their touches, block by block."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import pdtr

from td_mta.journeys.runs import owners
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Flags, Floats, Ints
from td_mta.simulate.classic.plan import ClassicPlan
from td_mta.simulate.random_streams import RandomStreams
from td_mta.simulate.rows import START, TouchpointRows, UnfitWorldError

USERS_PER_BLOCK = 1 << 15


class ClassicBlock(NamedTuple):
    """What some users did, and whom it is owed to.

    Conversions are lost without a channel's touches under the same uniform draws; an order that
    remains keeps its value.
    """

    rows: TouchpointRows  # by user and time
    users: int
    capped: int  # conversions with a probability cut to 1
    credit: Floats  # (days, channels), by whole days before the conversion, in conversions
    cents_credit: Floats  # (days, channels), in cents
    clicks: Ints  # (days, channels): numbers of touches
    lost: Ints  # (channels,): conversions lost without the channel
    lost_cents: Ints  # (channels,)


class _Touches(NamedTuple):
    """The touches of some users, by user and time."""

    counts: Ints  # (users,): touches of each
    user: Ints  # (touches,): position in the block
    channel: Ints  # (touches,)
    second: Ints  # (touches,): since the first day's begin


class _Orders(NamedTuple):
    """The conversions of some users, by user: each at the user's last touch."""

    uniform: Floats  # (orders,): the draw that was below the probability
    probability: Floats  # (orders,): the sum of rates, not yet cut to 1
    cents: Ints  # (orders,)
    last_touch: Ints  # (orders,): index of the touch
    touch: Ints  # (touches of these users,): index of each touch
    order_of_touch: Ints  # the same length: the order that it belongs to


def blocks(
    plan: ClassicPlan,
    *,
    seed: int,
    users: range | None = None,
    users_per_block: int = USERS_PER_BLOCK,
) -> Iterator[ClassicBlock]:
    """The plan's users, or those of a range, block by block; the size of blocks changes no row.

    Raises ValueError for an empty block.
    """
    if users_per_block < 1:
        raise UnfitWorldError(f"users_per_block must be at least 1, got {users_per_block}")
    users = range(plan.users) if users is None else users
    for first in range(users.start, users.stop, users_per_block):
        block_users = np.arange(first, min(first + users_per_block, users.stop))
        streams = RandomStreams.of_seed(seed).fold_in(block_users)
        yield _block(plan, streams, block_users)


def _block(plan: ClassicPlan, streams: RandomStreams, users: Ints) -> ClassicBlock:
    touches = _draw_touches(plan, streams)
    orders = _draw_orders(plan, streams, touches)
    credit, cents_credit = _credit(plan, touches, orders)
    is_lost = _lost_without_channel(plan, touches, orders)  # (orders, channels)
    day = touches.second // SECONDS_PER_DAY
    shape = (plan.days, len(plan.channels))
    clicks = _sum_by(day, touches.channel, None, shape)
    return ClassicBlock(
        rows=_rows(users, touches, orders),
        users=len(users),
        capped=int((orders.probability > 1).sum()),
        credit=credit,
        cents_credit=cents_credit,
        clicks=clicks.astype(np.int64),
        lost=is_lost.sum(axis=0),
        lost_cents=orders.cents @ is_lost,
    )


def _draw_touches(plan: ClassicPlan, streams: RandomStreams) -> _Touches:
    counts = _draw_counts(plan, streams)
    user = owners(counts)
    first_touch = np.cumsum(counts) - counts  # (users,)
    rank = np.arange(len(user)) - first_touch[user]  # 0, 1, … among the user's touches
    touch_streams = streams.take(user).fold_in(rank)
    channel = _draw_channels(plan, touch_streams)
    second = _draw_seconds(plan, touch_streams, user, counts, rank)
    return _Touches(counts, user, channel, second)


def _draw_counts(plan: ClassicPlan, streams: RandomStreams) -> Ints:
    """How many touches each user has: the quantile of the Poisson distribution."""
    deviation = np.sqrt(plan.touches)
    most = int(plan.touches + 20 * deviation + 40)
    distribution = pdtr(np.arange(most), plan.touches)  # up to each number, (most,)
    uniform = streams.fold_in("touches").uniform()
    return np.searchsorted(distribution, uniform, "right")


def _draw_channels(plan: ClassicPlan, touch_streams: RandomStreams) -> Ints:
    cumulative = np.cumsum(plan.frequencies)
    # divided by the last one, so that rounding leaves no gap below 1
    inner_edges = cumulative[:-1] / cumulative[-1]
    uniform = touch_streams.fold_in("channel").uniform()
    return np.searchsorted(inner_edges, uniform, "right")


def _draw_seconds(
    plan: ClassicPlan, touch_streams: RandomStreams, user: Ints, counts: Ints, rank: Ints
) -> Ints:
    """Ascending seconds of each user's touches, no two the same.

    A sorted sample with repetition of `span + 1 - count` seconds becomes one without repetition
    when the rank is added.
    """
    span = plan.days * SECONDS_PER_DAY
    second = touch_streams.fold_in("second").integers(span + 1 - counts[user])
    by_user = user * span + second
    by_user.sort()  # within users, since every user has a span of his own
    return by_user - user * span + rank


def _draw_orders(plan: ClassicPlan, streams: RandomStreams, touches: _Touches) -> _Orders:
    rates = np.array(plan.rates)[touches.channel]
    sum_of_rates = np.bincount(touches.user, rates, len(touches.counts))  # (users,)
    probability = sum_of_rates.astype(np.float64)  # where there is no touch bincount has integers
    uniform = streams.fold_in("conversion").uniform()
    converts = uniform < probability
    buyers = np.flatnonzero(converts)
    last_touch = np.cumsum(touches.counts)[buyers] - 1
    last_channel = touches.channel[last_touch]
    return _Orders(
        uniform=uniform[buyers],
        probability=probability[buyers],
        cents=_draw_cents(plan, streams.take(buyers), last_channel),
        last_touch=last_touch,
        touch=np.flatnonzero(converts[touches.user]),
        order_of_touch=owners(touches.counts[buyers]),
    )


def _draw_cents(plan: ClassicPlan, streams: RandomStreams, channel: Ints) -> Ints:
    mean = np.array(plan.order_values)[channel]
    deviation = np.array(plan.deviations)[channel]
    value = mean + deviation * streams.fold_in("value").normal()
    cents = 100 * np.maximum(value, 0.0)
    return np.rint(cents).astype(np.int64)


def _rows(users: Ints, touches: _Touches, orders: _Orders) -> TouchpointRows:
    rows = len(touches.user)
    conversion = np.zeros(rows, bool)
    cents = np.full(rows, -1)
    conversion[orders.last_touch] = True
    cents[orders.last_touch] = orders.cents
    time = START + touches.second
    return TouchpointRows(users[touches.user], time, touches.channel, conversion, cents)


def _credit(plan: ClassicPlan, touches: _Touches, orders: _Orders) -> tuple[Floats, Floats]:
    """Conversions and cents owed, each `(days, channels)` by whole days before the conversion."""
    channel = touches.channel[orders.touch]
    order = orders.order_of_touch
    day = touches.second // SECONDS_PER_DAY
    order_day = day[orders.last_touch]
    days_before = order_day[order] - day[orders.touch]
    rate = np.array(plan.rates)[channel]
    share = rate / orders.probability[order]
    cents = share * orders.cents[order]
    shape = (plan.days, len(plan.channels))
    conversions_owed = _sum_by(days_before, channel, share, shape)
    cents_owed = _sum_by(days_before, channel, cents, shape)
    return conversions_owed, cents_owed


def _lost_without_channel(plan: ClassicPlan, touches: _Touches, orders: _Orders) -> Flags:
    """Whether an order is lost when a channel's touches are taken away `(orders, channels)`."""
    shape = (len(orders.cents), len(plan.channels))
    channel = touches.channel[orders.touch]
    counts = _sum_by(orders.order_of_touch, channel, None, shape)
    from_channel = counts * plan.rates  # what the channel adds to the probability
    without_channel = orders.probability[:, None] - from_channel
    lost: Flags = orders.uniform[:, None] >= without_channel
    return lost & (from_channel > 0)  # a channel that adds nothing loses nothing, despite rounding


def _sum_by(row: Ints, column: Ints, weight: Floats | None, shape: tuple[int, int]) -> Floats:
    """Sums of the weights, or the number of entries, by row and column."""
    rows, columns = shape
    cell = row * columns + column
    sums = np.bincount(cell, weight, rows * columns).reshape(shape)
    return sums.astype(np.float64)
