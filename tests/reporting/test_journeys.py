"""What a run says of journeys, counted by hand and by walking every path."""

import itertools
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from td_mta.baselines.methods import ModelTotals
from td_mta.baselines.rules import RuleSettings
from td_mta.journeys.credited import Credited
from td_mta.journeys.paths import Paths
from td_mta.journeys.patterns import Grid, of_cells
from td_mta.journeys.runs import offsets_of
from td_mta.reporting.journeys import tables as journeys
from td_mta.reporting.run_tables import RunTables

NAMES = ["Direct", "Email", "Search", "<b>"]
Rows = list[tuple[list[int], int, int]]  # channels, conversions, journeys without one
ROWS: Rows = [
    ([1, 2], 20, 10),
    ([2], 8, 50),
    ([3, 1, 2, 3, 1, 0], 3, 10),
    ([1], 2, 210),
    ([], 4, 0),
]
DRAWN = st.lists(
    st.tuples(st.lists(st.integers(0, 3), max_size=7), st.integers(0, 3), st.integers(0, 3)),
    min_size=1,
    max_size=12,
)


def totals_of(rows: Rows, order: int | None = None) -> ModelTotals:
    paths, wins, nulls = zip(*rows, strict=True)
    channel = np.array([c for path in paths for c in path], np.int64)
    totals = ModelTotals(len(NAMES), RuleSettings(), order, nulls=True)
    totals.add(
        Paths(
            channel=channel,
            offsets=offsets_of(np.array([len(path) for path in paths])),
            conversions=np.array(wins, float),
            value=np.zeros(len(wins)),
            nulls=np.array(nulls, float),
            age=np.zeros(len(channel)),
        ),
        held_out=False,
    )
    return totals


def found(rows: Rows, order: int | None = None) -> dict[str, pd.DataFrame]:
    """The tables as the report reads them from run_info."""
    return journeys.of_facts(journeys.facts(journeys.tables(totals_of(rows, order), NAMES)))


def test_lengths_roles_and_paths_are_what_one_counts_by_hand() -> None:
    tables = found(ROWS)
    lengths = tables["lengths"].set_index("touches")["converting"]
    assert lengths[lengths > 0].to_dict() == {"0": 4, "1": 10, "2": 20, "6": 3}
    roles = tables["roles"].set_index("channel")
    assert roles.loc["Search"].tolist() == [0, 3, 20, 8]
    assert roles.loc["Email"].tolist() == [20, 6, 0, 2]
    assert roles.loc["<b>"].tolist() == [3, 3, 0, 0]
    won = tables["won"]
    assert won["path"].tolist() == [
        *("Email > Search", "Search", "… > Search > <b> > Email > Direct", "Email"),
    ]
    assert won["conversion rate"].round(4).tolist() == [0.6667, 0.1379, 0.2308, 0.0094]
    assert tables["lost"]["not converted"].tolist() == [210, 50, 10, 10]


@settings(deadline=None)
@given(DRAWN, st.sampled_from([None, 2]))
def test_all_is_what_walking_the_paths_counts(rows: Rows, order: int | None) -> None:
    if not any(path and wins + nulls for path, wins, nulls in rows) or not any(r[1] for r in rows):
        return
    tables = found(rows, order)
    memory = order or 4
    steps, ends, lengths, roles = Counter(), Counter(), Counter(), Counter()
    for path, wins, nulls in rows:
        lengths[str(len(path))] += wins
        names = [NAMES[c] for c in path]
        for place, name in enumerate(names):
            kinds = {(True, False): "first", (False, True): "last", (True, True): "alone"}
            kind = kinds.get((place == 0, place == len(path) - 1), "between")
            roles[name, kind] += wins
        if names:
            walk = [journeys.START, *names]
            steps.update({pair: 0 for pair in itertools.pairwise(walk)})
            for pair in itertools.pairwise(walk):
                steps[pair] += wins + nulls
            steps[names[-1], journeys.CONVERSION] += wins
            steps[names[-1], journeys.NO_CONVERSION] += nulls
            cut = [journeys.CUT] if len(names) >= memory else []
            ends[" > ".join([*cut, *names[-memory:]])] += wins
    moves = tables["moves"].set_index(["from", "to"])["journeys"]
    assert moves.to_dict() == {pair: n for pair, n in steps.items() if n}
    counted = tables["lengths"].set_index("touches")["converting"]
    assert counted[counted > 0].to_dict() == {size: n for size, n in lengths.items() if n}
    of_roles = tables["roles"].set_index("channel").stack()
    assert of_roles[of_roles > 0].to_dict() == {key: n for key, n in roles.items() if n}
    won = (
        tables["won"].set_index("path")["conversions"]
        if "won" in tables
        else pd.Series(dtype=float)
    )
    assert won.to_dict() == {path: n for path, n in ends.items() if n}


def test_days_count_from_the_first_touch_that_the_window_shows() -> None:
    grid = Grid(days=3, channels=2)
    # nothing; channel 1 on the day; channel 0 two days before and channel 1 on the day
    patterns = of_cells(np.array([1, 2, 2]), np.array([1, 1, 4]), 3, grid)
    units = np.arange(3)
    credited = Credited(
        patterns, units, np.zeros(3, np.int64), np.array([[5.0, 7, 2], [0, 0, 0]]), np.zeros(3)
    )
    assert journeys.days(credited, grid)["conversions"].tolist() == [7, 0, 2]


def test_transitions_of_many_channels_have_one_for_the_others() -> None:
    names = [f"c{i}" for i in range(12)]
    steps = np.zeros((13, 14))
    steps[0, :12] = np.arange(12, 0, -1)
    steps[1:, 12] = np.arange(12, 0, -1)
    table = journeys.moves(steps, names, 9).set_index(["from", "to"])["journeys"]
    assert table[journeys.START, journeys.OTHERS] == 3 + 2 + 1
    assert table[journeys.OTHERS, journeys.CONVERSION] == 6
    assert table[journeys.START].sum() == 78


def test_a_run_of_before_has_none() -> None:
    info = pd.DataFrame({"section": ["counts"], "name": ["users"], "value": ["3"]})
    assert RunTables({"run_info": info}).journeys == {}


@pytest.mark.parametrize("most", [1, 40])
def test_the_largest_channels_have_their_roles(most: int) -> None:
    rows: Rows = [([i % 4] * (i + 1), most, 0) for i in range(4)]
    assert found(rows)["roles"]["channel"].tolist() == ["<b>", "Search", "Email", "Direct"]
