"""What held-out examples say of the model: one section, and the verdict in a sentence."""

import math

import pandas as pd

from td_mta.reporting import charts
from td_mta.reporting.html.elements import (
    bullets,
    folded,
    paragraphs,
    percent,
    picture,
    table,
    text,
)
from td_mta.reporting.run_tables import RIVALS, RunTables


def verdict(run: RunTables) -> str:
    """Whether the credits rest on a model that predicts better than simpler ones."""
    ours = run.number("holdout", "lstm_log_loss")
    losses = {name: run.number("holdout", f"{name}_log_loss") for name in RIVALS}
    told = {
        name: f"{RIVALS[name]} ({loss:.5f})" for name, loss in losses.items() if math.isfinite(loss)
    }
    if not told or not math.isfinite(ours):
        return ""
    apart = {name: _standard_errors(run, name, losses[name] - ours) for name in told}
    start = f"On examples that it never saw, the model (log loss {ours:.5f}) predicts"
    if lost := [told[name] for name in told if apart[name] < -1]:
        return (
            f'<p class="verdict broken">{start} worse than {" and ".join(lost)}: '
            "do not lean on the credits below before this is mended.</p>"
        )
    won = [told[name] for name in told if apart[name] > 1]
    even = [told[name] for name in told if abs(apart[name]) <= 1]
    said = [f"better than {' and '.join(won)}"] if won else []
    said += [f"as well as {' and '.join(even)}, within a standard error"] if even else []
    return f'<p class="verdict">{start} {", and ".join(said)}.</p>'


def _standard_errors(run: RunTables, rival: str, better: float) -> float:
    """By how many the model beats the rival; without an error any difference counts."""
    error = run.number("comparison", f"lstm_minus_{rival}_error")
    if math.isfinite(error) and error > 0:
        return better / error
    return math.copysign(math.inf, better) if better else 0.0


def quality(run: RunTables) -> str:
    metrics = run.frames["metrics"]
    curves = [
        picture(charts.training_curve(metrics, name), f"training-{name}", f"{name} per epoch")
        for name in ("loss", "auc")
    ]
    return "\n".join(
        [
            "<h2>How well the model predicts</h2>",
            paragraphs(
                "Measured on examples that it never saw. Log loss: lower is better. AUC: the "
                "chance that a conversion gets the higher of two probabilities; 0.5 is guessing. "
                "The credits are worth no more than these figures."
            ),
            table(_holdout(run)),
            paragraphs(*_differences(run)),
            *_calibration(run),
            *_misses(run),
            f'<div class="pair">{"".join(curves)}</div>',
            paragraphs(*_convergence(run)),
        ]
    )


def _differences(run: RunTables) -> list[str]:
    """How sure the difference to each rival is, in words."""
    said = []
    for rival, named in RIVALS.items():
        mean = run.number("comparison", f"lstm_minus_{rival}")
        error = run.number("comparison", f"lstm_minus_{rival}_error")
        if math.isfinite(mean) and math.isfinite(error):
            said.append(
                f"Its log loss is {abs(mean):.6f} {'below' if mean < 0 else 'above'} that of "
                f"{named}, with a standard error of {error:.6f} for the difference over the same "
                "days of the same users."
            )
    return said


def _calibration(run: RunTables) -> list[str]:
    bins = run.calibration
    if not bins:
        return []
    rows = pd.concat([frame.assign(model=name.replace("_", " ")) for name, frame in bins.items()])
    rows = rows[["model", "predicted", "observed", "examples", "conversions"]]
    return [
        "<h3>Are its chances true?</h3>",
        paragraphs(
            "Held-out days in bins of about as many, by the predicted chance. On the dotted line "
            "as many converted as predicted; the bars are two standard errors either way, the "
            "figures the model's conversions in the bin."
        ),
        picture(charts.calibration(run), "calibration", "Observed by predicted rates"),
        folded("The bins as numbers", table(rows, ("predicted", "observed"))),
    ]


def _misses(run: RunTables) -> list[str]:
    found = run.sentences("misses")
    if not found:
        return []
    patterns, by_chance = found[:-1], found[-1]
    listed = bullets(patterns)
    return ["<h3>What it misses most</h3>", listed, paragraphs(text(by_chance))]


def _convergence(run: RunTables) -> list[str]:
    moved = run.section("convergence")
    if not moved:
        return []
    epoch, change = list(moved.items())[-1]
    points, _, channel = change.partition(" ")
    return [
        f"From the epoch before to epoch {text(epoch.rpartition('_')[2])}, the last, no channel's "
        f"share of the channels' credit moved by more than {percent(abs(float(points)))} "
        f"({text(channel)})."
    ]


def _holdout(run: RunTables) -> pd.DataFrame:
    """A row per model, a column per measure, from names like `lstm_log_loss`."""
    measures = ("log_loss", "auc", "rmse", "calibration_error")
    found: dict[str, dict[str, str | float]] = {}
    for name in run.section("holdout"):
        measure = next((m for m in measures if name.endswith("_" + m)), "")
        model = name.removesuffix("_" + measure).replace("_", " ")
        row = found.setdefault(model, {"model": model})
        row[measure.replace("_", " ") or "figure"] = run.number("holdout", name)
    return pd.DataFrame(found.values())
