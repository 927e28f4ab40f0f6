"""Orders in a table of their own: their columns are found, and each of them is a conversion."""

import tempfile
from pathlib import Path

import pytest

from td_mta.config import attribution as configuration
from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest import finding
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.table_facts import TableFacts
from td_mta.pipelines import given_table
from td_mta.reporting import row_diagnostics
from td_mta.warehouse.local import LocalWarehouse

TOUCHES = "user_id,started_at,channel\n1,2024-03-01 09:00:00,Email\n2,2024-03-02 09:00:00,Search\n"
ORDERS = "user_id,ordered_at,revenue\n1,2024-03-03 10:00:00,20.5\n2,2024-03-04 10:00:00,10\n"
SET = {"table": "touches", "orders_table": "orders"}


def found(folder: Path, orders: str, touches: str = TOUCHES, **settings: str) -> finding.Found:
    (folder / "touches.csv").write_text(touches, encoding="utf-8")
    (folder / "orders.csv").write_text(orders, encoding="utf-8")
    config = configuration.from_params(SET | settings, "test", out=folder)
    named = {*SET, *settings}
    return finding.find(config, named, warehouse(folder), file=None, local=True)


def warehouse(folder: Path) -> LocalWarehouse:
    return LocalWarehouse(folder, folder / "out", now=0)


def facts(folder: Path, config: Config) -> tuple[TouchpointTable, TableFacts]:
    spill = Path(tempfile.mkdtemp(dir=folder))
    table = TouchpointTable(TableSettings.of(config), warehouse(folder), spill)
    return table, TableFacts.of(table.pages("test"), 30)


@pytest.mark.parametrize(
    ("header", "row", "user", "time", "value"),
    [
        ("user_id,ordered_at,revenue", "1,2024-03-03,5", "user_id", "ordered_at", "revenue"),
        ("started_at,user_id,total", "2024-03-03,1,5", "user_id", "started_at", "total"),
        ("customer_id,order_date,amount", "1,2024-03-03,5", "customer_id", "order_date", "amount"),
        (
            "Customer ID,Paid at,Updated at,Total",
            "1,2024-03-03,2024-03-09,5",
            *("Customer ID", "Paid at", "Total"),
        ),
        (
            "user_id,created_at,shipped_at,discount,order_value",
            "1,2024-03-03,2024-03-05,1,5",
            *("user_id", "created_at", "order_value"),
        ),
        ("client_id,conversion_time", "1,2024-03-03", "client_id", "conversion_time", None),
        (
            "Kundennummer,Bestelldatum,Umsatz",
            "1,2024-03-03,5",
            "Kundennummer",
            "Bestelldatum",
            "Umsatz",
        ),
    ],
)
def test_columns_of_orders_are_found(
    header: str, row: str, user: str, time: str, value: str | None, tmp_path: Path
) -> None:
    config, notes = found(tmp_path, f"{header}\n{row}\n")
    columns = config.orders_user_column, config.orders_time_column, config.orders_value_column
    assert columns == (user, time, value)
    assert (
        "Every row of orders_table orders is a conversion, and none of table touches is." in notes
    )
    assert any(note.startswith("Columns of orders: user: ") for note in notes)


def test_parameters_name_the_columns_of_orders(tmp_path: Path) -> None:
    orders = "user_id,buyer,ordered_at,day,revenue,net\n9,1,2024-03-03,2024-03-04,5,4\n"
    named = {
        "orders_user_column": "buyer",
        "orders_time_column": "day",
        "orders_value_column": "net",
    }
    config, _ = found(tmp_path, orders, **named)
    table, sums = facts(tmp_path, config)
    assert (table.scan.conversions, sums.untouched) == (1, 0)
    assert str(table.scan.last_time) == "1709510400"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"orders_time_column": "when"}, r"orders: no column 'when'.*orders_time_column"),
        ({"orders_table": "nowhere"}, "no table 'nowhere'"),
    ],
)
def test_what_is_missing_of_orders_is_called_by_its_parameter(
    settings: dict[str, str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=told):
        found(tmp_path, ORDERS, **settings)


def test_each_order_is_a_conversion_and_no_touch_is(tmp_path: Path) -> None:
    touches = TOUCHES.replace("channel\n", "channel,conversion\n").replace("Search\n", "Search,1\n")
    touches = touches.replace("Email\n", "Email,0\n")
    config, _ = found(tmp_path, ORDERS, touches)
    table, sums = facts(tmp_path, config)
    assert (table.scan.rows, table.scan.conversions) == (4, 2)
    assert table.channels == ["Email", "Search"] and not table.visits
    journeys = next(iter(table.pages("test"))).journeys
    assert sorted(journeys.values) == [10, 20.5]
    assert table.settings.has_value
    assert (sums.converting_users, sums.untouched) == (2, 0)


def test_two_tables_may_write_times_users_and_amounts_in_their_own_way(tmp_path: Path) -> None:
    touches = "user_id,time,channel\n001,1709280000000,Email\n002,1709366400000,Search\n"
    orders = 'user_id,order_date,total\n001 ,2024-03-03T10:00:00Z,"1.234,50 €"\n'
    config, _ = found(tmp_path, orders, touches)
    table, sums = facts(tmp_path, config)
    assert sums.untouched == 0
    assert next(iter(table.pages("test"))).journeys.values.tolist() == [1234.5]


def test_equal_orders_are_two_by_their_ids_alone(tmp_path: Path) -> None:
    row = "1,2024-03-03 10:00:00,20.5"
    orders = f"user_id,ordered_at,revenue,number\n{row},A\n{row},B\n{row},B\n"
    config, _ = found(tmp_path, orders)
    assert facts(tmp_path, config)[1].journeys.conversions == 1
    config, _ = found(tmp_path, orders, order_id="number")
    assert facts(tmp_path, config)[1].journeys.conversions == 2


def test_no_user_in_common_is_an_error_and_few_a_warning(tmp_path: Path) -> None:
    config, _ = found(tmp_path, "user_id,ordered_at\na@x.de,2024-03-03\nb@x.de,2024-03-04\n")
    with pytest.raises(DataError, match=r"none of the 2 users of orders_table orders has a touch"):
        given_table.check_orders(facts(tmp_path, config)[1], config)
    config, _ = found(tmp_path, "user_id,ordered_at\n1,2024-03-03\nb@x.de,2024-03-04\n")
    _, sums = facts(tmp_path, config)
    given_table.check_orders(sums, config)
    said = row_diagnostics.untouched_warnings(sums, "orders")
    assert said[0].startswith("1 of the 2 users of orders_table orders have no touch, such as b@x")
    config, _ = found(tmp_path, ORDERS)
    assert row_diagnostics.untouched_warnings(facts(tmp_path, config)[1], "orders") == []


@pytest.mark.parametrize(
    ("orders", "told"),
    [
        ("user_id,ordered_at\n", "orders_table orders has no order"),
        (
            "user_id,ordered_at\n,2024-03-03\n",
            "table orders: no row has both a user .* orders_user",
        ),
    ],
)
def test_a_table_without_orders_is_told(orders: str, told: str, tmp_path: Path) -> None:
    config, _ = found(tmp_path, orders, orders_user_column="user_id")
    with pytest.raises(DataError, match=told):
        facts(tmp_path, config)


def test_orders_of_the_workflow_are_read_by_its_sql_alone() -> None:
    assert TableSettings.of(Config(orders_table="orders")).orders is None
