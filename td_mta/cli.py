"""The command line: its options, where tables are, and what a run prints.

No heavy library is imported here, so that --help and a wrong option answer at once.
"""

import argparse
import io
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from td_mta.errors import ConfigError
from td_mta.visible_text import visible
from td_mta.warehouse.td_address import DEFAULT_SERVER, check_key, server_address

if TYPE_CHECKING:
    from td_mta.config.attribution import Config
    from td_mta.ingest.path_tables import PathTable
    from td_mta.pipelines.attribution import Summary
    from td_mta.warehouse import Warehouse
    from td_mta.warehouse.file_options import FileOptions

log = logging.getLogger(__name__)

DEFAULT_CONFIG = Path("config/params.yml")
DESCRIPTION = (
    "What did each marketing channel contribute to our conversions, and how long before? "
    "Reads a table of touchpoints, writes tables and a report."
)


class OpenTable(NamedTuple):
    """The table that a command reads, its columns named, and sentences on how they were found."""

    config: "Config"
    warehouse: "Warehouse"
    notes: list[str]
    paths: "PathTable | None" = None  # where the table is one of paths


def parser(program: str = "python -m td_mta.main") -> argparse.ArgumentParser:
    """The options of `td_mta.main`, which `td_mta.check` takes too."""
    options = argparse.ArgumentParser(prog=program, description=DESCRIPTION)
    options.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="a table of touchpoints, such as data/touchpoints.csv; its columns are found",
    )
    options.add_argument("--config", type=Path, metavar="FILE", help=f"default: {DEFAULT_CONFIG}")
    options.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one parameter of the file; may be repeated",
    )
    options.add_argument(
        "--warehouse", choices=("td", "local"), help="default: local with --data, else td"
    )
    options.add_argument("--data", type=Path, metavar="DIR", help="folder of CSV or Parquet tables")
    options.add_argument(
        "--out",
        type=Path,
        default=Path("out"),
        metavar="DIR",
        help="folder for tables, model and report.html (default: out)",
    )
    options.add_argument(
        "--check", action="store_true", help="only say what the table holds, as td_mta.check does"
    )
    return options


def open_table(options: argparse.Namespace) -> OpenTable:
    """The table that the options name, with its columns found where nobody set them."""
    data, chosen = with_file(options)
    _check_encoding(options.out)
    config = _config(options.config, chosen, options.out)
    kind = options.warehouse or ("td" if data is None else "local")

    from td_mta.ingest import finding, path_tables
    from td_mta.warehouse.file_options import FileOptions

    files, now = FileOptions.of(config), int(time.time())
    warehouse = open_warehouse(kind, data, options.out, now, config.db, files=files)
    paths = path_tables.find(config, finding.chosen_parameters(config, chosen), warehouse)
    if paths is not None:
        return OpenTable(config, warehouse, [], paths)
    config, notes = finding.find(
        config, chosen, warehouse, file=options.file, local=kind == "local"
    )
    return OpenTable(config, warehouse, notes)


def _check_encoding(out: Path) -> None:
    """Raise `ConfigError` for a folder whose name no table of ours could hold."""
    try:
        str(out).encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigError(f"--out must be a name in UTF-8, got {str(out)!r}") from None


def _config(path: Path | None, chosen: dict[str, str], out: Path) -> "Config":
    """From `--config`, else from the file of this folder or beside td_mta, else the defaults."""
    from td_mta.config import attribution as configuration

    beside_package = Path(__file__).parent.parent / DEFAULT_CONFIG
    existing = (file for file in (DEFAULT_CONFIG, beside_package) if file.is_file())
    path = path or next(existing, None)
    if path:
        return configuration.load(path, chosen, out=out)
    log.warning(
        "%s does not exist: parameters that --set does not name have their defaults",
        DEFAULT_CONFIG,
    )
    return configuration.from_params(chosen, "--set", out=out)


def overrides(pairs: Sequence[str]) -> dict[str, str]:
    """The parameters of `--set key=value`, spaces around both stripped; the last one counts.

    >>> overrides(["lookback_window_days=7", "table = touches"])
    {'lookback_window_days': '7', 'table': 'touches'}
    """
    for pair in pairs:
        if "=" not in pair:
            raise ConfigError(f"--set must have the form key=value, got {pair}")
    parts = (pair.partition("=") for pair in pairs)
    return {key.strip(): value.strip() for key, _, value in parts}


def with_file(
    options: argparse.Namespace, parameter: str = "table"
) -> tuple[Path | None, dict[str, str]]:
    """The folder of tables and the parameters of `--set`, both after the FILE that is the table
    which `parameter` names.

    Raises `ConfigError` for a FILE that is none, or beside options that name another table.
    """
    chosen, file = overrides(options.set), options.file
    if file is None:
        return options.data, chosen
    from td_mta.warehouse.files import folder

    table = folder.table_name(file)
    if file.is_dir():
        raise ConfigError(
            f"{file} is a folder: name a file in it, or --data {file} --set {parameter}=…"
        )
    if not file.is_file():
        raise ConfigError(f"{file}: no such file")
    if table is None:
        raise ConfigError(f"{file}: the name of a table ends in one of {', '.join(folder.ENDINGS)}")
    if options.data is not None or options.warehouse == "td":
        raise ConfigError(f"{file} or --data and --warehouse td: only one can say where tables are")
    if chosen.setdefault(parameter, table) != table:
        named = f"--set {parameter}={chosen[parameter]}"
        raise ConfigError(f"{file} or {named}: only one can be the table")
    newest, *_ = folder.find(file.parent, table)
    if newest != file:
        raise ConfigError(f"{newest} is newer and has the same name as {file}: remove one of them")
    return file.parent, chosen


def open_warehouse(
    kind: str,
    data: Path | None,
    out: Path,
    now: int,
    database: str,
    environment: Mapping[str, str] = os.environ,
    files: "FileOptions | None" = None,
) -> "Warehouse":
    """The tables of a local folder, or those of `database` on Treasure Data.

    Key and address of Treasure Data come from the environment alone. `now` is in unix seconds.
    `files` says how the files of `data` are written, where that is not to be found out.
    Raises `ConfigError` for a folder that does not exist and for a missing or malformed key.
    """
    if kind == "local":
        if data is not None and not data.is_dir():
            raise ConfigError(f"--data must be a folder of CSV or Parquet files, got {data}")
        from td_mta.warehouse.file_options import FileOptions
        from td_mta.warehouse.local import LocalWarehouse

        return LocalWarehouse(data, out, now=now, files=files or FileOptions())
    key, server = _key(environment), _server(environment)
    from td_mta.warehouse.treasure_data import TreasureDataWarehouse

    return TreasureDataWarehouse(key, server, database, now=now)


def _key(environment: Mapping[str, str]) -> str:
    key = environment.get("TD_API_KEY", "").strip()
    if not key:
        raise ConfigError(
            "TD_API_KEY is not set: export TD_API_KEY with the account's master key (in a workflow "
            "set the secret td.apikey), or name a folder of local tables with --data"
        )
    check_key(key, "TD_API_KEY")
    return key


def _server(environment: Mapping[str, str]) -> str:
    server = environment.get("TD_API_SERVER", "").strip() or DEFAULT_SERVER
    return server_address(server, "TD_API_SERVER")


def log_to_stderr() -> None:
    """Log from INFO on, so that stdout holds results alone; what it cannot write is escaped."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Visible("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class _Visible(logging.Formatter):
    """Names from data do nothing to the screen."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


def print_summary(summary: "Summary") -> None:
    """Print the channels, that they add up to the conversions, and where the report is."""
    from td_mta.reporting.printed import channel_table

    print(channel_table(summary.models), end="\n\n")
    credited = f"baseline {summary.baseline:.1f} + channels {summary.channels:.1f}"
    print(f"{credited} = conversions {summary.conversions:.1f}")
    if summary.report:
        print(f"report: {visible(str(summary.report))}", flush=True)
