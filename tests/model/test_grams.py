"""Blocks of a Hessian against products of dense matrices."""

import numpy as np
import pytest
import scipy.sparse

from td_mta.model import grams

N, TERMS, STRATA = 300, 9, 4


@pytest.fixture(params=[1, 50, grams.BLOCK], ids=["one row a block", "many blocks", "one block"])
def _block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grams, "BLOCK", request.param)


def drawn(rng: np.random.Generator) -> np.ndarray:
    """Rows of no, one and more ones, up to all."""
    return (rng.random((N, TERMS)) < rng.random((N, 1)) ** 2).astype(float)


@pytest.mark.usefixtures("_block")
def test_a_gram_is_the_sum_of_the_rows_products_by_weight() -> None:
    rng = np.random.default_rng(18)
    X, weight = drawn(rng), rng.integers(0, 3, N) * rng.random(N)
    assert {0, 1, TERMS} <= set(X.sum(axis=1))
    found = grams.gram(scipy.sparse.csr_matrix(X), weight)
    np.testing.assert_allclose(found, X.T @ np.diag(weight) @ X, rtol=1e-12)


@pytest.mark.usefixtures("_block")
def test_what_terms_and_controls_have_in_common_is_a_product_of_three() -> None:
    rng = np.random.default_rng(18)
    X, B, V = drawn(rng), rng.normal(size=(STRATA, 2)), np.zeros((N, STRATA))
    pattern, stratum = np.nonzero(rng.random(V.shape) < 0.3)
    V[pattern, stratum] = values = rng.random(len(pattern))
    found = grams.cross(scipy.sparse.csr_matrix(X), pattern, stratum, values, B)
    np.testing.assert_allclose(found, X.T @ V @ B, rtol=1e-10, atol=1e-12)


def test_without_rows_all_is_zero() -> None:
    none = scipy.sparse.csr_matrix((0, TERMS))
    assert not grams.gram(none, np.zeros(0)).any()
