"""Changes of credit over candidates whose Shapley values are known by hand."""

import numpy as np
import pytest
from scipy.special import logit

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid
from td_mta.shapley import convergence
from td_mta.shapley.convergence import Candidate, Sample

GRID = Grid(1, 2)
SETS = patterns.of_cells(np.array([1, 2, 3, 3]), np.array([0, 1, 0, 1]), 4, GRID)
AMOUNTS = np.array([[7.0, 10.0, 10.0, 20.0], [0.0, 0.0, 0.0, 0.0]])


def adding(one: float, other: float) -> Candidate:
    """Each channel adds its own to v(0): its Shapley value is what it adds."""
    return Candidate(
        f"{one} and {other}",
        lambda cells: logit(1e-9 + cells[:, 0] @ np.array([one, other])),
        lambda stratum: np.zeros(len(stratum)),
    )


def sample_of(rows: list[int]) -> Sample:
    """The units of some of the sets, in one stratum."""
    sets, n = SETS.take(np.array(rows)), len(rows)
    return convergence.sample(sets, np.arange(n), np.zeros(n, np.int64), AMOUNTS[:, rows])


def test_shares_are_those_of_the_credit() -> None:
    candidates = [adding(0.1, 0.1), adding(0.3, 0.1)]
    even, leaning = convergence.shares(candidates, sample_of([0, 1, 2, 3]), GRID)
    assert [even[0], leaning[0]] == ["0.1 and 0.1", "0.3 and 0.1"]
    assert even[1] == pytest.approx([0.5, 0.5])
    assert leaning[1] == pytest.approx([(10 + 15) / 40, (10 + 5) / 40])


def test_each_candidate_has_its_own_offsets_of_strata() -> None:
    """Where the offset is large v(0) is near v(N), so what the touch adds is little."""
    pattern, stratum = np.array([1, 2, 2]), np.array([0, 0, 1])
    chosen = convergence.sample(SETS, pattern, stratum, np.full((2, 3), 10.0))
    assert chosen.stratum.tolist() == [0, 0, 1]
    f = adding(0.3, 0.3)
    with_strata = f._replace(label="strata", offsets=lambda stratum: 30.0 * stratum)
    before, after = convergence.shares([f, with_strata], chosen, GRID)
    assert before[1] == pytest.approx([1 / 3, 2 / 3])
    assert after[1][0] > 0.47


def test_the_largest_change_of_each_label_comes_with_its_channel() -> None:
    shares = [[0.2, 0.3, 0.5], [0.3, 0.3, 0.4], [0.3, 0.36, 0.34]]
    labels = ["logistic", "pairs", "mlp"]
    moves = convergence.credit_changes(list(zip(labels, map(np.array, shares), strict=True)))
    assert [(move.label, move.channel) for move in moves] == [("pairs", 0), ("mlp", 1)]
    assert [move.change for move in moves] == pytest.approx([0.1, 0.06])


def test_one_rung_changes_nothing() -> None:
    assert convergence.credit_changes([("logistic", np.array([0.5, 0.5]))]) == []


def test_the_sample_has_touches_and_knows_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sample_of([0, 1, 2, 3]).share == 1
    monkeypatch.setattr(convergence, "MOST_PATTERNS", 1)
    chosen = sample_of([0, 1, 2, 3])
    assert chosen.amounts[0].tolist() == [20]
    assert chosen.patterns.cells.tolist() == [0, 1]
    assert chosen.share == pytest.approx(0.5)


def test_no_touch_at_all_is_no_change() -> None:
    nothing = sample_of([0])
    assert nothing.share == 0
    found = convergence.shares([adding(0.1, 0.1)] * 2, nothing, GRID)
    assert convergence.credit_changes(found)[0].change == 0
