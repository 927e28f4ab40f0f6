"""Charts of the media mix tables: frames in, plotly figures out, in the style of all charts here.

`channels` lists them in the order of what they brought; each keeps its colour in every chart.
"""

import itertools
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from td_mta.reporting.chart_style import (
    COLOURS,
    GREY,
    INK,
    label,
    layout,
    name_rows,
    row_colour,
    row_symbol,
)

BASE_COLOUR = "#d0d0d6"
CONTROL_COLOURS = ("#a8a8b3", "#8c8c99", "#c2b8a3", "#b3a8b8")
BAND = 0.15  # opacity
FADED = 0.45
PREDICTED = COLOURS[1]


def intervals(rows: pd.DataFrame, name: str, title: str) -> go.Figure:
    """One value per channel with its interval, the largest on top.

    `name` is roi, marginal_roi or contribution, `rows` the channels as their table orders them.
    """
    coloured = [str(channel) for channel in rows["channel"]]
    ordered = rows.sort_values(name, ascending=False, kind="stable")
    channels = [str(channel) for channel in ordered["channel"]]
    figure = go.Figure(layout=layout(110 + 34 * len(channels), x=title))
    for position, channel in enumerate(channels):
        row = ordered.iloc[position]
        value, lower, upper = (float(row[f"{name}{end}"]) for end in ("", "_lower", "_upper"))
        figure.add_scatter(
            x=[value],
            y=[position],
            mode="markers",
            name=label(channel),
            marker={
                "color": row_colour(channel, coloured),
                "symbol": row_symbol(channel, coloured),
                "size": 11,
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [upper - value],
                "arrayminus": [value - lower],
                "color": INK,
                "thickness": 1.5,
            },
            hovertemplate=f"%{{x:,.3g}}, from {lower:,.3g} to {upper:,.3g}<extra></extra>",
        )
    figure.update_layout(showlegend=False)
    figure.update_xaxes(zerolinecolor=INK, rangemode="tozero")
    name_rows(figure, channels, coloured)
    return figure.update_yaxes(autorange=False, range=[len(channels) - 0.5, -0.5])


def response_curve(rows: pd.DataFrame, channels: Sequence[str], kind: str) -> go.Figure:
    """Sales by held spend of one channel: solid where spend was usual, dotted beyond.

    `kind` of the periods is day, week or month.
    """
    channel = str(rows["channel"].iloc[0])
    ink = row_colour(channel, channels)
    figure = go.Figure(layout=layout(270, x=f"spend per {kind}", y=f"sales per {kind}"))
    spend = [float(x) for x in rows["spend"]]
    figure.add_scatter(
        x=[*spend, *reversed(spend)],
        y=[*map(float, rows["upper"]), *reversed([float(y) for y in rows["lower"]])],
        fill="toself",
        fillcolor=ink,
        opacity=BAND,
        line={"width": 0},
        hoverinfo="skip",
    )
    usual = rows["observed"] == 1
    for part, dash in ((rows, "dot"), (rows[usual], "solid")):
        figure.add_scatter(
            x=[float(x) for x in part["spend"]],
            y=[float(y) for y in part["sales"]],
            mode="lines",
            line={"color": ink, "width": 2.5 if dash == "solid" else 1.5, "dash": dash},
            hovertemplate="spend %{x:,.0f}: sales %{y:,.0f}<extra></extra>",
        )
    figure.update_layout(showlegend=False)
    return figure.update_yaxes(rangemode="tozero")


def predicted_vs_actual(rows: pd.DataFrame, kind: str) -> go.Figure:
    """Sales and the model's, by period."""
    figure = go.Figure(layout=layout(320, y=f"sales per {kind}"))
    for name, ink, dash in (("actual", INK, "solid"), ("predicted", PREDICTED, "dash")):
        figure.add_scatter(
            x=list(rows["date"]),
            y=[float(y) for y in rows[name]],
            mode="lines",
            name=name,
            line={"color": ink, "width": 1.6, "dash": dash},
            hovertemplate="%{x}: %{y:,.0f}",
        )
    return figure.update_yaxes(rangemode="tozero")


def breakdown(
    rows: pd.DataFrame, actual: pd.Series, channels: Sequence[str], kind: str
) -> go.Figure:
    """What makes up predicted sales, a bar per period; parts below zero stand below it."""
    figure = go.Figure(layout=layout(420, y=f"sales per {kind}"))
    for name, ink in part_colours(rows, channels).items():
        figure.add_bar(
            x=list(rows["date"]),
            y=[float(y) for y in rows[name]],
            name=label(name),
            marker={"color": ink, "line": {"width": 0}},
            hovertemplate="%{x}: %{y:,.0f}",
        )
    figure.add_scatter(
        x=list(rows["date"]),
        y=[float(y) for y in actual],
        mode="lines",
        name="actual",
        line={"color": INK, "width": 1.5, "dash": "dot"},
        hovertemplate="%{x}: %{y:,.0f}",
    )
    return figure.update_layout(barmode="relative", bargap=0)


def part_colours(rows: pd.DataFrame, channels: Sequence[str]) -> dict[str, str]:
    """The parts of sales and their colours: the base, then controls, then channels."""
    base, *controls = [str(name) for name in rows.columns if name not in ("date", *channels)]
    of_controls = zip(controls, itertools.cycle(CONTROL_COLOURS), strict=False)
    of_channels = {channel: row_colour(channel, channels) for channel in channels}
    return {base: BASE_COLOUR, **dict(of_controls), **of_channels}


def residuals(rows: pd.DataFrame) -> go.Figure:
    """Sales less predicted sales, by period."""
    figure = go.Figure(layout=layout(240, y="actual \N{MINUS SIGN} predicted"))
    figure.add_scatter(
        x=list(rows["date"]),
        y=[float(y) for y in rows["residual"]],
        mode="markers",
        marker={"color": COLOURS[0], "size": 6},
        hovertemplate="%{x}: %{y:,.0f}<extra></extra>",
    )
    return figure.update_layout(showlegend=False).update_yaxes(zerolinecolor=INK)


def quantiles(expected: Sequence[float], found: Sequence[float]) -> go.Figure:
    """Ordered residuals beside those of a normal law: on the line where they are normal."""
    figure = go.Figure(layout=layout(280, x="normal quantile", y="error, standardised"))
    ends = [min(expected, default=0.0), max(expected, default=0.0)]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": GREY, "dash": "dot"})
    figure.add_scatter(
        x=list(expected), y=list(found), mode="markers", marker={"color": COLOURS[0], "size": 6}
    )
    return figure.update_layout(showlegend=False)


def budget(rows: pd.DataFrame, channels: Sequence[str], kind: str) -> go.Figure:
    """Today's spend beside the plan, the channel that gets most on top."""
    ordered = rows.sort_values("plan", ascending=False, kind="stable")
    names = [str(channel) for channel in ordered["channel"]]
    figure = go.Figure(
        layout=layout(130 + 46 * len(names), x=f"spend per {kind}: plan dark, today pale")
    )
    inks = [row_colour(name, channels) for name in names]
    for column, opacity in (("plan", 1.0), ("today", FADED)):
        figure.add_bar(
            y=list(range(len(names))),
            x=[float(x) for x in ordered[column]],
            name=column,
            orientation="h",
            marker={"color": inks, "opacity": opacity},
            hovertemplate="%{x:,.0f}",
        )
    figure.update_layout(barmode="group", showlegend=False)
    return name_rows(figure, names, channels)
