"""`python -m td_mta.check FILE`: what a table holds and what a run will warn of, in seconds."""

import argparse
import logging
import sys
from collections.abc import Sequence

from td_mta import cli, failures
from td_mta.pipelines import memory
from td_mta.visible_text import visible


def main(argv: Sequence[str] | None = None) -> int:
    """Check with the options of `td_mta.main`; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = cli.parser("python -m td_mta.check").parse_args(arguments)
    cli.log_to_stderr()
    return failures.exit_code(lambda: check(options, arguments), options.out)


def check(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Print what the table holds, and the command line that runs it."""
    logging.getLogger("td_mta.ingest").setLevel(logging.WARNING)  # what it logs is printed below
    memory.check_addresses(memory.FOR_A_CHECK)
    table = cli.open_table(options)
    of_run = [argument for argument in arguments if argument != "--check"]

    from td_mta.pipelines import check_lines, paths, table_check

    if table.paths is not None:
        lines = paths.check(table.paths, table.config, table.warehouse)
        command = check_lines.of_run(of_run)
    else:
        checked = table_check.check(table.config, table.warehouse)
        lines = check_lines.lines(checked, table.config, table.notes)
        command = check_lines.command(checked, table.config, of_run)
    print(*map(visible, [*lines, "Run:", f"  {command}"]), sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
