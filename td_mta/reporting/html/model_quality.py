"""Section: how well the model predicts held-out examples."""

import math

import pandas as pd

from td_mta.model.holdout import LOGISTIC
from td_mta.reporting import charts
from td_mta.reporting.html.elements import (
    bullets,
    chart,
    folded,
    paragraphs,
    percentage_points,
    table,
    text,
)
from td_mta.reporting.run_tables import RunTables, model_name

METRICS = (
    "Measured on held-out examples: days of users that were not used in training. Log loss, RMSE "
    "and calibration error: lower is better. AUC: the probability that an example with a "
    "conversion gets a higher prediction than one without; 0.5 is random. The base rate predicts "
    "the same probability for every example. The credits are only as reliable as the model's "
    "predictions."
)
CALIBRATION = (
    "Held-out examples in bins of about equal size, by predicted probability. On the dotted line "
    "the observed rate equals the prediction. Error bars are two standard errors either way; the "
    "numbers count the conversions in the bins of the first model. Bins without a conversion are "
    "only in the table."
)
RESIDUALS = (
    "Patterns of touches whose observed conversions differ most from the predicted ones, among "
    "held-out examples. Day 0 is the day that is predicted."
)
LADDER = (
    "Each model starts from a simpler one: logistic regression, the same with products of touches, "
    "and networks (MLP, LSTM) that learn what these leave over."
)
WHY = {
    "auto": "the simplest that none above it predicts better than by more than one standard error",
    "set": "as <code>network: {used}</code> asks, whatever the others' log loss is",
}
CHANGES = (
    "The largest change of a channel's share of the channels' credit, from each model to the next. "
    "Where it is small, the choice between the models matters little."
)
ROUNDING = 5e-7  # of a difference of log losses: less is 0 in six decimals
MEASURES = {
    "log_loss": "log loss",
    "auc": "AUC",
    "rmse": "RMSE",
    "calibration_error": "calibration error",
}


def model_quality(run: RunTables) -> str:
    """The rungs' figures, which one is used and why, calibration, residuals, credit by rung."""
    parts = [
        "<h2>Model quality</h2>",
        paragraphs(METRICS, LADDER, *_used(run)),
        table(_holdout(run)),
        *_comparison(run),
        *_convergence(run),
        *_calibration(run),
        *_residuals(run),
    ]
    return "\n".join(parts)


def _used(run: RunTables) -> list[str]:
    """Which rung is used, and why."""
    used = run.section("model").get("network", "")
    if not used:
        return []
    why = WHY["auto" if run.parameter("network") == "auto" else "set"].format(used=text(used))
    return [f"Used: <b>{text(model_name(used))}</b>, {why}."]


def _holdout(run: RunTables) -> pd.DataFrame:
    """A row per model, a column per measure, from names like `lstm_log_loss`."""
    used = run.section("model").get("network", "")
    rows: dict[str, dict[str, str | float]] = {}
    for name in run.section("holdout"):
        measure = next((m for m in MEASURES if name.endswith(f"_{m}")), "")
        model = name.removesuffix(f"_{measure}")
        shown = f"{model_name(model)} (used)" if model == used else model_name(model)
        row = rows.setdefault(model, {"model": shown})
        row[MEASURES.get(measure, "figure")] = run.number("holdout", name)
    return pd.DataFrame(rows.values())


def _comparison(run: RunTables) -> list[str]:
    """The difference in log loss between the used model and each other one."""
    sentences = []
    for name in run.section("comparison"):
        used, _, other = name.partition("_minus_")
        difference = run.number("comparison", name)
        error = run.number("comparison", f"{name}_error")
        if math.isfinite(difference) and math.isfinite(error):
            names = model_name(used), model_name(other)
            sentences.append(_difference(*names, difference, error))
    return [bullets(sentences)] if sentences else []


def _difference(used: str, other: str, difference: float, error: float) -> str:
    """A difference of log losses and its standard error; none is shown of two equal models."""
    if abs(difference) < ROUNDING:
        return f"The log loss of {used} equals that of {other}."
    direction = "below" if difference < 0 else "above"
    return (
        f"The log loss of {used} is {abs(difference):.6f} {direction} that of {other}; the "
        f"standard error of this difference, over groups of users, is {error:.6f}."
    )


def _calibration(run: RunTables) -> list[str]:
    bins = run.calibration
    if not bins:
        return []
    parts = [rows.assign(model=model_name(model)) for model, rows in bins.items()]
    columns = ["model", "predicted", "observed", "examples", "conversions"]
    rows = table(pd.concat(parts)[columns], percents=("predicted", "observed"))
    return [
        "<h3>Calibration: do predicted probabilities match observed rates?</h3>",
        paragraphs(CALIBRATION),
        chart(charts.calibration(bins), "calibration", "Observed rate by predicted probability"),
        folded("Bins as a table", rows),
    ]


def _residuals(run: RunTables) -> list[str]:
    lines = run.sentences("misses")
    if not lines:
        return []
    patterns, expected_by_chance = lines[:-1], lines[-1]
    return [
        "<h3>Largest residuals</h3>",
        paragraphs(RESIDUALS),
        bullets(patterns),
        paragraphs(text(expected_by_chance)),
    ]


def _convergence(run: RunTables) -> list[str]:
    """How much the credits differ from rung to rung."""
    sentences = []
    below = LOGISTIC
    for rung, largest in run.section("convergence").items():
        change, _, channel = largest.partition(" ")
        sentences.append(
            f"From {model_name(below)} to {model_name(rung)}: "
            f"{percentage_points(float(change))} ({channel})."
        )
        below = rung
    if not sentences:
        return []
    return ["<h3>Credit from model to model</h3>", paragraphs(CHANGES), bullets(sentences)]
