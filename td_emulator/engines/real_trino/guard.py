"""A server that lives as long as its user: `python -m ….guard FOLDER COMMAND...`.

The server is ended, and its folder removed, when standard input ends: the user closes it, or dies
in whatever way and the system closes it. A server that ends by itself leaves its last words here.
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
LAST_WORDS = 3000  # letters of its log


def main(argv: Sequence[str]) -> int:
    folder, *command = argv
    path = Path(folder) / "server.log"
    try:
        with path.open("wb") as log:
            server = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        signal.signal(signal.SIGTERM, lambda *_: server.kill())
        asked = threading.Event()
        threading.Thread(target=_end_with_input, args=(server, asked), daemon=True).start()
        code = server.wait()
        if not asked.is_set():
            sys.stdout.write(path.read_text(errors="replace")[-LAST_WORDS:])
        return code
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end_with_input(server: subprocess.Popen[bytes], asked: threading.Event) -> None:
    sys.stdin.buffer.read()
    asked.set()
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(PATIENCE)
    server.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
