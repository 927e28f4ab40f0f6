"""Intervals against theory, on a small game whose credit is known in closed form."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from td_mta import main, tables
from td_mta.journeys import patterns
from td_mta.journeys.patterns import Grid
from td_mta.reporting import frames
from td_mta.shapley import bootstrap, intervals
from td_mta.shapley.bootstrap import ConverterProfiles
from td_mta.shapley.credit import Credit, Values, attribute, shapley_values
from td_mta.shapley.games import without_offsets
from td_mta.shapley.intervals import Interval, Intervals, Played

GRID = Grid(2, 2)
SETS = [(), (0,), (1,), (0, 1), (0, 2), (3,)]
COUNTS = np.array([400.0, 90.0, 60.0, 30.0, 20.0, 10.0])


def values_of(risks: list[float]) -> Values:
    """Every touched cell multiplies the probability of 0.01 by its risk."""
    owner = np.repeat(np.arange(len(SETS)), [len(cells) for cells in SETS])
    cells = np.array([cell for each in SETS for cell in each], np.int64)
    sets, _ = patterns.distinct(patterns.of_cells(owner, cells, len(SETS), GRID))

    def f(cells: np.ndarray) -> np.ndarray:
        flat = cells.reshape(len(cells), -1)
        return logit(0.01 * np.where(flat > 0, np.array(risks), 1.0).prod(axis=1))

    games, rng = without_offsets(sets), np.random.default_rng(0)
    return shapley_values(games, GRID, f, exact_cells=12, budget=10**6, permutations=4, rng=rng)


RISKS = [2.0, 1.5, 3.0, 0.5]
VALUES = values_of(RISKS)
KEYS = VALUES.games.patterns.keys
PLAYED = Played(KEYS, np.arange(len(KEYS)))


def in_order(counts: np.ndarray) -> np.ndarray:
    """Counts by pattern in the order of `VALUES.games`."""
    owner = np.repeat(np.arange(len(SETS)), [len(cells) for cells in SETS])
    cells = np.array([cell for each in SETS for cell in each], np.int64)
    _, which = patterns.distinct(patterns.of_cells(owner, cells, len(SETS), GRID))
    return np.bincount(which, counts)


@pytest.fixture(scope="module")
def converters() -> ConverterProfiles:
    """Each conversion of another user."""
    counts = in_order(COUNTS).astype(int)
    which = np.repeat(np.arange(len(counts)), counts)
    return bootstrap.converter_profiles(np.arange(len(which)), which, KEYS)


def credit_of(values: Values) -> Credit:
    counts = in_order(COUNTS)
    return attribute(values, np.stack([counts, counts]), GRID)


def by_channel(values: Values) -> np.ndarray:
    return frames.by_channel(credit_of(values))[0]


def sampling(converters: ConverterProfiles, level: float = 0.9, seed: int = 1) -> Interval:
    rng = np.random.default_rng(seed)
    return intervals.sampling(VALUES, PLAYED, converters, GRID, level=level, draws=4000, rng=rng)


def test_what_a_conversion_gives_sums_to_one_and_over_conversions_to_the_credit() -> None:
    given = intervals.credit_per_conversion(VALUES, GRID.channels)
    assert given.sum(axis=1) == pytest.approx(1.0)
    assert in_order(COUNTS) @ given == pytest.approx(by_channel(VALUES))


def test_sampling_intervals_are_those_of_a_poisson_sum(converters: ConverterProfiles) -> None:
    given = intervals.credit_per_conversion(VALUES, GRID.channels)
    sd = np.sqrt(in_order(COUNTS) @ given**2)
    low, high = sampling(converters)
    assert low == pytest.approx(by_channel(VALUES) - 1.645 * sd, abs=0.12 * sd.max())
    assert high == pytest.approx(by_channel(VALUES) + 1.645 * sd, abs=0.12 * sd.max())


def test_a_higher_level_is_wider_and_each_contains_the_credit(
    converters: ConverterProfiles,
) -> None:
    center = by_channel(VALUES)
    wide, narrow = sampling(converters, 0.95), sampling(converters, 0.5)
    assert (wide.lower < narrow.lower).all() and (narrow.lower < center).all()
    assert (center < narrow.upper).all() and (narrow.upper < wide.upper).all()


def test_the_same_seed_gives_the_same_bounds(converters: ConverterProfiles) -> None:
    assert sampling(converters).lower.tobytes() == sampling(converters).lower.tobytes()
    assert sampling(converters).lower.tobytes() != sampling(converters, seed=2).lower.tobytes()


def full() -> intervals.Full:
    """A conversion to either side."""
    bounds = [Interval(x - 1, x + 1) for x in (by_channel(VALUES), credit_of(VALUES).cells[0])]
    return intervals.Full(*bounds)


def test_tables_have_the_bounds_that_there_are(converters: ConverterProfiles) -> None:
    credit, channels = credit_of(VALUES), ["a", "b"]
    nothing = frames.intervals(credit, Intervals(None, None), channels)
    assert nothing.columns.tolist() == list(tables.INTERVALS.columns) and nothing.empty
    both = frames.intervals(credit, Intervals(sampling(converters), full()), channels)
    assert both["kind"].tolist() == ["sampling"] * 3 + ["full"] * 3
    assert both["channel"].tolist() == ["a", "b", "(baseline)"] * 2
    detail = frames.detail(credit, Intervals(None, full()), channels, has_value=False)
    assert (detail["lower"] <= detail["conversions"]).all()
    last = both.iloc[-1][["lower", "upper"]].tolist()
    assert detail.iloc[-1][["lower", "upper"]].tolist() == last
    bare = frames.detail(credit, Intervals(sampling(converters), None), channels, has_value=False)
    assert bare[["lower", "upper"]].isna().all(axis=None)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 users, conversions as events of their own."""
    rng, n = np.random.default_rng(1), 3000
    frame = pd.DataFrame(
        {
            "canonical_id": rng.integers(0, 300, n).astype(str),
            "time": 1_700_000_000 + rng.integers(0, 20 * 86400, n),
            "channels": rng.choice(["Email", "Social", "Direct"], n),
            "conversion": (rng.random(n) < 0.1).astype(int),
        }
    )
    frame.loc[frame["conversion"] == 1, "channels"] = None
    folder = tmp_path_factory.mktemp("intervals")
    frame.to_csv(folder / "mta_user_rnd.csv", index=False)
    return folder


LINEAR = "network=pairs"  # networks: tests/pipelines/test_same_seed.py


def run(data: Path, out: Path, *settings: str) -> dict[str, pd.DataFrame]:
    sets = [part for pair in (LINEAR, *settings) for part in ("--set", pair)]
    where = ["--warehouse", "local", "--data", str(data), "--out", str(out)]
    assert main.main([*where, "--set", "conversion_row_is_touch=false", *sets]) == 0
    names = ("shapley_intervals", "shapley_detail")
    return {name: pd.read_csv(out / f"{name}.csv") for name in names}


@pytest.mark.slow
def test_a_run_has_both_kinds_and_the_same_seed_the_same_bytes(shop: Path, tmp_path: Path) -> None:
    found = run(shop, tmp_path / "one")
    run(shop, tmp_path / "two")
    for name in found:
        one, two = (tmp_path / part / f"{name}.csv" for part in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
    bounds = found["shapley_intervals"]
    assert bounds.groupby("kind").size().to_dict() == {"full": 4, "sampling": 4}
    assert (bounds["lower"] < bounds["conversions"]).all()
    assert (bounds["conversions"] < bounds["upper"]).all()
    detail = found["shapley_detail"]
    assert (detail["upper"] > detail["lower"]).all()
    credit = bounds[bounds["kind"] == "full"].groupby("channel")["conversions"].sum()
    assert credit.sum() == pytest.approx(detail["conversions"].sum(), rel=1e-9)


@pytest.mark.slow
def test_a_run_without_draws_has_full_intervals_alone(shop: Path, tmp_path: Path) -> None:
    found = run(shop, tmp_path, "interval_draws=0", "network=logistic")
    assert set(found["shapley_intervals"]["kind"]) == {"full"}
    assert found["shapley_detail"][["lower", "upper"]].notna().all(axis=None)
