"""How long before the conversion each channel gets its credit."""

import pandas as pd
import streamlit as st

from td_mta.dashboard import show
from td_mta.dashboard.data import findings, journeys_tables
from td_mta.dashboard.data.source import Source
from td_mta.dashboard.screens import choices, training
from td_mta.dashboard.view import Block, Chart, Sentences, Table, View
from td_mta.reporting import charts
from td_mta.reporting.html.elements import number, percent
from td_mta.reporting.run_tables import MOST_CHARTED, RunTables
from td_mta.tables import DAYS_BEFORE_CONVERSION

OF_LINEAR = (
    "By the linear rule, which gives every touch of a path the same: it shows where touches are, "
    "not what they do. A trained model shows what the probability of a conversion rests on."
)


def page() -> None:
    """The view of the run, or of the journeys by the linear rule."""
    source = choices.titled("Over time")
    if source is None:
        return
    training.offered(source)
    shown = view(source)
    if shown is None:
        st.info("A table of paths has no times: open a table with a row for each touch.")
        return
    show.view(shown)


def view(source: Source) -> View | None:
    """Credit by day, in words and as curves; None where there are no times."""
    if source.run is not None and not source.run.is_of_paths:
        return _of_run(source, source.run)
    if source.journeys is None or not source.journeys.has_times:
        return None
    detail = source.once("by day", lambda: journeys_tables.by_day(source.paths, source.channels))
    ranking = _ranking(detail)
    return View(
        page="over_time",
        finding=f"{findings.title_of_days(detail)} (linear rule)",
        source=choices.described(source),
        blocks=[Sentences(lines=[OF_LINEAR]), *_days(detail, ranking)],
    )


def _of_run(source: Source, run: RunTables) -> View:
    baseline, _, conversions = run.conservation
    blocks: list[Block] = _days(run.credits, run.charted)
    if run.intervals:
        blocks.insert(
            2,
            Chart(
                name="intervals",
                title="Credited conversions and their intervals",
                figure=charts.interval_whiskers(run.intervals, run.charted),
                caption="Thin lines include the model's own error, grey ones only that of the "
                "sample of users.",
            ),
        )
    return View(
        page="over_time",
        finding=findings.title_of_days(run.credits),
        source=choices.described(source),
        figures={
            "Conversions": number(conversions),
            "Baseline": number(baseline),
            "Baseline's share": percent(baseline / conversions) if conversions else "",
        },
        blocks=[
            Sentences(
                lines=[
                    "The baseline is what the model expects to convert without any touch in its "
                    "window."
                ]
            ),
            *blocks,
        ],
    )


def _days(detail: pd.DataFrame, charted: list[str]) -> list[Block]:
    columns = [
        name
        for name in (DAYS_BEFORE_CONVERSION, "channel", "conversions", "value", "lower", "upper")
        if name in detail and detail[name].notna().any()
    ]
    return [
        Sentences(lines=findings.of_days(detail), title="Who opens and who closes"),
        Chart(
            name="credit_by_day",
            title="Credited conversions by day before the conversion",
            figure=charts.day_curves(detail, charted),
        ),
        Table(
            name="credit_by_day_and_channel",
            title="Credit by day and channel",
            rows=detail[columns],
        ),
    ]


def _ranking(detail: pd.DataFrame) -> list[str]:
    sums = detail.groupby("channel")["conversions"].sum()
    ordered = sorted(sums.index, key=lambda name: (-float(sums[name]), str(name)))
    return [str(name) for name in ordered][:MOST_CHARTED]
