"""What users' journeys look like: lengths, times, roles, frequent paths, transitions."""

import pandas as pd
import streamlit as st

from td_mta.dashboard import show
from td_mta.dashboard.data import findings, journeys_tables
from td_mta.dashboard.data.source import Journeys, Source
from td_mta.dashboard.screens import choices
from td_mta.dashboard.view import Block, Chart, Table, View
from td_mta.reporting.html.elements import number, percent
from td_mta.reporting.html.journeys import DAYS, ENDS, FLOWS, READ, ROLES, WINDOW
from td_mta.reporting.journeys import charts as journey_charts
from td_mta.reporting.journeys.tables import CUT
from td_mta.reporting.run_tables import MOST_CHARTED

TOP = 25
PERCENTS = ("conversion rate", "share", "cumulative share")
LEFT_OUT = "Conversions and users without any touch have no path."


def page() -> None:
    """A search, and the view of all journeys."""
    source = choices.titled("Journeys")
    if source is None:
        return
    if source.journeys is None:
        shown = of_run(source)
        if shown is None:
            st.info(
                "This run is of an earlier version, which kept no journeys: run it again, or open "
                "its file on the Attribution page."
            )
        else:
            show.view(shown)
        return
    text = st.text_input(
        "Search for a path",
        placeholder="such as: Email > Paid Search",
        key="path",
        bind="query-params",
        max_chars=500,
    )
    show.view(view(source, text))


def of_run(source: Source) -> View | None:
    """What a finished run kept of its journeys; None where it kept nothing."""
    tables = source.run.journeys if source.run else {}
    if not tables:
        return None
    no_days = pd.DataFrame({"days": [], "conversions": []})
    return View(
        page="journeys",
        finding=findings.of_journeys(tables["lengths"], no_days),  # the model's window is short
        source=f"{choices.described(source)}. {READ} {WINDOW if 'days' in tables else ''}",
        blocks=_blocks(source, tables),
    )


def view(source: Source, text: str = "") -> View:
    """Everything about the paths, and those that a search finds."""
    journeys = source.journeys
    assert journeys is not None
    tables = source.once("journeys", lambda: _tables(source, journeys))
    blocks: list[Block] = []
    if text.strip():
        found = source.once(
            ("search", text),
            lambda: journeys_tables.search(journeys.distinct, source.channels, text),
        )
        blocks.append(_paths("paths_found", "Paths that the search finds", found, source))
    return View(
        page="journeys",
        finding=findings.of_journeys(tables["lengths"], tables["days"]),
        source=choices.described(source),
        figures=_figures(journeys),
        blocks=[*blocks, *_blocks(source, tables)],
    )


def _tables(source: Source, journeys: Journeys) -> dict[str, pd.DataFrame]:
    paths, names, has_times = journeys.distinct, source.channels, journeys.has_times
    return {
        "lengths": journeys_tables.lengths(journeys.paths),
        "days": journeys_tables.days_to_conversion(journeys.paths)[: None if has_times else 0],
        "roles": journeys_tables.roles(paths, names),
        "won": journeys_tables.frequent(paths, names, converting=True, most=TOP),
        "lost": journeys_tables.frequent(paths, names, converting=False, most=TOP),
        "moves": journeys_tables.transitions(paths, names, MOST_CHARTED),
    }


def _figures(journeys: Journeys) -> dict[str, str]:
    wins, others = float(journeys.paths.conversions.sum()), float(journeys.paths.nulls.sum())
    return {
        "Journeys": number(wins + others),
        "Converting": number(wins),
        "Conversion rate": percent(wins / (wins + others)) if wins + others else "",
        "Distinct paths": number(len(journeys.distinct.sizes)),
    }


def _blocks(source: Source, tables: dict[str, pd.DataFrame]) -> list[Block]:
    roles = tables["roles"].set_index("channel").sum(axis=1)
    ranking = sorted(roles.index, key=lambda name: (-float(roles[name]), str(name)))
    charted = [str(name) for name in ranking][:MOST_CHARTED]
    days = tables["days"] if len(tables.get("days", ())) else None
    return [
        Chart(
            name="journey_lengths",
            title="Journeys by number of touches",
            figure=journey_charts.lengths(tables["lengths"]),
        ),
        *([_days(days)] if days is not None else []),
        Chart(
            name="transitions",
            title=FLOWS,
            figure=journey_charts.flows(tables["moves"], charted),
            caption="A ribbon is as wide as the journeys that go from the left to the right.",
        ),
        Chart(
            name="roles",
            title=ROLES,
            figure=journey_charts.roles(tables["roles"], charted),
        ),
        _paths("top_converting_paths", "Most frequent converting paths", tables["won"], source),
        _paths(
            "top_losing_paths", "Most frequent paths without a conversion", tables["lost"], source
        ),
        _table("journeys_by_length", "Journeys by length", tables["lengths"]),
        *([_table("conversions_by_days", "Days to conversion", days)] if days is not None else []),
        _table("channel_roles", "Roles", tables["roles"]),
        _table("transition_counts", "Transitions", tables["moves"]),
    ]


def _days(table: pd.DataFrame) -> Chart:
    return Chart(
        name="days_to_conversion",
        title=DAYS,
        figure=journey_charts.days_to_conversion(table),
    )


def _paths(name: str, title: str, rows: pd.DataFrame, source: Source) -> Table:
    left_out = () if source.has_value else ("value",)
    captions = [LEFT_OUT] if name.startswith("top_conv") else []
    if rows["path"].str.startswith(CUT).any():
        captions.append(ENDS)
    return Table(
        name=name,
        title=title,
        rows=rows[[column for column in rows.columns if column not in left_out]],
        percents=PERCENTS,
        decimals={"conversions": 0, "not converted": 0, "value": 2},
        caption=" ".join(captions),
        wrapped="path",
    )


def _table(name: str, title: str, rows: pd.DataFrame) -> Table:
    return Table(name=name, title=title, rows=rows, percents=PERCENTS)
