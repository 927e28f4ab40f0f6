"""Attribution by removal effects in a Markov chain of order 1 to 4 (Anderl et al. 2016).

A state is the last `order` channels. `Ngrams` counts what followed what: a channel, a conversion or
the end without one. The removal effect of a channel is the share of conversions that are lost when
every journey ends where it meets the channel. Channels share the conversions in proportion to it.

Symbols: 0 before the first touch, 1 to `channels` the channels, then CONVERSION, then NULL. An
n-gram is one number of base `channels + 3`: the symbol that follows is its lowest digit, then those
before it, newest first.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from td_mta.journeys.paths import Paths
from td_mta.journeys.touchpoints import Flags, Floats, Ints

MAX_ORDER = 4
COUNTED_DENSELY = 1 << 22  # n-grams that can be counted without sorting
PRECISION = 1e-16


class Ngrams(NamedTuple):
    """`n` distinct n-grams of `order + 1` symbols, by ascending key."""

    channels: int
    order: int
    keys: Ints  # (n,)
    counts: Floats  # (n,): how often each came
    values: Floats  # (n,): value of the conversions among them, else 0

    @property
    def base(self) -> int:
        """Number of symbols."""
        return self.channels + 3

    @property
    def conversion(self) -> int:
        """The symbol CONVERSION."""
        return self.channels + 1


def count(paths: Paths, channels: int, order: int, *, nulls: bool = True) -> Ngrams:
    """The n-grams of the paths that have a touch; `nulls` also counts those without conversion.

    Raises ValueError for an order outside 1 to 4.
    """
    if not 1 <= order <= MAX_ORDER:
        raise ValueError(f"order must be 1 to {MAX_ORDER}, got {order}")
    filled = np.flatnonzero(paths.sizes)
    conversions = paths.conversions
    ended_without = paths.nulls if nulls else np.zeros(len(paths.nulls))
    keys = _touch_and_end_keys(paths, channels, order)
    journeys = conversions + ended_without
    at_touches = np.repeat(journeys, paths.sizes)
    counts = np.concatenate([at_touches, conversions[filled], ended_without[filled]])
    values = np.zeros(len(counts))  # 0 but at conversions
    conversion_rows = len(at_touches) + np.arange(len(filled))
    values[conversion_rows] = paths.value[filled]
    return _summed(Ngrams(channels, order, keys, counts, values))


def merge(parts: list[Ngrams]) -> Ngrams:
    """The n-grams of several parts of the paths, which have channels and order in common."""
    keys = np.concatenate([part.keys for part in parts])
    counts = np.concatenate([part.counts for part in parts])
    values = np.concatenate([part.values for part in parts])
    return _summed(parts[0]._replace(keys=keys, counts=counts, values=values))


def shortened(ngrams: Ngrams, order: int) -> Ngrams:
    """The same counts with a shorter memory; order 0 remembers nothing."""
    keys = ngrams.keys % ngrams.base ** (order + 1)
    return _summed(ngrams._replace(order=order, keys=keys))


def credit(ngrams: Ngrams, untouched: Floats) -> Floats:
    """Conversions and value, shape `(2, channels + 1)`; `untouched` `(2,)` is the baseline's."""
    effects = removal_effects(ngrams)  # (2, channels)
    conversions = ngrams.counts[_converts(ngrams)].sum()
    totals = np.array([conversions, ngrams.values.sum()])
    sums = effects.sum(axis=1, keepdims=True)
    shares = np.divide(effects, sums, out=np.zeros_like(effects), where=sums != 0)
    of_channels = shares * totals[:, None]  # (2, channels)
    return np.concatenate([of_channels, untouched[:, None]], axis=1)


def removal_effects(ngrams: Ngrams) -> Floats:
    """Share of conversions, and of value, lost without each channel, shape `(2, channels)`.

    >>> paths = Paths(np.array([0, 1, 0]), np.array([0, 2, 3]), np.array([1, 0.0]),
    ...     np.array([5, 0.0]), np.array([0, 1.0]), np.zeros(3))
    >>> removal_effects(count(paths, 2, 1)).tolist()  # 0 then 1 converts, 0 alone does not
    [[1.0, 1.0], [1.0, 1.0]]
    """
    states, chain, reward = _chain(ngrams)
    start = int(np.searchsorted(states, 0))
    newest = states % ngrams.base
    if ngrams.order == 1:
        left = _left_by_inverse(chain.toarray(), reward, start, newest, ngrams.channels)
    else:
        left = _left_by_series(chain, reward, start, newest, ngrams.channels)
    with_all = left[:, :1]
    without = left[:, 1:]  # (2, channels)
    share_left = np.divide(without, with_all, out=np.ones_like(without), where=with_all != 0)
    return 1 - share_left


def best_order(training: Ngrams, held_out: Ngrams) -> int:
    """The lowest order, 1 to that of the n-grams, that predicts held-out users as well as any.

    By log-likelihood of what followed; as well as the best is within one standard error of the
    paired difference.
    """
    probabilities = _probabilities(training, held_out.keys)[1:]  # of orders 1, 2, ...
    logs = np.log(np.maximum(probabilities, np.finfo(float).tiny))
    log_likelihood = logs @ held_out.counts  # (order,)
    best = logs[np.argmax(log_likelihood)]
    loss = best - logs  # (order, n)
    total = held_out.counts.sum()
    mean = loss @ held_out.counts / total
    squares = (loss - mean[:, None]) ** 2 @ held_out.counts
    error = np.sqrt(squares)  # of the sum
    as_good = np.flatnonzero(mean * total <= error)
    return 1 + int(as_good[0])


def _touch_and_end_keys(paths: Paths, channels: int, order: int) -> Ints:
    """Keys of what every touch follows, then of every end as a conversion, then as a null."""
    base = channels + 3
    conversion = channels + 1
    null = channels + 2
    symbol = paths.channel + 1
    begins = paths.first_touches
    followed = symbol
    for _ in range(order):  # one symbol more of what was before
        before = np.roll(followed, 1)
        before[begins] = 0
        followed = before * base + symbol
    final_state = followed[paths.last_touches] % base**order
    converted = final_state * base + conversion
    ended_without = final_state * base + null
    return np.concatenate([followed, converted, ended_without])


def _summed(ngrams: Ngrams) -> Ngrams:
    """Each key once and ascending, its counts and values added; those that never came left out."""
    came = (ngrams.counts != 0) | (ngrams.values != 0)
    keys = ngrams.keys[came]
    amounts = ngrams.counts[came], ngrams.values[came]
    possible = ngrams.base ** (ngrams.order + 1)
    if possible <= COUNTED_DENSELY:
        distinct = np.flatnonzero(np.bincount(keys, minlength=possible))
        sums = [np.bincount(keys, amount, possible)[distinct] for amount in amounts]
    else:
        distinct, which = np.unique(keys, return_inverse=True)
        sums = [np.bincount(which, amount, len(distinct)) for amount in amounts]
    # Of no keys at all, `bincount` gives integers.
    counts, values = (np.asarray(column, np.float64) for column in sums)
    return Ngrams(ngrams.channels, ngrams.order, distinct, counts, values)


def _converts(ngrams: Ngrams) -> Flags:
    """Whether an n-gram ends in a conversion, shape `(n,)`."""
    converts: Flags = ngrams.keys % ngrams.base == ngrams.conversion
    return converts


def _probabilities(training: Ngrams, keys: Ints) -> Floats:
    """Of each n-gram's last symbol, by each order from 0 on, shape `(order + 1, n)`.

    Interpolated as Witten & Bell (1991) do, so that nothing unseen has probability 0: with c counts
    and t(h) the number of different symbols that followed the state h,

        P_k(s | h) = (c(h, s) + t(h) P_(k-1)(s | h')) / (c(h) + t(h))

    where h' is h without its oldest symbol. An unseen h leaves it at the order below.
    """
    # Below order 0: all that can follow alike, which is the channels, CONVERSION and NULL.
    followers = training.channels + 2
    probability = np.full(len(keys), 1.0 / followers)
    by_order = []
    for order in range(training.order + 1):
        key = keys % training.base ** (order + 1)
        probability = _interpolated(shortened(training, order), key, probability)
        by_order.append(probability)
    return np.stack(by_order)


def _interpolated(ngrams: Ngrams, keys: Ints, below: Floats) -> Floats:
    """One order's probabilities `(n,)`, from those of the order below."""
    source = ngrams.keys // ngrams.base
    states, which = np.unique(source, return_inverse=True)
    row, seen = _located(states, keys // ngrams.base)
    total = np.bincount(which, ngrams.counts)[row]  # c(h)
    types = np.bincount(which)[row]  # t(h)
    index, came = _located(ngrams.keys, keys)
    counts = np.where(came, ngrams.counts[index], 0.0)  # c(h, s)
    mixed = (counts + types * below) / (total + types)
    return np.where(seen, mixed, below)


def _located(ascending: Ints, wanted: Ints) -> tuple[Ints, Flags]:
    """The index of each number, and whether it occurs; if not, the index is any."""
    last = len(ascending) - 1
    index = np.searchsorted(ascending, wanted).clip(max=last)
    return index, ascending[index] == wanted


def _chain(ngrams: Ngrams) -> tuple[Ints, sparse.csr_array, Floats]:
    """The absorbing chain: its states, Q and r.

    Q `(states, states)` are the probabilities to go on to another state; what is missing to 1 ends
    the journey. r `(states, 2)` are the conversions and the value at that end, per visit.
    """
    symbol = ngrams.keys % ngrams.base
    source = ngrams.keys // ngrams.base
    goes_on = symbol <= ngrams.channels
    # The next state forgets the oldest symbol and ends in the one that followed.
    target = ngrams.keys[goes_on] % ngrams.base**ngrams.order
    states = np.unique(np.concatenate([[0], source, target]))
    n = len(states)
    row = np.searchsorted(states, source)
    column = np.searchsorted(states, target)
    total = np.bincount(row, ngrams.counts, n)
    visits = np.where(total == 0, 1.0, total)
    steps = ngrams.counts[goes_on] / visits[row[goes_on]]
    coordinates = row[goes_on], column
    chain = sparse.csr_array((steps, coordinates), shape=(n, n))
    return states, chain, _reward(ngrams, row, visits)


def _reward(ngrams: Ngrams, row: Ints, visits: Floats) -> Floats:
    """r: `row` `(n,)` is the state of each n-gram, `visits` `(states,)` how often each was met."""
    ends = _converts(ngrams)
    state = row[ends]
    conversions = np.bincount(state, ngrams.counts[ends], len(visits))
    value = np.bincount(state, ngrams.values[ends], len(visits))
    return np.stack([conversions / visits, value / visits], axis=1)


def _left_by_inverse(
    chain: Floats, reward: Floats, start: int, newest: Ints, channels: int
) -> Floats:
    """What is left from the start with all channels, then without each, `(2, 1 + channels)`.

    N = (I - Q)^-1 are the expected visits (Kemeny & Snell 1960), so N r is what is ahead of a
    state. A journey that ever meets channel c, probability N[start, c] / N[c, c], loses what is
    ahead of c. Of order 1 only, where a channel is one state.
    """
    visits = np.linalg.inv(np.eye(len(chain)) - chain)
    ahead = visits @ reward  # (states, 2)
    with_all = ahead[start]  # (2,)
    left = np.repeat(with_all[:, None], channels + 1, axis=1)
    touched = np.flatnonzero(newest)  # all states but the start
    meets = visits[start, touched] / visits[touched, touched]
    lost = meets * ahead[touched].T  # (2, channels that occur)
    left[:, newest[touched]] -= lost
    return left


def _left_by_series(
    chain: sparse.csr_array, reward: Floats, start: int, newest: Ints, channels: int
) -> Floats:
    """The same for any order: x = r + Q x as the series r + Q r + Q^2 r + ...

    Summed for all removals at once, until what is added is below float precision. A column of
    `allowed` is a removal, in which the states that the channel leads to pay and pass on nothing.
    """
    without_each = newest[:, None] != np.arange(1, channels + 1)
    with_all = np.ones((len(newest), 1), np.bool_)
    allowed = np.concatenate([with_all, without_each], axis=1)  # (states, 1 + channels)
    left = np.empty((2, channels + 1))
    for measure in range(2):
        term = allowed * reward[:, measure : measure + 1]
        total = term.copy()
        while _largest(term) > PRECISION * max(abs(total[start, 0]), PRECISION):
            term = allowed * (chain @ term)
            total += term
        left[measure] = total[start]
    return left


def _largest(term: Floats) -> float:
    return float(np.abs(term).max(initial=0.0))
