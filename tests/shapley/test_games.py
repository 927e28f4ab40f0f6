"""Games: rounding of offsets, and values at an offset against games that have it in their f."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.shapley import bootstrap, intervals
from td_mta.shapley.credit import Values, amounts_of_games, attribute, shapley_values
from td_mta.shapley.games import Games, games_of, without_offsets
from td_mta.shapley.intervals import Played

GRID = Grid(2, 4)
WEIGHTS = np.array([0.9, -0.4, 0.3, 1.2, 0.0, 0.5, -1.5, 0.7])


def sets_of(groups: list[set[int]]) -> Patterns:
    owner = np.concatenate([np.full(len(group), i) for i, group in enumerate(groups)])
    cells = np.array([cell for group in groups for cell in sorted(group)], np.int64)
    made = patterns.of_cells(owner.astype(np.int64), cells, len(groups), GRID)
    return patterns.distinct(made)[0]


def f(cells: np.ndarray) -> np.ndarray:
    flat = cells.reshape(len(cells), -1)
    return -3.0 + flat @ WEIGHTS + 0.8 * flat[:, 0] * flat[:, 3]


def values_of(games: Games, shift: float = 0.0, **options: object) -> Values:
    asked = {"exact_cells": 12, "budget": 10**6, "permutations": 40, **options}
    rng = np.random.default_rng(0)
    return shapley_values(games, GRID, lambda cells: f(cells) + shift, rng=rng, **asked)


SETS = sets_of([set(), {0}, {0, 3}, {1, 4, 6}, {0, 2, 3, 5, 7}])
units = st.lists(st.tuples(st.integers(0, 4), st.floats(-6, 6)), min_size=1, max_size=30)


@given(rows=units)
def test_games_are_distinct_and_each_unit_has_its_own(rows: list[tuple[int, float]]) -> None:
    pattern, offset = (np.array(each) for each in zip(*rows, strict=True))
    games, game = games_of(SETS, pattern, offset)
    assert (games.pattern[game] == pattern).all()
    assert np.abs(games.offset[game] - offset).max() <= 1 / 32
    assert (games.offset * 16 % 1 == 0).all()
    pairs = list(zip(games.pattern.tolist(), games.offset.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert games.cells.tolist() == SETS.take(games.pattern).cells.tolist()


@pytest.mark.parametrize("exact_cells", [12, 2], ids=["exact", "sampled"])
@pytest.mark.parametrize("offset", [-2.0, 0.0, 1.5])
def test_an_offset_is_as_good_as_a_shift_of_f(exact_cells: int, offset: float) -> None:
    n = len(SETS.keys)
    both = np.repeat(np.arange(n), 2)
    games, _ = games_of(SETS, both, np.tile([offset, 5.0], n))
    found = values_of(games, exact_cells=exact_cells)
    wanted = values_of(without_offsets(SETS), offset, exact_cells=exact_cells)
    here = games.offset == offset
    of_players = here[games.owner]
    assert found.phi[of_players] == pytest.approx(wanted.phi, abs=1e-12)
    assert found.variance[of_players] == pytest.approx(wanted.variance, abs=1e-12)
    assert found.value_full[here] == pytest.approx(wanted.value_full)
    assert found.value_empty[here] == pytest.approx(wanted.value_empty)
    assert found.coalitions == wanted.coalitions


@given(rows=units, empty_is_zero=st.booleans(), exact_cells=st.integers(0, 6))
def test_every_game_is_efficient_and_conversions_are_conserved(
    rows: list[tuple[int, float]], empty_is_zero: bool, exact_cells: int
) -> None:
    pattern, offset = (np.array(each) for each in zip(*rows, strict=True))
    games, game = games_of(SETS, pattern, offset)
    values = values_of(games, empty_is_zero=empty_is_zero, exact_cells=exact_cells)
    total = np.bincount(games.owner, values.phi, len(games.pattern))
    assert total == pytest.approx(values.value_full - values.value_empty, abs=1e-12)
    assert not (empty_is_zero and values.value_empty.any())
    if not empty_is_zero:  # where it is, a touch makes the difference even of a null player
        null = games.cells == 4  # its weight is 0
        assert np.abs(values.phi[null]).max(initial=0.0) < 1e-12
    amounts = amounts_of_games(game, np.ones((2, len(rows))), games)
    credit = attribute(values, amounts, GRID)
    assert credit.cells.sum() / 2 + credit.baseline[0] == pytest.approx(len(rows))


def test_where_the_empty_set_is_0_only_untouched_conversions_are_the_baselines() -> None:
    values = values_of(without_offsets(SETS), empty_is_zero=True)
    credit = attribute(values, np.full((2, 5), 3.0), GRID)
    assert credit.baseline == pytest.approx([3.0, 3.0])


def test_log_odds_below_the_lowest_are_taken_for_it() -> None:
    """Without the floor the harmful cell of {1, 4, 6} would explode the others' share."""
    games = without_offsets(sets_of([{1, 4, 6}]))
    values = values_of(games, lowest=-3.2)
    assert values.value_full == pytest.approx(expit(-3.2))
    assert values.value_empty == pytest.approx(expit(-3.0))
    assert np.abs(values.phi / values.value_full).max() < 0.3
    assert np.abs(values_of(games).phi / values_of(games).value_full).max() > 2


def test_sampling_intervals_find_the_game_of_each_unit() -> None:
    """Two strata of one pattern whose credits differ; their order is that of the units."""
    pattern, stratum = np.array([2, 2, 1, 0]), np.array([1, 0, 1, 0])
    games, game = games_of(SETS, pattern, 4.0 * stratum)
    keys = np.array([7, 2, 9, 4], np.uint64)
    conversions = np.array([40, 30, 20, 10])
    which = np.repeat(np.arange(4), conversions)
    converters = bootstrap.converter_profiles(np.arange(100), which, keys)
    values = values_of(games)
    interval = intervals.sampling(
        values,
        Played(keys, game),
        converters,
        GRID,
        level=0.9,
        draws=4000,
        rng=np.random.default_rng(1),
    )
    of_conversion = intervals.credit_per_conversion(values, GRID.channels)[game]
    center = conversions @ of_conversion
    half = 1.645 * np.sqrt(conversions @ of_conversion**2)
    assert interval.lower == pytest.approx(center - half, abs=0.15 * half.max())
    assert interval.upper == pytest.approx(center + half, abs=0.15 * half.max())
