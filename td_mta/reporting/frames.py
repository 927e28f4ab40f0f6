"""The core's arrays as the frames of tables.py."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from td_mta import tables
from td_mta.journeys.touchpoints import Floats
from td_mta.metrics import Quality
from td_mta.shapley.credit import Credit
from td_mta.shapley.intervals import Intervals

METRIC_NAMES = {"loss": "log_loss", "rmse": "rmse", "auc": "auc"}


def metrics(epochs: Sequence[tuple[Quality, Quality]]) -> pd.DataFrame:
    """One row per epoch, counted from 1."""
    rows = [
        {"epoch": number}
        | {name: getattr(train, of) for name, of in METRIC_NAMES.items()}
        | {f"val_{name}": getattr(held_out, of) for name, of in METRIC_NAMES.items()}
        for number, (train, held_out) in enumerate(epochs, start=1)
    ]
    return pd.DataFrame(rows, columns=list(tables.METRICS.columns))


def shapley(credit: Credit, channels: list[str]) -> pd.DataFrame:
    """Shares of all channel credit by day and channel."""
    frame = pd.DataFrame(_shares(credit.cells[0]), columns=channels)
    frame[tables.DAYS_BEFORE_CONVERSION] = np.arange(len(frame))
    return frame


def channel(credit: Credit, channels: list[str]) -> pd.DataFrame:
    """Shares of all channel credit by channel, one row."""
    return pd.DataFrame(_shares(credit.cells[0].sum(axis=0))[None], columns=channels)


def detail(
    credit: Credit, around: Intervals, channels: list[str], *, has_value: bool
) -> pd.DataFrame:
    """Credit by day and channel, then the baseline, which has no day; bounds if there are any."""
    days = credit.cells.shape[1]
    amounts = np.concatenate([credit.cells.reshape(2, -1), credit.baseline[:, None]], axis=1)
    bounds = np.full(amounts.shape, np.nan)
    if around.full is not None:
        pairs = zip(around.full.cells, around.full.channels, strict=True)
        bounds = np.array([np.append(of_cells, of_all[-1]) for of_cells, of_all in pairs])
    frame = pd.DataFrame(
        {
            tables.DAYS_BEFORE_CONVERSION: [*np.repeat(np.arange(days), len(channels)), None],
            "channel": [*np.tile(np.array(channels, object), days), tables.BASELINE],
            "conversions": amounts[0],
            "value": amounts[1] if has_value else np.full(amounts.shape[1], np.nan),
            "share": amounts[0] / amounts[0].sum(),
            "lower": bounds[0],
            "upper": bounds[1],
        }
    )
    frame[tables.DAYS_BEFORE_CONVERSION] = frame[tables.DAYS_BEFORE_CONVERSION].astype("Int64")
    return frame


def intervals(credit: Credit, around: Intervals, channels: list[str]) -> pd.DataFrame:
    """Both kinds by channel, the baseline last, as far as they were asked for."""
    full = None if around.full is None else around.full.channels
    kinds = {"sampling": around.sampling, "full": full}
    parts = [
        pd.DataFrame(
            {
                "kind": kind,
                "channel": [*channels, tables.BASELINE],
                "conversions": by_channel(credit)[0],
                "lower": found.lower,
                "upper": found.upper,
            }
        )
        for kind, found in kinds.items()
        if found is not None
    ]
    empty = pd.DataFrame(columns=list(tables.INTERVALS.columns))
    return pd.concat(parts, ignore_index=True) if parts else empty


def models(credits: Mapping[str, Floats], channels: list[str], *, has_value: bool) -> pd.DataFrame:
    """Conversions and value `(2, channels + 1)` of every model, the baseline last."""
    parts = [
        pd.DataFrame(
            {
                "model": model,
                "channel": [*channels, tables.BASELINE],
                "conversions": amounts[0],
                "value": amounts[1] if has_value else np.nan,
                "share": amounts[0] / amounts[0].sum(),
            }
        )
        for model, amounts in credits.items()
    ]
    return pd.concat(parts, ignore_index=True)


def run_info(sections: Mapping[str, Mapping[str, object] | Iterable[str]]) -> pd.DataFrame:
    """Facts by section; sentences of a section without names are numbered from 1."""
    rows = []
    for section, facts in sections.items():
        named = facts if isinstance(facts, Mapping) else dict(enumerate(facts, start=1))
        rows += [(section, str(name), _text(value)) for name, value in named.items()]
    return pd.DataFrame(rows, columns=list(tables.RUN_INFO.columns), dtype=object)


def by_channel(credit: Credit) -> Floats:
    """Conversions and value per channel, the baseline last, shape `(2, channels + 1)`."""
    return np.concatenate([credit.cells.sum(axis=1), credit.baseline[:, None]], axis=1)


def _shares(amounts: Floats) -> Floats:
    total = amounts.sum()
    return amounts / total if total else np.zeros_like(amounts)


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)
