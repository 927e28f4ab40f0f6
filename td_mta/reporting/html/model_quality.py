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
    "the same probability for every example. Standard errors are over groups of users. The credits "
    "are only as reliable as the model's predictions."
)
CALIBRATION = (
    "Held-out examples in bins of about equal size, by predicted probability. On the dotted line "
    "the observed rate equals the prediction. Error bars are two standard errors either way; the "
    "numbers count the conversions in the bins of the first model. Bins without a conversion, and "
    "the other models, are only in the table."
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
    "auto": (
        "the simplest that none above it beats by more than one standard error and by more than "
        "0.2% of what it gains over the base rate. Training users chose it, each predicted by fits "
        "that had not seen them: held-out ones, which report its quality, had no say"
    ),
    "set": "as <code>network: {used}</code> asks, whatever the others' log loss is",
}
CHANGES = (
    "The largest change of a channel's share of the channels' credit, from each model to the next. "
    "Where it is small, the choice between the models matters little."
)
MILLION = 1e6
HIGHER = "log loss above the used model's, millionths"
ERROR = "standard error of that, millionths"
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
        table(holdout(run)),
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
    return [f"Used: <b>{text(model_name(used))}</b>, {why}.", *_choice(run)]


def _choice(run: RunTables) -> list[str]:
    """Log losses on the users who chose, each model's minus that of one below it."""
    section = run.section("choice")
    names = [name for name in section if f"{name}_error" in section]
    parts = []
    for name in names:
        upper, _, lower = name.partition("_minus_")
        change, error = (MILLION * run.number("choice", key) for key in (name, f"{name}_error"))
        parts.append(f"{model_name(upper)} minus {model_name(lower)} {change:+,.1f} ± {error:,.1f}")
    if not parts:
        return []
    return [f"Log loss of those who chose, in millionths: {text('; '.join(parts))}."]


def holdout(run: RunTables) -> pd.DataFrame:
    """A row per model, a column per measure, from names like `lstm_log_loss`."""
    used = run.section("model").get("network", "")
    rows: dict[str, dict[str, str | float]] = {}
    for name in run.section("holdout"):
        measure = next((m for m in MEASURES if name.endswith(f"_{m}")), "")
        model = name.removesuffix(f"_{measure}")
        shown = f"{model_name(model)} (used)" if model == used else model_name(model)
        row = rows.setdefault(model, {"model": shown})
        row[MEASURES.get(measure, "figure")] = run.number("holdout", name)
    for model, row in rows.items():
        row |= _comparison(run, model)
    return pd.DataFrame(rows.values())


def _comparison(run: RunTables, model: str) -> dict[str, float]:
    """How much higher a model's log loss is than that of the used one, and the standard error."""
    used = run.section("model").get("network", "")
    difference = run.number("comparison", f"{used}_minus_{model}")
    error = run.number("comparison", f"{used}_minus_{model}_error")
    if not (math.isfinite(difference) and math.isfinite(error)):
        return {}
    return {HIGHER: -MILLION * difference, ERROR: MILLION * error}


def _calibration(run: RunTables) -> list[str]:
    bins = run.calibration
    if not bins:
        return []
    used = run.section("model").get("network", "")
    drawn = {model: bins[model] for model in (used, LOGISTIC) if model in bins}
    parts = [rows.assign(model=model_name(model)) for model, rows in bins.items()]
    columns = ["model", "predicted", "observed", "examples", "conversions"]
    rows = table(pd.concat(parts)[columns], percents=("predicted", "observed"))
    return [
        "<h3>Calibration: do predicted probabilities match observed rates?</h3>",
        paragraphs(CALIBRATION, *_line(run)),
        chart(charts.calibration(drawn), "calibration", "Observed rate by predicted probability"),
        folded("Bins as a table", rows),
    ]


def _line(run: RunTables) -> list[str]:
    """The slope of the used model's log-odds."""
    slope, error, intercept, intercept_error = (
        run.number("calibration_line", name)
        for name in ("slope", "slope_error", "intercept", "intercept_error")
    )
    if not math.isfinite(slope):
        return []
    return [
        f"Calibration slope of the used model: {slope:.3f} ± {error:.3f}. 1 is right; below it "
        "predictions are too far apart, as by overfitting, above it too near each other. "
        f"Intercept at the base rate: {intercept:+.3f} ± {intercept_error:.3f}; 0 is right. "
        "Both are of log-odds, ± one standard error over groups of users."
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
