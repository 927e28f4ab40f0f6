"""Columns of channels: each of its own on Treasure Data, whatever the channels are called."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_mta.warehouse.names import column_name, wide_columns

RESERVED = ("days_before_conversion", "run_id", "time")


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (["Email", "Paid Search"], ["Email", "Paid Search"]),
        (["EMAIL", "Email", "email"], ["email", "email_2", "email_3"]),
        (["Paid Search", "paid_search"], ["paid_search", "paid_search_2"]),
        (["Böro", "Büro", "Suche"], ["b_ro", "b_ro_2", "Suche"]),
        (["付费搜索", "快手", "抖音"], ["channel_1", "channel_2", "channel_3"]),
        (["検索", "Email", "🙂"], ["channel_1", "Email", "channel_2"]),
        (["Почта", "بريد"], ["channel_1", "channel_2"]),
        (["channel_1", "快手"], ["channel_1", "channel_2"]),
        (["Email", "email", "email_2"], ["email", "email_3", "email_2"]),
        (["time", "Run ID", "days_before_conversion"], ["time_2", "run_id_2", f"{RESERVED[0]}_2"]),
        (["7-Eleven", "7 Eleven"], ["_7_eleven", "_7_eleven_2"]),
        (["-", "_"], ["channel_1", "channel_2"]),
        (["抖音 Ads", "微信 Ads"], ["___ads", "___ads_2"]),
        ([], []),
    ],
    ids=str,
)
def test_names_that_would_be_one_column_are_numbered(names: list[str], columns: list[str]) -> None:
    assert wide_columns(names, RESERVED) == columns


@given(st.lists(st.text("aA_1 é快", min_size=1, max_size=3), unique=True))
def test_columns_differ_from_each_other_and_from_those_that_are_there(names: list[str]) -> None:
    plain = [column_name(column) for column in wide_columns(names, RESERVED)]
    assert all(one != other for one, other in itertools.combinations([*plain, *RESERVED], 2))
