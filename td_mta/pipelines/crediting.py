"""The credited conversions as games of a model, and their credit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from td_mta.config.attribution import Config
from td_mta.dataset.extracted import Extracted
from td_mta.journeys.credited import Credited
from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.shapley import LogOdds
from td_mta.shapley.credit import Credit, Values, amounts_of_games, attribute, shapley_values
from td_mta.shapley.games import games_of

Offsets = Callable[[Ints], Floats]
"""Strata `(n,)` by their codes to the log-odds that their controls add, `(n,)`."""


class Played(NamedTuple):
    """What the games of the credited units gave."""

    values: Values
    game: Ints  # which game each unit plays, (units,)
    amounts: Floats  # conversions and value by game, (2, games)
    credit: Credit


def returning_credit(played: Played, extracted: Extracted) -> Floats:
    """Of each channel's conversions, those of users who had converted before, `(channels,)`."""
    returning = extracted.credited.returning
    amounts = amounts_of_games(
        played.game, np.stack([returning, np.zeros(len(returning))]), played.values.games
    )
    by_channel: Floats = (
        attribute(played.values, amounts, extracted.schema.grid).cells[0].sum(axis=0)
    )
    return by_channel


@dataclass(frozen=True, kw_only=True)
class Crediting:
    """Conversions to be credited, by whatever model, with the limits of the parameters."""

    credited: Credited
    grid: Grid
    visits: bool  # every conversion is a visit: nobody converts without a touch
    exact_cells: int
    budget: int
    permutations: int
    seed: int

    @classmethod
    def of(cls, extracted: Extracted, config: Config, *, visits: bool) -> "Crediting":
        """Those of a run."""
        return cls(
            credited=extracted.credited,
            grid=extracted.schema.grid,
            visits=visits,
            exact_cells=config.shapley_exact_cells,
            budget=config.shapley_budget,
            permutations=config.shapley_permutations,
            seed=config.seed,
        )

    def credit(self, log_odds: LogOdds, offsets: Offsets) -> Played:
        """Credit where a conversion has probability sigmoid(f(cells) + offset of the stratum)."""
        units = self.credited
        offset = offsets(units.stratum)
        games, game = games_of(units.patterns, units.pattern, offset)
        values = shapley_values(
            games,
            self.grid,
            log_odds,
            exact_cells=self.exact_cells,
            budget=self.budget,
            permutations=self.permutations,
            rng=np.random.default_rng(self.seed),
            empty_is_zero=self.visits,
        )
        amounts = amounts_of_games(game, units.amounts, games)
        return Played(values, game, amounts, attribute(values, amounts, self.grid))
