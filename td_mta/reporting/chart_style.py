"""How all charts look: colours, symbols, labels, axes.

A channel's colour and symbol follow from its name, so that it keeps them in every chart, in the
app and in both reports. Names are data: they reach plotly escaped, since it reads tags in its
labels.
"""

import hashlib
import math
from collections.abc import Sequence
from html import escape

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio

from td_mta.reporting.run_tables import model_name
from td_mta.tables import BASELINE
from td_mta.visible_text import visible

# Okabe and Ito's palette without yellow and black, then Paul Tol's that stay apart from it.
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"),
    *("#56B4E9", "#882255", "#332288", "#999933"),
)
SYMBOLS = (
    *("circle", "square", "diamond", "triangle-up", "cross", "x", "star"),
    *("triangle-down", "pentagon"),
)
SEED = 7197  # of the hash: channels of our worlds and of GA4's groups have each their own colour
MODEL_SYMBOLS = (
    *("triangle-left", "triangle-right", "diamond", "circle", "circle-open", "square"),
    *("star", "x", "cross", "hexagon", "triangle-up", "bowtie"),
)
MODEL_INKS = ("#222222", "#8c8c8c")  # the second once all symbols are used
INK = "#222222"
GREY = "#767676"

# What a dark page shows in place of the light one's colours; channels keep theirs.
DARK = {
    **{"#222222": "#ededed", "#222": "#ededed", "#8c8c8c": "#a3a3a3", "#767676": "#9a9a9a"},
    **{"#e5e5e5": "#3c3f46", "#999": "#6b6f78", "#fff": "#16181d", "#c9c9c9": "#5a5e66"},
    "#2b4c66": "#d3e2ee",
    "#332288": "#8f86e0",  # too dark there
    "#882255": "#c9548f",
}

LABEL_LENGTH = 20
MOST_TICKS = 20  # beyond, plotly chooses which steps have one


def layout(height: int, x: str = "", y: str = "") -> dict[str, object]:
    """The layout of a figure `height` pixels high, with the titles of its axes."""
    axis = {
        **{"gridcolor": "#e5e5e5", "zerolinecolor": "#999", "automargin": True},
        **{"separatethousands": True, "exponentformat": "none"},
    }
    title = {"font": {"size": 13}}
    return {
        "template": "none",
        "height": height,
        "margin": {"l": 10, "r": 36, "t": 10, "b": 10},  # at the right the button for the picture
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#222"},
        "legend": {
            **{"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
            **{"xanchor": "left", "traceorder": "normal"},
        },
        "xaxis": {**axis, "title": {"text": x, **title}},
        "yaxis": {**axis, "title": {"text": y, **title}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)"},
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": True,
        "bargap": 0.25,
    }


def short(name: str) -> str:
    """A name of bounded length, all of it visible."""
    name = visible(name)
    return name if len(name) <= LABEL_LENGTH else name[: LABEL_LENGTH - 1] + "…"


def label(name: str) -> str:
    """A name as plotly may show it: its tags harmless, its length bounded."""
    return escape(short(name))


def model_label(name: str) -> str:
    """A model's name as plotly may show it."""
    return escape(model_name(name))


def others_label(number: int) -> str:
    """The name of the sum of `number` channels.

    >>> others_label(1), others_label(7)
    ('1 other channel', '7 other channels')
    """
    return f"{number} other channels" if number > 1 else "1 other channel"


def in_dark(figure: go.Figure) -> go.Figure:
    """The figure on a dark page: the same one with the colours of `DARK`, and no background."""
    text = str(figure.to_json())
    for light, dark in DARK.items():
        text = text.replace(f'"{light}"', f'"{dark}"').replace(
            f"color:{light}\\", f"color:{dark}\\"
        )
    drawn = pio.from_json(text)
    return drawn.update_layout(paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)")


def places(charted: Sequence[str]) -> dict[str, int]:
    """The place in `COLOURS` and `SYMBOLS` of each of the first charted channels.

    It is a hash of the name; of two that have the same one the later name takes what is left.
    """
    wanted = {name: _place(name) for name in sorted(charted[: len(COLOURS)])}
    first = {place: name for name, place in reversed(wanted.items())}
    left = (place for place in range(len(COLOURS)) if place not in first)
    return {name: p if first[p] == name else next(left) for name, p in wanted.items()}


def _place(name: str) -> int:
    text = f"{SEED}{name.strip().casefold()}".encode("utf-8", "backslashreplace")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") % len(COLOURS)


def row_colour(row: str, charted: Sequence[str]) -> str:
    """A charted channel's own colour, ink for the baseline, grey for the other channels' sum."""
    if row == BASELINE:
        return INK
    place = places(charted).get(row)
    return GREY if place is None else COLOURS[place]


def row_symbol(row: str, charted: Sequence[str]) -> str:
    """A charted channel's own symbol, a dot for everything else."""
    return SYMBOLS[places(charted).get(row, 0)]


def name_rows(figure: go.Figure, rows: Sequence[str], charted: Sequence[str]) -> go.Figure:
    """Name the rows from top to bottom, each beside its colour."""
    names = [
        f'{label(row)} <span style="color:{row_colour(row, charted)}">■</span>' for row in rows
    ]
    return figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=names,
        autorange="reversed",
        showgrid=False,
        zeroline=False,
    )


def step_axis(figure: go.Figure, steps: pd.Index) -> go.Figure:
    """Ticks at whole numbers, in the order of the steps; a single step stands in the middle."""
    direction = 1 if steps[0] <= steps[-1] else -1
    margin = max(0.03 * len(steps), 0.1) * direction
    tick_distance = 1 if len(steps) <= MOST_TICKS else None
    low, high = steps[0] - margin, steps[-1] + margin
    return figure.update_xaxes(range=[low, high], zeroline=False, dtick=tick_distance)


def rate_axis(rates: Sequence[float]) -> dict[str, object]:
    """A logarithmic axis around the `rates`, with ticks at 1, 2 and 5 times powers of ten."""
    if not rates:
        return {"type": "log"}
    low, high = min(rates) / 1.6, max(rates) * 1.6
    powers = [10.0**exponent for exponent in range(-9, 1)]
    candidates = [digit * power for power in powers for digit in (1, 2, 5)]
    ticks = [tick for tick in candidates if low <= tick <= min(high, 1.0)]
    return {
        "type": "log",
        "tickvals": ticks,
        "ticktext": [_exact_percent(tick) for tick in ticks],
        "range": [math.log10(low), math.log10(high)],
    }


def _exact_percent(rate: float) -> str:
    """A rate in percent without trailing zeros.

    >>> _exact_percent(0.02), _exact_percent(0.0005)
    ('2%', '0.05%')
    """
    digits = f"{100 * rate:.9f}".rstrip("0").rstrip(".")
    return f"{digits}%"
