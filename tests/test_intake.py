"""A stranger's table as clean pages, or an error that names the place."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta import config as configuration
from td_mta.errors import DataError
from td_mta.intake import Intake
from td_mta.warehouse.local import LocalWarehouse

ROWS = {
    "canonical_id": ["a", "a", "b", "c"],
    "time": [1_700_000_000, 1_700_000_500, 1_700_090_000, 1_700_100_000],
    "channels": ["Email", "Social", "Email", "Direct"],
    "conversion": [0, 1, 0, 0],
}


def intake(folder: Path, columns: dict[str, list[object]], **settings: object) -> Intake:
    frame = pd.DataFrame(ROWS | columns).dropna(axis=1, how="all")
    frame = frame.reindex(columns=[*(ROWS | columns)])
    frame.to_csv(folder / "mta_user_rnd.csv", index=False)
    config = configuration.from_params(settings, "test", out=folder)
    spill = folder / "spill"
    spill.mkdir(exist_ok=True)
    return Intake(config, LocalWarehouse(folder, folder / "out", now=0), spill)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"conversion": [0, 2, 0, 0]}, "column conversion must hold 0 or 1 .* got 2"),
        ({"conversion": [0, None, 0, 0]}, "column conversion must hold 0 or 1 .* got nothing"),
        ({"conversion": [0, 0, 0, 0]}, "no row has conversion = 1"),
        ({"time": [1, 2, -3, 4]}, "column time must hold times from 1970 on.* got -3"),
        ({"time": ["1", "2", "soon", "4"]}, "column time must hold .*ISO 8601 times, got 'soon'"),
        ({"canonical_id": [None] * 4}, "no row has both a user"),
        ({"channels": [None] * 4}, "no touch has a channel"),
        ({"channels": ["Paid Search", "paid_search", "a", "b"]}, "would both become the column"),
        ({"channels": ["(baseline)", "b", "c", "d"]}, "no channel may be called '\\(baseline\\)'"),
        ({"channels": ["days_before_conversion", "b", "c", "d"]}, "no channel may be called"),
        ({"ab_rnd": [0.1, 0.1, 1.5, 0.2]}, "ab_rnd must hold numbers from 0 to below 1, got 1.5"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    tmp_path: Path, columns: dict[str, list[object]], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        intake(tmp_path, columns)


def test_several_random_numbers_for_one_user_are_refused(tmp_path: Path) -> None:
    found = intake(tmp_path, {"ab_rnd": [0.1, 0.11, 0.5, 0.2]})
    with pytest.raises(DataError, match="must hold one number per user"):
        list(found.pages("test"))


def test_more_than_a_thousand_channels_are_refused(tmp_path: Path) -> None:
    n = 1001
    columns: dict[str, list[object]] = {
        "canonical_id": ["u"] * n,
        "time": list(range(n)),
        "channels": [f"page {i}" for i in range(n)],
        "conversion": [1] * n,
    }
    with pytest.raises(DataError, match=r"column channels has more than 1000 distinct values.*"):
        intake(tmp_path, columns)


@pytest.mark.parametrize(
    "times",
    [
        ["2023-11-14T22:13:20Z", "2023-11-14 22:21:40", "2023-11-15T23:13:20+00:00", "1700100000"],
        [1_700_000_000_000, 1_700_000_500_000, 1_700_090_000_000, 1_700_100_000_999],
    ],
    ids=["iso", "milliseconds"],
)
def test_times_are_converted_to_seconds_and_that_is_said(
    tmp_path: Path, times: list[object]
) -> None:
    found = intake(tmp_path, {"time": times})
    seconds = np.concatenate([page.journeys.rows.time for page in found.pages("test")])
    assert sorted(seconds.tolist()) == ROWS["time"]
    assert found.scan.converted


def test_blanks_around_names_are_taken_off_and_counted(tmp_path: Path) -> None:
    found = intake(tmp_path, {"channels": [" Email", "Social", "Email", "Direct "]})
    assert found.channels == ["Direct", "Email", "Social"]
    assert found.scan.converted["blanks around names in column channels"] == 2


def test_rows_without_user_or_time_are_left_out_and_counted(tmp_path: Path) -> None:
    found = intake(tmp_path, {"time": [1, 2, None, 4]})
    assert found.scan.dropped == 1


@pytest.mark.parametrize("per_page", [1, 3, 1000])
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
    one = list(intake(tmp_path, columns, users_per_tfrecord=per_page).pages("test"))
    other = list(intake(tmp_path, shuffled, users_per_tfrecord=per_page).pages("test"))
    assert sum(page.journeys.users for page in one) == len(set(columns["canonical_id"]))
    for page, twin in zip(one, other, strict=True):
        for name, column in vars(page.journeys.rows).items():
            assert np.array_equal(column, getattr(twin.journeys.rows, name), equal_nan=True), name
