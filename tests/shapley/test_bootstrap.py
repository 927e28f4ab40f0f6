"""Bootstrap samples of users: weights against Poisson's law, profiles against user by user."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid, Patterns
from td_mta.shapley.bootstrap import (
    ConverterProfiles,
    converter_profiles,
    merge,
    moments,
    resampled_credit,
)

GRID = Grid(2, 3)


SEEN = [(), (0,), (1, 4), (2, 3, 5), (5,)]
conversions = st.lists(st.tuples(st.integers(0, 9), st.integers(0, len(SEEN) - 1)), min_size=1)


def sets_of(which: list[int]) -> tuple[Patterns, np.ndarray]:
    """The distinct patterns that conversions saw, and which of them each saw."""
    owner = np.concatenate([np.full(len(SEEN[i]), at) for at, i in enumerate(which)])
    cells = np.array([cell for i in which for cell in SEEN[i]], np.int64)
    made = patterns.of_cells(owner.astype(np.int64), cells, len(which), GRID)
    return patterns.distinct(made)


def found_of(pairs: list[tuple[int, int]]) -> ConverterProfiles:
    sets, which = sets_of([seen for _, seen in pairs])
    return converter_profiles(np.array([user for user, _ in pairs]), which, sets.keys)


def kinds(found: ConverterProfiles) -> dict[tuple[tuple[int, int], ...], int]:
    """How many users saw just this: pairs of a pattern's key and how often."""
    rows = found.conversions.toarray().astype(int)
    keys = found.units.tolist()
    saw = [tuple(sorted((keys[i], row[i]) for i in np.flatnonzero(row))) for row in rows]
    assert len(set(saw)) == len(saw)
    return dict(zip(saw, found.users.tolist(), strict=True))


def by_user(pairs: list[tuple[int, int]]) -> dict[tuple[tuple[int, int], ...], int]:
    sets, which = sets_of([seen for _, seen in pairs])
    of_users: dict[int, dict[int, int]] = {}
    for (user, _), at in zip(pairs, which.tolist(), strict=True):
        own = of_users.setdefault(user, {})
        own[int(sets.keys[at])] = own.get(int(sets.keys[at]), 0) + 1
    wanted: dict[tuple[tuple[int, int], ...], int] = {}
    for own in of_users.values():
        kind = tuple(sorted(own.items()))
        wanted[kind] = wanted.get(kind, 0) + 1
    return wanted


@settings(max_examples=60, deadline=None)
@given(pairs=conversions)
def test_profiles_count_the_users_who_saw_the_same(pairs: list[tuple[int, int]]) -> None:
    assert kinds(found_of(pairs)) == by_user(pairs)


@settings(max_examples=60, deadline=None)
@given(pairs=conversions, pages=st.integers(1, 4))
def test_pages_do_not_matter(pairs: list[tuple[int, int]], pages: int) -> None:
    parts = [[pair for pair in pairs if pair[0] % pages == page] for page in range(pages)]
    merged = merge([found_of(part) for part in parts if part])
    assert kinds(merged) == by_user(pairs)
    assert merged.users.sum() == len({user for user, _ in pairs})


def test_sums_of_bootstrap_samples_have_the_mean_and_variance_of_a_poisson_sum() -> None:
    rng = np.random.default_rng(5)
    pairs = [(user, seen) for user in range(400) for seen in rng.integers(0, 5, rng.integers(1, 4))]
    found = found_of(pairs)
    credit = rng.random((len(found.units), 2))
    by_kind = found.conversions @ credit
    sums = resampled_credit(found, credit, 20_000, np.random.default_rng(6))
    assert sums.shape == (20_000, 2)
    assert sums.mean(axis=0) == pytest.approx(found.users @ by_kind, rel=0.003)
    assert sums.var(axis=0) == pytest.approx(found.users @ by_kind**2, rel=0.04)
    mean, deviation = moments(found, credit)
    assert mean == pytest.approx(found.users @ by_kind)
    assert deviation == pytest.approx(np.sqrt(found.users @ by_kind**2))
