"""`python -m local_runner`: run a Digdag workflow, or one query, on local files."""

import argparse
import functools
import sys
from collections.abc import Sequence
from pathlib import Path

from local_runner.bounds import limits
from local_runner.bounds.texts import pair
from local_runner.command import Options, run
from local_runner.td.account import DIGDAG_PATIENCE
from td_mta import failures
from td_mta.errors import Refused
from td_mta.trino_on_datafusion.time_limit import leave
from td_mta.warehouse.td_patience import Patience

# Options that make no sense twice: argparse would take the last one in silence.
SINGLE = ("-P", "--params-file", "--session", "--from", "--data", "--out", "--warehouse")


def main(argv: Sequence[str] | None = None, patience: Patience = DIGDAG_PATIENCE) -> int:
    """The exit code: 0 done, 2 wrong input or something refused before it ran, 1 anything else.

    `patience` is how long requests to Treasure Data wait, by default about as Digdag does.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["sql"]:
        from local_runner.sql import main as answer

        return failures.exit_code(lambda: answer(arguments[1:]))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if arguments[:1] == ["archive"]:
        from local_runner.archive import main as archive

        return failures.exit_code(lambda: archive(arguments[1:]))
    options = _options(arguments)
    return failures.exit_code(lambda: _limited(options, patience), options.out)


def _limited(options: Options, patience: Patience) -> int:
    """Run within the limits; what is nested too deep for Python itself is refused."""
    with limits.using(limits.given(options.limit)):
        try:
            return run(options, patience)
        except RecursionError:
            raise Refused(
                f"{options.workflow}: its tasks, calls and values are nested too deep: make them "
                f"flatter, or {limits.raising('nesting')}"
            ) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m local_runner", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("run", help="run a workflow", allow_abbrev=False).add_argument
    add("workflow", metavar="FILE.dig", help="a workflow in the root of its project")
    add("target", metavar="+task", nargs="?", help="only this task or group")
    add("--warehouse", choices=("local", "td"), help="where tables are (--data: local)")
    add("--data", type=Path, metavar="DIR", help="the folder of input tables")
    add("--out", type=Path, metavar="DIR", default=Path("out"), help="the folder of output tables")
    pairs = functools.partial(add, metavar="key=value", action="append", default=[], type=pair)
    pairs("--set", help="set one parameter of params.yml")
    pairs("-p", "--param", help="a parameter that nothing exports")
    add("-P", "--params-file", metavar="FILE", type=Path, help="a YAML file of such parameters")
    pairs("--secret", help="a secret for ${secret:key}")
    add("--session", metavar="TIME", help="yyyy-MM-dd or 'yyyy-MM-dd HH:mm:ss' (today)")
    add("--from", dest="start", metavar="+task", help="resume at this task, skip those before")
    add("--allow-network", metavar="HOST", action="append", default=[], help="for http>, mail>")
    limit = "change a limit, such as template_seconds=60"
    add("--limit", metavar="NAME=NUMBER", action="append", default=[], type=pair, help=limit)
    outside = "let files of the project be links or paths to files outside of its folder"
    add("--allow-outside", action="store_true", help=outside)
    add("--dry-run", action="store_true", help="print the rendered SQL, run nothing")
    commands.add_parser("sql", help="answer one query, as JSON")
    commands.add_parser("archive", help="list what a push would send")
    return parser


def _options(arguments: list[str]) -> Options:
    """argparse takes +task only right after the file; it may stand anywhere."""
    parsed, unknown = _parser().parse_known_args(arguments)
    options = vars(parsed)
    del options["command"]
    if len(unknown) == 1 and unknown[0].startswith("+") and options["target"] is None:
        options["target"] = unknown.pop()
    repeated = [option for option in SINGLE if arguments.count(option) > 1]
    unknown += [f"{option} given twice" for option in repeated]
    if unknown:
        _parser().error(f"unrecognized arguments: {' '.join(unknown)}")
    return Options(**options)


if __name__ == "__main__":
    leave(main())
