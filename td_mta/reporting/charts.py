"""Pictures of the output tables: frames in, plotly figures out.

A channel keeps its colour and symbol in every picture. Names are data: they reach plotly escaped,
since it reads tags in its labels.
"""

import math
from collections.abc import Sequence
from html import escape

import pandas as pd
import plotly.graph_objects as go

from td_mta.reporting.run_tables import RunTables
from td_mta.tables import BASELINE

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
MODEL_SYMBOLS = (
    *("triangle-left", "triangle-right", "diamond", "circle", "circle-open", "square"),
    *("star", "x", "cross", "hexagon", "triangle-up", "bowtie"),
)
MODEL_INKS = ("#222222", "#8c8c8c")
LANES = 0.76  # of a row's height, for the models beside ours
WHISKERS = {"sampling": ("#c9c9c9", 9), "full": (INK, 1.5)}  # colour and width


def day_curves(run: RunTables) -> go.Figure:
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


def model_shares(run: RunTables) -> go.Figure:
    """Share of the observed conversions by channel, the baseline last: a bar for our model, and on
    it a point for every other one, each in its lane."""
    rows = [*run.drawn, *([rest_label(run)] if run.rest else []), BASELINE]
    models = run.frames["models"]
    known = set(rows)
    places = [channel if channel in known else rest_label(run) for channel in models["channel"]]
    share = models.assign(row=places).pivot_table(
        index="row", columns="model", values="share", aggfunc="sum"
    )
    share = share.reindex(rows).fillna(0.0)
    ours, others = run.models[0], run.models[1:]
    figure = go.Figure(layout=_layout(150 + len(rows) * (20 + 7 * len(others))))
    _add_bars(figure, share[ours], ours, [_colour(row, run) for row in rows])
    for place, model in enumerate(others):
        lane = LANES * ((place + 0.5) / len(others) - 0.5)
        _add_points(figure, share[model], model, place, lane)
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(tickformat=".0%", title="share of conversions", zerolinecolor="#222")
    return _name_rows(figure, rows, run)


def whiskers(run: RunTables) -> go.Figure:
    """Credit of the channels drawn, without the baseline, and its intervals of each kind.

    No legend: its symbols would be the dots that both kinds share.
    """
    rows = run.drawn
    figure = go.Figure(layout=_layout(110 + 34 * len(rows), x="conversions"))
    for kind, found in run.intervals.items():
        _add_whiskers(figure, found.set_index("channel").loc[rows], kind)
    figure.update_layout(showlegend=False)
    figure.update_xaxes(zerolinecolor="#222")
    return _name_rows(figure, rows, run)


def training_curve(metrics: pd.DataFrame, measure: str) -> go.Figure:
    """A measure in training and, as `val_` of it, of what was held out, per epoch."""
    by_epoch = metrics.set_index("epoch")
    figure = go.Figure(layout=_layout(300, x="epoch", y=measure))
    _add_line(figure, by_epoch[measure], "training", colour=GREY, dash="dot")
    _add_line(figure, by_epoch["val_" + measure], "held out", colour=COLOURS[0])
    return _whole_steps(figure, by_epoch.index)


def calibration(run: RunTables) -> go.Figure:
    """Observed against predicted rates by bins, on logarithmic axes, with the line to lie on."""
    figure = go.Figure(layout=_layout(380, x="predicted chance", y="share that converted"))
    shown = {model: bins[bins["conversions"] > 0] for model, bins in run.calibration.items()}
    ends = [
        float(end)
        for bins in shown.values()
        for end in (*bins["predicted"], *bins["observed"])
        if end > 0
    ]
    if ends:
        line = [min(ends) / 1.3, max(ends) * 1.3]
        figure.add_scatter(
            x=line,
            y=line,
            name="as predicted",
            mode="lines",
            line={"color": GREY, "width": 1, "dash": "dot"},
            hoverinfo="skip",
        )
    looks = zip(shown.items(), (COLOURS[0], COLOURS[4]), SYMBOLS, strict=False)
    for place, ((model, bins), colour, symbol) in enumerate(looks):
        _add_bins(figure, bins, model, colour, symbol, counted=place == 0)
    return figure.update_xaxes(type="log", **_rates(ends)).update_yaxes(type="log", **_rates(ends))


def label(name: str) -> str:
    """A name as plotly may show it: its tags harmless, its length bounded."""
    return escape(name if len(name) <= LABEL_LENGTH else name[: LABEL_LENGTH - 1] + "…")


def rest_label(run: RunTables) -> str:
    return f"{run.rest} other channels" if run.rest > 1 else "1 other channel"


def _name_rows(figure: go.Figure, rows: list[str], run: RunTables) -> go.Figure:
    """The rows from top to bottom, each beside its colour."""
    return figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[f'{label(row)} <span style="color:{_colour(row, run)}">■</span>' for row in rows],
        autorange="reversed",
        showgrid=False,
        zeroline=False,
    )


def _colour(row: str, run: RunTables) -> str:
    if row == BASELINE:
        return INK
    return COLOURS[run.drawn.index(row)] if row in run.drawn else GREY


def _whole_steps(figure: go.Figure, steps: pd.Index) -> go.Figure:
    """Ticks at whole numbers, in the order of the steps; a single step stands in the middle."""
    room = max(0.03 * len(steps), 0.1) * (1 if steps[0] <= steps[-1] else -1)
    figure.update_xaxes(range=[steps[0] - room, steps[-1] + room], zeroline=False)
    return figure.update_xaxes(dtick=1 if len(steps) <= 20 else None)


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


def _add_bins(
    figure: go.Figure, bins: pd.DataFrame, model: str, colour: str, symbol: str, *, counted: bool
) -> None:
    """A point a bin, as tall as two standard errors either way; `counted` writes conversions."""
    error = 2 * (bins["observed"] * (1 - bins["observed"]) / bins["examples"]) ** 0.5
    figure.add_scatter(
        x=[float(x) for x in bins["predicted"]],
        y=[float(y) for y in bins["observed"]],
        name=escape(model.replace("_", " ")),
        mode="markers+text" if counted else "markers",
        text=[f"{count:,.0f}" for count in bins["conversions"]] if counted else None,
        textposition="bottom right",
        textfont={"size": 11, "color": colour},
        marker={"color": colour, "symbol": symbol, "size": 9},
        error_y={
            "array": [float(x) for x in error],
            "arrayminus": [float(x) for x in error.clip(upper=0.9 * bins["observed"])],
            "color": colour,
            "thickness": 1,
        },
        customdata=bins[["conversions", "examples"]].to_numpy(float).tolist(),
        hovertemplate="predicted %{x:.3%}, observed %{y:.3%}"
        "<br>%{customdata[0]:,.0f} of %{customdata[1]:,.0f}",
    )


def _rates(ends: Sequence[float]) -> dict[str, object]:
    """Ticks at 1, 2 and 5 times the powers of ten, within what is drawn."""
    if not ends:
        return {}
    low, high = min(ends) / 1.6, max(ends) * 1.6
    ticks = [digit * 10.0**power for power in range(-9, 1) for digit in (1, 2, 5)]
    ticks = [tick for tick in ticks if low <= tick <= min(high, 1.0)]
    return {
        "tickvals": ticks,
        "ticktext": [f"{100 * tick:.9f}".rstrip("0").rstrip(".") + " %" for tick in ticks],
        "range": [math.log10(low), math.log10(high)],
    }


def _add_bars(figure: go.Figure, share: pd.Series, model: str, colours: list[str]) -> None:
    """Bars in the channels' colours; the legend shows one that is none's."""
    name = escape(model.replace("_", " "))
    figure.add_bar(
        x=[float(x) for x in share],
        y=list(range(len(share))),
        name=name,
        orientation="h",
        marker={"color": colours, "opacity": 0.6},
        hovertemplate="%{x:.2%}",
        legendgroup=model,
        showlegend=False,
    )
    figure.add_bar(
        x=[None],
        y=[0],
        name=name,
        orientation="h",
        marker={"color": GREY, "opacity": 0.6},
        legendgroup=model,
    )


def _add_points(figure: go.Figure, share: pd.Series, model: str, place: int, lane: float) -> None:
    inks = MODEL_INKS[place // len(MODEL_SYMBOLS) % len(MODEL_INKS)]
    figure.add_scatter(
        x=[float(x) for x in share],
        y=[row + lane for row in range(len(share))],
        name=escape(model.replace("_", " ")),
        mode="markers",
        marker={
            "symbol": MODEL_SYMBOLS[place % len(MODEL_SYMBOLS)],
            "color": inks,
            "size": 9,
            "line": {"color": "#fff" if "open" not in MODEL_SYMBOLS[place] else inks, "width": 1},
        },
        hovertemplate="%{x:.2%}",
    )


def _layout(height: int, x: str = "", y: str = "") -> dict[str, object]:
    axis = {"gridcolor": "#e5e5e5", "zerolinecolor": "#999", "automargin": True}
    return {
        "template": "none",
        "height": height,
        "margin": {"l": 10, "r": 36, "t": 10, "b": 10},  # at the right the button for the picture
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#222"},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "xanchor": "left"},
        "xaxis": {**axis, "title": {"text": x}},
        "yaxis": {**axis, "title": {"text": y}},
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": True,
        "bargap": 0.25,
    }
