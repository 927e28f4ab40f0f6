"""What every pipeline does with its results: names of tables, writing them, the report's file."""

import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from td_mta.atomic_files import replacing
from td_mta.config.attribution import Config
from td_mta.reporting import output_tables
from td_mta.warehouse import Warehouse
from td_mta.warehouse.repeated import repeated


def check_writable(
    config: Config,
    warehouse: Warehouse,
    channels: Sequence[str] | None,
    keys: Sequence[str] | None = None,
) -> None:
    """Refuse tables that could not be written at the end; `channels` as far as they are known."""
    names = table_names(config)
    columns = output_tables.columns(channels, run_id=config.if_exists == "append")
    by_name = {names[key]: columns[key] for key in keys or _written(config)}
    warehouse.check_writable(by_name, config.if_exists, replaced=_newest_only(config))


def table_names(config: Config) -> dict[str, str]:
    """The name of every output table by its key."""
    return output_tables.names(config.metrics_table, config.shapley_table)


def new_run_id() -> str:
    """When the run ended, and something that no other run has."""
    started = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return f"{started}-{uuid.uuid4().hex[:8]}"


def write_tables(
    tables: Mapping[str, pd.DataFrame | pa.Table],
    config: Config,
    warehouse: Warehouse,
    run_id: str,
) -> None:
    """All of the tables or none, by their keys; appended ones get the run's id."""
    names, newest_only = table_names(config), _newest_only(config)
    by_name = {names[key]: frame for key, frame in tables.items()}
    if config.if_exists == "append":
        by_name = {
            name: rows if name in newest_only else _with_run_id(rows, run_id)
            for name, rows in by_name.items()
        }
    warehouse.write_all(by_name, config.if_exists, replaced=newest_only)


def page_of(tables: Mapping[str, pd.DataFrame], table: str, out: Path | None) -> str:
    """The report, drawn before any table is written, so that its failure leaves the last run's."""
    if out is None:
        return ""
    from td_mta.reporting import html  # draws with Plotly, which a container does without

    return html.render(tables, f"Attribution of {table}")


def write_report(page: str, out: Path | None) -> Path | None:
    """`report.html` in `out`, complete or not at all."""
    if out is None:
        return None
    out.mkdir(parents=True, exist_ok=True)
    path = out / "report.html"
    with replacing(path) as temporary:
        temporary.write_text(page, "utf-8")
    return path


def _written(config: Config) -> list[str]:
    """The keys of the tables that a run writes."""
    asked = {"credit": config.credit_table}
    return [key for key in output_tables.OUTPUTS if asked.get(key, True)]


def _with_run_id(rows: pd.DataFrame | pa.Table, run_id: str) -> pd.DataFrame | pa.Table:
    if isinstance(rows, pd.DataFrame):
        return rows.assign(**{output_tables.RUN_ID: run_id})
    return rows.append_column(output_tables.RUN_ID, repeated(run_id, rows.num_rows))


def _newest_only(config: Config) -> list[str]:
    return [table_names(config)[key] for key in output_tables.NEWEST_ONLY]
