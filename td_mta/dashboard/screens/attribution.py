"""What each channel did under every model, and what it cost."""

from typing import NamedTuple

import pandas as pd
import streamlit as st

from td_mta.dashboard import show, state
from td_mta.dashboard.data import findings, spend
from td_mta.dashboard.data.source import Source
from td_mta.dashboard.screens import choices, costs_editor, opening, training
from td_mta.dashboard.screens.choices import Chosen
from td_mta.dashboard.view import Block, Chart, Sentences, Table, View
from td_mta.reporting import charts
from td_mta.reporting.html.elements import number, percent
from td_mta.reporting.run_tables import model_name
from td_mta.tables import BASELINE


class _Amount(NamedTuple):
    """What a chart by channel and model shows."""

    name: str
    title: str
    column: str
    axis: str
    number_format: str


CONVERSIONS, REVENUE, RATE, ROAS = (
    _Amount(
        *("conversions", "Attributed conversions by channel and model"),
        *("conversions", "conversions", ",.6~r"),
    ),
    _Amount(
        *("revenue", "Attributed revenue by channel and model"),
        *("value", "revenue", ",.8~r"),
    ),
    _Amount(
        *("conversion_rate", "Conversion rate by channel and model"),
        *("conversion_rate", "conversions per session", ".2~%"),
    ),
    _Amount(
        *("roas", "Return on ad spend (ROAS) by channel and model"),
        *("roas", "revenue per unit of spend", ",.3~r"),
    ),
)


def page() -> None:
    """Data, choices, costs, and the view of them."""
    st.title("Attribution", anchor=False)
    source = state.current()
    opening.opened(source)
    if source is None:
        choices.nothing_yet()
        return
    chosen = choices.chosen(source)
    training.offered(source)
    if chosen is None:
        return
    costs = costs_editor.edited(source)
    show.view(view(source, chosen, costs))


def view(source: Source, chosen: Chosen, costs: costs_editor.Costs | None) -> View:
    """Totals, charts by model, and the comparison table."""
    rows, lead = chosen.rows, chosen.models[0]
    compared = spend.compared(rows, costs.table, costs.by) if costs else None
    channels = choices.charted(rows, lead)
    blocks: list[Block] = [
        Sentences(lines=source.facts["warnings"], title="Warnings", is_warning=True),
        _by_model(CONVERSIONS, rows, channels, chosen, _left_out(source, channels, rows)),
    ]
    if source.has_value:
        blocks.append(_by_model(REVENUE, rows, channels, chosen))
    if compared is not None:
        blocks += _of_costs(compared, channels, chosen)
    return View(
        page="attribution",
        finding=findings.of_models(chosen.table, chosen.models),
        source=f"{choices.described(source)}{_method(source, chosen)}",
        figures=_totals(source, chosen),
        blocks=blocks,
    )


def _of_costs(compared: pd.DataFrame, channels: list[str], chosen: Chosen) -> list[Block]:
    blocks: list[Block] = []
    if compared["conversion_rate"].notna().any():
        blocks.append(_by_model(RATE, compared, channels, chosen))
    if compared["roas"].notna().any():
        known = compared.dropna(subset=["roas"])
        with_spend = [channel for channel in channels if (known["channel"] == channel).any()]
        caption = findings.of_costs(compared, chosen.models[0]) + "."
        blocks.append(_by_model(ROAS, known, with_spend, chosen, caption))
    named = compared.assign(model=compared["model"].map(model_name))
    shown = named.rename(columns=choices.HEADINGS)
    blocks.append(
        Table(
            name="model_comparison",
            title="All models and channels",
            rows=shown.dropna(axis="columns", how="all"),
            percents=("share", "conversion rate"),
            decimals=choices.DECIMALS,
            caption="CPA: spend per conversion. ROAS: revenue per spend. ROMS: revenue less spend, "
            "per spend. The download has all digits.",
        )
    )
    return blocks


def _by_model(
    shown: _Amount, rows: pd.DataFrame, channels: list[str], chosen: Chosen, caption: str = ""
) -> Chart:
    figure = charts.by_model(
        rows,
        channels,
        chosen.models,
        shown.column,
        title=shown.axis,
        number_format=shown.number_format,
    )
    return Chart(name=f"{shown.name}_by_model", title=shown.title, figure=figure, caption=caption)


def _totals(source: Source, chosen: Chosen) -> dict[str, str]:
    one = chosen.rows[chosen.rows["model"] == chosen.models[0]]
    orders, revenue = float(one["conversions"].sum()), float(one["value"].sum())
    baseline = float(one.loc[one["channel"] == BASELINE, "conversions"].sum())
    sessions = sum(x for x in source.facts["touches"] if x == x)
    return {
        "Orders": number(orders, 0),
        "Revenue": number(revenue, 2) if source.has_value else "",
        "AOV": number(revenue / orders, 2) if source.has_value and orders else "",
        "Sessions": number(sessions, 0) if sessions else "",
        "Users": number(source.facts["users"], 0),
        "Baseline": percent(baseline / orders) if orders and baseline else "",
    }


def _method(source: Source, chosen: Chosen) -> str:
    parts = []
    if source.days:
        parts.append(f"lookback {chosen.days or source.days} days")
    if "markov" in chosen.models and (order := source.order(chosen.days, chosen.order)):
        parts.append(f"Markov chain of order {order}")
    return "".join(f"; {part}" for part in parts)


def _left_out(source: Source, channels: list[str], rows: pd.DataFrame) -> str:
    others = len(source.channels) - len(channels)
    said = "Bars: the first model, points: the others."
    if others > 0:
        said += f" The {len(channels)} channels with the most credit; the table has all."
    if (rows.loc[rows["channel"] == BASELINE, "conversions"] > 0).any():
        said += " Conversions without a touch, the baseline, belong to no channel."
    return said
