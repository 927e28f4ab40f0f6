"""What every pipeline does with its results: names of tables, writing them, the report's file."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from td_mta.config.attribution import Config
from td_mta.dataset.tfrecords import Folders, own_files
from td_mta.errors import ConfigError
from td_mta.journeys.examples import NEGATIVE, POSITIVE
from td_mta.publishing import publication
from td_mta.publishing.publication import Publication
from td_mta.reporting import output_tables
from td_mta.warehouse import Warehouse
from td_mta.warehouse.repeated import repeated

REPORT = "report.html"


@contextlib.contextmanager
def begun(config: Config, out: Path | None) -> Iterator[Publication]:
    """A run that alone writes to its folder; its files appear together as the block ends.

    Raises `ConfigError` where another run writes there. What runs that were killed left is
    completed or removed first.
    """
    folder = out or config.model_dir.parent
    with publication.alone(folder) as files:
        beside = (config.positive_tfrecords_dir, config.negative_tfrecords_dir, config.model_dir)
        for place in beside:
            if place.exists() and not place.is_dir():
                raise ConfigError(f"{place} is no folder: give records and model another one")
        publication.sweep({folder, *(path.parent for path in beside), *beside})
        if out is not None:
            files.file(out / REPORT)
        yield files


def folders_of(config: Config, files: Publication) -> Folders:
    """Where the records of the run are written, until they appear where the parameters say."""
    return Folders(
        files.replace_in(config.negative_tfrecords_dir, own_files(NEGATIVE)),
        files.replace_in(config.positive_tfrecords_dir, own_files(POSITIVE)),
    )


def check_writable(
    config: Config,
    warehouse: Warehouse,
    channels: Sequence[str] | None,
    keys: Sequence[str] | None = None,
) -> None:
    """Refuse tables that could not be written at the end; `channels` as far as they are known."""
    names = table_names(config)
    _check_distinct(names, config)
    columns = output_tables.columns(channels, run_id=config.if_exists == "append")
    by_name = {names[key]: columns[key] for key in keys or _written(config)}
    warehouse.check_writable(by_name, config.if_exists, replaced=_newest_only(config))


def table_names(config: Config) -> dict[str, str]:
    """The name of every output table by its key."""
    return output_tables.names(config.metrics_table, config.shapley_table)


def write_tables(
    tables: Mapping[str, pd.DataFrame | pa.Table],
    config: Config,
    warehouse: Warehouse,
    files: Publication,
) -> None:
    """All of the tables or none, by their keys, together with `files`; appended ones get the run's
    id.
    """
    names, newest_only = table_names(config), _newest_only(config)
    by_name = {names[key]: frame for key, frame in tables.items()}
    if config.if_exists == "append":
        by_name = {
            name: rows if name in newest_only else _with_run_id(rows, files.run_id)
            for name, rows in by_name.items()
        }
    warehouse.write_all(by_name, config.if_exists, replaced=newest_only, files=files)


def page_of(tables: Mapping[str, pd.DataFrame], table: str, out: Path | None) -> str:
    """The report, drawn before any table is written, so that its failure leaves the last run's."""
    if out is None:
        return ""
    from td_mta.reporting import html  # draws with Plotly, which a container does without

    return html.render(tables, f"Attribution of {table}")


def write_report(page: str, out: Path | None, files: Publication) -> Path | None:
    """`report.html` in `out`, which appears with the other files."""
    if out is None:
        return None
    files.file(out / REPORT).write_text(page, "utf-8")
    return out / REPORT


def _check_distinct(names: Mapping[str, str], config: Config) -> None:
    """Raise `ConfigError` where a table would replace another one, or an input."""
    counted = Counter(name.lower() for name in names.values())
    twice = sorted(name for name, times in counted.items() if times > 1)
    if twice:
        raise ConfigError(
            f"metrics_table must differ from the tables that begin with shapley_table, got "
            f"{config.metrics_table!r} and {config.shapley_table!r}, which would both write "
            f"{twice[0]}; rename one of them"
        )
    inputs = (config.table, config.orders_table, config.spend_table, config.experiments_table)
    replaced = sorted(counted.keys() & {name.lower() for name in inputs if name})
    if replaced:
        raise ConfigError(
            f"metrics_table and shapley_table must not name an input: {replaced[0]} would be "
            "replaced; rename one of them"
        )


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
