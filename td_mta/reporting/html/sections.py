"""The page's sections in reading order, and the short ones: key numbers and raw tables."""

from collections.abc import Callable

import pandas as pd

from td_mta.reporting import output_tables
from td_mta.reporting.html.advice import reading
from td_mta.reporting.html.controls import controls
from td_mta.reporting.html.credit import channels, confidence_intervals, costs, days
from td_mta.reporting.html.elements import figures, folded, number, percent, table, text
from td_mta.reporting.html.experiments import experiments
from td_mta.reporting.html.findings import findings
from td_mta.reporting.html.journeys import journeys
from td_mta.reporting.html.model_quality import model_quality
from td_mta.reporting.html.paths import path_channels, path_numbers
from td_mta.reporting.run_tables import RunTables
from td_mta.tables import DAYS_BEFORE_CONVERSION

MOST_ROWS = 2_000  # of a raw table
MOST_COLUMNS = 12  # beyond, a table of one row stands upright
RAW_TABLES = (
    *("report", "detail", "channel", "shapley", "models", "intervals", "metrics", "run_info"),
)


def key_numbers(run: RunTables) -> str:
    """The run's size and result in a few figures."""
    baseline, _, conversions = run.conservation
    baseline_share = baseline / conversions if conversions else 0.0
    detail = run.frames["detail"]
    shown = {
        "conversions": number(conversions),
        "baseline share": percent(baseline_share),
        "touchpoints": number(run.number("counts", "touchpoints")),
        "users": number(run.number("counts", "users")),
        "channels": number(len(run.ranking)),
        "first day": run.section("span").get("first_day", ""),
        "last day": run.section("span").get("last_day", ""),
        "credited from": _credited_from(run),
        "window of the model (days)": number(detail[DAYS_BEFORE_CONVERSION].nunique()),
    }
    if run.has_value:
        shown["value"] = number(float(detail["value"].sum()))
    return figures(shown)


def _credited_from(run: RunTables) -> str:
    """The first day whose conversions are credited, where there is history before it."""
    span = run.section("span")
    first = span.get("first_credited_day", "")
    return "" if first == span.get("first_day") else first


def raw_tables(run: RunTables) -> str:
    """Every output table under its full name, folded away."""
    metrics_table = run.parameter("metrics_table") or "metrics"
    shapley_table = run.parameter("shapley_table") or "shapley"
    names = output_tables.names(metrics_table, shapley_table)
    parts = ["<h2>Output tables</h2>"]
    for key in (key for key in RAW_TABLES if key in run.frames):
        content = _raw(run.frames[key], names[key])
        parts.append(folded(names[key], content))
    return "\n".join(parts)


def _raw(frame: pd.DataFrame, name: str) -> str:
    if len(frame) == 1 and frame.shape[1] > MOST_COLUMNS:
        frame = pd.DataFrame({"column": frame.columns, "value": frame.iloc[0].array})
    cut_off = len(frame) - MOST_ROWS
    remark = f"<p>{number(cut_off)} more rows are in the table {text(name)}.</p>"
    return table(frame[:MOST_ROWS]) + (remark if cut_off > 0 else "")


SECTIONS: tuple[Callable[[RunTables], str], ...] = (
    findings,
    key_numbers,
    channels,
    costs,
    experiments,
    confidence_intervals,
    days,
    journeys,
    controls,
    model_quality,
    reading,
    raw_tables,
)
PATH_SECTIONS = (findings, path_numbers, path_channels, journeys, raw_tables)
"""Those of a run on a table of paths."""
