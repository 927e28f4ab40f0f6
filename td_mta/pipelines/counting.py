"""Where a table's rows are counted, as `count_in` says: in the warehouse, or here by Python."""

import logging
from collections.abc import Mapping
from typing import NamedTuple

from td_mta.config.attribution import Config
from td_mta.dataset import warehouse_counts
from td_mta.dataset.build import extract
from td_mta.dataset.count_tables import CountTables
from td_mta.dataset.extracted import Extracted
from td_mta.dataset.tfrecords import Folders
from td_mta.errors import DataError
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.path_tables import check_no_paths
from td_mta.ingest.preflight import explain_empty_table
from td_mta.ingest.read_table import ReadTable
from td_mta.ingest.scan import EmptyTableError
from td_mta.warehouse import Warehouse

log = logging.getLogger(__name__)


class ExtractedTable(NamedTuple):
    """A table and what was counted of it."""

    table: ReadTable
    extracted: Extracted
    facts: Mapping[str, object]  # where it was counted, and what was read for it


def is_in_warehouse(config: Config, warehouse: Warehouse) -> bool:
    """Whether counts are read; with `auto` where there are any, of more rows than `count_above`."""
    if config.count_in != "auto":
        return config.count_in == "warehouse"
    made = not config.needs_rows and CountTables(warehouse, config.counts_table).exist()
    return made and warehouse_counts.count_rows(config.table, warehouse) > config.count_above


def by_warehouse(config: Config, warehouse: Warehouse, records: Folders) -> ExtractedTable:
    """The counts that the workflow's SQL made."""
    try:
        found = warehouse_counts.read(config, warehouse, records)
    except EmptyTableError as error:
        raise DataError(explain_empty_table(config, warehouse)) from error
    settings = found.table.settings
    check_no_paths(found.table.channels, settings.location(settings.channel_column))
    log.info("counted in the warehouse: rows %d, read %d", found.table.scan.rows, found.rows)
    facts = _facts("warehouse", found.table, found.rows) | {"bytes_read": found.bytes}
    return ExtractedTable(found.table, found.extracted, facts)


def by_python(touchpoints: TouchpointTable, config: Config, records: Folders) -> ExtractedTable:
    """Counts of every row that was read."""
    extracted = extract(touchpoints, config, records)
    return ExtractedTable(
        touchpoints, extracted, _facts("python", touchpoints, touchpoints.scan.rows)
    )


def _facts(where: str, table: ReadTable, rows_read: int) -> dict[str, object]:
    return {"counted_in": where, "rows_scanned": table.scan.rows, "rows_read": rows_read}
