"""Runs a server while the process that started it lives: `python -m ….guard FOLDER COMMAND...`.

The server is ended, and its folder removed, when standard input ends: its user closes it, or dies
in whatever way and the system closes it. The end of the log of a server that ends by itself is
printed.
"""

import contextlib
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 30.0  # seconds to end by itself
LAST_LETTERS = 3000  # of its log


def main(argv: Sequence[str]) -> int:
    """Run the command in the folder until standard input ends; returns its exit code."""
    folder, *command = argv
    path = Path(folder) / "server.log"
    try:
        with path.open("wb") as log:
            server = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        signal.signal(signal.SIGTERM, lambda *_: server.kill())
        input_ended = threading.Event()
        threading.Thread(target=_end_with_input, args=(server, input_ended), daemon=True).start()
        code = server.wait()
        if not input_ended.is_set():
            sys.stdout.write(path.read_text(errors="replace")[-LAST_LETTERS:])
        return code
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end_with_input(server: subprocess.Popen[bytes], input_ended: threading.Event) -> None:
    sys.stdin.buffer.read()
    input_ended.set()
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(PATIENCE)
    server.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
