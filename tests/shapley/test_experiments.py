"""The update by experiments against Gaussian conditioning; sums, conflicts and widening."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_mta.journeys.patterns import Grid, of_cells
from td_mta.shapley import experiments
from td_mta.shapley.credit import Values, attribute, shapley_values
from td_mta.shapley.experiments import CONFLICT, Experiments, Updated, corrected, credit_sizes
from td_mta.shapley.games import without_offsets
from td_mta.shapley.intervals import Full, Interval, adjusted


def prior(seed: int, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """A credit and a covariance of some rank whose sum is not yet fixed."""
    rng = np.random.default_rng(seed)
    spread = rng.normal(size=(k, k))
    return rng.uniform(50, 500, k), 30 * spread @ spread.T


def found(*rows: tuple[int, float, float]) -> Experiments:
    channel, incremental, error = zip(*rows, strict=True) if rows else ((), (), ())
    return Experiments(np.array(channel, np.int64), np.array(incremental), np.array(error))


def update(credit: np.ndarray, covariance: np.ndarray, found: Experiments) -> Updated:
    """Where an error that the model does not know is relative to the credit's size."""
    return experiments.update(credit, covariance, np.abs(credit[:-1]), found)


@given(
    seed=st.integers(0, 999),
    rows=st.lists(st.tuples(st.integers(0, 3), st.floats(0, 600), st.floats(0.1, 100)), max_size=4),
)
def test_the_sum_stays_and_no_variance_grows_but_by_conflict(
    seed: int, rows: list[tuple[int, float, float]]
) -> None:
    credit, covariance = prior(seed)
    updated = update(credit, covariance, found(*rows))
    assert updated.credit.sum() == pytest.approx(credit.sum())
    scale = np.abs(updated.covariance).max() + 1
    assert np.abs(updated.covariance.sum(axis=1)).max() < 1e-9 * scale
    assert (updated.conflict == (np.abs(updated.z) > CONFLICT)).all()
    if updated.conflict.any():
        return
    assert updated.unknown == 0
    assert (np.diag(updated.covariance) <= np.diag(covariance) + 1e-6).all()


def test_without_experiments_nothing_changes() -> None:
    credit, _ = prior(1)
    center = np.eye(5) - 0.2  # sums to 0
    updated = update(credit, center, found())
    assert updated.credit.tolist() == credit.tolist()
    assert updated.covariance == pytest.approx(center)
    assert updated.unknown == 0 and not len(updated.z)


def test_a_sure_experiment_is_believed_and_a_vague_one_is_not() -> None:
    credit, covariance = prior(2)
    sure = update(credit, covariance, found((1, credit[1] + 3, 1e-6)))
    assert sure.credit[1] == pytest.approx(credit[1] + 3)
    assert sure.covariance[1] == pytest.approx(np.zeros(5), abs=1e-6)
    vague = update(credit, covariance, found((1, credit[1] + 3, 1e9)))
    assert vague.credit == pytest.approx(credit)


def test_it_is_conditioning_of_a_gaussian() -> None:
    """By regression of the coordinates on the observation, in samples with a fixed sum."""
    credit, covariance = prior(3)
    rng = np.random.default_rng(4)
    ones = np.ones(5)
    sample = rng.multivariate_normal(np.zeros(5), covariance, 400_000)
    of_sum = covariance @ ones / (ones @ covariance @ ones)
    sample = sample - np.outer(sample @ ones, of_sum)
    observed = sample[:, 2] + rng.normal(0, 4.0, len(sample))
    slope = sample.T @ observed / (observed @ observed)
    updated = update(credit, covariance, found((2, credit[2] + 1, 4.0)))
    assert updated.credit - credit == pytest.approx(slope, abs=0.01)


def test_two_experiments_at_once_are_as_one_after_the_other() -> None:
    credit, covariance = prior(5)
    first, second = (0, credit[0] + 2.0, 5.0), (3, credit[3] - 1.0, 7.0)
    once = update(credit, covariance, found(first, second))
    after_one = update(credit, covariance, found(first))
    after_two = update(after_one.credit, after_one.covariance, found(second))
    assert after_two.credit == pytest.approx(once.credit)
    assert after_two.covariance == pytest.approx(once.covariance, abs=1e-8)


def test_in_conflict_the_experiment_counts_and_the_baseline_alone_takes_up_the_change() -> None:
    """Worked by hand: 40 in place of 100 with a variance of 9 + 16, so that z is -12.

    The unknown variance is what makes the difference one standard error: 60**2 - 9 - 16.
    """
    credit = np.array([100.0, 200.0, 700.0])
    covariance = np.array([[9.0, 2.0, -11.0], [2.0, 25.0, -27.0], [-11.0, -27.0, 38.0]])
    updated = update(credit, covariance, found((0, 40.0, 4.0)))
    assert updated.z == pytest.approx([-60 / 5])
    assert updated.conflict.tolist() == [True]
    unknown = 60**2 - 9 - 16
    assert updated.unknown == pytest.approx(np.sqrt(unknown) / 100)
    gain = (9 + unknown) / 60**2
    change = -60 * gain
    assert updated.credit == pytest.approx([100 + change, 200, 700 - change])
    variance = np.diag(updated.covariance)
    assert variance[0] == pytest.approx(16 * gain)
    assert variance[1] == pytest.approx(25 + 4 * unknown)


def test_experiments_share_one_unknown_relative_error() -> None:
    """The squares of the differences in their standard errors add up to their number."""
    credit, covariance = np.array([100.0, 300.0, 600.0]), np.diag([4.0, 4.0, 0.0])
    observed = found((0, 60.0, 3.0), (1, 330.0, 5.0))
    updated = update(credit, covariance, observed)
    assert updated.conflict.all()
    variance = 4 + updated.unknown**2 * credit[:2] ** 2 + observed.error**2
    prior = np.diag([4.0, 4.0, 0.0]) - np.outer([4, 4, 0], [4, 4, 0]) / 8
    exact = variance - 4 + np.diag(prior)[:2]
    assert ((observed.incremental - credit[:2]) ** 2 / exact).sum() == pytest.approx(2)


def test_a_channel_without_any_credit_cannot_be_moved_even_in_conflict() -> None:
    updated = update(np.array([0.0, 100.0]), np.zeros((2, 2)), found((0, 30.0, 3.0)))
    assert updated.conflict.tolist() == [True]
    assert updated.credit.tolist() == [0, 100]


def test_an_experiment_in_conflict_beside_one_that_agrees_moves_both_channels() -> None:
    credit, covariance = np.array([100.0, 300.0, 600.0]), np.zeros((3, 3))
    updated = update(credit, covariance, found((0, 60.0, 3.0), (1, 301.0, 5.0)))
    assert updated.conflict.tolist() == [True, False]
    assert updated.credit[0] == pytest.approx(60, abs=1)
    assert updated.credit[1] == pytest.approx(301, abs=1)


def test_a_channel_without_variance_is_not_moved() -> None:
    credit = np.array([0.0, 40.0, 60.0])
    covariance = np.array([[0.0, 0.0, 0.0], [0.0, 4.0, -4.0], [0.0, -4.0, 4.0]])
    updated = update(credit, covariance, found((0, 3.0, 2.0)))
    assert updated.credit.tolist() == credit.tolist()
    assert updated.z == pytest.approx([1.5])


GRID = Grid(days=2, channels=2)


def played() -> tuple[Values, np.ndarray]:
    """Three games, one of them without a touch; channel 1 lowers the probability on day 0."""
    owner, cell = np.array([0, 0, 1, 1, 1]), np.array([0, 3, 0, 1, 2])
    patterns = of_cells(owner, cell, 3, GRID)
    values = shapley_values(
        without_offsets(patterns),
        GRID,
        lambda cells: cells.reshape(len(cells), -1) @ np.array([1.0, -0.5, 0.6, 0.8]) - 2,
        exact_cells=4,
        budget=1000,
        permutations=2,
        rng=np.random.default_rng(0),
    )
    return values, np.array([[5.0, 2.0, 7.0], [50.0, 90.0, 10.0]])


def test_corrected_values_give_each_channel_its_change_and_each_game_its_sum() -> None:
    values, amounts = played()
    change = np.array([1.5, -0.25])
    after = corrected(values, amounts[0], change)
    before, credit = attribute(values, amounts, GRID), attribute(after, amounts, GRID)
    by_channel = (credit.cells - before.cells)[0].sum(axis=0)
    assert by_channel == pytest.approx(change)
    assert credit.cells.sum(axis=(1, 2)) + credit.baseline == pytest.approx(amounts.sum(axis=1))
    of_games = np.bincount(after.games.owner, after.phi, 3) + after.value_empty
    assert of_games == pytest.approx(values.value_full)


def test_a_channels_days_share_its_change_in_proportion_to_their_credit() -> None:
    values, amounts = played()
    before = attribute(values, amounts, GRID).cells[0][:, 0]
    assert (before > 0).all()
    after = attribute(corrected(values, amounts[0], np.array([1.0, 0.0])), amounts, GRID)
    assert after.cells[0][:, 0] / before == pytest.approx(np.full(2, 1 + 1 / before.sum()))
    assert credit_sizes(values, amounts[0], 2)[0] == pytest.approx(before.sum())


def test_intervals_follow_the_corrected_credit() -> None:
    values, amounts = played()
    credit = attribute(values, amounts, GRID)
    cells = Interval(credit.cells[0] - 2, credit.cells[0] + 2)
    full = Full(Interval(np.zeros(3), np.zeros(3)), cells)
    before, after = np.diag([4.0, 1.0, 5.0]), np.diag([1.0, 9.0, 10.0])
    found = adjusted(full, credit, before, after, level=0.9)
    center = np.append(credit.cells[0].sum(axis=0), credit.baseline[0])
    half = (found.channels.upper - found.channels.lower) / 2
    assert (found.channels.upper + found.channels.lower) / 2 == pytest.approx(center)
    assert half / half[0] == pytest.approx([1, 3, np.sqrt(10)])
    assert found.cells.upper - credit.cells[0] == pytest.approx(np.tile([1.0, 6.0], (2, 1)))
