"""Journeys as tables, on paths that one can count by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_mta.dashboard.data import findings, journeys_tables, kept
from td_mta.dashboard.data.distinct import distinct
from td_mta.dashboard.data.kept import Kept
from td_mta.dashboard.data.source import Source
from td_mta.journeys.paths import Paths
from td_mta.journeys.runs import offsets_of
from td_mta.reporting.journeys import charts as journey_charts

CHANNELS = ["Direct", "Email", "Search"]
# Email > Search twice, Search, Search > Direct, nothing at all
ROUTES = [[1, 2], [1, 2], [2], [2, 0], []]


def kept_of(routes: list[list[int]], wins: list[float], nulls: list[float]) -> Kept:
    sizes = np.array([len(route) for route in routes])
    channel = np.array([c for route in routes for c in route], np.int64)
    return kept.of_counted(
        Paths(
            channel, offsets_of(sizes), np.array(wins), np.array(wins) * 10, np.array(nulls),
            np.zeros(len(channel)),
        )
    )  # fmt: skip


PATHS = kept_of(ROUTES, [1, 0, 1, 0, 2], [0, 3, 0, 1, 0])


def test_equal_paths_are_one_with_the_sum_of_their_counts() -> None:
    once = distinct(PATHS)
    rows = journeys_tables.search(once, CHANNELS, "")
    assert rows["path"].tolist() == ["Email > Search", "(no touch)", "Search", "Search > Direct"]
    assert rows["conversions"].tolist() == [1, 2, 1, 0]
    assert rows["not converted"].tolist() == [3, 0, 0, 1]
    assert rows["value"].tolist() == [10, 20, 10, 0]


@given(st.lists(st.lists(st.integers(0, 2), max_size=5), min_size=1, max_size=30))
def test_distinct_paths_are_those_of_a_dictionary(routes: list[list[int]]) -> None:
    once = distinct(kept_of(routes, [1.0] * len(routes), [0.0] * len(routes)))
    found = {
        tuple(once.channel[once.offsets[i] : once.offsets[i + 1]].tolist()): once.conversions[i]
        for i in range(len(once.conversions))
    }
    expected = {tuple(route): routes.count(route) for route in routes}
    assert found == expected


def test_lengths_count_those_that_convert_and_those_that_do_not() -> None:
    table = journeys_tables.lengths(PATHS)
    assert table["touches"].tolist() == ["0", "1", "2"]
    assert table["converting"].tolist() == [2, 1, 1]
    assert table["not converting"].tolist() == [0, 0, 4]
    assert table["conversion rate"].tolist() == [1, 1, 0.2]


def test_roles_are_first_between_last_or_alone() -> None:
    table = journeys_tables.roles(distinct(PATHS), CHANNELS).set_index("channel")
    assert table.loc["Email"].tolist() == [1, 0, 0, 0]
    assert table.loc["Search"].tolist() == [0, 0, 1, 1]
    assert table.loc["Direct"].tolist() == [0, 0, 0, 0]


def test_transitions_lead_from_the_start_to_an_end() -> None:
    table = journeys_tables.transitions(distinct(PATHS), CHANNELS, most=9)
    moves = {(row["from"], row["to"]): row["journeys"] for _, row in table.iterrows()}
    assert moves == {
        ("(start)", "Email"): 4,
        ("(start)", "Search"): 2,
        ("Email", "Search"): 4,
        ("Search", "Direct"): 1,
        ("Search", "(conversion)"): 2,
        ("Search", "(no conversion)"): 3,
        ("Direct", "(no conversion)"): 1,
    }


def test_channels_beyond_the_most_frequent_are_one() -> None:
    table = journeys_tables.transitions(distinct(PATHS), CHANNELS, most=1)
    assert set(table["to"]) == {"Search", "(others)", "(conversion)", "(no conversion)"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("search > direct", ["Search > Direct"]),
        ("EMAIL", ["Email > Search"]),
        ("direct > email", []),
        ("email > search > direct", []),
        ("s", ["Email > Search", "Search", "Search > Direct"]),
        ("nothing", []),
    ],
)
def test_a_search_finds_channels_that_follow_each_other(text: str, found: list[str]) -> None:
    assert journeys_tables.search(distinct(PATHS), CHANNELS, text)["path"].tolist() == found


def test_a_shorter_lookback_drops_older_touches_alone(public: Source) -> None:
    paths = public.paths
    rows = slice(0, len(paths.conversions))
    whole, shorter = paths.paths(rows), paths.paths(rows, days=3)
    recent = paths.days < 3
    assert 0 < recent.sum() < len(recent)
    assert np.array_equal(shorter.channel, whole.channel[recent])
    assert np.array_equal(shorter.owner, whole.owner[recent])
    assert np.array_equal(shorter.conversions, whole.conversions)


def test_parts_are_of_one_kind_and_together_all_paths(public: Source) -> None:
    paths, seen = public.paths, []
    for part in paths.parts():
        assert ((paths.conversions[part.rows] > 0) == part.converting).all()
        assert (paths.held_out[part.rows] == part.held_out).all()
        seen += range(len(paths.conversions))[part.rows]
    assert seen == list(range(len(paths.conversions)))
    kinds = {(part.converting, part.held_out) for part in paths.parts()}
    assert len(kinds) == 4


def test_flows_are_ribbons_that_leave_no_room_and_no_overlap() -> None:
    table = journeys_tables.transitions(distinct(PATHS), CHANNELS, most=9)
    figure = journey_charts.flows(table, CHANNELS)
    ribbons = [trace for trace in figure.data if trace.text]
    assert len(ribbons) == len(table)
    heights = [trace.y[0] - trace.y[-1] for trace in ribbons]
    amounts = [float(trace.text.split(": ")[1].split()[0]) for trace in ribbons]
    assert np.allclose(np.array(heights) / heights[0], np.array(amounts) / amounts[0], atol=1e-3)


def test_the_title_states_how_long_journeys_are() -> None:
    days = pd.DataFrame({"days": [0, 1, 2], "conversions": [1, 3, 0]})
    days["cumulative share"] = [0.25, 1.0, 1.0]
    assert findings.of_journeys(journeys_tables.lengths(PATHS), days) == (
        "Half of the conversions have no touch before them; half convert within 1 day of the first"
    )


def test_openers_closers_and_negative_channels_are_named() -> None:
    detail = pd.DataFrame(
        {
            "days_before_conversion": [0, 1, 0, 1, 0, 1],
            "channel": ["TV", "TV", "Search", "Search", "Popup", "Popup"],
            "conversions": [1.0, 3.0, 9.0, 1.0, -2.0, 0.5],
        }
    )
    opens, closes, negative = findings.of_days(detail)
    assert opens == (
        "Openers, with half of their credit or more before the conversion's day: TV (75.0%)."
    )
    assert closes == (
        "Closers, with four fifths of their credit or more on the conversion's day: Search (90.0%)."
    )
    assert negative.startswith("Negative: Popup. Users with these touches convert less often")
