"""Section: how well the model predicts held-out examples."""

import math

import pandas as pd

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
    "The models are logistic regression, the same with products of two touches, and a network "
    "(MLP or LSTM) beside it. With network: auto the simplest is used that none above beats by "
    "more than one standard error."
)
MEASURES = {
    "log_loss": "log loss",
    "auc": "AUC",
    "rmse": "RMSE",
    "calibration_error": "calibration error",
}


def model_quality(run: RunTables) -> str:
    """Metrics beside other models', calibration, largest residuals, and how the credits differ."""
    parts = [
        "<h2>Model quality</h2>",
        paragraphs(METRICS),
        table(_holdout(run)),
        paragraphs(*_comparison(run)),
        *_calibration(run),
        *_residuals(run),
        *_convergence(run),
    ]
    return "\n".join(parts)


def _holdout(run: RunTables) -> pd.DataFrame:
    """A row per model, a column per measure, from names like `lstm_log_loss`."""
    rows: dict[str, dict[str, str | float]] = {}
    for name in run.section("holdout"):
        measure = next((m for m in MEASURES if name.endswith(f"_{m}")), "")
        model = name.removesuffix(f"_{measure}")
        row = rows.setdefault(model, {"model": model_name(model)})
        row[MEASURES.get(measure, "figure")] = run.number("holdout", name)
    return pd.DataFrame(rows.values())


def _comparison(run: RunTables) -> list[str]:
    """Which model is used, and the difference in log loss to each other one."""
    used = run.section("model").get("network", "")
    sentences = [text(f"Used: {model_name(used)}. {LADDER}")] if used else []
    for name in run.section("comparison"):
        _, _, other = name.partition("_minus_")
        difference = run.number("comparison", name)
        error = run.number("comparison", f"{name}_error")
        if math.isfinite(difference) and math.isfinite(error):
            direction = "below" if difference < 0 else "above"
            sentences.append(
                f"Its log loss is {abs(difference):.6f} {direction} that of {model_name(other)}; "
                f"the standard error of this difference, over groups of users, is {error:.6f}."
            )
    return sentences


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
    for rung, largest in run.section("convergence").items():
        change, _, channel = largest.partition(" ")
        points = percentage_points(abs(float(change)))
        sentences.append(
            f"From the model below to {text(model_name(rung))} no channel's share of the channel "
            f"credit changes by more than {points} ({text(channel)})."
        )
    return [bullets(sentences)] if sentences else []
