"""Spend beside credit, a budget that is moved, and what shares cannot tell."""

import math

import pandas as pd
import streamlit as st

from td_mta.dashboard import show
from td_mta.dashboard.data import findings, moves, spend
from td_mta.dashboard.data.moves import Change
from td_mta.dashboard.data.source import SHAPLEY, Source
from td_mta.dashboard.screens import choices, costs_editor
from td_mta.dashboard.view import Block, Chart, Sentences, Table, View
from td_mta.reporting import charts
from td_mta.reporting.html.elements import number
from td_mta.reporting.run_tables import model_name

NOT_CAUSAL = (
    "Shares are not causal. They say on which touches conversions rest in the data, not what would "
    "be lost without a channel: people who are about to buy search, click and open emails anyway. "
    "Only an experiment tells: switch a channel off for some regions or users, and compare."
)
LOST = "lost without it"
RETURNS = (
    *("conversions", "lower", "upper", "revenue", "share", "spend", "CPA", "CPA, lower"),
    *("CPA, upper", "ROAS", "ROAS, lower", "ROAS, upper"),
)
RETURNS_DECIMALS = {
    **dict.fromkeys(("conversions", "lower", "upper"), 1),
    **dict.fromkeys(("CPA, lower", "CPA, upper", "ROAS, lower", "ROAS, upper", "ROAS"), 2),
}
ASSUMED = (
    "The change assumes that a channel's credit is what its spend brings, and that conversions "
    "grow as spend to the power of the elasticity. Its bounds hold the error of the credit alone."
)


def page() -> None:
    """A model, a move, and their view."""
    source = choices.titled("Decide")
    if source is None:
        return
    models = source.models()
    names = sorted(dict.fromkeys(models["model"]), key=lambda name: name != SHAPLEY)
    model = st.selectbox(
        "Credit by", names, format_func=model_name, key="credit_by", bind="query-params"
    )
    costs = costs_editor.edited(source, open_at_first=False)
    now = {name: x for name, x in costs_editor.spend_now(source).items() if x > 0}
    after, elasticity = _moved(now)
    show.view(view(source, model, costs, now, after, elasticity))


def _moved(now: dict[str, float]) -> tuple[dict[str, float], float]:
    """The spend after the move that the widgets describe."""
    after = dict(now)
    if len(now) < 2:
        return after, 1.0
    names = list(now)
    one, two, three, four = st.columns(4)
    with one:
        giver = st.selectbox("Move from", names, key="move_from", bind="query-params")
    with two:
        taker = st.selectbox("Move to", names, 1, key="move_to", bind="query-params")
    with three:
        share = st.slider("Share of its spend (%)", 0, 100, 20, key="move", bind="query-params")
    with four:
        elasticity = st.slider(
            "Elasticity", 0.1, 1.0, 0.5, 0.05, key="elasticity", bind="query-params",
            help="1: conversions grow in proportion to spend; less: every further unit brings less",
        )  # fmt: skip
    if giver != taker:
        amount = now[giver] * share / 100
        after[giver] -= amount
        after[taker] += amount
    return after, float(elasticity)


def view(
    source: Source,
    model: str,
    costs: costs_editor.Costs,
    now: dict[str, float],
    after: dict[str, float],
    elasticity: float,
) -> View:
    """Cost and return with intervals, the move, and the gap to what a channel really brings."""
    models = source.models()
    credit = source.once(("bounds", model), lambda: moves.credit_with_bounds(source, model, models))
    compared = spend.compared(models, costs.table, costs.by)
    blocks: list[Block] = [Sentences(lines=[NOT_CAUSAL], is_warning=True)]
    figures: dict[str, str] = {}
    if any(value > 0 for value in now.values()):
        rows = moves.moved(credit, now, after, elasticity)
        figures, moved = _move(rows.sort_values("spend now", ascending=False, kind="stable"))
        blocks += moved
    return View(
        page="decide",
        finding=findings.of_costs(compared, model),
        source=choices.described(source),
        figures=figures,
        blocks=[*blocks, _returns(compared, credit, model), *_causal(source, credit, model)],
    )


def _move(rows: pd.DataFrame) -> tuple[dict[str, str], list[Block]]:
    """What the move changes in all, and by channel."""
    change = moves.total(rows)
    figures = {
        "Spend": number(float(rows["spend now"].sum()), 0),
        "Conversions, change": _signed(change.conversions),
        "Bounds (90 %)": _bounds(change),
    }
    counts = dict.fromkeys(("conversions now", "change", "lower", "upper"), 1)
    table = Table(
        name="moved_budget",
        title="The move",
        rows=rows.reset_index(),
        decimals={"spend now": 2, "spend then": 2, **counts},
    )
    return figures, [Sentences(lines=[ASSUMED]), table]


def _returns(compared: pd.DataFrame, credit: pd.DataFrame, model: str) -> Table:
    """Cost and return of each channel with their intervals, the dearest first."""
    rows = compared[compared["model"] == model].set_index("channel")
    bounds = credit[["lower", "upper"]].reindex(rows.index)
    spent = rows["spend"]
    per = (rows["value"] / rows["conversions"].where(rows["conversions"] != 0)).fillna(0.0)
    rows["lower"], rows["upper"] = bounds["lower"], bounds["upper"]
    rows["CPA, lower"] = spent / bounds["upper"].where(bounds["upper"] > 0)
    rows["CPA, upper"] = spent / bounds["lower"].where(bounds["lower"] > 0)
    if rows["roas"].notna().any():
        rows["ROAS, lower"] = per * bounds["lower"] / spent.where(spent > 0)
        rows["ROAS, upper"] = per * bounds["upper"] / spent.where(spent > 0)
    by = ["spend", "conversions"]
    rows = rows.sort_values(by, ascending=False, na_position="last", kind="stable")
    rows = rows.rename(columns=choices.HEADINGS)
    return Table(
        name="cost_and_return",
        title="Cost and return with intervals",
        rows=rows[[name for name in RETURNS if name in rows]]
        .reset_index()
        .dropna(axis=1, how="all"),
        percents=("share",),
        decimals={**choices.DECIMALS, **RETURNS_DECIMALS},
        caption="Intervals are those of the credit (90 %), where the model has some. CPA: spend "
        "per conversion. ROAS: revenue per spend.",
    )


def _causal(source: Source, credit: pd.DataFrame, model: str) -> list[Block]:
    """What the simulator loses when a channel is switched off, beside the credit."""
    lost = source.facts.get("switched_off")
    if not lost:
        return []
    amounts = {name: float(lost.get(name, {}).get("conversions", math.nan)) for name in lost}
    rows = credit["conversions"].reindex(source.channels).rename("credit").rename_axis("channel")
    rows = rows.sort_values(ascending=False, kind="stable").reset_index()
    rows[LOST] = rows["channel"].map(amounts)
    rows["credit / lost"] = rows["credit"] / rows[LOST].where(rows[LOST] > 0)
    table = Table(
        name="credit_and_lost",
        title="The gap",
        rows=rows,
        decimals={"credit": 1, LOST: 0, "credit / lost": 2},
    )
    return [_gap(rows, model), table]


def _gap(rows: pd.DataFrame, model: str) -> Chart:
    """Credit as bars, what is lost without the channel as points."""
    named = rows[["channel", "credit", LOST]].rename(columns={"credit": model})
    both = named.melt("channel", var_name="model", value_name="conversions")
    charted = choices.charted(both, model)
    return Chart(
        name="credit_and_truth",
        title="Credit beside the conversions that are lost when a channel is switched off",
        figure=charts.by_model(
            both, charted, [model, LOST], "conversions", title="conversions", number_format=",.5~r"
        ),
        caption="Known because the data is simulated: the same users and draws without the "
        "channel's touches. Real data does not show it; an experiment does.",
    )


def _signed(change: float) -> str:
    return f"{'+' if change > 0 else ''}{number(change, 1)}"


def _bounds(change: Change) -> str:
    if not math.isfinite(change.lower):
        return "not known for this model"
    return f"{_signed(change.lower)} to {_signed(change.upper)}"
