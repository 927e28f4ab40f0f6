"""Pictures of the output tables: frames in, plotly figures out.

A channel keeps its colour and symbol in every picture. Names are data: they reach plotly escaped,
since it reads tags in its labels.
"""

from collections.abc import Sequence
from html import escape

import pandas as pd
import plotly.graph_objects as go

from td_mta.html_report.facts import BASELINE, Run

LABEL_LENGTH = 20

# Okabe and Ito's palette without yellow and black, then Paul Tol's that stay apart from it.
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"),
    *("#56B4E9", "#882255", "#332288", "#999933"),
)
SYMBOLS = (
    *("circle", "square", "diamond", "triangle-up", "cross", "x", "star"),
    *("triangle-down", "pentagon"),
)
INK = "#222222"
GREY = "#767676"
MODEL_GREYS = ("#8a8a8a", "#b5b5b5", "#d4d4d4")
WHISKERS = {"sampling": ("#c9c9c9", 9), "full": (INK, 1.5)}  # colour and width
MODEL_HATCHES = ("", "/", ".", "x", "-", "|")


def day_curves(run: Run) -> go.Figure:
    """Conversions credited per day before the conversion; the day of conversion at the right."""
    by_day = run.credits.pivot_table(
        index="days_before_conversion", columns="channel", values="conversions", aggfunc="sum"
    )
    figure = go.Figure(layout=_layout(420, x="days before the conversion", y="conversions"))
    for channel, colour, symbol in zip(run.drawn, COLOURS, SYMBOLS, strict=False):
        _add_line(figure, by_day[channel], label(channel), colour=colour, symbol=symbol)
    if run.rest:
        rest = by_day.drop(columns=run.drawn).sum(axis=1)
        _add_line(figure, rest, rest_label(run), colour=GREY, dash="dot")
    figure.update_yaxes(rangemode="tozero")
    return _whole_steps(figure, by_day.index[::-1])


def model_shares(run: Run) -> go.Figure:
    """Share of the observed conversions by channel, one bar per model, the baseline last."""
    rows = [*run.drawn, *([rest_label(run)] if run.rest else []), BASELINE]
    models = run.frames["models"]
    known = set(rows)
    places = [channel if channel in known else rest_label(run) for channel in models["channel"]]
    share = models.assign(row=places).pivot_table(
        index="row", columns="model", values="share", aggfunc="sum"
    )
    share = share.reindex(rows).fillna(0.0)
    figure = go.Figure(layout=_layout(110 + len(rows) * (14 + 12 * len(run.models))))
    for place, model in enumerate(run.models):
        _add_bars(figure, share[model], model, _model_look(place, rows, run))
    figure.update_xaxes(tickformat=".0%", title="share of conversions", zerolinecolor="#222")
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[f'{label(row)} <span style="color:{_colour(row, run)}">■</span>' for row in rows],
        autorange="reversed",
        showgrid=False,
        zeroline=False,
    )
    return figure


def whiskers(run: Run) -> go.Figure:
    """Credit of the channels drawn, without the baseline, and its intervals of each kind."""
    rows = run.drawn
    figure = go.Figure(layout=_layout(110 + 34 * len(rows), x="conversions"))
    for kind, found in run.intervals.items():
        _add_whiskers(figure, found.set_index("channel").loc[rows], kind)
    figure.update_xaxes(zerolinecolor="#222")
    return figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[f'{label(row)} <span style="color:{_colour(row, run)}">■</span>' for row in rows],
        autorange="reversed",
        showgrid=False,
        zeroline=False,
    )


def training_curve(metrics: pd.DataFrame, measure: str) -> go.Figure:
    """A measure of the training users and, as `val_` of it, of the held-out users, per epoch."""
    by_epoch = metrics.set_index("epoch")
    figure = go.Figure(layout=_layout(300, x="epoch", y=measure))
    _add_line(figure, by_epoch[measure], "training users", colour=GREY, dash="dot")
    _add_line(figure, by_epoch["val_" + measure], "held-out users", colour=COLOURS[0])
    return _whole_steps(figure, by_epoch.index)


def label(name: str) -> str:
    """A name as plotly may show it: its tags harmless, its length bounded."""
    return escape(name if len(name) <= LABEL_LENGTH else name[: LABEL_LENGTH - 1] + "…")


def rest_label(run: Run) -> str:
    return f"{run.rest} other channels" if run.rest > 1 else "1 other channel"


def _colour(row: str, run: Run) -> str:
    if row == BASELINE:
        return INK
    return COLOURS[run.drawn.index(row)] if row in run.drawn else GREY


def _whole_steps(figure: go.Figure, steps: pd.Index) -> go.Figure:
    """Ticks at whole numbers, in the order of the steps; a single step stands in the middle."""
    room = max(0.03 * len(steps), 0.1) * (1 if steps[0] <= steps[-1] else -1)
    figure.update_xaxes(range=[steps[0] - room, steps[-1] + room], zeroline=False)
    return figure.update_xaxes(dtick=1 if len(steps) <= 20 else None)


def _model_look(place: int, rows: Sequence[str], run: Run) -> dict[str, object]:
    if place == 0:
        return {"color": [_colour(row, run) for row in rows]}
    hatch = MODEL_HATCHES[(place - 1) % len(MODEL_HATCHES)]
    colour = MODEL_GREYS[(place - 1) % len(MODEL_GREYS)]
    return {"color": colour, "pattern": {"shape": hatch, "bgcolor": colour, "fgcolor": "#fff"}}


def _add_whiskers(figure: go.Figure, rows: pd.DataFrame, kind: str) -> None:
    colour, width = WHISKERS[kind]
    center, lower, upper = (rows[name].astype(float) for name in ("conversions", "lower", "upper"))
    figure.add_scatter(
        x=center.to_list(),
        y=list(range(len(rows))),
        name=f"{kind} interval",
        mode="markers",
        marker={"color": INK, "size": 8},
        error_x={
            "array": (upper - center).to_list(),
            "arrayminus": (center - lower).to_list(),
            "color": colour,
            "thickness": width,
            "width": 0 if kind == "sampling" else 7,
        },
        customdata=list(zip(lower.to_list(), upper.to_list(), strict=True)),
        hovertemplate="%{customdata[0]:,.4~r} to %{customdata[1]:,.4~r}",
    )


def _add_line(
    figure: go.Figure,
    values: pd.Series,
    name: str,
    *,
    colour: str,
    symbol: str = "circle",
    dash: str = "solid",
) -> None:
    figure.add_scatter(
        x=[float(x) for x in values.index],
        y=[float(y) for y in values],
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": dash},
        marker={"color": colour, "symbol": symbol, "size": 8},
        hovertemplate="%{x}: %{y:,.4~f}",
    )


def _add_bars(figure: go.Figure, share: pd.Series, model: str, look: dict[str, object]) -> None:
    name = escape(model.replace("_", " "))
    own_colours = isinstance(look["color"], list)
    figure.add_bar(
        x=[float(x) for x in share],
        y=list(range(len(share))),
        name=name,
        orientation="h",
        marker=look,
        hovertemplate="%{x:.2%}",
        legendgroup=model,
        offsetgroup=model,
        showlegend=not own_colours,
    )
    if own_colours:
        figure.add_bar(
            x=[None],
            y=[0],
            name=name,
            orientation="h",
            marker={"color": INK},
            legendgroup=model,
            offsetgroup=model,
        )


def _layout(height: int, x: str = "", y: str = "") -> dict[str, object]:
    axis = {"gridcolor": "#e5e5e5", "zerolinecolor": "#999", "automargin": True}
    return {
        "template": "none",
        "height": height,
        "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#222"},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "xanchor": "left"},
        "xaxis": {**axis, "title": {"text": x}},
        "yaxis": {**axis, "title": {"text": y}},
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": True,
        "bargap": 0.25,
    }
