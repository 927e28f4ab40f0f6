"""Why the workflow's SQL left no rows: what the tables that it reads hold."""

import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.warehouse import Warehouse

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


def _days_of_input(config: Config, warehouse: Warehouse) -> dict[str, _Days]:
    """Of each table that the workflow's SQL reads, exists and has rows."""
    time_columns = {config.enriched_pageviews: "time"}
    if config.enriched_formfills is not None:
        time_columns[config.enriched_formfills] = "time"
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
