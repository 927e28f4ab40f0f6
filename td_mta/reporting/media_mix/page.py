"""The report of media mix modelling: one page with everything inside, from the output tables."""

from td_mta.mmm.checks.diagnostics import normal_quantiles
from td_mta.reporting.html.elements import (
    bullets,
    chart,
    figures,
    folded,
    paragraphs,
    table,
    text,
)
from td_mta.reporting.html.page import page
from td_mta.reporting.media_mix import charts, sentences
from td_mta.reporting.media_mix.sentences import Frames, facts, values

CURVES_STYLE = """
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem; }
.curves h3 { margin: 0; }
"""
MOST_CURVES = 12  # before the others are folded away


def render(frames: Frames, title: str) -> str:
    """The page of one run; the same tables give the same text."""
    contents = [
        summary(frames),
        what_to_do(frames),
        how_sure(frames),
        not_known(frames),
        effects(frames),
        sales(frames),
        quality(frames),
        raw(frames),
    ]
    sections = [f"<section>\n{content}\n</section>" for content in contents]
    return page(title, sections, CURVES_STYLE)


def summary(frames: Frames) -> str:
    """What media brought, channel by channel."""
    return "\n".join(
        [
            f"<h2>{text(sentences.finding(frames))}</h2>",
            figures(sentences.figures(frames)),
            table(sentences.channels_shown(frames)),
            paragraphs(text(sentences.ROI)),
            chart(
                charts.intervals(frames["mmm_channels"], "roi", "ROI, 90 % interval"),
                "roi",
                "ROI of each channel with its interval",
            ),
        ]
    )


def what_to_do(frames: Frames) -> str:
    """The plan, and which channel to test."""
    figure = charts.budget(frames["mmm_budget"], sentences.channels(frames), facts(frames)["kind"])
    warnings = values(frames, "warning")
    parts = [
        "<h2>What to do</h2>",
        paragraphs(text(sentences.plan(frames))),
        chart(figure, "budget", "spend today and by the plan"),
        bullets(warnings) if warnings else "",
        "<h3>What to test next</h3>",
        bullets(values(frames, "test_next")),
        paragraphs(text(sentences.TEST_NEXT)),
    ]
    return "\n".join(part for part in parts if part)


def how_sure(frames: Frames) -> str:
    """Experiments, flags, starts, intervals."""
    parts = ["<h2>How sure</h2>"]
    if "mmm_experiments" in frames:
        tested = sentences.headed(frames["mmm_experiments"])
        parts += ["<h3>Experiments</h3>", table(tested), bullets(sentences.conflicts(frames))]
    parts.append(bullets(sentences.sure(frames)))
    if "mmm_coverage" in frames:
        covered = sentences.coverage_shown(frames)
        parts += [
            "<h3>Do the intervals hold?</h3>",
            paragraphs(text(sentences.COVERAGE)),
            table(covered, percents=["contribution", "marginal ROI"]),
        ]
    return "\n".join(parts)


def not_known(frames: Frames) -> str:
    """What no model of such data can tell."""
    return "<h2>What cannot be known from these data</h2>" + bullets(sentences.NOT_KNOWN)


def effects(frames: Frames) -> str:
    """Marginal ROI and curves."""
    channels, rows = sentences.channels(frames), frames["mmm_response_curves"]
    kind, drawn = facts(frames)["kind"], []
    for position, channel in enumerate(channels):
        figure = charts.response_curve(rows[rows["channel"] == channel], channels, kind)
        drawing = chart(figure, f"curve-{position}", f"sales by spend: {channel}")
        drawn.append(f"<div><h3>{text(channel)}</h3>{drawing}</div>")
    shown = f'<div class="curves">{"".join(drawn[:MOST_CURVES])}</div>'
    if drawn[MOST_CURVES:]:
        others = f'<div class="curves">{"".join(drawn[MOST_CURVES:])}</div>'
        shown += folded(f"{len(drawn) - MOST_CURVES} more", others)
    marginal = charts.intervals(
        frames["mmm_channels"], "marginal_roi", "marginal ROI, 90 % interval"
    )
    return "\n".join(
        [
            "<h2>What more spend would bring</h2>",
            chart(marginal, "marginal-roi", "marginal ROI of each channel with its interval"),
            paragraphs(text(sentences.CURVES)),
            shown,
        ]
    )


def sales(frames: Frames) -> str:
    """What sales are made of."""
    fitted, kind = frames["mmm_predicted_vs_actual"], facts(frames)["kind"]
    parts = frames["mmm_contribution_breakdown"]
    breakdown = charts.breakdown(parts, fitted["actual"], sentences.channels(frames), kind)
    return "\n".join(
        [
            "<h2>What sales are made of</h2>",
            chart(breakdown, "breakdown", "sales by period: base, controls and channels"),
            chart(charts.predicted_vs_actual(fitted, kind), "fit", "actual and predicted sales"),
        ]
    )


def quality(frames: Frames) -> str:
    """The usual figures, each with what it does not show."""
    fitted = frames["mmm_predicted_vs_actual"]
    expected, found = normal_quantiles(fitted["residual"].to_numpy(float))
    return "\n".join(
        [
            "<h2>Fit</h2>",
            bullets(sentences.quality(frames)),
            chart(charts.residuals(fitted), "residuals", "errors by period"),
            chart(charts.quantiles(expected.tolist(), found.tolist()), "quantiles", "Q-Q plot"),
            "<h3>How the table was understood</h3>",
            bullets(values(frames, "note")),
        ]
    )


def raw(frames: Frames) -> str:
    """All tables, folded away."""
    parts = ["<h2>Output tables</h2>"]
    return "\n".join([*parts, *(folded(name, table(frame)) for name, frame in frames.items())])
