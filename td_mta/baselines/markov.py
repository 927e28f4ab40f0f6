"""Attribution by removal effects in a Markov chain of order 1 to 4 (Anderl et al. 2016).

A state is the last `order` channels. `Ngrams` counts what followed what: a channel, a conversion or
the end without one. The removal effect of a channel is the share of conversions that are lost when
every journey ends where it meets the channel. Channels share the conversions in proportion to it.

Symbols: 0 before the first touch, 1 to `channels` the channels, then CONVERSION, then NULL. A gram
is one number of base `channels + 3`: the symbol that follows, then those before it, newest first.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from td_mta.journeys.paths import Paths
from td_mta.journeys.touchpoints import Floats, Ints

MAX_ORDER = 4
COUNTED_DENSELY = 1 << 22  # grams that can be counted without sorting
PRECISION = 1e-16


class Ngrams(NamedTuple):
    """Distinct grams `(n,)`, how often each came, and the value of the conversions among them."""

    channels: int
    order: int
    keys: Ints
    counts: Floats
    values: Floats

    @property
    def base(self) -> int:
        return self.channels + 3

    @property
    def conversion(self) -> int:
        return self.channels + 1


def count(paths: Paths, channels: int, order: int, *, nulls: bool = True) -> Ngrams:
    """The grams of the paths that have a touch; `nulls` says whether those without conversion too.

    Raises ValueError for an order outside 1 to 4.
    """
    if not 1 <= order <= MAX_ORDER:
        raise ValueError(f"order must be 1 to {MAX_ORDER}, got {order}")
    base, filled = channels + 3, np.flatnonzero(paths.sizes)
    start = np.repeat(paths.offsets[:-1], paths.sizes)
    symbol = paths.channel + 1
    before = _before(symbol, start, order, base)
    last = paths.offsets[1:][filled] - 1
    ends = (before[last] * base + symbol[last]) % base**order * base
    ended_without = paths.nulls if nulls else np.zeros(len(paths.nulls))
    none = np.zeros(len(symbol) + len(filled))
    keys = np.concatenate([before * base + symbol, ends + channels + 1, ends + channels + 2])
    counts = np.concatenate(
        [
            (paths.conversions + ended_without)[paths.owner],
            paths.conversions[filled],
            ended_without[filled],
        ]
    )
    values = np.concatenate([none[: len(symbol)], paths.value[filled], none[: len(filled)]])
    return _summed(Ngrams(channels, order, keys, counts, values))


def merge(parts: list[Ngrams]) -> Ngrams:
    """The grams of several parts of the paths."""
    columns = (np.concatenate(column) for column in zip(*(part[2:] for part in parts), strict=True))
    return _summed(Ngrams(parts[0].channels, parts[0].order, *columns))


def lower(grams: Ngrams, order: int) -> Ngrams:
    """The same counts with a shorter memory; order 0 remembers nothing."""
    return _summed(grams._replace(order=order, keys=grams.keys % grams.base ** (order + 1)))


def credit(grams: Ngrams, untouched: Floats) -> Floats:
    """Conversions and value, shape `(2, channels + 1)`; `untouched` `(2,)` is the baseline's."""
    effects = removal_effects(grams)
    totals = np.array([grams.counts[_converts(grams)].sum(), grams.values.sum()])
    sums = effects.sum(axis=1, keepdims=True)
    shares = np.divide(effects, sums, out=np.zeros_like(effects), where=sums != 0)
    return np.concatenate([shares * totals[:, None], untouched[:, None]], axis=1)


def removal_effects(grams: Ngrams) -> Floats:
    """Share of conversions, and of value, lost without each channel, shape `(2, channels)`.

    >>> paths = Paths(np.array([0, 1, 0]), np.array([0, 2, 3]), np.array([1, 0.0]),
    ...     np.array([5, 0.0]), np.array([0, 1.0]), np.zeros(3))
    >>> removal_effects(count(paths, 2, 1)).tolist()  # 0 then 1 converts, 0 alone does not
    [[1.0, 1.0], [1.0, 1.0]]
    """
    states, chain, reward = _chain(grams)
    start = int(np.searchsorted(states, 0))
    newest = states % grams.base
    if grams.order == 1:
        left = _left_by_inverse(chain.toarray(), reward, start, newest, grams.channels)
    else:
        left = _left_by_series(chain, reward, start, newest, grams.channels)
    whole = left[:, :1]
    kept = np.divide(left[:, 1:], whole, out=np.ones_like(left[:, 1:]), where=whole != 0)
    return 1 - kept


def conversion_chance(grams: Ngrams) -> float:
    """The chance that a journey with a touch converts."""
    converts, first = _converts(grams), grams.keys // grams.base == 0
    return float(grams.counts[converts].sum() / grams.counts[first].sum())


def best_order(training: Ngrams, held_out: Ngrams) -> int:
    """The lowest order, 1 to the grams' own, that foretells held-out users as well as any.

    By log-likelihood of what followed; as well as the best is within one standard error of the
    paired difference.
    """
    chances = _chances(training, held_out.keys)
    logs = np.log(np.maximum(chances[1:], np.finfo(float).tiny))
    best = logs[np.argmax(logs @ held_out.counts)]
    lost = best - logs
    mean = lost @ held_out.counts / held_out.counts.sum()
    spread = (lost - mean[:, None]) ** 2 @ held_out.counts
    return 1 + int(np.flatnonzero(mean * held_out.counts.sum() <= np.sqrt(spread))[0])


def _chances(training: Ngrams, keys: Ints) -> Floats:
    """Of each gram's last symbol by each order from 0 on, shape `(order + 1, n)`.

    Each order's frequencies are interpolated with the chance by the order below (Witten & Bell
    1991), so that a state never seen is no surprise without end.
    """
    chance, found = np.full(len(keys), 1.0 / (training.channels + 2)), []
    for order in range(training.order + 1):
        seen, sought = lower(training, order), keys % training.base ** (order + 1)
        state, which = np.unique(seen.keys // training.base, return_inverse=True)
        total, kinds = np.bincount(which, seen.counts), np.bincount(which)
        at = np.searchsorted(state, sought // training.base).clip(max=len(state) - 1)
        there = state[at] == sought // training.base
        gram = np.searchsorted(seen.keys, sought).clip(max=len(seen.keys) - 1)
        came = np.where(seen.keys[gram] == sought, seen.counts[gram], 0.0)
        mixed = (came + kinds[at] * chance) / (total[at] + kinds[at])
        chance = np.where(there, mixed, chance)
        found.append(chance)
    return np.stack(found)


def _before(symbol: Ints, start: Ints, order: int, base: int) -> Ints:
    """The state before each touch: the `order` symbols before it, the newest the lowest digit."""
    at, state = np.arange(len(symbol)), np.zeros(len(symbol), np.int64)
    for lag in range(1, order + 1):
        inside = at - lag >= start
        state[inside] += symbol[at[inside] - lag] * base ** (lag - 1)
    return state


def _summed(grams: Ngrams) -> Ngrams:
    some = (grams.counts != 0) | (grams.values != 0)
    keys, counts, values = grams.keys[some], grams.counts[some], grams.values[some]
    size = grams.base ** (grams.order + 1)
    if size <= COUNTED_DENSELY:
        found = np.flatnonzero(np.bincount(keys, minlength=size))
        sums = [np.bincount(keys, column, minlength=size)[found] for column in (counts, values)]
    else:
        found, which = np.unique(keys, return_inverse=True)
        sums = [np.bincount(which, column, minlength=len(found)) for column in (counts, values)]
    total, value = (np.asarray(each, np.float64) for each in sums)
    return Ngrams(grams.channels, grams.order, found, total, value)


def _converts(grams: Ngrams) -> np.ndarray:
    return grams.keys % grams.base == grams.conversion


def _chain(grams: Ngrams) -> tuple[Ints, sparse.csr_array, Floats]:
    """States, chances `(states, states)` to go on, and per visit the conversions and value."""
    symbol, source = grams.keys % grams.base, grams.keys // grams.base
    goes_on = symbol <= grams.channels
    target = grams.keys[goes_on] % grams.base**grams.order
    states = np.unique(np.concatenate([[0], source, target]))
    at = np.searchsorted(states, source)
    total = np.bincount(at, grams.counts, minlength=len(states))
    visits = np.where(total == 0, 1.0, total)
    steps = grams.counts[goes_on] / visits[at[goes_on]]
    places = (at[goes_on], np.searchsorted(states, target))
    chain = sparse.csr_array((steps, places), shape=(len(states), len(states)))
    ends = _converts(grams)
    reward = np.stack(
        [
            np.bincount(at[ends], column[ends], minlength=len(states)) / visits
            for column in (grams.counts, grams.values)
        ],
        axis=1,
    )
    return states, chain, reward


def _left_by_inverse(
    chain: Floats, reward: Floats, start: int, newest: Ints, channels: int
) -> Floats:
    """What is left from the start with all channels, then without each, `(2, 1 + channels)`.

    A journey that ever meets channel c, chance N[start, c] / N[c, c], loses what follows from c on.
    """
    visits = np.linalg.inv(np.eye(len(chain)) - chain)
    ahead = visits @ reward
    left = np.repeat(ahead[start][:, None], channels + 1, axis=1)
    states = np.flatnonzero(newest)
    meets = visits[start, states] / visits[states, states]
    left[:, newest[states]] -= meets * ahead[states].T
    return left


def _left_by_series(
    chain: sparse.csr_array, reward: Floats, start: int, newest: Ints, channels: int
) -> Floats:
    """The same for any order: x = r + Q x, summed until the rest is below float precision."""
    allowed = newest[:, None] != np.arange(1, channels + 1)
    allowed = np.concatenate([np.ones((len(newest), 1), bool), allowed], axis=1)
    left = np.empty((2, channels + 1))
    for row in range(2):
        term = allowed * reward[:, row : row + 1]
        total = term.copy()
        while np.abs(term).max(initial=0.0) > PRECISION * max(abs(total[start, 0]), PRECISION):
            term = allowed * (chain @ term)
            total += term
        left[row] = total[start]
    return left
