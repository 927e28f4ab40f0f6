"""Changes of credit over epochs, of value functions whose Shapley values are known by hand."""

import numpy as np
import pytest

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid
from td_mta.shapley import ValueFunction, convergence

GRID = Grid(1, 2)
SETS = patterns.of_cells(np.array([1, 2, 3, 3]), np.array([0, 1, 0, 1]), 4, GRID)
AMOUNTS = np.array([[7.0, 10.0, 10.0, 20.0], [0.0, 0.0, 0.0, 0.0]])


def adding(one: float, other: float) -> ValueFunction:
    """Each channel adds its own to v(0): its Shapley value is what it adds."""
    return lambda cells: 1e-9 + cells[:, 0] @ np.array([one, other])


def test_shares_are_those_of_the_credit() -> None:
    even, leaning = convergence.shares(
        [adding(0.1, 0.1), adding(0.3, 0.1)], convergence.sample(SETS, AMOUNTS), GRID
    )
    assert even == pytest.approx([0.5, 0.5])
    assert leaning == pytest.approx([(10 + 15) / 40, (10 + 5) / 40])


def test_the_largest_change_of_each_epoch_comes_with_its_channel() -> None:
    moves = convergence.credit_changes(
        [np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.3, 0.4]), np.array([0.3, 0.36, 0.34])]
    )
    assert [(move.epoch, move.channel) for move in moves] == [(2, 0), (3, 1)]
    assert [move.change for move in moves] == pytest.approx([0.1, 0.06])


def test_one_epoch_changes_nothing() -> None:
    assert convergence.credit_changes([np.array([0.5, 0.5])]) == []


def test_the_sample_has_touches_and_knows_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    assert convergence.sample(SETS, AMOUNTS).share == 1
    monkeypatch.setattr(convergence, "MOST_PATTERNS", 1)
    chosen = convergence.sample(SETS, AMOUNTS)
    assert chosen.amounts[0].tolist() == [20]
    assert chosen.patterns.cells.tolist() == [0, 1]
    assert chosen.share == pytest.approx(0.5)


def test_no_touch_at_all_is_no_change() -> None:
    nothing = convergence.sample(SETS.take(np.array([0])), AMOUNTS[:, :1])
    assert nothing.share == 0
    found = convergence.shares([adding(0.1, 0.1)] * 2, nothing, GRID)
    assert convergence.credit_changes(found)[0].change == 0
