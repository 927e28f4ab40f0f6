"""What `queries/union_touchpoints.sql` took the times and amounts of its tables for.

Its own table no longer shows it, so some values of the inputs are read again, where they still
exist: the least and the greatest time, and the distinct amounts.
"""

from collections.abc import Iterator

import pyarrow as pa

from td_mta.config.attribution import Config
from td_mta.errors import DataError, MtaError
from td_mta.ingest.preflight import ends, time_columns
from td_mta.ingest.settings import words
from td_mta.ingest.times.numbers import SECONDS
from td_mta.ingest.times.reader import TimeReader
from td_mta.ingest.values import plain_columns
from td_mta.ingest.values.amounts import AmountReader, DecimalMarkError
from td_mta.warehouse import Warehouse
from td_mta.warehouse.names import quoted

MOST_AMOUNTS = 10_000


def notes(config: Config, warehouse: Warehouse) -> list[str]:
    """Units, forms and zones of times, decimal marks and currencies; none for other inputs."""
    if config.union_query != "union_touchpoints" or config.table != config.rand_shuffle:
        return []
    sentences = []
    for table, column in time_columns(config).items():
        sentences += _said(table, column, _times(table, column, config, warehouse))
    table, value = config.touchpoints_table, config.touchpoints_value_column
    if config.orders_table:
        table, value = config.orders_table, config.orders_value_column or value
    if value:
        sentences += _said(table, value, _amounts(table, value, config, warehouse))
    return sentences


def _said(table: str, column: str, kinds: Iterator[str]) -> list[str]:
    try:
        listed = ", ".join(kinds)
    except MtaError:  # a table of another database, or dropped since; or no value tells
        return []
    return [f"The SQL read table {table}, column {column}: {listed}."] if listed else []


def _times(table: str, column: str, config: Config, warehouse: Warehouse) -> Iterator[str]:
    reader = TimeReader(
        f"table {table}, column {column}",
        form=config.time_format,
        zone=config.day_timezone,
        null_words=words(config.null_words),
        batches=lambda: (b[column] for b in plain_columns.read(warehouse, table, [column])),
    )
    found = reader.read(ends(table, column, warehouse))
    yield from (kind for kind, rows in found.kinds.items() if rows and kind != SECONDS)


def _amounts(table: str, column: str, config: Config, warehouse: Warehouse) -> Iterator[str]:
    query = f"select distinct {quoted(column)} as amount from {table} limit {MOST_AMOUNTS}"
    values = warehouse.query(query).column(0).combine_chunks()
    if not pa.types.is_string(values.type):
        return
    mark = config.decimal_mark
    for _ in range(2):  # the second time with the mark that only a later value shows
        reader = AmountReader(column, f"table {table}", mark, words(config.null_words))
        try:
            reader.read(values)
        except DecimalMarkError as found:
            mark = found.mark
        else:
            yield from reader.converted
            return
    raise DataError(f"table {table}, column {column} shows several decimal marks")
