"""Checks of the tables that the workflow's SQL reads: why it left no rows, whether costs exist."""

import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.warehouse import Warehouse

SPEND_COLUMNS = ("day", "channel", "spend", "impressions", "clicks")
_MILLISECONDS_FROM = 10**11  # as seconds: the year 5138


class _Days(NamedTuple):
    """The first and the last day of a table's rows."""

    first: datetime.date
    last: datetime.date


def explain_empty_table(config: Config, warehouse: Warehouse) -> str:
    """The message for an empty touchpoint table: what its input holds and what to do.

    A table that the workflow's SQL did not make has no input to look at.
    """
    made_by_sql = config.table == config.rand_shuffle
    days = _days_of_input(config, warehouse) if made_by_sql else {}
    if not days:
        return f"table {config.table} has no rows"
    spans = [f"{table} from {first} to {last}" for table, (first, last) in days.items()]
    last_day = max(last for _, last in days.values())
    session = last_day + datetime.timedelta(days=1)
    return (
        f"table {config.table} has no rows: the input has none in time_interval "
        f"{config.time_interval}. Input rows: {', '.join(spans)}. "
        f"Run with --session {session}, or set a longer time_interval"
    )


def check_spend(spend_table: str | None, warehouse: Warehouse) -> None:
    """Raise `DataError` before the model, and not after it, where the report would miss a column.

    A table of another database (`costs.daily`) cannot be seen from here: the report checks it.
    """
    if spend_table is None or "." in spend_table:
        return
    columns = {column.lower() for column in warehouse.columns(spend_table)}
    missing = [column for column in SPEND_COLUMNS if column not in columns]
    if missing:
        wanted, got = ", ".join(SPEND_COLUMNS), ", ".join(sorted(columns))
        raise DataError(
            f"spend_table {spend_table} must have the columns {wanted}, got {got}; "
            f"add {', '.join(missing)}"
        )


def _days_of_input(config: Config, warehouse: Warehouse) -> dict[str, _Days]:
    """Of each table that the workflow's SQL reads, exists and has rows."""
    time_columns = {config.enriched_pageviews: "time", config.enriched_formfills: "time"}
    if config.union_query == "union_touchpoints":
        time_columns = {config.touchpoints_table: config.touchpoints_time_column}
    days = {}
    for table, column in time_columns.items():
        try:
            query = f'select min("{column}"), max("{column}") from {table}'
            result = warehouse.query(query)
        except DataError:  # no such table or column
            continue
        first, last = (result.column(i)[0].as_py() for i in range(2))
        if first is not None:
            zone = ZoneInfo(config.day_timezone)
            days[table] = _Days(_day(first, zone), _day(last, zone))
    return days


def _day(time: object, zone: ZoneInfo) -> datetime.date:
    """The local day of a time in seconds, milliseconds or ISO 8601."""
    text = str(time).strip()
    if not text.isdigit():
        return datetime.date.fromisoformat(text[:10])
    number = int(text)
    seconds = number // 1000 if number >= _MILLISECONDS_FROM else number
    return datetime.datetime.fromtimestamp(seconds, zone).date()
