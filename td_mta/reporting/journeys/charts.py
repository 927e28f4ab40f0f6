"""Charts of journeys: frames in, plotly figures out, of bars and lines alone.

The drawing library of the report has no Sankey, so that flows are filled areas here.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from td_mta.reporting.chart_style import COLOURS, GREY, INK, label, layout, name_rows, row_colour

CONVERTING, OTHERS = COLOURS[2], GREY
ROLES = {"first": "#2b4c66", "between": "#b4c0ca", "last": "#6d8ea8", "alone": "#c9a97c"}
GAP = 0.015  # between two nodes of a side, of its height
CURVE = np.linspace(0.0, 1.0, 24)
LEFT, RIGHT = 0.0, 1.0
NODE_WIDTH = 0.025
NAME_WIDTH = 135  # pixels beside the nodes
RIBBON = 0.35  # opacity
FEW_DAYS = 15  # each of which has its number
FEWEST = 0.002  # of all that flows; thinner ribbons are not seen


def lengths(table: pd.DataFrame) -> go.Figure:
    """Journeys by number of touches, those that converted on those that did not, where known."""
    figure = go.Figure(layout=layout(340, x="touches of a journey", y="journeys"))
    for name, colour in (("converting", CONVERTING), ("not converting", OTHERS)):
        if name not in table:
            continue
        figure.add_bar(
            x=list(table["touches"]),
            y=[float(count) for count in table[name]],
            name=name,
            marker={"color": colour},
            hovertemplate="%{x} touches: %{y:,.0f}",
        )
    figure.update_xaxes(type="category")
    return figure.update_yaxes(tickformat=",").update_layout(barmode="stack")


def days_to_conversion(table: pd.DataFrame) -> go.Figure:
    """Conversions by days from the first touch of their path."""
    figure = go.Figure(
        layout=layout(340, x="days from the first touch to the conversion", y="conversions")
    )
    figure.add_bar(
        x=[int(day) for day in table["days"]],
        y=[float(count) for count in table["conversions"]],
        name="conversions",
        marker={"color": CONVERTING},
        customdata=[float(share) for share in table["cumulative share"]],
        hovertemplate="%{x} days: %{y:,.0f}<br>up to here %{customdata:.1%}",
    )
    if len(table) <= FEW_DAYS:
        figure.update_xaxes(dtick=1)
    return figure.update_yaxes(tickformat=",").update_layout(showlegend=False)


def roles(table: pd.DataFrame, charted: Sequence[str]) -> go.Figure:
    """By channel its touches that begin, continue or end a converting path, or are alone in it."""
    rows = table.set_index("channel").loc[list(charted)]
    figure = go.Figure(layout=layout(150 + 34 * len(rows), x="touches in converting paths"))
    for name, colour in ROLES.items():
        figure.add_bar(
            x=[float(count) for count in rows[name]],
            y=list(range(len(rows))),
            name=name,
            orientation="h",
            marker={"color": colour},
            hovertemplate="%{x:,.0f}",
        )
    figure.update_layout(barmode="stack").update_xaxes(tickformat=",")
    return name_rows(figure, list(charted), charted)


def flows(table: pd.DataFrame, charted: Sequence[str]) -> go.Figure:
    """Journeys from each channel (left) to the next one or the end (right), as ribbons.

    `table` has from, to and journeys.
    """
    shown = table[table["journeys"] > FEWEST * table["journeys"].sum()]
    left, right = _nodes(shown, "from"), _nodes(shown, "to")
    figure = go.Figure(layout=layout(max(380, 60 + 42 * max(len(left), len(right)))))
    at_left = {name: top for name, (top, _) in left.items()}
    at_right = {name: top for name, (top, _) in right.items()}
    scale = _scale(shown, max(len(left), len(right)))
    for source, rows in shown.groupby("from", sort=False):
        for target in right:
            amount = float(rows.loc[rows["to"] == target, "journeys"].sum())
            if amount:
                ends = at_left[str(source)], at_right[target]
                _add_ribbon(figure, str(source), target, amount, ends, amount * scale, charted)
                at_left[str(source)] -= amount * scale
                at_right[target] -= amount * scale
    for nodes, x in ((left, LEFT - NODE_WIDTH), (right, RIGHT)):
        for name, (top, height) in nodes.items():
            _add_node(figure, name, (x, top), height, charted)
    return _without_axes(figure)


def _scale(table: pd.DataFrame, nodes: int) -> float:
    """Height of one journey."""
    return float((1 - GAP * (nodes - 1)) / table["journeys"].sum()) if len(table) else 0.0


def _nodes(table: pd.DataFrame, side: str) -> dict[str, tuple[float, float]]:
    """Top and height of each name of a side, the largest first, names in brackets last."""
    sums = table.groupby(side)["journeys"].sum()
    names = sorted(sums.index, key=lambda name: (str(name).startswith("("), -sums[name], name))
    others = max(table["from"].nunique(), table["to"].nunique()) if len(table) else 1
    scale, top = _scale(table, others), 1.0
    placed = {}
    for name in names:
        height = float(sums[name]) * scale
        placed[str(name)] = (top, height)
        top -= height + GAP
    return placed


def _add_ribbon(
    figure: go.Figure,
    source: str,
    target: str,
    amount: float,
    ends: tuple[float, float],
    height: float,
    charted: Sequence[str],
) -> None:
    """A band from the top `ends[0]` at the left to `ends[1]` at the right."""
    smooth = CURVE * CURVE * (3 - 2 * CURVE)
    upper = ends[0] + (ends[1] - ends[0]) * smooth
    x = LEFT + (RIGHT - LEFT) * CURVE
    figure.add_scatter(
        x=[round(float(v), 4) for v in (*x, *x[::-1])],
        y=[round(float(v), 5) for v in (*upper, *(upper[::-1] - height))],
        mode="lines",
        fill="toself",
        line={"width": 0, "color": row_colour(source, charted)},
        fillcolor=row_colour(source, charted),
        opacity=RIBBON,
        hoveron="fills",
        hoverinfo="text",
        text=f"{label(source)} → {label(target)}: {amount:,.0f} journeys",
        showlegend=False,
    )


def _add_node(
    figure: go.Figure,
    name: str,
    corner: tuple[float, float],
    height: float,
    charted: Sequence[str],
) -> None:
    (x, top), right = corner, corner[0] + NODE_WIDTH
    colour = {"(conversion)": CONVERTING}.get(name, row_colour(name, charted))
    figure.add_scatter(
        x=[x, right, right, x],
        y=[top, top, top - height, top - height],
        mode="lines",
        fill="toself",
        line={"width": 0, "color": colour},
        fillcolor=colour,
        hoverinfo="skip",
        showlegend=False,
    )
    is_left = x < LEFT
    figure.add_annotation(
        x=x if is_left else right,
        y=top - height / 2,
        text=label(name),
        showarrow=False,
        xanchor="right" if is_left else "left",
        font={"size": 12, "color": INK},
    )


def _without_axes(figure: go.Figure) -> go.Figure:
    hidden = {"visible": False, "fixedrange": True}
    figure.update_xaxes(**hidden, range=[LEFT - NODE_WIDTH, RIGHT + NODE_WIDTH])
    figure.update_yaxes(**hidden, range=[-0.03, 1.03])
    margin = {"l": NAME_WIDTH, "r": NAME_WIDTH, "t": 30, "b": 10}
    return figure.update_layout(showlegend=False, margin=margin)
