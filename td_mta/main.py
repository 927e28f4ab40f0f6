"""`python -m td_mta.main`: one attribution run from the command line, without a workflow."""

import argparse
import logging
import sys
from collections.abc import Sequence

from td_mta import check, cli, failures
from td_mta.pipelines import memory

log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run with the options of `argv`; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = cli.parser("python -m td_mta.main").parse_args(arguments)
    cli.log_to_stderr()
    work = (lambda: check.check(options, arguments)) if options.check else (lambda: _run(options))
    return failures.exit_code(work, options.out)


def _run(options: argparse.Namespace) -> None:
    memory.check_addresses(memory.FOR_A_RUN)
    table = cli.open_table(options)
    for sentence in table.notes:
        log.info("%s", sentence)

    from td_mta.pipelines import attribution, paths

    if table.paths is not None:
        summary = paths.run(table.paths, table.config, table.warehouse, options.out)
    else:
        summary = attribution.run(table.config, table.warehouse, options.out, notes=table.notes)
    cli.print_summary(summary)


if __name__ == "__main__":
    sys.exit(main())
