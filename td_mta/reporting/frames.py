"""The core's arrays as the frames of tables.py."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from td_mta import tables
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.metrics import Quality
from td_mta.shapley.credit import Credit
from td_mta.shapley.intervals import Interval, Intervals

MEASURES = {"loss": "log_loss", "rmse": "rmse", "auc": "auc"}  # columns and their fields


def metrics(rungs: Sequence[tuple[Quality, Quality]]) -> pd.DataFrame:
    """One row per rung, counted from 1: quality on training, then on held-out examples."""
    rows = []
    for number, (train, held_out) in enumerate(rungs, start=1):
        of_train, of_held_out = _measures(train, ""), _measures(held_out, "val_")
        rows.append({"epoch": number} | of_train | of_held_out)
    return pd.DataFrame(rows, columns=list(tables.METRICS.columns))


def shapley(credit: Credit, columns: list[str]) -> pd.DataFrame:
    """Shares of all channel credit by day and channel; `columns` has one of each channel."""
    frame = pd.DataFrame(_shares(credit.cells[0]), columns=columns)
    frame[tables.DAYS_BEFORE_CONVERSION] = np.arange(len(frame))
    return frame


def channel(credit: Credit, columns: list[str]) -> pd.DataFrame:
    """Shares of all channel credit by channel, one row; `columns` has one of each channel."""
    by_channel = credit.cells[0].sum(axis=0)  # (channels,)
    return pd.DataFrame(_shares(by_channel)[None], columns=columns)


def detail(
    credit: Credit, intervals: Intervals, channels: list[str], *, has_value: bool
) -> pd.DataFrame:
    """Credit by day and channel, then the baseline, which has no day.

    The bounds are those of the full interval, empty where there is none.
    """
    days = credit.cells.shape[1]
    conversions, value = _cells_and_baseline(credit)
    lower, upper = _bounds(intervals, len(conversions))
    day_of_cell = np.repeat(np.arange(days), len(channels))
    frame = pd.DataFrame(
        {
            tables.DAYS_BEFORE_CONVERSION: [*day_of_cell, None],
            "channel": [*(channels * days), tables.BASELINE],
            "conversions": conversions,
            "value": value if has_value else np.nan,
            "share": conversions / conversions.sum(),
            "lower": lower,
            "upper": upper,
        }
    )
    return frame.astype({tables.DAYS_BEFORE_CONVERSION: "Int64"})


def intervals(credit: Credit, both: Intervals, channels: list[str]) -> pd.DataFrame:
    """Intervals of each kind that there is, by channel, the baseline last."""
    full = None if both.full is None else both.full.channels
    kinds = {"sampling": both.sampling, "full": full}
    parts = []
    for kind, interval in kinds.items():
        if interval is not None:
            parts.append(_interval_rows(kind, interval, credit, channels))
    if not parts:
        return pd.DataFrame(columns=list(tables.INTERVALS.columns))
    return pd.concat(parts, ignore_index=True)


def models(credits: Mapping[str, Floats], channels: list[str], *, has_value: bool) -> pd.DataFrame:
    """Conversions and value `(2, channels + 1)` of every model, the baseline last."""
    parts = []
    for model, (conversions, value) in credits.items():
        rows = {
            "model": model,
            "channel": [*channels, tables.BASELINE],
            "conversions": conversions,
            "value": value if has_value else np.nan,
            "share": conversions / conversions.sum(),
        }
        parts.append(pd.DataFrame(rows))
    return pd.concat(parts, ignore_index=True)


def report(
    credit: Credit,
    intervals: Intervals,
    channels: list[str],
    touches_and_users: Ints,
    returning: Floats,
    costs: pd.DataFrame | None,
    *,
    has_value: bool,
) -> pd.DataFrame:
    """Credit beside costs, one row per channel of either.

    `touches_and_users` has shape `(2, channels)`, `returning` `(channels,)` is the credit of
    conversions of users who had converted before; `costs` has spend, impressions and clicks by
    channel. Nothing is divided by 0.
    """
    conversions, value = credit.cells.sum(axis=1)  # (channels,) each
    full = intervals.full
    frame = pd.DataFrame(
        {
            "touches": touches_and_users[0],
            "users": touches_and_users[1],
            "conversions": conversions,
            "value": value if has_value else np.nan,
            "lower": np.nan if full is None else full.channels.lower[:-1],
            "upper": np.nan if full is None else full.channels.upper[:-1],
            "conversions_new": conversions - returning,
            "conversions_returning": returning,
        },
        index=pd.Index(channels, name="channel"),
    )
    if costs is None:
        costs = pd.DataFrame(columns=["spend", "impressions", "clicks"], dtype=np.float64)
    frame = frame.join(costs, how="outer").sort_index()
    # A channel that has nothing but costs is touched and credited 0 times.
    counts = ("touches", "users", "conversions", "conversions_new", "conversions_returning")
    frame = frame.fillna(dict.fromkeys(counts, 0))
    frame = frame.astype({"touches": np.int64, "users": np.int64})
    return with_ratios(frame).reset_index()[list(tables.REPORT.columns)]


def run_info(sections: Mapping[str, Mapping[str, object] | Iterable[str]]) -> pd.DataFrame:
    """Facts by section; sentences of a section without names are numbered from 1."""
    rows = []
    for section, facts in sections.items():
        by_name = facts if isinstance(facts, Mapping) else dict(enumerate(facts, start=1))
        for name, value in by_name.items():
            rows.append((section, str(name), _text(value)))
    return pd.DataFrame(rows, columns=list(tables.RUN_INFO.columns), dtype=object)


def by_channel(credit: Credit) -> Floats:
    """Conversions and value per channel, the baseline last, shape `(2, channels + 1)`."""
    channels = credit.cells.sum(axis=1)  # (2, channels)
    return np.concatenate([channels, credit.baseline[:, None]], axis=1)


def with_ratios(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of credit and cost with cpm, cpc, cpa, roas and roms; nothing is divided by 0."""
    spend, value = frame["spend"], frame["value"]
    return frame.assign(
        cpm=1000 * spend / frame["impressions"].replace(0, np.nan),
        cpc=spend / frame["clicks"].replace(0, np.nan),
        cpa=spend / frame["conversions"].replace(0, np.nan),
        roas=value / spend.replace(0, np.nan),
        roms=(value - spend) / spend.replace(0, np.nan),
    )


def _measures(quality: Quality, prefix: str) -> dict[str, float]:
    return {prefix + column: getattr(quality, field) for column, field in MEASURES.items()}


def _cells_and_baseline(credit: Credit) -> Floats:
    """Conversions and value of every day and channel, the baseline last.

    Shape `(2, days * channels + 1)`.
    """
    cells = credit.cells.reshape(2, -1)
    return np.concatenate([cells, credit.baseline[:, None]], axis=1)


def _bounds(intervals: Intervals, rows: int) -> Floats:
    """The full interval's bounds in the order of `_cells_and_baseline`, `(2, rows)`, or NaN."""
    if intervals.full is None:
        return np.full((2, rows), np.nan)
    cells, channels = intervals.full.cells, intervals.full.channels
    lower = np.append(cells.lower, channels.lower[-1])  # the last of the channels is the baseline
    upper = np.append(cells.upper, channels.upper[-1])
    return np.array([lower, upper])


def _interval_rows(
    kind: str, interval: Interval, credit: Credit, channels: list[str]
) -> pd.DataFrame:
    conversions, _ = by_channel(credit)
    return pd.DataFrame(
        {
            "kind": kind,
            "channel": [*channels, tables.BASELINE],
            "conversions": conversions,
            "lower": interval.lower,
            "upper": interval.upper,
        }
    )


def _shares(amounts: Floats) -> Floats:
    total = amounts.sum()
    return amounts / total if total else np.zeros_like(amounts)


def _text(value: object) -> str:
    """A value as the text of a table, in YAML's words where there are some."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | np.floating):
        return repr(float(value))
    return str(value)
