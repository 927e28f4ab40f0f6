"""A table as clean pages, or an error that names table and column."""

import datetime as dt
from itertools import permutations
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_mta.config import attribution as configuration
from td_mta.errors import DataError
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.scan import EmptyTableError
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.times.clocks import local_time
from td_mta.warehouse.file_options import FileOptions
from td_mta.warehouse.local import LocalWarehouse

ROWS = {
    "canonical_id": ["a", "a", "b", "c"],
    "time": [1_700_000_000, 1_700_000_500, 1_700_090_000, 1_700_100_000],
    "channels": ["Email", "Social", "Email", "Direct"],
    "conversion": [0, 1, 0, 0],
}


def table_with(
    folder: Path, columns: dict[str, list[object]], **settings: object
) -> TouchpointTable:
    frame = pd.DataFrame(ROWS | columns).dropna(axis=1, how="all")
    frame = frame.reindex(columns=[*(ROWS | columns)])
    frame.to_csv(folder / "mta_user_rnd.csv", index=False)
    return opened(folder, **settings)


def opened(folder: Path, **settings: object) -> TouchpointTable:
    config = configuration.from_params({"time_format": "seconds"} | settings, "test", out=folder)
    spill = folder / "spill"
    spill.mkdir(exist_ok=True)
    return TouchpointTable(
        TableSettings.of(config), LocalWarehouse(folder, folder / "out", now=0), spill
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"conversion": [0, 2, 0, 0]}, "column conversion must hold 0 or 1 .* got '2'"),
        ({"conversion": [0, None, 0, 0]}, "no row has conversion = 1"),
        ({"conversion": [0, 0, 0, 0]}, "no row has conversion = 1"),
        ({"time": [1, 2, -3, 4]}, "column time must hold times .* got -3"),
        ({"time": ["1", "2", "soon", "4"]}, "column time must hold times .* got 'soon'"),
        ({"canonical_id": [None] * 4}, "no row has both a user"),
        ({"channels": [None] * 4}, "no touch has a channel"),
        ({"channels": ["(baseline)", "b", "c", "d"]}, "no channel may be called '\\(baseline\\)'"),
        ({"ab_rnd": [0.1, 0.1, 1.5, 0.2]}, "ab_rnd must hold numbers from 0 to below 1, got 1.5"),
        ({"ab_rnd": [0.1, 0.1, 1, 0.2]}, "ab_rnd must hold numbers from 0 to below 1, got 1.0"),
        ({"ab_rnd": [0.1, 0.1, -0.5, 0.2]}, "ab_rnd must hold .* got -0.5"),
        ({"ab_rnd": [0.1, 0.1, None, 0.2]}, "ab_rnd must hold .* got nan"),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value),
)
def test_a_table_that_cannot_be_used_is_refused(
    tmp_path: Path, columns: dict[str, list[object]], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        table_with(tmp_path, columns)


@pytest.mark.parametrize("missing", ["canonical_id", "time", "channels", "conversion"])
def test_a_missing_column_is_named_with_its_table(tmp_path: Path, missing: str) -> None:
    pd.DataFrame(ROWS).drop(columns=missing).to_csv(tmp_path / "mta_user_rnd.csv", index=False)
    with pytest.raises(DataError, match=f"mta_user_rnd.*{missing}"):
        opened(tmp_path)


def test_a_missing_value_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mta_user_rnd.*revenue"):
        table_with(tmp_path, {}, value_column="revenue")


def test_a_table_without_rows_has_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "mta_user_rnd.csv").write_text(",".join(ROWS) + "\n")
    with pytest.raises(EmptyTableError, match="table mta_user_rnd is empty"):
        opened(tmp_path)


def test_several_random_numbers_for_one_user_are_refused(tmp_path: Path) -> None:
    table = table_with(tmp_path, {"ab_rnd": [0.1, 0.11, 0.5, 0.2]})
    with pytest.raises(DataError, match="must hold one number per user, got several"):
        list(table.pages("test"))


def test_more_than_a_thousand_channels_are_refused(tmp_path: Path) -> None:
    def touches(n: int) -> dict[str, list[object]]:
        names: list[object] = [f"page {i}" for i in range(n)]
        return {
            "canonical_id": ["u"] * n,
            "time": [*range(n)],
            "channels": names,
            "conversion": [1] * n,
        }

    assert len(table_with(tmp_path, touches(1000)).channels) == 1000
    with pytest.raises(DataError) as refused:
        table_with(tmp_path, touches(1001))
    assert str(refused.value) == (
        "table mta_user_rnd, column channels must hold at most 1000 distinct channels, got more; "
        "set action_column to a coarser column, or group the values in the SQL"
    )


@pytest.mark.parametrize(
    "times",
    [
        ["2023-11-14T22:13:20Z", "2023-11-14 22:21:40", "2023-11-15T23:13:20+00:00", "1700100000"],
        [1_700_000_000_000, 1_700_000_500_000, 1_700_090_000_000, 1_700_100_000_999],
    ],
    ids=["iso", "milliseconds"],
)
def test_times_are_converted_to_seconds_and_counted(tmp_path: Path, times: list[object]) -> None:
    table = table_with(tmp_path, {"time": times}, time_format=None)
    seconds = np.concatenate([page.journeys.rows.time for page in table.pages("test")])
    assert sorted(seconds.tolist()) == ROWS["time"]
    assert table.scan.converted


@pytest.mark.parametrize(
    ("days", "clocks"),
    [
        (
            ["2023-11-14", "2023-11-14", "2023-11-15", "2023-11-16"],
            ["22:13", "22:21", "23:13", None],
        ),
        ([20231114, 20231114, 20231115, 20231116], ["22:13:00", "22:21:00", "23:13:00", "0:00:00"]),
        (
            ["11/14/2023", "11/14/2023", "11/15/2023", "11/16/2023"],
            ["10:13pm", "10:21pm", "11:13pm", "12:00am"],
        ),
        (
            ["14.11.2023", "14.11.2023", "15.11.2023", "16.11.2023"],
            ["22h13", "22h21", "23h13", "00h00"],
        ),
    ],
    ids=["ISO", "numbers", "month first", "day first"],
)
def test_a_day_and_a_time_of_day_in_two_columns_are_one_time(
    tmp_path: Path, days: list[object], clocks: list[object]
) -> None:
    columns = {"time": [None] * 4, "day": days, "clock": clocks}
    table = table_with(tmp_path, columns, time_format=None, time_column="Day + clock")
    seconds = np.concatenate([page.journeys.rows.time for page in table.pages("test")])
    expected = pd.to_datetime(
        ["2023-11-14 22:13", "2023-11-14 22:21", "2023-11-15 23:13", "2023-11-16 00:00"]
    )
    assert sorted(seconds.tolist()) == (expected.as_unit("s").asi8).tolist()


def test_spaces_around_names_are_taken_off_and_counted(tmp_path: Path) -> None:
    table = table_with(tmp_path, {"channels": [" Email", "Social", "Email", "Direct "]})
    assert table.channels == ["Direct", "Email", "Social"]
    assert table.scan.converted["spaces around names in column channels"] == 2


@pytest.mark.parametrize(
    ("columns", "dropped", "users"),
    [
        ({"time": [1, 2, None, 4]}, 1, 2),
        ({"canonical_id": ["a", "a", None, None]}, 2, 1),
        ({"canonical_id": [None, "a", "b", "c"], "time": [1, 2, None, 4]}, 2, 2),
        ({"canonical_id": ["a", "a", "b", None], "conversion": [0, 1, 0, None]}, 1, 2),
    ],
    ids=["no time", "no user", "either", "no flag either"],
)
def test_rows_without_user_or_time_are_left_out_and_counted(
    tmp_path: Path, columns: dict[str, list[object]], dropped: int, users: int
) -> None:
    table = table_with(tmp_path, columns)
    assert (table.scan.rows, table.scan.dropped) == (4, dropped)
    [page] = table.pages("test")
    assert (page.journeys.users, len(page.journeys.rows)) == (users, 4 - dropped)


def test_equal_rows_count_once(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "canonical_id": ["a", "a", "a", "a", "a", "b"],
        "time": [5, 5, 5, 5, 5, 5],
        "channels": ["x", "x", "y", "x", None, "x"],
        "conversion": [0, 0, 0, 1, 1, 0],
        "value": [None, None, None, 2.5, 2.5, None],
    }
    [page] = table_with(tmp_path, columns, value_column="value").pages("test")
    assert (page.duplicates, len(page.journeys.rows)) == (1, 5)


def test_conversions_of_one_second_with_other_values_are_two(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "canonical_id": ["a"] * 4,
        "time": [5] * 4,
        "channels": ["x"] * 4,
        "conversion": [1] * 4,
        "value": [2.5, 3.5, "NaN", "NaN"],
    }
    table = table_with(tmp_path, columns, value_column="value")
    [page] = table.pages("test")
    assert page.duplicates == 1
    assert page.journeys.values.tolist() == [2.5, 3.5, 0]


def test_spellings_of_a_channel_are_joined_by_the_parameter_alone(tmp_path: Path) -> None:
    names = {"channels": ["Paid Search", "paid_search", "PAID-SEARCH", "Paid Search"]}
    apart = table_with(tmp_path, names)
    assert apart.channels == ["PAID-SEARCH", "Paid Search", "paid_search"]

    joined = table_with(tmp_path, names, channel_letter_case="join")

    assert joined.channels == ["Paid Search"]
    (page,) = joined.pages("test")
    assert page.journeys.touches.channel.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("mark", "values"), [("comma", [0.0, 12000.0, 1500.0, 7.0]), (None, [0.0, 12.0, 1.5, 7.0])]
)
def test_points_of_thousands_are_read_by_the_decimal_mark(
    mark: str | None, values: list[float], tmp_path: Path
) -> None:
    texts = ["0", "12.000", "1.500", "7"]
    lines = [
        f"{user},{time},{channel},1,{value}"
        for user, time, channel, value in zip(
            ROWS["canonical_id"], ROWS["time"], ROWS["channels"], texts, strict=True
        )
    ]
    header = "canonical_id,time,channels,conversion,value"
    (tmp_path / "touches.csv").write_text("\n".join([header, *lines]) + "\n", "utf-8")
    given = {"table": "touches", "value_column": "value", "decimal_mark": mark or "none"}
    config = configuration.from_params(given, "test", out=tmp_path)
    files = FileOptions.of(config)
    warehouse = LocalWarehouse(tmp_path, tmp_path / "out", now=0, files=files)
    spill = tmp_path / "spill"
    spill.mkdir()
    (page,) = TouchpointTable(TableSettings.of(config), warehouse, spill).pages("test")
    assert sorted(page.journeys.values) == sorted(values)


def test_channels_that_touch_nobody_are_no_channels(tmp_path: Path) -> None:
    table = table_with(
        tmp_path, {"channels": ["b", "order", "a", "a"]}, conversion_row_is_touch=False
    )
    assert table.channels == ["a", "b"]


def users_of(n: int) -> dict[str, list[object]]:
    """Every touch of user `i` lies in the seconds from `1000 i` to `1000 i + 999`."""
    rng = np.random.default_rng(n)
    user = np.concatenate([np.arange(n), rng.integers(0, n, 2 * n)])
    return {
        "canonical_id": [f"user {i}" for i in user],
        "time": (user * 1000 + rng.integers(0, 1000, 3 * n)).tolist(),
        "channels": rng.choice(["a", "b", ""], 3 * n).tolist(),
        "conversion": rng.integers(0, 2, 3 * n).tolist(),
    }


@pytest.mark.parametrize(("per_page", "pages"), [(1, 40), (7, 6), (39, 2), (40, 1), (20000, 1)])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_every_user_is_whole_on_one_page(
    tmp_path: Path, per_page: int, pages: int, zone: str
) -> None:
    table = table_with(tmp_path, users_of(40), users_per_tfrecord=per_page, day_timezone=zone)
    assert table.page_count == pages
    for _ in range(2):
        seen: list[int] = []
        for page in table.pages("test"):
            rows = page.journeys.rows
            one = {(user, time // 1000) for user, time in zip(rows.user, rows.time, strict=True)}
            assert [user for user, _ in sorted(one)] == list(range(page.journeys.users))
            seen += [whose for _, whose in one]
        assert sorted(seen) == list(range(40))


def test_rows_of_one_second_keep_the_order_of_their_file(tmp_path: Path) -> None:
    results = set()
    for number, order in enumerate(permutations(range(4))):
        columns = {
            "canonical_id": ["a", "a", "a", "b"],
            "time": [5, 5, 5, 5],
            "channels": ["x", "y", "x", "y"],
            "conversion": [0, 0, 1, 1],
        }
        folder = tmp_path / str(number)
        folder.mkdir()
        shuffled = {name: [column[i] for i in order] for name, column in columns.items()}
        [page] = table_with(folder, shuffled).pages("test")
        rows = page.journeys.rows
        touches = [0, 1] if order.index(0) < order.index(1) else [1, 0]
        assert rows.channel.tolist() == [*touches, 0, 1]
        results.add((*rows.user, *rows.conversion, *page.user_hash))
    assert len(results) == 1


def test_the_order_of_a_table_that_has_none_leaves_no_trace(tmp_path: Path) -> None:
    results = set()
    for order in permutations(range(4)):
        columns = {
            "canonical_id": ["a", "a", "a", "b"],
            "time": [5, 5, 5, 5],
            "channels": ["x", "y", "x", "y"],
            "conversion": [0, 0, 1, 1],
        }
        warehouse = LocalWarehouse(None, tmp_path, now=0)
        shuffled = {name: [column[i] for i in order] for name, column in columns.items()}
        warehouse.write("mta_user_rnd", pd.DataFrame(shuffled), "overwrite")
        settings = TableSettings.of(configuration.from_params({"time_format": "seconds"}, "test"))
        [page] = TouchpointTable(settings, warehouse, tmp_path).pages("test")
        rows = page.journeys.rows
        results.add((*rows.user, *rows.channel, *rows.conversion, *page.user_hash))
    assert len(results) == 1


@pytest.mark.parametrize(
    ("zone", "in_utc", "day", "clock"),
    [
        ("UTC", "2023-10-29 00:30", "2023-10-29", "00:30"),
        ("Europe/Berlin", "2023-03-26 00:59", "2023-03-26", "01:59"),
        ("Europe/Berlin", "2023-03-26 01:00", "2023-03-26", "03:00"),
        ("Europe/Berlin", "2023-10-29 00:30", "2023-10-29", "02:30"),
        ("Europe/Berlin", "2023-10-29 01:30", "2023-10-29", "02:30"),
        ("Europe/Berlin", "2023-10-29 23:00", "2023-10-30", "00:00"),
        ("America/New_York", "2023-11-05 03:59", "2023-11-04", "23:59"),
        ("America/St_Johns", "2011-03-13 03:30", "2011-03-13", "00:00"),
        ("America/St_Johns", "2011-03-13 03:31", "2011-03-13", "01:01"),
        ("Australia/Lord_Howe", "2023-09-30 15:30", "2023-10-01", "02:30"),
        ("Pacific/Apia", "2011-12-30 10:00", "2011-12-31", "00:00"),
        ("Asia/Kathmandu", "2023-01-01 18:15", "2023-01-02", "00:00"),
    ],
)
def test_days_are_those_of_the_local_clock(zone: str, in_utc: str, day: str, clock: str) -> None:
    time = np.array([pd.Timestamp(in_utc, tz="UTC").timestamp()], np.int64)
    [local_day], [second] = local_time(time, zone)
    assert str(np.datetime64(int(local_day), "D")) == day
    assert f"{second // 3600:02}:{second % 3600 // 60:02}" == clock


@given(
    st.sampled_from(["Europe/London", "America/St_Johns", "Asia/Tehran", "Pacific/Chatham"]),
    st.lists(st.integers(10**8, 2 * 10**9)),
)
def test_local_time_is_what_the_standard_library_says(zone: str, times: list[int]) -> None:
    local = [dt.datetime.fromtimestamp(time, ZoneInfo(zone)) for time in times]
    day, second = local_time(np.array(times, np.int64), zone)
    assert day.tolist() == [each.toordinal() - dt.date(1970, 1, 1).toordinal() for each in local]
    assert second.tolist() == [each.hour * 3600 + each.minute * 60 + each.second for each in local]


def test_a_clock_set_back_does_not_turn_a_journey_back(tmp_path: Path) -> None:
    times = ["2023-10-29T00:50Z", "2023-10-29T01:10Z", "2023-10-29T02:10Z", "2023-10-30T00:00Z"]
    table = table_with(
        tmp_path, {"canonical_id": ["a"] * 4, "time": [*times]}, day_timezone="Europe/Berlin"
    )
    [page] = table.pages("test")
    clock = (page.journeys.rows.second // 60).tolist()
    assert clock == [2 * 60 + 50, 2 * 60 + 50, 3 * 60 + 10, 60]
    assert str(np.datetime64(table.last_day, "D")) == "2023-10-30"


@pytest.mark.parametrize("per_page", [1, 3, 20000])
def test_pages_hold_whole_users_in_an_order_of_their_own(tmp_path: Path, per_page: int) -> None:
    rng = np.random.default_rng(1)
    columns = {
        "canonical_id": [f"user {i}" for i in rng.integers(0, 40, 300)],
        "time": rng.integers(0, 10**6, 300).tolist(),
        "channels": rng.choice(["a", "b"], 300).tolist(),
        "conversion": rng.integers(0, 2, 300).tolist(),
    }
    order = rng.permutation(300)
    shuffled = {name: [column[i] for i in order] for name, column in columns.items()}
    one = list(table_with(tmp_path, columns, users_per_tfrecord=per_page).pages("test"))
    other = list(table_with(tmp_path, shuffled, users_per_tfrecord=per_page).pages("test"))
    assert sum(page.journeys.users for page in one) == len(set(columns["canonical_id"]))
    for page, twin in zip(one, other, strict=True):
        for name, column in vars(page.journeys.rows).items():
            assert np.array_equal(column, getattr(twin.journeys.rows, name), equal_nan=True), name
