"""Moving a budget: what a change of spend would change, if credit were what spend brings.

Conversions of a channel grow as spend to the power of an elasticity: 1 in proportion, less than 1
where every further unit brings less. The bounds are those of the credit alone.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from td_mta.dashboard.data.kept import Kept
from td_mta.dashboard.data.source import SHAPLEY, Source
from td_mta.tables import BASELINE

Z90 = float(ndtri(0.95))  # of a normal distribution, for 90 % in the middle


class Change(NamedTuple):
    """Conversions that a move adds, and their bounds, NaN where there are none."""

    conversions: float
    lower: float
    upper: float


def credit_with_bounds(source: Source, model: str, models: pd.DataFrame) -> pd.DataFrame:
    """By channel: conversions, lower, upper; bounds where the model has some.

    Shapley values have their run's intervals. Rules have how much their sum varies between
    journeys: twice 5 % lie outside.
    """
    rows = models[(models["model"] == model) & (models["channel"] != BASELINE)]
    frame = rows.set_index("channel")[["conversions", "value"]].copy()
    frame["lower"], frame["upper"] = np.nan, np.nan
    of_run = source.intervals() if model == SHAPLEY else None
    if of_run is not None:
        frame[["lower", "upper"]] = of_run.reindex(frame.index)[["lower", "upper"]]
        return frame
    if source.journeys is None or model not in ("first_touch", "last_touch", "linear"):
        return frame
    if model == "linear":
        errors = linear_errors(source.paths, len(source.channels))
        error = Z90 * pd.Series(errors, index=source.channels).reindex(frame.index)
    else:  # each conversion is one channel's or not
        error = Z90 * np.sqrt(frame["conversions"])
    frame["lower"] = (frame["conversions"] - error).clip(lower=0)
    frame["upper"] = frame["conversions"] + error
    return frame


def linear_errors(paths: Kept, channels: int) -> np.ndarray:
    """Standard error of the linear rule's credit by channel, journeys being independent."""
    touch = np.repeat(paths.conversions != 0, paths.sizes)
    owner = np.repeat(np.arange(len(paths.conversions)), paths.sizes)[touch]
    pair = owner * channels + paths.channel[touch]
    pairs, counts = np.unique(pair, return_counts=True)
    path, channel = np.divmod(pairs, channels)
    share = counts / paths.sizes[path]
    squares = np.bincount(channel, paths.conversions[path] * share**2, channels)
    return np.sqrt(squares)


def moved(
    credit: pd.DataFrame, spend: Mapping[str, float], after: Mapping[str, float], elasticity: float
) -> pd.DataFrame:
    """By channel its spend before and after, conversions after, and how they change with bounds."""
    names = [name for name in credit.index if spend.get(name, 0) > 0]
    rows = credit.loc[names]
    before = np.array([spend[name] for name in names], float)
    new = np.array([after.get(name, spend[name]) for name in names], float)
    factor = (new / before) ** elasticity - 1
    frame = pd.DataFrame(
        {
            "spend now": before,
            "spend then": new,
            "conversions now": rows["conversions"].to_numpy(float),
            "change": rows["conversions"].to_numpy(float) * factor,
        },
        index=pd.Index(names, name="channel"),
    )
    bounds = np.stack(
        [rows["lower"].to_numpy(float) * factor, rows["upper"].to_numpy(float) * factor]
    )
    frame["lower"], frame["upper"] = bounds.min(axis=0), bounds.max(axis=0)
    return frame


def total(rows: pd.DataFrame) -> Change:
    """The change of all channels; their errors add up as those of independent ones."""
    change = float(rows["change"].sum())
    below = float(np.sqrt(((rows["change"] - rows["lower"]) ** 2).sum(skipna=False)))
    above = float(np.sqrt(((rows["upper"] - rows["change"]) ** 2).sum(skipna=False)))
    return Change(change, change - below, change + above)
