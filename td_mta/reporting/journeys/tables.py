"""What a run knows of journeys, as tables: from the sums of which it makes rules and Markov chain.

First, last and all touches of converting paths come with the shares of three rules; what follows
what, and paths that are short enough, with the n-grams. Python and SQL count both alike. Run_info
holds a table a row each.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from td_mta.baselines import markov
from td_mta.baselines.methods import ModelTotals
from td_mta.baselines.rules import Shares
from td_mta.journeys.credited import Credited
from td_mta.journeys.patterns import Grid
from td_mta.journeys.runs import reduced
from td_mta.journeys.touchpoints import Floats, Ints

SEPARATOR = " > "
CUT = "…"  # earlier touches of a path that is longer than the chain remembers
LONGEST = 20  # touches; longer paths are one row
MOST_PATHS = 25
MOST_CHANNELS = 9  # beyond, transitions have one channel for all others
START, CONVERSION, NO_CONVERSION, OTHERS = (
    *("(start)", "(conversion)", "(no conversion)", "(others)"),
)
COLUMNS = {
    "lengths": ("touches", "converting"),
    "days": ("days", "conversions"),
    "roles": ("channel", "first", "between", "last", "alone"),
    "won": ("path", "conversions", "not converted"),
    "lost": ("path", "conversions", "not converted"),
    "moves": ("from", "to", "journeys"),
}


def tables(totals: ModelTotals, channels: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Lengths and roles of converting paths, frequent paths, and transitions."""
    ngrams, linear = totals.ngrams(), totals.shares("linear")
    won, lost = _paths(ngrams, channels)
    return {
        "lengths": _lengths(linear, len(channels)),
        "roles": _roles(totals, linear, channels),
        "won": won,
        "lost": lost,
        "moves": moves(_steps(ngrams), channels, MOST_CHANNELS),
    }


def days(credited: Credited, grid: Grid) -> pd.DataFrame:
    """Conversions by days from the first touch that the model's window shows."""
    patterns = credited.patterns
    first = reduced(np.maximum, patterns.cells.astype(np.int64), patterns.offsets)
    touched = np.diff(patterns.offsets) > 0
    conversions = credited.by_pattern[0][touched]
    counts = np.bincount(first[touched] // grid.channels, conversions, grid.days)
    return pd.DataFrame({"days": np.arange(grid.days), "conversions": counts})


def facts(by_name: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """A row of each table as JSON, under names like `moves_1`."""
    return {
        f"{name}_{number}": json.dumps(row, ensure_ascii=False)
        for name, table in by_name.items()
        for number, row in enumerate(table[list(COLUMNS[name])].to_numpy(object).tolist(), 1)
    }


def of_facts(section: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """The tables that `facts` wrote, with the shares that follow; none of an older run."""
    rows: dict[str, list[list[object]]] = {}
    for name, value in section.items():
        rows.setdefault(name.rpartition("_")[0], []).append(json.loads(value))
    by_name = {name: pd.DataFrame(rows[name], columns=COLUMNS[name]) for name in rows}
    for name, table in by_name.items():
        if name in ("won", "lost"):
            total = table["conversions"] + table["not converted"]
            table["conversion rate"] = table["conversions"] / total
        elif name == "moves":
            with_shares(table)
        elif name == "days":
            sums = table["conversions"].cumsum()
            table["cumulative share"] = sums / max(sums.max(), 1)
    return by_name


def moves(steps: Floats, channels: Sequence[str], most: int) -> pd.DataFrame:
    """How many journeys go from one channel, or the start, to the next one, or their end.

    `steps` `(1 + channels, channels + 2)` has the start in its first row and both ends in its last
    columns. Channels beyond the `most` frequent are one, called `(others)`.
    """
    volume = steps[:, :-2].sum(axis=0)
    chosen = np.argsort(-volume, kind="stable")[:most]
    place = np.full(len(channels), len(chosen))
    place[chosen] = np.arange(len(chosen))
    names = [channels[i] for i in chosen] + ([OTHERS] if len(channels) > most else [])
    width = len(names)
    sums = np.zeros((width + 1, width + 2))
    to = np.concatenate([place, [width, width + 1]])
    np.add.at(sums, (np.concatenate([[0], place + 1])[:, None], to), steps)
    sources, targets = [START, *names], [*names, CONVERSION, NO_CONVERSION]
    rows, columns = np.nonzero(sums)
    table = pd.DataFrame(
        {
            "from": [sources[i] for i in rows],
            "to": [targets[i] for i in columns],
            "journeys": sums[rows, columns],
        }
    )
    table = table.sort_values("journeys", ascending=False, kind="stable").reset_index(drop=True)
    return with_shares(table)


def with_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Transitions with the share that each is of all from the same place."""
    table["share"] = table["journeys"] / table.groupby("from")["journeys"].transform("sum")
    return table


def _lengths(linear: Shares, channels: int) -> pd.DataFrame:
    """Each of n touches has a share of 1/n."""
    of_channels = linear.channel < channels
    size = np.rint(1 / linear.share).astype(np.int64) * of_channels
    touches = np.bincount(size, linear.amounts[0])
    conversions = touches / np.maximum(np.arange(len(touches)), 1)
    counts = np.bincount(np.minimum(np.arange(len(touches)), LONGEST), conversions)
    names = [*map(str, range(LONGEST)), f"{LONGEST}+"]
    return pd.DataFrame({"touches": names[: len(counts)], "converting": counts})


def _roles(totals: ModelTotals, linear: Shares, channels: Sequence[str]) -> pd.DataFrame:
    def of(shares: Shares, rows: Ints) -> Floats:
        conversions = shares.amounts[0][rows]
        sums = np.bincount(shares.channel[rows], conversions, len(channels) + 1)
        return sums[:-1].astype(np.float64)

    first, last = totals.shares("first_touch"), totals.shares("last_touch")
    begins, ends = (of(shares, np.flatnonzero(shares.share == 1)) for shares in (first, last))
    alone = of(linear, np.flatnonzero(linear.share == 1))
    every = of(linear, np.arange(len(linear.share)))
    roles = {"first": begins - alone, "between": every - begins - ends + alone}
    table = pd.DataFrame({"channel": channels, **roles, "last": ends - alone, "alone": alone})
    largest = np.argsort(-every, kind="stable")[:MOST_CHANNELS]
    return table.iloc[largest].reset_index(drop=True)


def _steps(ngrams: markov.Ngrams) -> Floats:
    steps = markov.shortened(ngrams, 1)
    sums = np.zeros((ngrams.base - 2, ngrams.base - 1))
    np.add.at(sums, (steps.keys // steps.base, steps.keys % steps.base - 1), steps.counts)
    return sums


def _paths(ngrams: markov.Ngrams, channels: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The most frequent ends of paths that converted, and of those that did not."""
    symbol, state = ngrams.keys % ngrams.base, ngrams.keys // ngrams.base
    states, which = np.unique(state, return_inverse=True)
    wins, nulls = (
        np.bincount(which, ngrams.counts * (symbol == end), len(states))
        for end in (ngrams.conversion, ngrams.conversion + 1)
    )
    frames = []
    for counts in (wins, nulls):
        order = np.argsort(-counts, kind="stable")[:MOST_PATHS]
        rows = order[counts[order] > 0]
        paths = [_path(int(of), ngrams, channels) for of in states[rows]]
        frames.append(
            pd.DataFrame({"path": paths, "conversions": wins[rows], "not converted": nulls[rows]})
        )
    return frames[0], frames[1]


def _path(state: int, ngrams: markov.Ngrams, channels: Sequence[str]) -> str:
    """The channels of a state, the oldest first; its lowest digit is the newest."""
    names: list[str] = []
    for _ in range(ngrams.order):
        state, symbol = divmod(state, ngrams.base)
        if not symbol:
            return SEPARATOR.join(names)
        names.insert(0, channels[symbol - 1])
    return SEPARATOR.join([CUT, *names])
