"""What a run has to tell beside its credit: facts, warnings and notes, in words."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from td_mta.config.attribution import Config
from td_mta.dataset.build import Extracted
from td_mta.ingest.pages import Intake
from td_mta.model import holdout as quality
from td_mta.model.holdout import BASE_RATE, LOGISTIC, LSTM
from td_mta.shapley.convergence import CreditChange
from td_mta.shapley.credit import Credit, Values

if TYPE_CHECKING:
    from td_mta.model.training import Fitted

FEW_CONVERSIONS = 20
MUCH_BASELINE = 0.8  # of the conversions
MUCH_MOVED = 0.02  # of a channel's share in the last epoch
GAP = 0.05  # of held-out against training loss, each as a share of the base rate's


class Findings(NamedTuple):
    config: Config
    intake: Intake
    extracted: Extracted
    fitted: Fitted
    values: Values
    credit: Credit
    moves: Sequence[CreditChange]

    @property
    def users(self) -> int:
        return self.extracted.counts["users"]

    @property
    def _held_out(self) -> str:
        return "held-out users" if self.config.holdout == "users" else "held-out days"

    def conservation(self) -> dict[str, float]:
        return {
            "baseline": float(self.credit.baseline[0]),
            "channels": float(self.credit.cells[0].sum()),
            "conversions": float(self.extracted.conversions_and_value[0].sum()),
        }

    def holdout(self) -> dict[str, float]:
        """The model's figures and its rivals', on the same held-out examples."""
        return {
            f"{model}_{measure}": value
            for model, figures in self.fitted.held_out.qualities().items()
            for measure, value in figures._asdict().items()
        }

    def comparison(self) -> dict[str, float]:
        """The model's log loss less each rival's, and the standard error of the difference."""
        found = {}
        for rival in (LOGISTIC, BASE_RATE):
            difference = self.fitted.held_out.beyond(rival)
            found[f"{LSTM}_minus_{rival}"] = difference.mean
            found[f"{LSTM}_minus_{rival}_error"] = difference.error
        return found

    def calibration(self) -> dict[str, str]:
        """Of each bin the mean chance, the share that converted, and the counts, as JSON."""
        return {
            f"{model}_{number}": json.dumps(dict(zip(bins._fields, bin_, strict=True)))
            for model, bins in self.fitted.held_out.calibration().items()
            for number, bin_ in enumerate(np.transpose(bins).tolist(), start=1)
        }

    def misses(self) -> list[str]:
        """The held-out patterns that the model misses most, then what chance would do."""
        found = quality.misses(self.fitted.held_out)
        grid = self.extracted.schema.grid
        said = [quality.in_words(miss, self.intake.channels, grid) for miss in found.worst]
        if found.patterns:
            said.append(
                f"Patterns with {quality.FEW} conversions or more, observed or predicted: "
                f"{found.patterns}. Among so many, chance alone puts the worst at "
                f"{found.by_chance:.1f} standard errors."
            )
        return said

    def convergence(self) -> dict[str, str]:
        """Each epoch's largest move of a channel's share of channel credit, and whose it was."""
        channels = self.intake.channels
        return {
            f"epoch_{move.epoch}": f"{move.change:+.4f} {channels[move.channel]}"
            for move in self.moves
        }

    def shapley(self) -> dict[str, object]:
        return {
            "distinct_coalitions": self.values.coalitions,
            "exact_cells": self.values.largest_exact,
            "sampled_patterns": self.values.sampled,
            "standard_error_conversions": self.credit.error,
        }

    def warnings(self) -> list[str]:
        return [
            *self._of_the_model(),
            *self._of_the_epochs(),
            *self._of_the_channels(),
            *self._of_the_rows(),
        ]

    def notes(self) -> list[str]:
        converted = self.intake.scan.converted.items()
        said = [f"Converted: {what} ({rows} rows)." for what, rows in converted]
        if self.config.holdout == "forward":
            first = np.datetime64(self.intake.held_out_day, "D")
            said.append(f"Held out are the days from {first} on, of all users (holdout: forward).")
        if self.intake.visits:
            said.append(
                "Every conversion row has a channel and is a touch itself, so nobody converts "
                "without a touch: the baseline is 0 by construction."
            )
        elif self.config.examples == "touch_days":
            said.append(
                "With examples: touch_days the baseline is an extrapolation: the model never saw "
                "the empty pattern, and its rate is per selected example, not per day."
            )
        return said + self._of_the_values()

    def _of_the_values(self) -> list[str]:
        said = []
        if self.fitted.refitted:
            said.append(
                f"The model predicted {self.fitted.ratio:.3f} of the observed conversions of the "
                "training users; its intercept was refitted."
            )
        if self.values.sampled:
            said.append(
                f"{self.values.sampled} patterns of more than {self.values.largest_exact} cells "
                "were sampled; the standard error of a cell's credit is at most "
                f"{self.credit.error:.2g} conversions."
            )
        if self.values.largest_exact < self.config.shapley_exact_cells:
            said.append(
                f"shapley_exact_cells was lowered to {self.values.largest_exact}: more would need "
                f"over {self.config.shapley_budget} distinct coalitions (shapley_budget)."
            )
        return said

    def _of_the_model(self) -> list[str]:
        losses = {
            model: figures.log_loss for model, figures in self.fitted.held_out.qualities().items()
        }
        beyond, said = self.fitted.held_out.beyond(LOGISTIC), []
        if losses[LSTM] > losses[LOGISTIC]:
            said.append(
                f"The model does not beat logistic regression on {self._held_out}: log loss "
                f"{losses[LSTM]:.5f} against {losses[LOGISTIC]:.5f}, {beyond.mean:.6f} more with a "
                f"standard error of {beyond.error:.6f}."
            )
        if losses[LSTM] > losses[BASE_RATE]:
            said.append(f"The model does not even beat the base rate on {self._held_out}.")
        share = self.credit.baseline[0] / self.extracted.conversions_and_value[0].sum()
        if share > MUCH_BASELINE and not self.intake.visits:
            said.append(f"Baseline {share:.0%}: most conversions come without a touch.")
        low = (self.values.value_full < self.values.value_empty) & (self.values.patterns.sizes > 0)
        below = float(self.extracted.conversions_and_value[0][low].sum())
        if below > 0.01 * self.extracted.conversions_and_value[0].sum():
            said.append(
                f"{below:.0f} conversions have touches that make one less likely than no touch at "
                "all: their baseline is above 1 and their channels' credit negative."
            )
        return said

    def _of_the_epochs(self) -> list[str]:
        loss = [epoch.held_out.log_loss for epoch in self.fitted.epochs]
        best, said = self.fitted.epochs[self.fitted.best], []
        if len(loss) > 1 and self.fitted.best == len(loss) - 1 and loss[-1] < loss[-2] * 0.999:
            said.append("val_loss still falls at the last epoch: raise train_epochs.")
        if self.fitted.best < len(loss) - 1 and loss[-1] > min(loss) * 1.001:
            said.append(
                f"val_loss rises after epoch {self.fitted.best + 1}: that epoch's model is kept; "
                "lower train_epochs."
            )
        if self.moves and abs(self.moves[-1].change) > MUCH_MOVED:
            last = self.moves[-1]
            said.append(
                f"Credit still moved in the last epoch: the share of "
                f"{self.intake.channels[last.channel]} by {100 * last.change:+.1f} points; raise "
                "train_epochs."
            )
        train = best.train.log_loss / _entropy(self.fitted.prevalence)
        base_rate = self.fitted.held_out.qualities()[BASE_RATE].log_loss
        gap = best.held_out.log_loss / base_rate / train - 1
        if gap > GAP:
            drift = "behaviour drifted, or " if self.config.holdout == "forward" else ""
            said.append(
                f"Over the base rate's, held-out loss is {gap:.0%} above training loss: {drift}the "
                "model learned users by heart; raise dropout_rate."
            )
        return said

    def _of_the_channels(self) -> list[str]:
        channels, touching = self.intake.channels, self.extracted.conversions_touched
        said = []
        if len(channels) == 1:
            said.append(f"There is one channel only, {channels[0]}: it gets all channel credit.")
        few = np.flatnonzero(touching < FEW_CONVERSIONS)
        for at in few[np.argsort(touching[few], kind="stable")][:20]:
            said.append(
                f"Channel {channels[at]} is credited from {touching[at]} conversions: "
                f"fewer than {FEW_CONVERSIONS} say little."
            )
        if len(few) > 20:
            said.append(f"{len(few) - 20} more channels touched as few conversions.")
        return said

    def _of_the_rows(self) -> list[str]:
        scan, duplicates = self.intake.scan, self.extracted.counts["duplicates"]
        said = []
        if scan.dropped:
            said.append(f"{scan.dropped} of {scan.rows} rows lack a user or a time: left out.")
        if duplicates:
            said.append(f"{duplicates} rows are equal to another in every column: counted once.")
        if self.config.value_column and scan.values_missing:
            said.append(
                f"{scan.values_missing} conversions have no value in "
                f"{self.config.value_column}: counted with value 0."
            )
        return said


def _entropy(share: float) -> float:
    """Log loss of a base rate on its own examples.

    >>> round(_entropy(0.5), 4)
    0.6931
    """
    return -share * math.log(share) - (1 - share) * math.log1p(-share)
