"""How far each model's credit is from the truth, and the tables of it that `truth.py` prints.

Shares of channels and of days are of all channel credit, the baseline's is of all conversions;
errors are mean absolute ones. Only the models that split a conversion over its touches have days.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from td_mta.simulate.output.facts import Facts

BASELINE = "(baseline)"


class Errors(NamedTuple):
    """How far a model's credit is from the truth."""

    channels: float  # mean absolute error of the shares of channel credit
    days: float  # the same by day before the conversion; NaN of a model without days
    baseline: float  # the baseline's share of all conversions, less the true one
    swapped: float  # pairs of channels in the wrong order


# the errors of every model on one data set
Judged = Mapping[str, Errors]


def errors_of(truth: Facts, credit: pd.Series, days: pd.Series | None) -> Errors:
    """The errors of conversions by channel, the baseline among them, and by day before."""
    true_shares = pd.Series(truth["channel_share"])
    channels = credit.reindex(true_shares.index).fillna(0.0)
    shares = channels / channels.sum()
    return Errors(
        channels=float((shares - true_shares).abs().mean()),
        days=np.nan if days is None else _error_of_days(truth, days),
        baseline=float(credit[BASELINE] / credit.sum() - truth["baseline_share"]),
        swapped=_swapped(true_shares.to_numpy(), shares.to_numpy()),
    )


def _error_of_days(truth: Facts, days: pd.Series) -> float:
    true_days = np.array(truth["conversions_by_day_and_channel"]).sum(axis=1)
    errors = days / days.sum() - true_days / true_days.sum()
    return float(np.abs(errors).mean())


def _swapped(truth: np.ndarray, shares: np.ndarray) -> int:
    """Pairs of channels in the wrong order.

    >>> _swapped(np.array([1, 2, 3]), np.array([1, 3, 2]))
    1
    """
    true_order = np.sign(truth[:, None] - truth)  # (channels, channels)
    order = np.sign(shares[:, None] - shares)
    return int(np.count_nonzero(np.triu(true_order * order < 0)))


def world_table(seeds: Sequence[Judged], channels: int) -> str:
    """A row per model as Markdown, means over the seeds of a world; the best channel shares first.

    The largest errors of a seed stand behind, where there are several.
    """
    pairs = channels * (channels - 1) // 2
    head = ["model", "channel share", "day share", "baseline share", f"swapped, of {pairs} pairs"]
    several = len(seeds) > 1
    rows = [_row(model, _of(seeds, model), several) for model in _best_first({"": seeds})]
    return _markdown([*head, *(["largest: channel share", "baseline share"] * several)], rows)


def _row(model: str, errors: np.ndarray, several: bool) -> list[str]:
    """The errors of a model, `(seeds, fields)`."""
    mean = Errors(*errors.mean(axis=0))
    worst = Errors(*errors[np.abs(errors).argmax(axis=0), np.arange(errors.shape[1])])
    return [
        model.replace("_", " "),
        f"{mean.channels:.4f}",
        "" if np.isnan(mean.days) else f"{mean.days:.4f}",
        f"{mean.baseline:+.4f}",
        f"{mean.swapped:.1f}" if several else f"{mean.swapped:.0f}",
        *([f"{worst.channels:.4f}", f"{worst.baseline:+.4f}"] * several),
    ]


def means_table(worlds: Mapping[str, Sequence[Judged]]) -> str:
    """A row per model: its means over all worlds, then its channel shares' error in each world.

    The baseline's error is the mean size of a data set's, not of the mean. A model that some world
    lacks has no means.
    """
    head = ["model", "channel share", "baseline share", *worlds]
    rows = []
    for model in _best_first(worlds):
        by_world = [np.abs(_of(seeds, model)).mean(axis=0) for seeds in worlds.values()]
        mean = Errors(*np.mean(by_world, axis=0))
        channels = [Errors(*errors).channels for errors in by_world]
        cells = [mean.channels, mean.baseline, *channels]
        texts = ["" if np.isnan(cell) else f"{cell:.4f}" for cell in cells]
        rows.append([model.replace("_", " "), *texts])
    return _markdown(head, rows)


def _best_first(worlds: Mapping[str, Sequence[Judged]]) -> list[str]:
    """All models by the mean error of channel shares; those that a world lacks at the end."""
    models = {model: None for seeds in worlds.values() for judged in seeds for model in judged}
    means = {
        model: np.mean([_of(seeds, model)[:, 0].mean() for seeds in worlds.values()])
        for model in models
    }
    return sorted(models, key=lambda model: (np.isnan(means[model]), means[model]))


def _of(seeds: Sequence[Judged], model: str) -> np.ndarray:
    """A model's errors `(seeds, fields)`, NaN where there are none."""
    none = Errors(*[np.nan] * len(Errors._fields))
    return np.array([judged.get(model, none) for judged in seeds])


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
