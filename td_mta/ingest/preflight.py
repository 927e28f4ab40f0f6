"""What the SQL in front and behind reads: why it left no touchpoints, whether costs are there."""

import datetime
from zoneinfo import ZoneInfo

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.warehouse import Warehouse

SPEND_COLUMNS = ("day", "channel", "spend", "impressions", "clicks")
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


def check_spend(config: Config, warehouse: Warehouse) -> None:
    """Raise now what the report would say after the model: no table of costs, or not its columns.

    A table of another database (`costs.daily`) is seen by the report alone.
    """
    if config.spend_table is None or "." in config.spend_table:
        return
    there = {column.lower() for column in warehouse.columns(config.spend_table)}
    if lacking := [column for column in SPEND_COLUMNS if column not in there]:
        raise DataError(
            f"spend_table {config.spend_table}: no column {', '.join(lacking)}; wanted are "
            f"{', '.join(SPEND_COLUMNS)}, it has {', '.join(sorted(there))}"
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
