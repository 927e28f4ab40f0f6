"""Charts of a run's output tables: frames in, plotly figures out. They know no page and no app.

`charted` lists the channels that have a colour of their own, the most credited first, as
`RunTables.charted` has them; all other channels are one grey sum.
"""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from td_mta.reporting import chart_style
from td_mta.reporting.chart_style import (
    COLOURS,
    GREY,
    INK,
    MODEL_INKS,
    MODEL_SYMBOLS,
    SYMBOLS,
    label,
    layout,
    model_label,
    others_label,
    row_colour,
    row_symbol,
)
from td_mta.tables import BASELINE, DAYS_BEFORE_CONVERSION

LANES = 0.76  # of a row's height, for the points of the other models
INTERVAL_LINES = {"sampling": ("#c9c9c9", 9), "full": (INK, 1.5)}  # colour and width
BIN_COLOURS = (COLOURS[0], COLOURS[4])
BIN_HOVER = (
    "predicted %{x:.3%}, observed %{y:.3%}<br>%{customdata[0]:,.0f} of %{customdata[1]:,.0f}"
)


def day_curves(credits: pd.DataFrame, charted: Sequence[str]) -> go.Figure:
    """Credited conversions by day before the conversion, a line per channel; day 0 at the right.

    `credits` are the rows of the detail table without the baseline.
    """
    by_day = credits.pivot_table(
        index=DAYS_BEFORE_CONVERSION, columns="channel", values="conversions", aggfunc="sum"
    )
    figure = go.Figure(layout=layout(420, x="days before the conversion", y="conversions"))
    for channel in charted:
        colour, symbol = row_colour(channel, charted), row_symbol(channel, charted)
        _add_line(figure, by_day[channel], label(channel), colour=colour, symbol=symbol)
    others = by_day.drop(columns=list(charted))
    if len(others.columns):
        name = others_label(len(others.columns))
        _add_line(figure, others.sum(axis=1), name, colour=GREY, dash="dot")
    figure.update_yaxes(rangemode="tozero")
    return chart_style.step_axis(figure, by_day.index[::-1])


def model_shares(credits: pd.DataFrame, charted: Sequence[str], models: Sequence[str]) -> go.Figure:
    """Share of the observed conversions by channel, the baseline last.

    `credits` is the models table. The first of `models` is a bar per channel, each other one a
    point on it, in a lane of its own.
    """
    share = _share_by_row(credits, charted)
    sorted_channels = share.loc[list(charted)].sort_values(
        models[0], ascending=False, kind="stable"
    )
    share = pd.concat([sorted_channels, share[len(charted) :]])
    figure = _bars_and_points(share, charted, models, "%{x:.2%}")
    return figure.update_xaxes(tickformat=".0%", title_text="share of conversions")


def by_model(
    rows: pd.DataFrame,
    charted: Sequence[str],
    models: Sequence[str],
    amount: str,
    *,
    title: str,
    number_format: str,
) -> go.Figure:
    """An amount such as value or ROAS of each charted channel by model, drawn as `model_shares`.

    `rows` has model, channel and the column `amount`; what is missing is left out. The channel of
    which the first model says most is on top.
    """
    by_row = rows.pivot_table(index="channel", columns="model", values=amount, aggfunc="sum")
    by_row = by_row.reindex(index=list(charted), columns=list(models))
    by_row = by_row.sort_values(models[0], ascending=False, kind="stable")
    figure = _bars_and_points(by_row, charted, models, f"%{{x:{number_format}}}")
    return figure.update_xaxes(tickformat=number_format, title_text=title, rangemode="tozero")


def interval_whiskers(intervals: Mapping[str, pd.DataFrame], charted: Sequence[str]) -> go.Figure:
    """Credited conversions of the charted channels with their intervals of each kind.

    `intervals` has by kind the rows of the intervals table.
    """
    figure = go.Figure(layout=layout(110 + 34 * len(charted), x="conversions"))
    channels = list(charted)
    for kind, rows in intervals.items():
        by_channel = rows.set_index("channel").loc[channels]
        by_channel = by_channel.sort_values("conversions", ascending=False, kind="stable")
        channels = [str(name) for name in by_channel.index]
        _add_whiskers(figure, by_channel, kind)
    # A legend would show the same dot for both kinds.
    figure.update_layout(showlegend=False)
    figure.update_xaxes(zerolinecolor=INK)
    return chart_style.name_rows(figure, channels, charted)


def calibration(bins: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Observed against predicted rates, a point per bin, on logarithmic axes.

    `bins` has by model rows with predicted, observed, examples and conversions; bins without a
    conversion have no place on a logarithmic axis. The first model's conversions are written.
    """
    figure = go.Figure(layout=layout(380, x="predicted probability", y="observed rate"))
    shown = {model: rows[rows["conversions"] > 0] for model, rows in bins.items()}
    shown_rates = [rate for rows in shown.values() for rate in _rates(rows)]
    rates = [rate for rate in shown_rates if rate > 0]
    if rates:
        _add_diagonal(figure, min(rates) / 1.3, max(rates) * 1.3)
    first = next(iter(shown), None)
    for (model, rows), colour, symbol in zip(shown.items(), BIN_COLOURS, SYMBOLS, strict=False):
        _add_bins(figure, rows, model, colour, symbol, counted=model == first)
    axis = chart_style.rate_axis(rates)
    return figure.update_xaxes(**axis).update_yaxes(**axis)


def _rates(bins: pd.DataFrame) -> list[float]:
    return [*_floats(bins["predicted"]), *_floats(bins["observed"])]


def _share_by_row(credits: pd.DataFrame, charted: Sequence[str]) -> pd.DataFrame:
    """A row per charted channel, one for the others' sum, one for the baseline; a column per
    model.
    """
    own_row = {*charted, BASELINE}
    others = set(credits["channel"]) - own_row
    sum_of_others = others_label(len(others))
    rows = [*charted, sum_of_others, BASELINE] if others else [*charted, BASELINE]
    channel = credits["channel"]
    row = channel.where(channel.isin(own_row), sum_of_others)
    by_row = credits.assign(row=row).pivot_table(
        index="row", columns="model", values="share", aggfunc="sum"
    )
    return by_row.reindex(rows).fillna(0.0)


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
        x=_floats(values.index),
        y=_floats(values),
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": dash},
        marker={"color": colour, "symbol": symbol, "size": 8},
        hovertemplate="%{x}: %{y:,.4~f}",
    )


def _bars_and_points(
    by_row: pd.DataFrame, charted: Sequence[str], models: Sequence[str], hover: str
) -> go.Figure:
    """A row per channel or baseline: a bar of the first model, a lane of points for each other."""
    first, others, rows = models[0], models[1:], list(by_row.index)
    figure = go.Figure(layout=layout(150 + len(rows) * (20 + 7 * len(others))))
    colours = [row_colour(row, charted) for row in rows]
    _add_bars(figure, by_row[first], first, colours, hover)
    for number, model in enumerate(others):
        lane = LANES * ((number + 0.5) / len(others) - 0.5)
        _add_points(figure, by_row[model], model, number, lane, hover)
    figure.update_layout(barmode="overlay").update_xaxes(zerolinecolor=INK)
    return chart_style.name_rows(figure, rows, charted)


def _add_bars(
    figure: go.Figure, share: pd.Series, model: str, colours: list[str], hover: str
) -> None:
    """Bars in the channels' colours; the legend shows an empty grey one."""
    name = model_label(model)
    figure.add_bar(
        x=_floats(share),
        y=list(range(len(share))),
        name=name,
        orientation="h",
        marker={"color": colours, "opacity": 0.6},
        hovertemplate=hover,
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


def _add_points(
    figure: go.Figure,
    share: pd.Series,
    model: str,
    number: int,
    lane: float,
    hover: str,
) -> None:
    """A point per row, `lane` below its middle; `number` chooses symbol and ink."""
    symbol = MODEL_SYMBOLS[number % len(MODEL_SYMBOLS)]
    ink = MODEL_INKS[number // len(MODEL_SYMBOLS) % len(MODEL_INKS)]
    edge = ink if "open" in symbol else "#fff"
    outline = {"color": edge, "width": 1}
    figure.add_scatter(
        x=_floats(share),
        y=[row + lane for row in range(len(share))],
        name=model_label(model),
        mode="markers",
        marker={"symbol": symbol, "color": ink, "size": 9, "line": outline},
        hovertemplate=hover,
    )


def _add_whiskers(figure: go.Figure, rows: pd.DataFrame, kind: str) -> None:
    colour, width = INTERVAL_LINES[kind]
    credit = rows["conversions"].astype(float)
    lower = rows["lower"].astype(float)
    upper = rows["upper"].astype(float)
    error_bars = {
        "array": _floats(upper - credit),
        "arrayminus": _floats(credit - lower),
        "color": colour,
        "thickness": width,
        "width": 0 if kind == "sampling" else 7,
    }
    figure.add_scatter(
        x=_floats(credit),
        y=list(range(len(rows))),
        name=f"{kind} interval",
        mode="markers",
        marker={"color": INK, "size": 8},
        error_x=error_bars,
        customdata=list(zip(_floats(lower), _floats(upper), strict=True)),
        hovertemplate="%{customdata[0]:,.4~r} to %{customdata[1]:,.4~r}",
    )


def _add_diagonal(figure: go.Figure, low: float, high: float) -> None:
    """Where points lie whose observed rate is as predicted."""
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        name="perfect calibration",
        mode="lines",
        line={"color": GREY, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )


def _add_bins(
    figure: go.Figure, bins: pd.DataFrame, model: str, colour: str, symbol: str, *, counted: bool
) -> None:
    """A point per bin with two standard errors either way; `counted` writes the conversions."""
    counts = [f"{count:,.0f}" for count in bins["conversions"]]
    sides = ["bottom right" if place % 2 else "top left" for place in range(len(bins))]
    figure.add_scatter(
        x=_floats(bins["predicted"]),
        y=_floats(bins["observed"]),
        name=model_label(model),
        mode="markers+text" if counted else "markers",
        text=counts if counted else None,
        textposition=sides,  # neighbours' would cover each other
        textfont={"size": 11, "color": colour},
        marker={"color": colour, "symbol": symbol, "size": 9},
        error_y={**_two_errors(bins), "color": colour, "thickness": 1},
        customdata=bins[["conversions", "examples"]].to_numpy(float).tolist(),
        hovertemplate=BIN_HOVER,
    )


def _two_errors(bins: pd.DataFrame) -> dict[str, object]:
    """Two standard errors of each bin's observed rate, a binomial one, either way."""
    observed = bins["observed"]
    variance = observed * (1 - observed) / bins["examples"]
    errors = 2 * variance**0.5
    # A logarithmic axis has no room for a bar down to 0.
    below = errors.clip(upper=0.9 * observed)
    return {"array": _floats(errors), "arrayminus": _floats(below)}


def _floats(values: pd.Series | pd.Index) -> list[float]:
    """Plain floats, which plotly writes as readable JSON and not as encoded bytes."""
    return [float(value) for value in values]
