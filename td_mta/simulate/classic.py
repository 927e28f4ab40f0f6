"""The classic world: touches add up their channels' rates, and the last one converts or not.

A user has Poisson(λ) touches, each of a channel drawn by relative frequency. At the last one he
converts with the sum of his touches' conversion rates as the chance, 1 at most; the order's value
is normal around what the last touch's channel sells for. Nothing converts without a touch.

The chance is additive, so below 1 a touch's Shapley credit is its rate over the sum of rates:
v(S) = sum of the rates in S. Above 1 the same share is given, which is then a convention.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, pdtr

from td_mta.journeys.touchpoints import SECONDS_PER_DAY
from td_mta.simulate.credit import Credit
from td_mta.simulate.draws import Draws, Floats, Integers
from td_mta.simulate.hazard import one_each
from td_mta.simulate.rows import START, Rows

FEWEST_USERS, MOST_USERS = 50, 10_000_000
USERS_AT_ONCE = 1 << 15


@dataclass(frozen=True, kw_only=True)
class Classic:
    """λ is `touches`; one conversion rate, frequency, order value and deviation for each channel.

    Deviations are a fifth of the order value, and a user's touches lie anywhere in `days` days,
    each second alike and none twice: neither is in the original. An order is worth 0 at least.
    Raises ValueError, naming the field.
    """

    channels: tuple[str, ...] = (
        *("Paid Social", "Paid Search", "Display Network", "Affiliate", "Email"),
    )
    rates: tuple[float, ...] = (0.02, 0.02, 0.025, 0.04, 0.05)
    frequencies: tuple[float, ...] = (0.2, 0.1, 0.3, 0.3, 0.1)
    order_values: tuple[float, ...] = (95.0, 90.0, 100.0, 120.0, 130.0)
    deviations: tuple[float, ...] = (19.0, 18.0, 20.0, 24.0, 26.0)
    touches: float = 10.0
    days: int = 30
    users: int = 1_000
    about: str = "touches add up their channels' conversion rates, the last one converts or not"

    def __post_init__(self) -> None:
        for field in ("rates", "frequencies", "order_values", "deviations"):
            one_each(field, getattr(self, field), len(self.channels))
            if min(getattr(self, field)) < 0:
                raise ValueError(f"{field} must not be negative, got {min(getattr(self, field))}")
        total = sum(self.frequencies)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"relative frequencies must total 100 %, got {100 * total:.6g} %")
        if max(self.rates) > 1:
            raise ValueError(f"rates are conversion rates, at most 1, got {max(self.rates)}")
        if not 0 < self.touches <= 1_000:
            raise ValueError(f"touches must be above 0 and at most 1000 a user, got {self.touches}")
        if self.days < 1:
            raise ValueError(f"days must be at least 1, got {self.days}")
        if not FEWEST_USERS <= self.users <= MOST_USERS:
            wanted = f"{FEWEST_USERS} to {MOST_USERS:,}"
            raise ValueError(f"users must be {wanted}, got {self.users:,}")


class ClassicBlock(NamedTuple):
    """What some users did, in users, conversions and cents.

    `credit` and `cents_credit` `(days, channels)` are by whole days before the conversion; of
    `capped` conversions the chance was cut to 1. `clicks` `(days, channels)` counts touches.
    `lost` and `lost_cents` `(channels,)` disappear without a channel's touches, with the same luck;
    an order that remains keeps its value.
    """

    rows: Rows
    users: int
    capped: int
    credit: Floats
    cents_credit: Floats
    clicks: Integers
    lost: Integers
    lost_cents: Integers


class ClassicTruth(NamedTuple):
    """Sums over blocks, of value in money; `expected` `(channels,)` is the credit in closed form.

    λ · frequency · rate conversions a user, which holds where the chance is not cut to 1.
    """

    conversions: Credit
    value: Credit
    expected: Floats
    capped: int
    lost: Integers
    lost_value: Floats


def blocks(
    world: Classic, *, seed: int, users: range | None = None, at_once: int = USERS_AT_ONCE
) -> Iterator[ClassicBlock]:
    """The world's users, or those of a range, so many at once; how many changes no row."""
    if at_once < 1:
        raise ValueError(f"at_once must be at least 1 user, got {at_once}")
    users = range(world.users) if users is None else users
    for first in range(users.start, users.stop, at_once):
        some = np.arange(first, min(first + at_once, users.stop))
        yield _block(world, Draws.of(seed).at(some), some)


class ClassicAccount:
    """Blocks of users in, the truth out. Worlds may differ in their frequencies alone."""

    def __init__(self, worlds: Sequence[Classic]) -> None:
        self._worlds = worlds
        shape = (worlds[0].days, len(worlds[0].channels))
        self._credit, self._cents = np.zeros(shape), np.zeros(shape)
        self._lost, self._lost_cents = np.zeros((2, shape[1]), np.int64)
        self._expected, self._capped = np.zeros(shape[1]), 0

    def add(self, block: ClassicBlock, world: int = 0) -> None:
        """Count a block of users of the world of that number."""
        of = self._worlds[world]
        self._credit += block.credit
        self._cents += block.cents_credit
        self._lost += block.lost
        self._lost_cents += block.lost_cents
        self._capped += block.capped
        self._expected += block.users * of.touches * np.multiply(of.frequencies, of.rates)

    def truth(self) -> ClassicTruth:
        """The truth of all that was added; nothing is owed to the baseline."""
        return ClassicTruth(
            conversions=Credit(self._credit, 0.0),
            value=Credit(self._cents / 100, 0.0),
            expected=self._expected,
            capped=self._capped,
            lost=self._lost,
            lost_value=self._lost_cents / 100,
        )


def _block(world: Classic, place: Draws, users: Integers) -> ClassicBlock:
    counts = _counts(world, place)
    owner, ends = np.repeat(np.arange(len(users)), counts), np.cumsum(counts)
    rank = np.arange(len(owner)) - (ends - counts)[owner]
    touch = Draws(place.state[owner]).at(rank)
    channel = _channels(world, touch)
    second = _seconds(world, touch, owner, counts, rank)
    chance = np.bincount(owner, np.array(world.rates)[channel], len(users))
    luck = place.at("conversion").uniform()
    buyers = np.flatnonzero(luck < chance)
    last = ends[buyers] - 1
    paid = _cents(world, Draws(place.state[buyers]), channel[last])
    conversion, cents = np.zeros(len(owner), bool), np.full(len(owner), -1)
    conversion[last], cents[last] = True, paid
    rows = Rows(users[owner], START + second, channel, conversion, cents)
    bought = np.flatnonzero((luck < chance)[owner])  # touches of buyers, by their rank among them
    buyer = np.repeat(np.arange(len(buyers)), counts[buyers])
    before = second[last][buyer] // SECONDS_PER_DAY - second[bought] // SECONDS_PER_DAY
    share = np.array(world.rates)[channel[bought]] / chance[buyers][buyer]
    owed = _table(buyer, channel[bought], None, (len(buyers), len(world.channels))) * world.rates
    lost = luck[buyers, None] >= chance[buyers, None] - owed
    lost &= owed > 0  # rounding takes nobody's conversion
    shape = (world.days, len(world.channels))
    return ClassicBlock(
        rows=rows,
        users=len(users),
        capped=int((chance[buyers] > 1).sum()),
        credit=_table(before, channel[bought], share, shape),
        cents_credit=_table(before, channel[bought], share * paid[buyer], shape),
        clicks=_table(second // SECONDS_PER_DAY, channel, None, shape).astype(np.int64),
        lost=lost.sum(axis=0),
        lost_cents=paid @ lost,
    )


def _counts(world: Classic, place: Draws) -> Integers:
    """How many touches each user has: the Poisson distribution's inverse at his number."""
    most = int(world.touches + 20 * np.sqrt(world.touches) + 40)
    return np.searchsorted(
        pdtr(np.arange(most), world.touches), place.at("touches").uniform(), "right"
    )


def _channels(world: Classic, touch: Draws) -> Integers:
    edges = np.cumsum(world.frequencies)
    return np.searchsorted(edges[:-1] / edges[-1], touch.at("channel").uniform(), "right")


def _seconds(
    world: Classic, touch: Draws, owner: Integers, counts: Integers, rank: Integers
) -> Integers:
    """Ascending seconds of each user's touches, none twice: sorted ones, spread by their rank."""
    span = world.days * SECONDS_PER_DAY
    drawn = owner * span + touch.at("second").below(span + 1 - counts[owner])
    drawn.sort()  # users stay where they are
    return drawn - owner * span + rank


def _cents(world: Classic, place: Draws, channel: Integers) -> Integers:
    luck = ndtri(np.maximum(place.at("value").uniform(), 2.0**-54))
    value = np.array(world.order_values)[channel] + np.array(world.deviations)[channel] * luck
    return np.rint(100 * np.maximum(value, 0.0)).astype(np.int64)


def _table(
    row: Integers, column: Integers, weight: Floats | None, shape: tuple[int, int]
) -> Floats:
    """Sums of the weights (or how many) by row and column, shape `shape`."""
    place = row * shape[1] + column
    return np.bincount(place, weight, shape[0] * shape[1]).reshape(shape).astype(np.float64)
