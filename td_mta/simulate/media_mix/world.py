"""`MediaWorld`: spend, sales and the law between them, and the true answers by re-simulation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SMALL_RAISE = 0.01  # of all spend of a channel, for marginal ROI
LEVELS = 401  # of spend, for the best split


class ChannelLaw(NamedTuple):
    """What a channel's spend does: a_t = x_t + decay · a_{t-1}, then a curve of a_t."""

    name: str
    decay: float
    slope: float  # of the Hill curve
    half_at: float  # a_t at which half of `most` is reached
    most: float  # sales per week that the channel can bring
    curve: Literal["hill", "logistic"] = "hill"

    def of_carried(self, carried: Floats) -> Floats:
        """Sales from carried-over spend."""
        if self.curve == "logistic":
            return self.most * np.tanh(np.arctanh(0.5) * carried / self.half_at)
        powers = carried**self.slope
        return self.most * powers / (self.half_at**self.slope + powers)

    def of_spend(self, spend: Floats) -> Floats:
        """Sales by week from weekly spend, none before."""
        carried, last = np.zeros(len(spend)), 0.0
        for week, amount in enumerate(spend):
            last = amount + self.decay * last
            carried[week] = last
        return self.of_carried(carried)

    def held(self, spend: Floats) -> Floats:
        """Sales per week once a weekly spend has been held for long."""
        return self.of_carried(spend / (1 - self.decay))


@dataclass(frozen=True, kw_only=True)
class MediaWorld:
    """`n` weeks of `c` channels."""

    laws: Sequence[ChannelLaw]
    spend: Floats  # (n, c)
    strength: Floats  # what each channel's effect is multiplied by, (n, c)
    base: Floats  # expected sales without any spend, (n,)
    controls: Mapping[str, Floats]  # what the analyst sees of it, (n,) each
    sales: Floats  # (n,)

    @property
    def channels(self) -> list[str]:
        """Names of the channels."""
        return [law.name for law in self.laws]

    def effects(self, spend: Floats | None = None) -> Floats:
        """Sales by week and channel, of the world's spend or of another one, `(n, c)`."""
        spend = self.spend if spend is None else spend
        columns = [law.of_spend(spend[:, c]) for c, law in enumerate(self.laws)]
        return np.stack(columns, axis=1) * self.strength[: len(spend)]

    def contribution(self) -> Floats:
        """Sales that each channel's spend brought within the data, `(c,)`."""
        return self.effects().sum(axis=0)

    def roi(self) -> Floats:
        """Sales within the data per unit of spend, `(c,)`."""
        return np.asarray(self.contribution() / self.spend.sum(axis=0), np.float64)

    def marginal_roi(self) -> Floats:
        """Additional sales per unit where each channel's spend is a little higher, `(c,)`."""
        raised = self.effects((1 + SMALL_RAISE) * self.spend) - self.effects()
        added = SMALL_RAISE * self.spend.sum(axis=0)
        return np.asarray(raised.sum(axis=0) / added, np.float64)

    def held(self, split: Floats) -> float:
        """Sales per week of a weekly split `(c,)` of spend that is held, at the mean strength."""
        effects = [law.held(split[c]) for c, law in enumerate(self.laws)]
        return float(np.array(effects) @ self.strength.mean(axis=0))

    def best_split(self, total: float) -> Floats:
        """The split `(c,)` of a weekly total with most sales, on a grid of `LEVELS`."""
        levels = np.linspace(0, total, LEVELS)
        best, choices = np.zeros(1), []
        for c, law in enumerate(self.laws):
            effect = law.held(levels) * self.strength[:, c].mean()
            sums = np.full((LEVELS, LEVELS), -np.inf)  # [all spent so far, of which on c]
            for spent in range(LEVELS):
                on_c = np.arange(spent + 1) if len(best) > 1 else np.array([spent])
                sums[spent, on_c] = effect[on_c] + best[spent - on_c]
            choices.append(sums.argmax(axis=1))
            best = sums.max(axis=1)
        split, left = np.zeros(len(self.laws)), LEVELS - 1
        for c in reversed(range(len(self.laws))):
            split[c] = levels[choices[c][left]]
            left -= choices[c][left]
        return split
