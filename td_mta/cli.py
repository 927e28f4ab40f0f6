"""The command line: its options, where tables are, and the message and exit code of an error.

No heavy library is imported here, so that --help and a wrong option answer at once.
"""

import argparse
import errno
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from td_mta.errors import ConfigError, MtaError
from td_mta.warehouse.td_address import DEFAULT_SERVER, server_address

if TYPE_CHECKING:
    from td_mta.pipelines.attribution import Summary
    from td_mta.warehouse import Warehouse

DEFAULT_CONFIG = Path("config/params.yml")
DESCRIPTION = (
    "What did each marketing channel contribute to our conversions, and how long before? "
    "Reads a table of touchpoints, writes tables and a report."
)


def parser() -> argparse.ArgumentParser:
    """The options of `python -m td_mta.main`."""
    options = argparse.ArgumentParser(prog="python -m td_mta.main", description=DESCRIPTION)
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
    return options


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


def open_warehouse(
    kind: str,
    data: Path | None,
    out: Path,
    now: int,
    database: str,
    environment: Mapping[str, str] = os.environ,
) -> "Warehouse":
    """The tables of a local folder, or those of `database` on Treasure Data.

    Key and address of Treasure Data come from the environment alone. `now` is in unix seconds.
    Raises `ConfigError` for a folder that does not exist and for a missing or malformed key.
    """
    if kind == "local":
        if data is not None and not data.is_dir():
            raise ConfigError(f"--data must be a folder of CSV or Parquet files, got {data}")
        from td_mta.warehouse.local import LocalWarehouse

        return LocalWarehouse(data, out, now=now)
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
    if not re.fullmatch(r"[!-~]+", key):  # the message does not show it: it may be the secret
        raise ConfigError(
            "TD_API_KEY must hold the account's master key, ACCOUNT/KEY, got one with a space or a "
            "character that no key has; copy the key again"
        )
    return key


def _server(environment: Mapping[str, str]) -> str:
    server = environment.get("TD_API_SERVER", "").strip() or DEFAULT_SERVER
    return server_address(server, "TD_API_SERVER")


def log_to_stderr() -> None:
    """Log from INFO on, so that stdout holds results alone."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
    )


def print_summary(summary: "Summary") -> None:
    """Print that baseline and channels add up to the conversions, and where the report is."""
    credited = f"baseline {summary.baseline:.1f} + channels {summary.channels:.1f}"
    print(f"{credited} = conversions {summary.conversions:.1f}")
    if summary.report:
        print(f"report: {summary.report}", flush=True)


def exit_code(work: Callable[[], None]) -> int:
    """The exit code of a command: 0 done, 2 wrong input, 1 any other error, 130 interrupted.

    An error is one line on stderr.
    """
    try:
        work()
    except MtaError as error:
        return _report_error(error.exit_code, str(error))
    except KeyboardInterrupt:
        return _report_error(130, "interrupted; the tables of the last complete run are unchanged")
    except ImportError as error:
        return _report_error(1, missing_package(error))
    except MemoryError:
        return _report_error(
            1,
            "out of memory: lower users_per_tfrecord or lookback_window_days, "
            "group channels, or use a larger machine",
        )
    except OSError as error:
        return _report_error(1, _describe_os_error(error))
    return 0


def missing_package(error: ImportError) -> str:
    """The message for a package that is not installed."""
    return (
        f"the package {error.name or error} cannot be imported ({error}): "
        "run pip install -r td_mta/requirements.txt"
    )


def is_full(error: OSError) -> bool:
    """Whether the disk or its quota is full; some libraries set no error number."""
    return error.errno in _FULL or "No space left" in str(error)


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _describe_os_error(error: OSError) -> str:
    if is_full(error):
        return f"the disk is full ({error}): free some space, or set another folder with --out"
    return str(error)


def _report_error(code: int, message: str) -> int:
    print("error:", " ".join(message.split()), file=sys.stderr)
    return code
