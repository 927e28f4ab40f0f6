"""Columns that describe users or days, from a file to the levels of user-days."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from td_mta.config import attribution as configuration
from td_mta.config.attribution import Config
from td_mta.errors import ConfigError, DataError
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.values import control_columns
from td_mta.warehouse.local import LocalWarehouse

START, DAY = 1_770_000_000, 86_400
SET = {
    "table": "touches",
    "user_column": "user",
    "action_column": "channel",
    "null_words": "n/a",
}


def table(folder: Path, rows: pd.DataFrame, **settings: str) -> TouchpointTable:
    rows.to_csv(folder / "touches.csv", index=False)
    config = configuration.from_params(SET | settings, "test", out=folder)
    return opened(folder, config)


def opened(folder: Path, config: Config) -> TouchpointTable:
    warehouse = LocalWarehouse(folder, folder / "out", now=0)
    spill = folder / "spill"
    spill.mkdir(exist_ok=True)
    return TouchpointTable(TableSettings.of(config), warehouse, spill)


def touches(users: int, days: int) -> pd.DataFrame:
    """Every user on every day, and a conversion of the first one."""
    user, day = (column.ravel() for column in np.mgrid[0:users, 0:days])
    return pd.DataFrame(
        {
            "user": [f"u{number:03}" for number in user],
            "time": START + day * DAY,
            "channel": "Email",
            "conversion": ((user == 0) & (day == 0)).astype(int),
        }
    )


def levels(text: list[str | None], day: int | None = None) -> control_columns.Levels:
    time = np.arange(len(text)) if day is None else np.full(len(text), day)
    rows = pa.table({"time": time * DAY, "x": pa.array(text, pa.string())})
    return control_columns.levels_of(rows, ["x"], "UTC")["x"]


def test_missing_is_a_level_and_so_is_any_other_value() -> None:
    found = levels(["b", "a", None, "b"])
    assert found.count == 4
    assert found.read(pa.array(["a", "b", None, "c"])).tolist() == [1, 2, 0, 3]


def test_the_most_frequent_values_have_levels_of_their_own() -> None:
    frequent = [f"v{number:02}" for number in range(control_columns.MOST_LEVELS)]
    found = levels([*frequent * 2, "rare", "rarer"])
    assert found.values == tuple(frequent)
    assert found.read(pa.array(["rare"])).tolist() == [found.count - 1]


def test_many_numbers_have_bins_of_as_many_rows() -> None:
    numbers = [f"{number / 4}" for number in range(4000)]
    found = levels(numbers)
    level = found.read(pa.array([*numbers, "none of them"]))
    assert np.bincount(level[:-1]).tolist() == pytest.approx(
        [0] + [200] * control_columns.BINS, abs=1
    )
    assert (np.diff(level[:-1]) >= 0).all()
    assert level[-1] == found.count - 1


def test_few_numbers_are_values_and_one_frequent_number_has_a_bin() -> None:
    assert levels(["1", "2", "1"]).values == ("1", "2")
    found = levels(["0"] * 900 + [str(number) for number in range(1, 101)])
    level = found.read(pa.array(["0", "1", "100"]))
    assert level[0] == 1
    assert level[1] < level[2]


def test_values_are_read_as_names_are() -> None:
    column = pa.array([" North ", "n/a", "", "north", None])
    assert control_columns.texts(column, ("n/a",)).to_pylist() == [
        "North",
        None,
        None,
        "north",
        None,
    ]
    assert control_columns.texts(pa.array([12.0, None, 0.5]), ()).to_pylist() == ["12", None, "0.5"]


def test_a_user_has_the_level_of_the_rows_before_the_day(tmp_path: Path) -> None:
    rows = touches(users=2, days=3).assign(device=["a", "b", "b", "c", None, "c"])
    found = table(tmp_path, rows, control_columns="device")
    (page,) = found.pages("test")
    first = found.first_day
    user, day = (column.ravel() for column in np.mgrid[0:2, first : first + 4])
    level = page.journeys.attributes["device"].level(user, day)
    assert level.tolist() == [1, 1, 2, 2, 3, 3, 3, 3]


def test_a_sale_is_of_days_and_holds_for_users_who_were_not_there(tmp_path: Path) -> None:
    rows = touches(users=40, days=4)
    rows = rows.assign(sale=((rows["time"] - START) // DAY == 2).astype(int))
    rows = rows[(rows["user"] != "u001") | (rows["time"] == START)]
    found = table(tmp_path, rows, control_columns="sale")
    (page,) = found.pages("test")
    level = page.journeys.attributes["sale"].level(np.ones(4, int), found.first_day + np.arange(4))
    assert level.tolist() == [1, 1, 2, 1]


def test_levels_are_the_same_whatever_the_order_of_rows_and_the_pages(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = touches(users=50, days=4)
    rows = rows.assign(price=rng.random(len(rows)).round(3), region=rng.choice(["x", "y"], 200))
    columns = {"control_columns": "price, region"}
    one = table(tmp_path, rows, **columns)
    other = table(tmp_path, rows.sample(frac=1, random_state=1), **columns, users_per_tfrecord="7")

    def of_pages(read: TouchpointTable) -> dict[str, list[list[int]]]:
        by_user = {}
        for page in read.pages("test"):
            for at, name in enumerate(page.user_ids.to_pylist()):
                day = read.first_day + np.arange(5)
                of_columns = page.journeys.attributes.values()
                by_user[name] = [c.level(np.full(5, at), day).tolist() for c in of_columns]
        return by_user

    assert other.page_count > 1
    assert of_pages(one) == of_pages(other)


def test_users_over_a_limit_leave_the_levels_of_the_others(tmp_path: Path) -> None:
    rows = touches(users=3, days=2).assign(region=["a", "a", "b", "b", "c", "c"])
    extra = rows[rows["user"] == "u001"].assign(channel="Search")
    rows = pd.concat([rows, extra])
    found = table(tmp_path, rows, control_columns="region", max_touches_per_user="3")
    (page,) = found.pages("test")
    assert page.user_ids.to_pylist() == ["u000", "u002"]
    level = page.journeys.attributes["region"].level(np.arange(2), np.full(2, found.first_day))
    assert level.tolist() == [1, 3]


def test_a_table_of_orders_may_lack_the_columns(tmp_path: Path) -> None:
    rows = touches(users=2, days=1).assign(region=["a", "b"])
    pd.DataFrame({"user": ["u000"], "time": [START + DAY]}).to_csv(
        tmp_path / "orders.csv", index=False
    )
    found = table(tmp_path, rows, control_columns="region", orders_table="orders")
    (page,) = found.pages("test")
    day = np.full(2, found.last_day)
    assert page.journeys.attributes["region"].level(np.arange(2), day).tolist() == [1, 2]


def test_an_unknown_column_is_an_error_that_names_the_parameter(tmp_path: Path) -> None:
    rows = touches(users=2, days=1).assign(region="a")
    with pytest.raises(DataError, match=r"no column 'regio' \(control_columns\);.*'region'\?$"):
        table(tmp_path, rows, control_columns="regio")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("a b", "must be up to 6 names of columns"),
        ("a, A", "each"),
        ("a,b,c,d,e,f,g", "up to 6 names"),
        ("calendar_day", "which is a control or a column of its own already"),
        ("Channel", "which is a control or a column of its own already"),
    ],
)
def test_columns_that_cannot_be_controls_are_refused(columns: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"test: control_columns .*{message}"):
        configuration.from_params(SET | {"control_columns": columns}, "test")


def test_columns_are_controls_of_person_days_alone() -> None:
    given = SET | {"control_columns": "region,device", "controls": "calendar_day"}
    config = configuration.from_params(given, "test")
    assert config.control_names == ("calendar_day", "region", "device")
    touch_days = configuration.from_params(given | {"examples": "touch_days"}, "test")
    assert touch_days.control_names == ()
    assert touch_days.attribute_names == ()
