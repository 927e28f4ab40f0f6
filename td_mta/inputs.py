"""Why the SQL in front left no touchpoints: the days of its input, and a session that sees them."""

import datetime
from zoneinfo import ZoneInfo

from td_mta.config import Config
from td_mta.errors import DataError
from td_mta.warehouse import Warehouse

_FIRST_OF_MILLISECONDS = 10**11


def why_empty(config: Config, warehouse: Warehouse) -> str:
    """What to tell of an empty touchpoint table: a sentence with the place and the remedy."""
    found = {} if config.table != config.rand_shuffle else _days_of_input(config, warehouse)
    if not found:
        return f"table {config.table} has no rows"
    spans = ", ".join(f"{table} from {first} to {last}" for table, (first, last) in found.items())
    after = max(last for _, last in found.values()) + datetime.timedelta(days=1)
    return (
        f"table {config.table}: no rows are left in time_interval {config.time_interval}. "
        f"The data goes: {spans}. Run with --session {after}, or with a longer time_interval"
    )


def _days_of_input(
    config: Config, warehouse: Warehouse
) -> dict[str, tuple[datetime.date, datetime.date]]:
    """First and last day of each table that the SQL in front reads and that has rows."""
    columns = {config.enriched_pageviews: "time", config.enriched_formfills: "time"}
    if config.union_query == "union_touchpoints":
        columns = {config.touchpoints_table: config.touchpoints_time_column}
    found = {}
    for table, column in columns.items():
        try:
            times = warehouse.query(f'select min("{column}"), max("{column}") from {table}')
        except DataError:
            continue
        first, last = (times.column(at)[0].as_py() for at in (0, 1))
        if first is not None:
            found[table] = (_day(first, config.day_timezone), _day(last, config.day_timezone))
    return found


def _day(time: object, zone: str) -> datetime.date:
    """The day of a time in seconds, milliseconds or ISO 8601."""
    text = str(time).strip()
    if not text.isdigit():
        return datetime.date.fromisoformat(text[:10])
    seconds = int(text) // (1000 if int(text) >= _FIRST_OF_MILLISECONDS else 1)
    return datetime.datetime.fromtimestamp(seconds, ZoneInfo(zone)).date()
