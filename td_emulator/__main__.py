"""`python -m td_emulator`: try Treasure Data workflows on this machine, without an account."""

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from td_emulator.api.keys import API_KEY
from td_emulator.emulator import Emulator
from td_emulator.engines.embedded import EmbeddedEngine
from td_emulator.engines.protocol import Engine, EngineError
from td_mta.errors import ConfigError, MtaError
from td_mta.trino_on_datafusion.time_limit import TimeLimit, leave

PORT = 8801
FOLDER = Path("data")
QUERY_SECONDS = 600


def main(argv: Sequence[str] | None = None, stop: threading.Event | None = None) -> int:
    """Serve until `stop` is set or a signal comes. The exit code: 2 where it cannot start."""
    options = _parser().parse_args(argv)
    with contextlib.ExitStack() as stack:
        try:
            engine = _engine(options, stack)
            emulator = Emulator(engine, port=options.port, poll_again=0, line=_print)
        except (MtaError, EngineError) as error:
            return _failed(str(error))
        except OSError as error:
            reason = f"--port {options.port}: {error.strerror}"
            return _failed(f"{reason}: name another port, or 0 for any")
        with emulator:
            _print(_exports(emulator))
            _wait(stop)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m td_emulator", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=PORT, help=f"on 127.0.0.1 (default: {PORT}; 0: any free one)")
    add(
        "--folder",
        type=Path,
        metavar="DIR",
        help="its folders are databases, their CSV and Parquet files tables, which statements "
        f"change and drop as they would on Treasure Data (default: {FOLDER})",
    )
    add(
        "--trino",
        metavar="URL",
        help="a running Trino with a catalog td-presto that does the SQL, or `start`: fetch Trino "
        "476 (200 MB, once, by Maven) and run it meanwhile, by a JDK 24 or newer; tables of "
        "--folder are copied into it (default: the project's own engine)",
    )
    add(
        "--query-seconds",
        type=_seconds,
        metavar="NUMBER",
        default=QUERY_SECONDS,
        help=f"that a query of the project's own engine may take (default: {QUERY_SECONDS})",
    )
    return parser


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a number from 1 to 999999999, got {text}")
    return int(text)


def _engine(options: argparse.Namespace, stack: contextlib.ExitStack) -> Engine:
    folder: Path | None = options.folder
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"--folder {folder}: must be a folder with a folder for each database")
    if options.trino is None:
        (folder or FOLDER).mkdir(exist_ok=True)
        limit = TimeLimit(options.query_seconds, "raise it with --query-seconds NUMBER")
        return EmbeddedEngine(folder or FOLDER, limit=limit)
    from td_emulator.engines.real_trino import RealTrino, TrinoEngine

    started = options.trino == "start"
    url = stack.enter_context(RealTrino()).url if started else options.trino.rstrip("/")
    engine = TrinoEngine(url)
    if folder is not None:
        _copy(EmbeddedEngine(folder), engine)
    return engine


def _copy(source: Engine, target: Engine) -> None:
    """Copy every table of `source` into `target`."""
    for database in source.databases():
        target.create_database(database)
        for table in source.tables(database):
            target.write(database, table, source.read(database, table))


def _exports(emulator: Emulator) -> str:
    """The variables that a client's shell needs, then the databases."""
    databases = ", ".join(emulator.engine.databases())
    listed = databases or "none yet: POST /v3/database/create/<name>"
    return (
        f"export TD_API_KEY={API_KEY}\n"
        f"export TD_API_SERVER={emulator.url}\n"
        f"export TD_PRESTO_API={emulator.url.rstrip('/')}\n"
        f"# databases: {listed}\n"
        "# serving; Ctrl-C ends it"
    )


def _wait(stop: threading.Event | None) -> None:
    if stop is not None:
        stop.wait()
        return
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    ended.wait()


def _print(line: str) -> None:
    print(line, flush=True)


def _failed(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    leave(main())
