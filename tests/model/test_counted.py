"""Examples by pattern and stratum: nothing is lost, and held-out users stay apart."""

import numpy as np
import pytest

from td_mta.errors import DataError
from td_mta.journeys.examples import AUGMENTED, NEGATIVE, POSITIVE, Examples
from td_mta.model import counted
from tests.model.small_world import all_patterns


def examples(counts: list[list[int]], group: list[int]) -> Examples:
    """Patterns 5, 5, 2, 2 in the strata 7, 7, 7, 9."""
    pattern, stratum = np.array([5, 5, 2, 2]), np.array([7, 7, 7, 9])
    return Examples(all_patterns(), pattern, stratum, np.array(group), np.array(counts))


COUNTS = [[9, 1, 2], [4, 2, 0], [5, 0, 0], [0, 0, 0]]


def test_groups_of_a_pattern_and_stratum_are_added() -> None:
    train = counted.training(examples(COUNTS, [0, 3, 39, 0]))
    assert train.patterns.keys.tolist() == [2, 5]  # ascending; a row without examples is left out
    assert train.codes.tolist() == [7]
    assert train.negatives.tolist() == [5, 9 + 2 + 4]  # augmented examples train as negatives
    assert train.positives.tolist() == [0, 3]
    assert train.rows.group.tolist() == [0, 3, 39]
    assert train.prevalence == 3 / 23


def test_held_out_users_are_counted_without_augmented_examples() -> None:
    data = examples(COUNTS, [0, 40, 79, 40])
    assert counted.training(data).positives.tolist() == [1]
    held_out = counted.held_out(data)
    assert held_out.negatives.tolist() == [5, 4]
    assert held_out.rows.group.tolist() == [0, 39]


def test_sums_of_the_table_are_those_of_the_rows() -> None:
    rng = np.random.default_rng(0)
    n = 500
    pattern, stratum, group = (rng.integers(0, top, n) for top in (64, 9, 40))
    data = Examples(all_patterns(), pattern, stratum, group, rng.integers(0, 4, (n, 3)))
    train = counted.training(data)
    of_patterns = np.bincount(pattern, data.counts.sum(axis=1))
    assert train.by_pattern(train.weight).tolist() == of_patterns[of_patterns > 0].tolist()
    assert train.rows.positives.sum() == data.counts[:, POSITIVE].sum()
    negatives = data.counts[:, NEGATIVE] + data.counts[:, AUGMENTED]
    assert train.rows.negatives.sum() == negatives.sum()


def test_training_needs_both_classes() -> None:
    with pytest.raises(DataError, match="no training user converts"):
        counted.training(examples([[3, 0, 0]] * 4, [0] * 4))
    with pytest.raises(DataError, match="every training example converts"):
        counted.training(examples([[0, 3, 0]] * 4, [0] * 4))


def test_without_held_out_users_the_table_is_empty() -> None:
    held_out = counted.held_out(examples(COUNTS, [0] * 4))
    assert len(held_out.weight) == len(held_out.codes) == len(held_out.patterns.keys) == 0
