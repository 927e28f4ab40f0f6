"""The report table: credit beside costs, worked out by hand."""

import numpy as np
import pandas as pd

from td_mta import tables
from td_mta.reporting import frames
from td_mta.shapley.credit import Credit
from td_mta.shapley.intervals import Full, Interval, Intervals

CHANNELS = ["Email", "Paid Search", "TV"]
# two days: conversions, then value, by channel
CELLS = np.array([[[1.5, 1, 0], [0.5, 0, 0]], [[30, 20, 0], [20, 0, 0]]], np.float64)
CREDIT = Credit(CELLS, np.array([2.0, 4.0]), 0.0)
TOUCHED = np.array([[3, 1, 1], [2, 1, 1]])
RETURNING = np.array([0.5, 1, 0])
NONE = Intervals(sampling=None, full=None)
COSTS = pd.DataFrame(
    {
        "spend": [25.0, 10, 5, 0],
        "impressions": [10_000.0, 0, 1000, 100],
        "clicks": [50, 0, np.nan, 10],
    },
    index=pd.Index(["Email", "TV", "Radio", "Paid Search"], name="channel"),
)


def report(intervals: Intervals = NONE, costs: pd.DataFrame | None = COSTS, **more: bool):
    given = CREDIT, intervals, CHANNELS, TOUCHED, RETURNING, costs
    frame = frames.report(*given, has_value=True, **more)
    assert tuple(frame.columns) == tables.REPORT.columns
    return frame.set_index("channel")


def test_costs_are_set_against_credit() -> None:
    found = report()
    assert list(found.index) == ["Email", "Paid Search", "Radio", "TV"]
    email = [3, 2, 2, 50, 10_000, 25, 2.5, 0.5, 12.5, 2, 1]
    assert found.loc["Email"].tolist()[:11] == email
    assert found.loc["Email"].isna().tolist()[11:13] == [True, True]


def test_conversions_are_of_new_and_of_returning_customers() -> None:
    found = report()[["conversions_new", "conversions_returning"]]
    assert found.to_numpy().tolist() == [[1.5, 0.5], [0, 1], [0, 0], [0, 0]]


def test_nothing_is_divided_by_zero() -> None:
    ratios = report()[["cpm", "cpc", "cpa", "roas", "roms"]]
    empty = [[name for name in ratios if pd.isna(row[name])] for _, row in ratios.iterrows()]
    assert empty == [[], ["roas", "roms"], ["cpc", "cpa", "roas", "roms"], ["cpm", "cpc", "cpa"]]
    assert ratios.loc["TV", "roms"] == -1


def test_a_channel_of_the_costs_alone_touches_nobody() -> None:
    radio = report().loc["Radio"]
    assert radio[["touches", "users", "conversions"]].tolist() == [0, 0, 0]
    assert pd.isna(radio["value"])


def test_without_costs_their_columns_are_empty() -> None:
    found = report(costs=None)
    assert list(found.index) == CHANNELS
    assert found[["impressions", "spend", "cpm", "cpa", "roas"]].isna().all(axis=None)


def test_bounds_are_those_of_the_full_intervals() -> None:
    bounds = Interval(np.array([1.0, 2, 3, 4]), np.array([5.0, 6, 7, 8]))
    found = report(Intervals(sampling=None, full=Full(cells=bounds, channels=bounds)))
    assert found["upper"].dropna().tolist() == [5, 6, 7]
    assert found["lower"].dropna().tolist() == [1, 2, 3]
