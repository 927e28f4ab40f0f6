"""`python -m td_mta.main`: one attribution run from the command line, without a workflow."""

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from td_mta import cli, failures

if TYPE_CHECKING:
    from td_mta.config.attribution import Config

log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run with the options of `argv`; returns the exit code."""
    options = cli.parser().parse_args(argv)
    cli.log_to_stderr()
    return failures.exit_code(lambda: _run(options), options.out)


def _run(options: argparse.Namespace) -> None:
    data, chosen = cli.with_file(options)
    config = _config(options.config, chosen, options.out)
    kind = options.warehouse or ("td" if data is None else "local")
    warehouse = cli.open_warehouse(kind, data, options.out, int(time.time()), config.db)

    from td_mta.ingest import finding
    from td_mta.pipelines import attribution

    found = finding.find(config, chosen, warehouse, file=options.file, local=kind == "local")
    for sentence in found.notes:
        log.info("%s", sentence)
    summary = attribution.run(found.config, warehouse, options.out, notes=found.notes)
    cli.print_summary(summary)


def _config(path: Path | None, overrides: dict[str, str], out: Path) -> "Config":
    """From `--config`, else from the file of this folder or beside td_mta, else the defaults."""
    from td_mta.config import attribution as configuration

    beside_package = Path(__file__).parent.parent / cli.DEFAULT_CONFIG
    existing = (file for file in (cli.DEFAULT_CONFIG, beside_package) if file.is_file())
    path = path or next(existing, None)
    if path:
        return configuration.load(path, overrides, out=out)
    log.warning(
        "%s does not exist: parameters that --set does not name have their defaults",
        cli.DEFAULT_CONFIG,
    )
    return configuration.from_params(overrides, "--set", out=out)


if __name__ == "__main__":
    sys.exit(main())
