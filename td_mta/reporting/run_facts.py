"""The figures of run_info: one function per section, each from what it needs to names and values.

Held-out examples are scored once, by `evaluate`; tables, warnings and the run's summary share it.
"""

import contextlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Floats
from td_mta.metrics import Difference, Line, Quality
from td_mta.model import holdout as held_out_examples
from td_mta.model.choice import Comparisons
from td_mta.model.holdout import HeldOut
from td_mta.reporting.run_tables import ALL_CONTROLS
from td_mta.shapley.convergence import CreditChange
from td_mta.shapley.credit import Credit, Values
from td_mta.shapley.shifts import Shift
from td_mta.tables import BASELINE

PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "numpy", "pandas", "pyarrow")


class Evaluation(NamedTuple):
    """How well each model predicts the same held-out examples; NaN where there are none."""

    model: str  # the one that is used
    qualities: Mapping[str, Quality]  # of every rung and the base rate
    differences: Mapping[str, Difference]  # the used model's log loss minus each other one's
    line: Line  # of the used model's log-odds
    groups: int  # of held-out users with a conversion

    def is_worse_than(self, model: str) -> bool:
        """Whether the used model is, by more than noise."""
        difference = self.differences[model]
        return difference.mean > difference.error * self.errors_beyond_noise

    @property
    def errors_beyond_noise(self) -> float:
        """Standard errors that a difference must have to be told."""
        return held_out_examples.standard_errors_beyond_noise(self.groups)


def evaluate(held_out: HeldOut) -> Evaluation:
    """Score the held-out examples, once for all that reports on them."""
    others = [model for model in held_out.probabilities if model != held_out.chosen]
    differences = {model: held_out.difference_to(model) for model in others}
    return Evaluation(
        held_out.chosen,
        held_out.qualities(),
        differences,
        held_out.calibration_line(),
        held_out.groups_with_conversions(),
    )


def model(chosen: str, controls: Sequence[str]) -> dict[str, str]:
    """Which rung is used, and beside which controls."""
    return {"network": chosen, "controls": ", ".join(controls) or "none"}


def controls(shifts: Sequence[Shift], channels: Sequence[str]) -> dict[str, float]:
    """The share of every channel and the baseline with all controls, then without each of them.

    By logistic regression, under names like `without calendar_day: Email`; empty without controls.
    """
    shares = {ALL_CONTROLS: shifts[0].with_it} if shifts else {}
    shares |= {f"without {shift.control}": shift.without_it for shift in shifts}
    return {
        f"{controls}: {name}": float(share)
        for controls, of_rows in shares.items()
        for name, share in zip([*channels, BASELINE], of_rows, strict=True)
    }


def conservation(credit: Credit, amounts: Floats) -> dict[str, float]:
    """Conversions credited to the baseline and to all channels, and those observed.

    `amounts` are conversions and value per pattern, `(2, patterns)`.
    """
    return {
        "baseline": float(credit.baseline[0]),
        "channels": float(credit.cells[0].sum()),
        "conversions": float(amounts[0].sum()),
    }


def holdout(evaluation: Evaluation) -> dict[str, float]:
    """Every measure of every model, under names like `pairs_log_loss`."""
    return {
        f"{model}_{measure}": value
        for model, quality in evaluation.qualities.items()
        for measure, value in quality._asdict().items()
    }


def comparison(evaluation: Evaluation) -> dict[str, float]:
    """The used model's log loss minus each other one's, and that difference's standard error.

    And in how many standard errors it is more than noise: infinite where too few converted.
    """
    facts = {"errors_beyond_noise": evaluation.errors_beyond_noise}
    for other, difference in evaluation.differences.items():
        name = f"{evaluation.model}_minus_{other}"
        facts[name] = difference.mean
        facts[f"{name}_error"] = difference.error
    return facts


def choice(comparisons: Comparisons) -> dict[str, float]:
    """Log loss of each rung minus that of one below, by which the rung was chosen, and its error.

    On training users, each predicted by fits, or to an epoch, in which they had no say.
    """
    facts = {}
    for (upper, lower), difference in comparisons.items():
        name = f"{upper}_minus_{lower}"
        facts[name] = difference.mean
        facts[f"{name}_error"] = difference.error
    return facts


def calibration_line(evaluation: Evaluation) -> dict[str, float]:
    """Slope and intercept of the used model's log-odds, with their standard errors."""
    return evaluation.line._asdict()


def calibration(held_out: HeldOut) -> dict[str, str]:
    """Each bin as JSON: mean predicted probability, observed rate, examples, conversions."""
    facts = {}
    for model, bins in held_out.calibration().items():
        rows = np.transpose(bins).tolist()  # (bins, 4)
        for number, row in enumerate(rows, start=1):
            by_field = dict(zip(bins._fields, row, strict=True))
            facts[f"{model}_{number}"] = json.dumps(by_field)
    return facts


def misses(held_out: HeldOut, channels: Sequence[str], grid: Grid) -> list[str]:
    """A line for each of the largest residuals, then how large they would be by chance alone."""
    largest = held_out_examples.largest_residuals(held_out)
    lines = [held_out_examples.describe(residual, channels, grid) for residual in largest.residuals]
    if largest.compared:
        lines.append(
            f"{largest.compared} patterns with {held_out_examples.FEW} or more conversions, "
            "observed or predicted, were compared. By chance alone, the largest of so many "
            f"residuals would be about {largest.median_by_chance:.1f} standard errors (median)."
        )
    return lines


def convergence(changes: Sequence[CreditChange], channels: Sequence[str]) -> dict[str, str]:
    """By label the largest change of a channel's share of channel credit, and that channel."""
    return {change.label: f"{change.change:+.4f} {channels[change.channel]}" for change in changes}


def shapley(values: Values, credit: Credit) -> dict[str, object]:
    """How the Shapley values were computed, and the standard error that sampling leaves."""
    return {
        "distinct_coalitions": values.coalitions,
        "exact_cells": values.largest_exact,
        "sampled_patterns": values.sampled,
        "standard_error_conversions": credit.error,
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that shape the figures, as far as installed."""
    installed = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            installed[package] = importlib.metadata.version(package)
    return installed
