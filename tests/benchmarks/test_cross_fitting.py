"""The benchmark of cross-fitting: both credits are of the same conversions."""

import numpy as np
import pytest

from benchmarks.cross_fitting import compared


def test_shares_of_both_credits_sum_to_one_and_differ_by_fractions_of_the_interval() -> None:
    logistic, pairs = compared("hazard", users=1500, seed=1, folds=3)
    assert (logistic.rung, pairs.rung) == ("logistic", "pairs")
    for row in (logistic, pairs):
        assert row.conversions > 100
        assert 0 < row.ratio < row.largest_ratio < 2
        assert np.isfinite(row[4:]).all()
        # the baseline's shares are of the same whole, so that its errors differ by its change
        change = row.crossed_baseline - row.one_baseline
        assert change == pytest.approx(row.baseline_change)
