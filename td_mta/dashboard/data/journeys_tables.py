"""Journeys as tables: lengths, days to conversion, roles, frequent paths, transitions."""

import numpy as np
import pandas as pd

from td_mta.dashboard.data.kept import Kept
from td_mta.journeys.paths import Paths
from td_mta.journeys.touchpoints import Flags, Ints
from td_mta.reporting.journeys import tables as journeys
from td_mta.reporting.journeys.tables import LONGEST, SEPARATOR

MOST_FOUND = 200  # rows of a search


def lengths(paths: Kept) -> pd.DataFrame:
    """Journeys by number of touches, those that converted and those that did not."""
    size = np.minimum(paths.sizes, LONGEST)
    counts = {
        name: np.bincount(size, of, LONGEST + 1)
        for name, of in (("converting", paths.conversions), ("not converting", paths.nulls))
    }
    frame = pd.DataFrame({"touches": [*map(str, range(LONGEST)), f"{LONGEST}+"], **counts})
    total = frame["converting"] + frame["not converting"]
    frame["conversion rate"] = frame["converting"] / total.replace(0, np.nan)
    last = int(np.flatnonzero(total)[-1]) if total.any() else 0
    return frame.iloc[: last + 1]


def days_to_conversion(paths: Kept) -> pd.DataFrame:
    """Conversions by days from their first touch in the window."""
    touched = (paths.sizes > 0) & (paths.conversions > 0)
    first = paths.offsets[:-1][touched]
    days = paths.days[first].astype(np.int64)
    counts = np.bincount(days, paths.conversions[touched]) if len(days) else np.zeros(1)
    frame = pd.DataFrame({"days": np.arange(len(counts)), "conversions": counts})
    frame["cumulative share"] = np.cumsum(counts) / max(counts.sum(), 1)
    return frame


def roles(paths: Paths, channels: list[str]) -> pd.DataFrame:
    """By channel its touches that begin, continue or end a converting path, or are alone in it."""
    filled = paths.sizes > 0
    wins, alone = paths.conversions[filled], paths.sizes[filled] == 1
    first, last = paths.first_touches, paths.last_touches
    between = np.ones(len(paths.channel), bool)
    between[first], between[last] = False, False
    weights = np.repeat(paths.conversions, paths.sizes)
    kinds = {
        "first": (first[~alone], wins[~alone]),
        "between": (between, weights[between]),
        "last": (last[~alone], wins[~alone]),
        "alone": (first[alone], wins[alone]),
    }
    columns = {
        name: np.bincount(paths.channel[touches], of, len(channels))
        for name, (touches, of) in kinds.items()
    }
    return pd.DataFrame({"channel": channels, **columns})


def frequent(paths: Paths, channels: list[str], *, converting: bool, most: int) -> pd.DataFrame:
    """The most frequent paths that converted, or that did not."""
    counts = paths.conversions if converting else paths.nulls
    order = np.argsort(-counts, kind="stable")[:most]
    return _rows(paths, order[counts[order] > 0], channels)


def search(paths: Paths, channels: list[str], text: str) -> pd.DataFrame:
    """Paths in which the channels of a text such as `Email > Direct` follow each other directly.

    Letter case does not count, and a part of a name is enough.
    """
    steps = [part.strip().lower() for part in text.split(">") if part.strip()]
    if not steps:
        return _rows(paths, np.arange(min(len(paths.sizes), MOST_FOUND)), channels)
    named = [[step in name.lower() for name in channels] for step in steps]
    channel = paths.channel
    fits = np.zeros(len(channel), bool)
    if len(channel) >= len(steps):
        stop = len(channel) - len(steps) + 1
        fits[:stop] = True
        for place, of_step in enumerate(named):
            fits[:stop] &= np.array(of_step)[channel[place : place + stop]]
    rank_from_end = np.repeat(paths.offsets[1:], paths.sizes) - np.arange(len(channel))
    fits &= rank_from_end >= len(steps)  # within one path
    has = _any(fits, paths)
    return _rows(paths, np.flatnonzero(has)[:MOST_FOUND], channels)


def transitions(paths: Paths, channels: list[str], most: int) -> pd.DataFrame:
    """How many journeys go from one channel, or the start, to the next one, or their end.

    Channels beyond the `most` frequent are one, called `(others)`.
    """
    weights = paths.conversions + paths.nulls
    of_touches = np.repeat(weights, paths.sizes)
    channel, width = paths.channel.astype(np.int64), len(channels)
    first, last, filled = paths.first_touches, paths.last_touches, paths.sizes > 0
    inner = np.ones(len(channel), bool)
    inner[first] = False
    to = np.flatnonzero(inner)
    steps = np.zeros((width + 1, width + 2))
    steps[0, :width] = np.bincount(channel[first], weights[filled], width)
    pair = channel[to - 1] * width + channel[to]
    steps[1:, :width] = np.bincount(pair, of_touches[to], width**2).reshape(width, width)
    steps[1:, width] = np.bincount(channel[last], paths.conversions[filled], width)
    steps[1:, width + 1] = np.bincount(channel[last], paths.nulls[filled], width)
    return journeys.moves(steps, channels, most)


def by_day(paths: Kept, channels: list[str]) -> pd.DataFrame:
    """Linear credit by days before the conversion, in the columns of the table `detail`."""
    converting = np.repeat(paths.conversions, paths.sizes)
    share = converting / np.repeat(np.maximum(paths.sizes, 1), paths.sizes)
    width = len(channels)
    cell = paths.days.astype(np.int64) * width + paths.channel
    days = int(paths.days.max(initial=0)) + 1
    sums = np.bincount(cell, share, days * width).reshape(days, width)
    return pd.DataFrame(
        {
            "days_before_conversion": np.repeat(np.arange(days), width),
            "channel": channels * days,
            "conversions": sums.ravel(),
        }
    )


def _any(fits: Flags, paths: Paths) -> Flags:
    found = np.zeros(len(paths.sizes), bool)
    found[paths.owner[fits]] = True
    return found


def _rows(paths: Paths, rows: Ints, channels: list[str]) -> pd.DataFrame:
    texts = [
        SEPARATOR.join(channels[c] for c in paths.channel[paths.offsets[i] : paths.offsets[i + 1]])
        for i in rows.tolist()
    ]
    conversions, nulls = paths.conversions[rows], paths.nulls[rows]
    total = conversions + nulls
    return pd.DataFrame(
        {
            "path": [text or "(no touch)" for text in texts],
            "conversions": conversions,
            "value": paths.value[rows],
            "not converted": nulls,
            "conversion rate": conversions / np.where(total > 0, total, np.nan),
        }
    )
