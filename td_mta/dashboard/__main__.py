"""`python -m td_mta.dashboard [FILE or run folder]`: the app, for this machine's browser alone.

Streamlit gets every setting here, so that no file of a user's changes what is open to the network
or sent to anyone.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from td_mta import failures
from td_mta.dashboard.data.jobs import FOLDER, OPEN
from td_mta.errors import ConfigError

LOCAL = "127.0.0.1"
MOST_UPLOAD = 2_000  # megabytes
APP = Path(__file__).with_name("app.py")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted; returns the exit code."""
    options = _parser().parse_args(argv)
    return failures.exit_code(lambda: _serve(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m td_mta.dashboard", description="The app: simulate, attribute, decide."
    )
    parser.add_argument(
        "path",
        type=Path,
        nargs="?",
        metavar="PATH",
        help="a table of touchpoints, or a run's folder",
    )
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument(
        "--address", default=LOCAL, help=f"who may connect; default: {LOCAL}, this machine alone"
    )
    parser.add_argument("--headless", action="store_true", help="open no browser")
    return parser


def _serve(options: argparse.Namespace) -> int:
    if options.path is not None and not options.path.exists():
        raise ConfigError(f"{options.path}: no such file or folder")
    if not 0 < options.port < 65536:
        raise ConfigError(f"--port must be 1 to 65535, got {options.port}")
    folder = tempfile.mkdtemp(prefix="td_mta_app_")
    environment = os.environ | {FOLDER: folder}
    if options.path is not None:
        environment[OPEN] = str(options.path.resolve())
    root = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    server = subprocess.Popen(_command(options), env=environment)

    def stop(number: int, frame: FrameType | None) -> None:
        server.terminate()

    signal.signal(signal.SIGTERM, stop)
    try:
        return max(server.wait(), 0)
    except KeyboardInterrupt:
        server.terminate()
        server.wait()
        return 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _command(options: argparse.Namespace) -> list[str]:
    settings = {
        "server.address": options.address,
        "server.port": options.port,
        "server.headless": str(options.headless).lower(),
        "server.fileWatcherType": "none",
        "server.maxUploadSize": MOST_UPLOAD,
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": "localhost" if options.address == LOCAL else options.address,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "global.developmentMode": "false",
    }
    flags = [f"--{name}={value}" for name, value in settings.items()]
    return [sys.executable, "-m", "streamlit", "run", str(APP), *flags]


if __name__ == "__main__":
    sys.exit(main())
