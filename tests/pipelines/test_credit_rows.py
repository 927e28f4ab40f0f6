"""The credit of every single conversion adds up to the tables, whatever the options."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.pipelines.test_laws_of_runs import facts, read, run, shop

pytestmark = pytest.mark.slow
CELL = ["days_before_conversion", "channel"]
EXPERIMENT = "channel,start,end,incremental,se\nEmail,2023-12-13,2023-12-20,12,2\n"
OPTIONS = {
    "defaults": {},
    "history and keep": {"history_days": "3", "window_after_conversion": "keep"},
    "returning": {"days_at_risk": "returning"},
    "sampled patterns": {"shapley_exact_cells": "2", "shapley_permutations": "50"},
    "small pages": {"users_per_tfrecord": "50"},
    "touch_days": {"examples": "touch_days"},
    "experiments": {"experiments_table": "experiments"},
    "conversion rows are touches": {"conversion_row_is_touch": "true"},
}


def orders() -> pd.DataFrame:
    """The shop's rows, its conversions with a value and the id of an order."""
    table = shop().reset_index(drop=True)
    converts = table["conversion"] == 1
    value = np.where(converts, 1.5 + table.index % 7, np.nan)
    order = np.where(converts, "00" + table.index.astype(str), None)
    return table.assign(value=value, order=order)


def credited(folder: Path, options: dict[str, str]) -> Path:
    (folder / "shop").mkdir()
    (folder / "shop" / "experiments.csv").write_text(EXPERIMENT)
    asked = {"credit_table": "true", "value_column": "value", "order_id": "order"}
    return run(folder / "shop", orders(), asked | options)


@pytest.fixture(scope="module", params=OPTIONS.values(), ids=OPTIONS)
def out(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return credited(tmp_path_factory.mktemp("credit"), request.param)


def credit(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / "shapley_credit.csv", dtype={"order_id": str})


def test_sums_by_day_and_channel_are_those_of_the_detail_table(out: Path) -> None:
    measures = ["conversions", "value"]
    rows, detail = (table.fillna({CELL[0]: -1}) for table in (credit(out), read(out, "detail")))
    sums = rows.groupby(CELL)[measures].sum().add_suffix("_of_rows")
    both = detail.set_index(CELL)[measures].join(sums).fillna(0.0)
    assert len(sums.index.difference(both.index)) == 0
    for measure in measures:
        assert both[f"{measure}_of_rows"].to_numpy() == pytest.approx(
            both[measure].to_numpy(), abs=1e-9
        )


def test_every_conversion_gives_one_and_its_value(out: Path) -> None:
    rows, given = credit(out), orders()
    of_orders = rows.groupby("order_id")[["conversions", "value"]].sum()
    assert len(of_orders) == int(facts(out)["counts", "conversions"])
    assert of_orders["conversions"].to_numpy() == pytest.approx(1)
    value = given.set_index("order")["value"].loc[of_orders.index]
    assert of_orders["value"].to_numpy() == pytest.approx(value.to_numpy())
    baselines = rows[rows["channel"] == "(baseline)"]
    assert len(baselines) == len(of_orders) and baselines[CELL[0]].isna().all()


def test_rows_have_the_user_and_the_time_of_their_order(out: Path) -> None:
    rows = credit(out).drop_duplicates("order_id").set_index("order_id")
    given = orders().set_index("order").loc[rows.index]
    assert rows["user_id"].tolist() == given["canonical_id"].tolist()
    assert rows["conversion_time"].tolist() == given["time"].tolist()


def test_there_is_no_such_table_unless_it_is_asked_for(tmp_path: Path) -> None:
    out = run(tmp_path / "shop", shop(), {})
    assert not (out / "shapley_credit.csv").exists()


def test_it_is_appended_with_the_id_of_its_run(tmp_path: Path) -> None:
    options = {"credit_table": "true", "if_exists": "append"}
    out = run(tmp_path / "shop", shop(), options)
    once = read(out, "credit")
    run(tmp_path / "shop", shop(), options)
    twice = read(out, "credit")
    assert len(twice) == 2 * len(once)
    assert twice["run_id"].nunique() == 2
    assert set(twice["run_id"]) == set(read(out, "run_info")["run_id"])


@pytest.mark.parametrize("options", [{}, {"history_days": "3", "controls": "none"}])
def test_new_and_returning_customers_of_the_report_are_those_of_the_rows(
    options: dict[str, str], tmp_path: Path
) -> None:
    """A user's first conversion in the table, before the credited days too, is a new customer's."""
    out, table = credited(tmp_path, options), orders()
    converted = table[table["conversion"] == 1].sort_values(["canonical_id", "time"])
    returning = converted.loc[converted["canonical_id"].duplicated(), "order"]
    assert len(returning) > 20
    rows = credit(out)
    rows = rows[rows["order_id"].isin(returning)]
    wanted = rows.groupby("channel")["conversions"].sum()
    report = read(out, "report").set_index("channel")
    found = report["conversions_returning"]
    assert found.to_numpy() == pytest.approx(wanted.reindex(found.index).fillna(0).to_numpy())
    both = report["conversions_new"] + found
    assert both.to_numpy() == pytest.approx(report["conversions"].to_numpy())
    assert int(facts(out)["counts", "conversions_returning"]) == rows["order_id"].nunique()
