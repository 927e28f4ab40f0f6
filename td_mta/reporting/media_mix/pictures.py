"""The media mix tables as PNG files by matplotlib: no browser, the same bytes for the same tables.

Colours are those of the report's charts, on a light page.
"""

import io
import logging
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, PercentFormatter

from td_mta.reporting.chart_style import GREY, INK, row_colour, short
from td_mta.reporting.media_mix import fonts, sentences
from td_mta.reporting.media_mix.charts import BAND, PREDICTED, part_colours
from td_mta.reporting.media_mix.frames import NO_NOISE
from td_mta.reporting.media_mix.sentences import Frames, facts

log = logging.getLogger(__name__)

DOTS = 120  # per inch
WIDTH = 10.0  # inches
ACROSS = 3  # curves beside each other
CURVES = (
    "Sales by spend that is held for long: solid where spend was usual, dotted beyond; "
    "band: 90 % interval"
)
STYLE = {
    **{"font.family": fonts.USUAL, "font.size": 10, "text.parse_math": False},
    **{"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True},
    **{"axes.axisbelow": True, "grid.color": "#e5e5e5", "axes.edgecolor": "#999999"},
    **{"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK},
    **{"axes.titlelocation": "left", "axes.titleweight": "bold", "legend.frameon": False},
}
WITH_COMMAS = FuncFormatter(lambda value, _: f"{value:,.10g}".replace("-", "\N{MINUS SIGN}"))


def pictures(frames: Frames) -> dict[str, bytes]:
    """The pictures of a run's tables, by the names of their files."""
    drawings = (response_curves, predicted_vs_actual, contribution_breakdown)
    with _own_style():
        return _pngs({f"{draw.__name__}.png": draw(frames) for draw in drawings})


def privacy_utility(rows: pd.DataFrame) -> dict[str, bytes]:
    """The picture of the table `mmm_privacy_utility`, by its file's name."""
    with _own_style():
        return _pngs({"privacy_utility_tradeoff.png": _tradeoff(rows)})


def response_curves(frames: Frames) -> Figure:
    """A curve per channel with its interval: solid where spend was usual, dotted beyond."""
    rows, kind = frames["mmm_response_curves"], facts(frames)["kind"]
    channels = sentences.channels(frames)
    down = math.ceil(len(channels) / ACROSS)
    figure = _figure(0.5 + 3.0 * down)
    for position, channel in enumerate(channels):
        axes = figure.add_subplot(down, min(ACROSS, len(channels)), position + 1)
        own = rows[rows["channel"] == channel].astype({"spend": float})
        ink = row_colour(channel, channels)
        usual = own[own["observed"] == 1]
        bounds = own["lower"].astype(float), own["upper"].astype(float)
        axes.fill_between(own["spend"], *bounds, color=ink, alpha=BAND, linewidth=0)
        axes.plot(own["spend"], own["sales"].astype(float), ":", color=ink, linewidth=1.5)
        axes.plot(usual["spend"], usual["sales"].astype(float), color=ink, linewidth=2.5)
        axes.set(title=short(channel), xlabel=f"spend per {kind}", ylabel=f"sales per {kind}")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=min(0.0, float(bounds[0].min())))
        axes.locator_params(axis="x", nbins=4)
        _amounts(axes, "x", "y")
    figure.suptitle(CURVES, x=0.01, ha="left", fontsize=10)
    return figure


def predicted_vs_actual(frames: Frames) -> Figure:
    """Sales and the model's, by period."""
    rows = frames["mmm_predicted_vs_actual"]
    figure = _figure(4.0)
    axes = figure.add_subplot()
    dates = pd.to_datetime(rows["date"])
    axes.plot(dates, rows["actual"].astype(float), color=INK, linewidth=1.6, label="actual")
    predicted = rows["predicted"].astype(float)
    axes.plot(dates, predicted, "--", color=PREDICTED, linewidth=1.6, label="predicted")
    axes.set_title("Actual and predicted sales")
    _over_time(figure, axes, frames)
    return figure


def contribution_breakdown(frames: Frames) -> Figure:
    """What makes up predicted sales, by period; parts below zero stand below it."""
    rows, channels = frames["mmm_contribution_breakdown"], sentences.channels(frames)
    figure = _figure(5.0)
    axes = figure.add_subplot()
    dates = pd.to_datetime(rows["date"])
    edges = [*dates, dates.iloc[-1] + dates.diff().dropna().min()]
    above, below = pd.Series(0.0, rows.index), pd.Series(0.0, rows.index)
    for name, colour in part_colours(rows, channels).items():
        part = rows[name].astype(float)
        bottom = above.where(part >= 0, below)
        axes.stairs(
            bottom + part, edges, baseline=bottom, fill=True, color=colour, label=short(name)
        )
        above, below = above + part.clip(lower=0), below + part.clip(upper=0)
    actual = frames["mmm_predicted_vs_actual"]["actual"].astype(float)
    axes.step(dates, actual, ":", where="post", color=INK, linewidth=1.3, label="actual")
    axes.set_title("What sales are made of")
    _over_time(figure, axes, frames)
    return figure


def _tradeoff(rows: pd.DataFrame) -> Figure:
    """Errors by channel, and sales that the chosen split loses, by epsilon; dashed: no noise."""
    channels = [str(name) for name in dict.fromkeys(rows["channel"])]
    noisy = rows[rows["epsilon"] != NO_NOISE]
    noisy = noisy.assign(epsilon=noisy["epsilon"].astype(float)).sort_values("epsilon")
    without = rows[rows["epsilon"] == NO_NOISE].set_index("channel")
    figure = _figure(4.0)
    titles = ("Error of contribution", "Error of marginal ROI", "Sales lost by the split")
    columns = ("contribution_error", "marginal_roi_error", "sales_lost")
    for position, (column, title) in enumerate(zip(columns, titles, strict=True), 1):
        axes = figure.add_subplot(1, len(columns), position)
        for channel in channels if column != "sales_lost" else channels[:1]:
            ink = row_colour(channel, channels) if column != "sales_lost" else INK
            own = noisy[noisy["channel"] == channel]
            axes.plot(own["epsilon"], own[column], "o-", color=ink, label=short(channel))
            axes.axhline(float(without.loc[channel, column]), color=ink, linestyle="--")
        axes.set(title=title, xlabel="epsilon: less noise to the right", xscale="log")
        epsilons = sorted(set(noisy["epsilon"]))
        axes.set_xticks(epsilons, [f"{epsilon:g}" for epsilon in epsilons], minor=False)
        axes.set_xticks([], minor=True)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    figure.axes[0].set_ylabel("share of the truth")
    figure.axes[0].plot([], [], "--", color=GREY, label="without noise")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=6)
    return figure


def _figure(height: float) -> Figure:
    room = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)  # inches
    figure = Figure(figsize=(WIDTH, height), dpi=DOTS, layout=room, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _amounts(axes: Axes, *names: str) -> None:
    for name in names:
        getattr(axes, f"{name}axis").set_major_formatter(WITH_COMMAS)


def _over_time(figure: Figure, axes: Axes, frames: Frames) -> None:
    axes.set_ylabel(f"sales per {facts(frames)['kind']}")
    low, _ = axes.get_ylim()
    axes.set_ylim(bottom=min(0.0, low))
    locator = AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    _amounts(axes, "y")
    axes.margins(x=0)
    figure.legend(loc="outside lower left", ncols=6)


@contextmanager
def _own_style() -> Iterator[None]:
    """Defaults of the library and ours, whatever a user's own file of settings says."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        # Of a bold face that lacks what the upright one has.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def _pngs(figures: Mapping[str, Figure]) -> dict[str, bytes]:
    missing = sorted(set("".join(fonts.choose(figure) for figure in figures.values())))
    if missing:
        log.info(
            "no font of this machine has %s: pictures write %s; a font with these letters, such as "
            "Noto Sans CJK, mends that",
            " ".join(missing),
            fonts.readable(" ".join(missing), "".join(missing)),
        )
    return {name: _png(figure) for name, figure in figures.items()}


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
