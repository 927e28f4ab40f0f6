"""The update by experiments against Gaussian conditioning; sums, conflicts and widening."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_mta.shapley.experiments import CONFLICT, Experiments, update


def prior(seed: int, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """A credit and a covariance of some rank whose sum is not yet fixed."""
    rng = np.random.default_rng(seed)
    spread = rng.normal(size=(k, k))
    return rng.uniform(50, 500, k), 30 * spread @ spread.T


def found(*rows: tuple[int, float, float]) -> Experiments:
    channel, incremental, error = zip(*rows, strict=True) if rows else ((), (), ())
    return Experiments(np.array(channel, np.int64), np.array(incremental), np.array(error))


@given(
    seed=st.integers(0, 999),
    rows=st.lists(st.tuples(st.integers(0, 4), st.floats(0, 600), st.floats(0.1, 100)), max_size=4),
)
def test_the_sum_stays_and_no_variance_grows_but_by_conflict(
    seed: int, rows: list[tuple[int, float, float]]
) -> None:
    credit, covariance = prior(seed)
    updated = update(credit, covariance, found(*rows))
    assert updated.credit.sum() == pytest.approx(credit.sum())
    assert np.abs(updated.covariance.sum(axis=1)).max() < 1e-6 * updated.widened**2
    before, after = np.diag(covariance), np.diag(updated.covariance) / updated.widened**2
    assert (after <= before + 1e-6).all()
    assert (updated.conflict == (np.abs(updated.z) > CONFLICT)).all()
    assert (updated.widened > 1) == updated.conflict.any()


def test_without_experiments_nothing_changes() -> None:
    credit, _ = prior(1)
    center = np.eye(5) - 0.2  # sums to 0
    updated = update(credit, center, found())
    assert updated.credit.tolist() == credit.tolist()
    assert updated.covariance == pytest.approx(center)
    assert updated.widened == 1 and not len(updated.z)


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


def test_a_conflict_is_said_and_widens_all_intervals() -> None:
    credit = np.array([100.0, 900.0])
    covariance = np.array([[9.0, -9.0], [-9.0, 9.0]])
    updated = update(credit, covariance, found((0, 125.0, 4.0)))
    assert updated.z == pytest.approx([25 / 5])
    assert updated.conflict.tolist() == [True]
    assert updated.widened == pytest.approx(5 / CONFLICT)
    calm = update(credit, covariance, found((0, 105.0, 4.0)))
    assert calm.conflict.tolist() == [False]
    assert updated.covariance == pytest.approx(calm.covariance * (5 / CONFLICT) ** 2)


def test_a_channel_without_variance_is_not_moved() -> None:
    credit = np.array([0.0, 40.0, 60.0])
    covariance = np.array([[0.0, 0.0, 0.0], [0.0, 4.0, -4.0], [0.0, -4.0, 4.0]])
    updated = update(credit, covariance, found((0, 3.0, 2.0)))
    assert updated.credit.tolist() == credit.tolist()
    assert updated.z == pytest.approx([1.5])
