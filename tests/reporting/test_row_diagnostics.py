"""What a run says of its rows comes where it matters, and not on a table as it should be."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta.config import attribution as configuration
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.table_facts import TableFacts
from td_mta.reporting import row_diagnostics
from td_mta.warehouse.local import LocalWarehouse

Row = tuple[str, int, str | None, int]
DAY = 86_400


def shop(users: int = 40, every: int = 4) -> list[Row]:
    """Two touches of a user, three hours apart, and of every fourth one an order an hour later."""
    rows: list[Row] = []
    for number in range(users):
        user, start = f"u{number}", 1_700_000_000 + number * 5000
        rows += [(user, start, "Email", 0), (user, start + 3 * 3600, "Search", 0)]
        if number % every == 0:
            rows.append((user, start + 4 * 3600, None, 1))
    return rows


def said(
    folder: Path, rows: Sequence[Row], further: Mapping[str, Sequence[object]] = {}, **set_: object
) -> list[str]:
    """The warnings and notes of the rows of a file."""
    names = ["canonical_id", "time", "channels", "conversion"]
    frame = pd.DataFrame(rows, columns=names).assign(**further)
    return said_of(folder, frame, LocalWarehouse(folder, folder / "out", now=0), set_)


def said_of(
    folder: Path, frame: pd.DataFrame, warehouse: LocalWarehouse, parameters: Mapping[str, object]
) -> list[str]:
    target = warehouse.data or warehouse.out
    frame.to_csv(target / "mta_user_rnd.csv", index=False)
    config = configuration.from_params({"time_format": "seconds", **parameters}, "test", out=folder)
    spill = folder / "spill"
    spill.mkdir(exist_ok=True)
    for old in spill.iterdir():
        old.unlink()
    settings = TableSettings.of(config)
    table = TouchpointTable(settings, warehouse, spill)
    found = TableFacts.of(table.pages("test"), config.rules_window_days)
    return [
        *row_diagnostics.row_warnings(found, table.scan, settings, table.arrival),
        *row_diagnostics.window_warnings(found, config.lookback_window_days),
        *row_diagnostics.order_notes(found),
        *row_diagnostics.limit_notes(found.left_out, settings),
    ]


def test_nothing_is_said_of_a_table_as_it_should_be(tmp_path: Path) -> None:
    assert said(tmp_path, shop()) == []


def test_visits_that_convert_are_no_flags_of_journeys(tmp_path: Path) -> None:
    """Users who come several times and convert now and then, some of them twice."""
    rng = np.random.default_rng(3)
    rows = [
        (f"u{user}", 1_700_000_000 + 9000 * visit + user, "abc"[rng.integers(3)], int(converts))
        for user in range(300)
        for visit, converts in enumerate(rng.random(rng.integers(1, 9)) < 0.2)
    ]
    assert said(tmp_path, rows) == []


@pytest.mark.parametrize(("users", "warned"), [(9, False), (10, True), (500, True)])
def test_a_flag_on_every_touch_of_a_journey_is_seen(
    tmp_path: Path, users: int, warned: bool
) -> None:
    rows = [(*row[:3], int(int(row[0][1:]) < users)) for row in shop(users * 3) if row[2]]
    sentences = said(tmp_path, rows)
    assert len(sentences) == warned
    if warned:
        assert f"The {users} users who convert have 2.0 conversions each" in sentences[0]
        assert "set conversion_flag: journey" in sentences[0]
    assert said(tmp_path, rows, conversion_flag="journey") == []


def test_flags_of_journeys_of_which_some_go_on_after_their_conversion_are_seen(
    tmp_path: Path,
) -> None:
    rows = [(*row[:3], int(int(row[0][1:]) < 20)) for row in shop(60) if row[2]]
    later = [(f"u{user}", 1_800_000_000, "Email", 0) for user in range(20)]
    assert "conversion_flag: journey" in said(tmp_path, rows + later)[0]


def test_conversions_that_depend_on_the_order_at_equal_times_are_counted(tmp_path: Path) -> None:
    # u0 and u4 have two channels at one time, u8 the same channel twice with another in between.
    moved = {"u0": 3 * 3600, "u4": 3 * 3600}
    rows = [
        (user, time - (moved.get(user, 0) if channel == "Search" else 0), channel, conversion)
        for user, time, channel, conversion in shop()
    ]
    (file,) = said(tmp_path, rows)
    assert file == (
        "2 of 10 conversions depend on the order of touches at equal times: they count in the "
        "order of the file; set tie_column to a column that orders them."
    )
    (reverse,) = said(tmp_path, rows[::-1])
    assert "from its end, as it is sorted newest first" in reverse
    assert said(tmp_path, rows, {"hit": range(len(rows))}, tie_column="hit") == []
    (no_help,) = said(tmp_path, rows, {"hit": [1] * len(rows)}, tie_column="hit")
    assert "at equal times (tie_column hit has one value in all rows): they count" in no_help
    names = ["canonical_id", "time", "channels", "conversion"]
    made_by_sql = LocalWarehouse(None, tmp_path, now=0)
    (unknown,) = said_of(tmp_path, pd.DataFrame(rows, columns=names), made_by_sql, {})
    assert "which came first is not known, so they count in the order of their names" in unknown


def times_said(folder: Path, times: Sequence[object], now: float) -> list[str]:
    frame = pd.DataFrame(ROWS_OF_TIMES | {"time": times})
    frame.to_csv(folder / "mta_user_rnd.csv", index=False)
    config = configuration.from_params({}, "test", out=folder)
    spill = folder / "spill"
    spill.mkdir()
    settings = TableSettings.of(config)
    table = TouchpointTable(settings, LocalWarehouse(folder, folder / "out", now=0), spill)
    return row_diagnostics.time_warnings(table.scan, settings, now)


ROWS_OF_TIMES = {
    "canonical_id": ["a", "a", "b"],
    "channels": ["Email", "Social", "Email"],
    "conversion": [0, 1, 0],
}


def test_several_units_in_one_column_of_times_are_told(tmp_path: Path) -> None:
    times = [1_700_000_000, 1_700_000_500_000, 1_700_090_000]
    assert times_said(tmp_path, times, now=1_800_000_000) == [
        "The table mta_user_rnd, column time holds seconds (2 rows) and milliseconds (1 row): each "
        "value was read by itself, by its size or form."
    ]


def test_a_last_day_to_come_is_told(tmp_path: Path) -> None:
    times = [1_700_000_000, 1_700_000_500, 1_700_090_000]
    (sentence,) = times_said(tmp_path, times, now=1_699_900_000)
    assert sentence.startswith(
        "The last row of table mta_user_rnd, column time is of 2023-11-15, a day to come: check"
    )


@pytest.mark.parametrize("now", [1_700_090_000, 1_700_090_000 - 80_000], ids=["now", "a zone away"])
def test_seconds_of_days_gone_by_need_no_word(tmp_path: Path, now: float) -> None:
    assert times_said(tmp_path, [1_700_000_000, 1_700_000_500, 1_700_090_000], now) == []


def test_ties_of_users_who_do_not_convert_do_not_matter(tmp_path: Path) -> None:
    never = [("never", 5, "Email", 0), ("never", 5, "Search", 0)]
    after = [("u0", 1_800_000_000, "Email", 0), ("u0", 1_800_000_000, "Search", 0)]
    assert said(tmp_path, [*shop(), *never, *after]) == []


def test_rows_that_count_once_are_told_by_what_was_read(tmp_path: Path) -> None:
    rows = shop()
    twice = [*rows, rows[2], rows[0]]
    assert said(tmp_path, twice) == [
        "Dropped 2 rows (1 conversion): rows equal in user, time, channel, conversion and value "
        "(other columns were not read) count once; set order_id to a column that tells orders "
        "apart."
    ]
    ids = {"order": [f"o{i}" for i in range(len(twice))]}
    assert said(tmp_path, twice, ids, order_id="order") == []


def test_rows_of_one_order_count_once_and_values_that_differ_are_told(tmp_path: Path) -> None:
    rows = [*shop(), ("u0", 1_700_000_000 + 5 * 3600, None, 1)]
    order = [f"o{row[0]}" if row[3] else None for row in rows]
    value = [7.5 if row[3] else None for row in rows]
    set_ = {"order_id": "order", "value_column": "value"}
    assert said(tmp_path, rows, {"order": order, "value": value}, **set_) == [
        "1 further row of an order id counted with the order's first row."
    ]
    value[-1] = 2.5
    warning, _ = said(tmp_path, rows, {"order": order, "value": value}, **set_)
    assert warning.startswith("1 order of one order id have rows of different values")


@pytest.mark.parametrize(
    ("refunds", "sentence"),
    [
        (
            "leave_out",
            "2 conversions of negative value (-1,004.50 in all): taken for refunds and left out; "
            "with refunds: subtract their value is taken from the user's order.",
        ),
        (
            "subtract",
            "2 conversions of negative value (-1,004.50 in all): taken for refunds, their value "
            "taken from the user's order; 1 of them (-1,000.00) left out, of users without an "
            "earlier conversion.",
        ),
    ],
)
def test_refunds_are_always_told(tmp_path: Path, refunds: str, sentence: str) -> None:
    rows = [*shop(), ("u0", 1_700_100_000, None, 1), ("u1", 1_700_100_000, None, 1)]
    value = [10 if row[3] else None for row in rows]
    value[-2:] = [-4.5, -1000]
    found = said(tmp_path, rows, {"value": value}, value_column="value", refunds=refunds)
    assert found == [sentence]


def test_conversions_without_a_value_are_counted(tmp_path: Path) -> None:
    value = [None, None, 0, *[None] * 87]
    assert said(tmp_path, shop(), {"value": value}, value_column="value") == [
        "9 conversions without a value in column value: value 0 was used."
    ]


def test_one_user_with_a_large_part_of_all_is_told_and_may_be_left_out(tmp_path: Path) -> None:
    bot = [
        ("bot", 1_700_000_000 + i * 60, "Search" if i % 2 else None, 1 - i % 2) for i in range(60)
    ]
    rows = [*shop(), *bot]
    conversions, touches = said(tmp_path, rows)
    assert conversions == (
        "User bot has 30 of 40 conversions (75%): a bot, or an id that many share? Set "
        "max_conversions_per_user to leave out users with more."
    )
    assert touches.startswith("User bot has 30 of 110 touches (27%)")
    for limit in ({"max_touches_per_user": 29}, {"max_conversions_per_user": 29}):
        what = next(iter(limit)).split("_")[1]
        assert said(tmp_path, rows, **limit) == [
            f"Left out 1 user with more than 29 {what}, and their 60 rows."
        ]
    assert len(said(tmp_path, rows, max_touches_per_user=30, max_conversions_per_user=30)) == 2


def test_a_tiny_table_has_no_bots(tmp_path: Path) -> None:
    assert said(tmp_path, [*shop(3, 1), *shop(1, 1)[:2] * 40])[0].startswith("Dropped")
    assert said(tmp_path, [("a", 1_700_000_000 + i, "x", 0) for i in range(50)] + shop(5, 1)) == []


def test_a_window_that_leaves_out_most_touches_is_told(tmp_path: Path) -> None:
    rows = [
        (user, time - 20 * DAY if channel == "Email" else time, channel, conversion)
        for user, time, channel, conversion in shop()
    ]
    assert said(tmp_path, rows) == [
        "50% of the touches in the 30 days before a conversion lie outside the model's window, "
        "lookback_window_days: 3; 21 days would hold 90% of them."
    ]
    assert said(tmp_path, rows, lookback_window_days=21) == []
    assert said(tmp_path, rows, rules_window_days=20) == []
