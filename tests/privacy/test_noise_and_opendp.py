"""Our discrete Laplace noise, OpenDP's and the exact law, which must be one and the same."""

from fractions import Fraction

import numpy as np
import opendp.prelude as dp
import pytest
from scipy.stats import chi2, chi2_contingency, chisquare

from td_mta.privacy.noise import SystemRandom, discrete_laplace

DRAWS = 20_000
LEVEL = 1e-6  # the chance that a right sampler fails here
BINS = 20

dp.enable_features("contrib")


def ours(scale: Fraction) -> np.ndarray:
    source = SystemRandom()
    return np.array([discrete_laplace(scale, source) for _ in range(DRAWS)])


def theirs(scale: Fraction) -> np.ndarray:
    space = (dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int))
    return np.array(dp.m.make_laplace(*space, scale=float(scale))([0] * DRAWS))


def chance_of_at_most(x: np.ndarray, scale: Fraction) -> np.ndarray:
    """P(X <= x), summed from P(X = x) = (1 - q) / (1 + q) q^|x|."""
    q = np.exp(-1 / float(scale))
    return np.where(x < 0, q ** np.abs(x) / (1 + q), 1 - q ** np.abs(x + 1) / (1 + q))


def bins(scale: Fraction) -> tuple[np.ndarray, np.ndarray]:
    """Upper ends of about equally likely bins, and how many draws each should have."""
    spread = np.arange(-12 * int(scale + 1), 12 * int(scale + 1))
    chances = chance_of_at_most(spread, scale)
    places = np.searchsorted(chances, np.arange(1, BINS) / BINS)
    ends = spread[np.unique(places)]
    return ends, DRAWS * np.diff(chance_of_at_most(ends, scale), prepend=0, append=1)


def counted(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(ends, values), minlength=len(ends) + 1)


@pytest.mark.parametrize("scale", [Fraction(1, 2), Fraction(7, 2), Fraction(2000, 9)])
def test_noise_is_opendps_and_has_its_exact_law(scale: Fraction) -> None:
    ends, expected = bins(scale)
    found = [counted(sampler(scale), ends) for sampler in (ours, theirs)]
    for counts in found:
        assert chisquare(counts, expected).pvalue > LEVEL
    assert chi2_contingency(found, correction=False).pvalue > LEVEL


def test_this_test_tells_a_neighbouring_scale() -> None:
    ends, expected = bins(Fraction(7, 2))
    counts = counted(ours(Fraction(4)), ends)
    misfit = ((counts - expected) ** 2 / expected).sum()
    assert chi2.sf(misfit, len(expected) - 1) < LEVEL
