"""The report of media mix modelling: one page with everything inside, from the output tables."""

from collections.abc import Mapping

import pandas as pd

from td_mta.mmm.checks.diagnostics import normal_quantiles
from td_mta.reporting.html.elements import (
    bullets,
    chart,
    figures,
    folded,
    number,
    paragraphs,
    percent,
    table,
    text,
)
from td_mta.reporting.html.page import page
from td_mta.reporting.media_mix import charts

Frames = Mapping[str, pd.DataFrame]
SIGNIFICANT = 1.96
DOUBTFUL = 0.05  # probability below which model and experiment contradict each other
CURVES_STYLE = """
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem; }
.curves h3 { margin: 0; }
"""
HEADINGS = {"roi": "ROI", "between": "ROI, 90 % interval", "marginal_roi": "marginal ROI"}
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
    rows = frames["mmm_channels"]
    brought, facts = float(rows["contribution"].sum()), _facts(frames)
    sold = float(facts["sales"])
    kind = facts["kind"]
    shown = rows.assign(
        between=[_between(lower, upper) for lower, upper in _pairs(rows, "roi")],
    )[["channel", "spend", "contribution", "roi", "between", "marginal_roi", "flag"]]
    return "\n".join(
        [
            "<h2>What media brought</h2>",
            figures(
                {
                    "sales": number(sold, 0),
                    "brought by media": percent(brought / sold),
                    "spend": number(float(rows["spend"].sum()), 0),
                    "ROI of all media": number(brought / float(rows["spend"].sum()), 2),
                    f"{kind}s": facts[f"{kind}s"],
                }
            ),
            table(shown.rename(columns=HEADINGS)),
            paragraphs(
                "<b>ROI</b> is what a unit of spend brought on average, <b>marginal ROI</b> what a "
                "little more would have brought. A channel may have a high ROI and bring nothing "
                "more: spend follows marginal ROI.",
            ),
            chart(
                charts.intervals(rows, "roi", "ROI, 90 % interval", _channels(frames)),
                "roi",
                "ROI of each channel with its interval",
            ),
        ]
    )


def what_to_do(frames: Frames) -> str:
    """The plan, and which channel to test."""
    facts, rows = _facts(frames), frames["mmm_budget"]
    gain, probability = float(facts["gain"]), float(facts["probability_of_gain"])
    low, high = float(facts["gain_lower"]), float(facts["gain_upper"])
    kind = facts["kind"]
    planned, today = float(rows["plan"].sum()), float(rows["today"].sum())
    warnings = _values(frames, "warning")
    parts = [
        "<h2>What to do</h2>",
        paragraphs(
            f"Per {kind} the plan spends {number(planned, 0)} (today {number(today, 0)}) and "
            f"changes sales by <b>{number(gain, 0)}</b>, 90 % interval {number(low, 0)} to "
            f"{number(high, 0)}. The probability that it is a gain is {percent(probability)}, "
            "if the model is right."
        ),
        chart(charts.budget(rows, _channels(frames)), "budget", "spend today and by the plan"),
        bullets(warnings) if warnings else "",
        "<h3>What to test next</h3>",
        bullets(_values(frames, "test_next")),
        paragraphs(
            "First stands what would narrow the best split most. The order does not find demand "
            "that drives spend and sales alike."
        ),
    ]
    return "\n".join(part for part in parts if part)


def how_sure(frames: Frames) -> str:
    """Experiments, flags, starts, intervals."""
    facts, rows = _facts(frames), frames["mmm_channels"]
    from_prior = rows.loc[rows["flag"] != "learned from data", "channel"]
    sentences = [
        f"{percent(float(facts['agreeing_starts']))} of {facts['starts']} starts of the fit end in "
        "one place."
    ]
    if len(from_prior):
        sentences.append(
            f"Driven by the prior: {', '.join(from_prior)}. More than half of what is said of "
            "these channels' effect was put in, not learned."
        )
    driven = rows[rows["next_spend_t"].abs() > SIGNIFICANT]
    sentences += [
        f"{row.channel}: sales go with its spend of the next period (t = {row.next_spend_t:.1f}), "
        "which cannot be an effect. Demand may drive both; an experiment on it would tell."
        for row in driven.itertuples()
    ]
    parts = ["<h2>How sure</h2>"]
    if "mmm_experiments" in frames:
        tested = frames["mmm_experiments"]
        numbers = [tested[name].map(float) for name in ("conflict", "p_value")]
        parts += [
            "<h3>Experiments</h3>",
            table(tested),
            bullets([_verdict(*row) for row in zip(tested["channel"], *numbers, strict=True)]),
        ]
    parts.append(bullets(sentences))
    if "mmm_coverage" in frames:
        covered = frames["mmm_coverage"]
        parts += [
            "<h3>Do the intervals hold?</h3>",
            paragraphs(
                "Sales were simulated from the fitted model and fitted again: how many of the "
                "nominal 90 % intervals held the truth. It shows how good intervals are where the "
                "model is right."
            ),
            table(covered, percents=["contribution", "marginal_roi"]),
        ]
    return "\n".join(parts)


def _verdict(channel: str, conflict: float, p_value: float) -> str:
    """What an experiment says of the model before it."""
    says = f"{channel}: model and experiment differ by {abs(conflict):.1f} standard errors before "
    if p_value >= DOUBTFUL:
        return says + "calibration."
    return says + (
        "calibration, which with the test of next spend has p = "
        f"{p_value:.2g}: something drives both spend and sales, and the model alone is wrong."
    )


def not_known(frames: Frames) -> str:
    """What no model of such data can tell."""
    return "<h2>What cannot be known from these data</h2>" + bullets(
        [
            "Whether spend caused sales. Where somebody spends more because demand is high, the "
            "model gives the channel what demand brought, with narrow intervals and a good fit. "
            "Only an experiment shows it.",
            "How much a saturated channel brings in all. Its sales hardly change with its spend, "
            "so its contribution comes from the prior; what a little more brings is known better.",
            "Whether a channel levels off or weakens with time. Both look alike in most data.",
            "What happens beyond the spend that there was: curves are dotted there.",
        ]
    )


def effects(frames: Frames) -> str:
    """Marginal ROI and curves."""
    channels, rows = _channels(frames), frames["mmm_response_curves"]
    drawn = []
    for position, channel in enumerate(channels):
        own = rows[rows["channel"] == channel]
        figure = charts.response_curve(own, channels)
        name = f"curve-{position}"
        drawing = chart(figure, name, f"sales by spend: {channel}")
        drawn.append(f"<div><h3>{text(channel)}</h3>{drawing}</div>")
    shown = f'<div class="curves">{"".join(drawn[:MOST_CURVES])}</div>'
    if drawn[MOST_CURVES:]:
        others = f'<div class="curves">{"".join(drawn[MOST_CURVES:])}</div>'
        shown += folded(f"{len(drawn) - MOST_CURVES} more", others)
    return "\n".join(
        [
            "<h2>What more spend would bring</h2>",
            chart(
                charts.intervals(
                    frames["mmm_channels"], "marginal_roi", "marginal ROI, 90 % interval", channels
                ),
                "marginal-roi",
                "marginal ROI of each channel with its interval",
            ),
            paragraphs(
                "Sales by spend that is held for long, carry-over included. The line is solid in "
                "the range of nine in ten periods and dotted outside; the band is the 90 % "
                "interval."
            ),
            shown,
        ]
    )


def sales(frames: Frames) -> str:
    """What sales are made of."""
    fitted = frames["mmm_predicted_vs_actual"]
    channels = _channels(frames)
    return "\n".join(
        [
            "<h2>What sales are made of</h2>",
            chart(
                charts.breakdown(frames["mmm_contribution_breakdown"], fitted["actual"], channels),
                "breakdown",
                "sales by period: base, controls and channels",
            ),
            chart(charts.predicted_vs_actual(fitted), "fit", "actual and predicted sales"),
        ]
    )


def quality(frames: Frames) -> str:
    """The usual figures, each with what it does not show."""
    facts, fitted = _facts(frames), frames["mmm_predicted_vs_actual"]
    expected, found = normal_quantiles(fitted["residual"].to_numpy(float))
    p = float(facts["shapiro_p"])
    held = facts["mape_held_out"]
    return "\n".join(
        [
            "<h2>Fit</h2>",
            bullets(
                [
                    f"R² {float(facts['r_squared']):.3f}: the share of the variation of sales that "
                    "is matched. It does not show that effects are right: a confounded model can "
                    "have .97.",
                    f"MAPE {percent(float(facts['mape']))} in sample"
                    + (f", {percent(float(held))} on held-out periods" if held else "")
                    + ": the mean error in percent. Predicting well is not attributing well.",
                    f"Durbin-Watson {float(facts['durbin_watson']):.2f}: around 2 errors of "
                    "successive periods are unrelated; well below, something slow is missing and "
                    "intervals are too narrow.",
                    f"Shapiro-Wilk p {p:.3f}: "
                    + ("errors look normal. " if p > 0.05 else "errors are not normal. ")
                    + "It matters little for effects; look for single weeks that stand out.",
                    f"Adstock {facts['adstock']}, saturation {facts['saturation']}.",
                ]
            ),
            chart(charts.residuals(fitted), "residuals", "errors by period"),
            chart(charts.quantiles(expected.tolist(), found.tolist()), "quantiles", "Q-Q plot"),
            "<h3>How the table was understood</h3>",
            bullets(_values(frames, "note")),
        ]
    )


def raw(frames: Frames) -> str:
    """All tables, folded away."""
    parts = ["<h2>Output tables</h2>"]
    return "\n".join([*parts, *(folded(name, table(frame)) for name, frame in frames.items())])


def _channels(frames: Frames) -> list[str]:
    return [str(name) for name in frames["mmm_channels"]["channel"]]


def _facts(frames: Frames) -> dict[str, str]:
    info = frames["mmm_run_info"]
    return dict(zip(info["name"], info["value"], strict=True))


def _values(frames: Frames, section: str) -> list[str]:
    info = frames["mmm_run_info"]
    return [str(value) for value in info.loc[info["section"] == section, "value"]]


def _pairs(rows: pd.DataFrame, name: str) -> list[tuple[float, float]]:
    return list(
        zip(rows[f"{name}_lower"].map(float), rows[f"{name}_upper"].map(float), strict=True)
    )


def _between(lower: float, upper: float) -> str:
    return f"{number(lower, 2)} to {number(upper, 2)}"
