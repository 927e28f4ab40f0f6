"""Why the workflow's SQL left no rows: what the tables that it reads hold."""

import datetime
import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest.settings import words
from td_mta.ingest.times.clocks import shown
from td_mta.ingest.times.reader import TimeReader
from td_mta.ingest.values import plain_columns
from td_mta.warehouse import Warehouse
from td_mta.warehouse.names import quoted


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
    days = {}
    for table, column in time_columns(config).items():
        try:
            found = _days(table, column, config, warehouse)
        except DataError:  # no such table or column, or no times in it
            continue
        if found is not None:
            days[table] = found
    return days


def time_columns(config: Config) -> dict[str, str]:
    """The tables that the workflow's SQL reads, and the column of times of each."""
    of_touches = {config.enriched_pageviews: "time"}
    if config.enriched_formfills is not None:
        of_touches[config.enriched_formfills] = "time"
    if config.union_query == "union_touchpoints":
        of_touches = {config.touchpoints_table: config.touchpoints_time_column}
    if config.orders_table is None:
        return of_touches
    same_name = next(iter(of_touches.values()))
    return {**of_touches, config.orders_table: config.orders_time_column or same_name}


def _days(table: str, column: str, config: Config, warehouse: Warehouse) -> _Days | None:
    """Local days of the first and the last time, read as the tables of a run are."""
    reader = TimeReader(
        f"table {table}, column {column}",
        form=config.time_format,
        zone=config.day_timezone,
        null_words=words(config.null_words),
        batches=lambda: (b[column] for b in plain_columns.read(warehouse, table, [column])),
    )
    both = ends(table, column, warehouse)
    batches = [both] if _is_in_order(both) else reader.batches()
    found = [reader.read(batch) for batch in batches]
    seconds = np.concatenate([times.seconds[~times.missing] for times in found])
    if not len(seconds):
        return None
    local = (shown(np.array([end(seconds)]), config.day_timezone)[0] for end in (np.min, np.max))
    first, last = (datetime.date(1970, 1, 1) + datetime.timedelta(seconds=int(s)) for s in local)
    return _Days(first, last)


def ends(table: str, column: str, warehouse: Warehouse) -> pa.Array:
    """The least and the greatest value, as SQL compares them."""
    name = quoted(column)
    result = warehouse.query(f"select min({name}), max({name}) from {table}")
    return pa.concat_arrays([result.column(place).combine_chunks() for place in range(2)])


def _is_in_order(ends: pa.Array) -> bool:
    """Whether least and greatest are first and last: texts are so with the year in front."""
    if not (pa.types.is_string(ends.type) or pa.types.is_large_string(ends.type)):
        return True
    return all(text is None or re.match(r"[0-9]{4}-[0-9]{2}-", text) for text in ends.to_pylist())
