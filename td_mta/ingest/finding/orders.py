"""The columns of a table of orders: the touches' names first, then what exports call them."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from td_mta.config.attribution import Config
from td_mta.ingest.finding.columns import Found, find_columns
from td_mta.ingest.finding.usual_names import TIME, USER, VALUE, Role
from td_mta.warehouse import Warehouse
from td_mta.warehouse.names import same_column

ORDER_USER = replace(USER, parameter="orders_user_column")
ORDER_TIME = Role(
    "time",
    "orders_time_column",
    (
        *(("converted_at",), ("conversion_time", "conversion_timestamp", "conversion_date")),
        *(("ordered_at", "order_time", "order_timestamp"), ("purchased_at", "purchase_time")),
        *(("order_date", "order_datetime", "purchase_date"), ("transaction_date", "sale_date")),
        *(("processed_at",), ("paid_at",), ("bestelldatum",), ("kaufdatum",)),
        *(("date_de_commande", "date_commande"), ("fecha_de_pedido", "fecha_de_compra")),
        *(("下单时间", "支付时间"), ("注文日時", "購入日時"), ("주문일시", "구매일시")),
        *(("дата_заказа", "дата_покупки"),),
        *TIME.rows,
    ),
    r"time|date|tstamp|_at$|datum|zeit|fecha",
    r"birth|expir|update|modif|cancel|deliver|ship|refund|first|last|zone|offset",
)
ORDER_VALUE = replace(VALUE, parameter="orders_value_column")
OF_ORDERS = (ORDER_USER, ORDER_TIME, ORDER_VALUE)


def find_orders(
    config: Config, chosen: Collection[str], warehouse: Warehouse, *, content: bool = True
) -> Found:
    """`orders_*` parameters, where nobody set them; the touches' columns are known already."""
    table = str(config.orders_table)
    columns = warehouse.columns(table)
    same = {
        "orders_user_column": same_column(config.user_column, columns),
        "orders_time_column": same_column(config.time_column, columns),
        "orders_value_column": same_column(config.value_column or "", columns),
    }
    named: dict[str, Any] = {name: column for name, column in same.items() if name not in chosen}
    of_orders = replace(config, table=table, **named)
    found = find_columns(
        of_orders, chosen, warehouse, everything=True, content=content, roles=OF_ORDERS
    )
    return Found(replace(found.config, table=config.table), found.notes)
