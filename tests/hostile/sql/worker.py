"""One process answers many queries; it is replaced when it dies, hangs or takes too much memory.

Each of these is a fault, as is an exception that is not one of ours.
"""

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

MOST_SECONDS = 60.0  # of a processor, for one input
MOST_BYTES = 3 << 30
INPUTS_OF_ONE = 2000  # then the next process
_LOOK = 0.5  # seconds between two looks at the process
_IDLE = 120.0  # seconds by the clock in which the process does nothing at all


@dataclass
class Report:
    """What became of one input: how its queries ended, and what is wrong, if anything is."""

    ends: Counter[str] = field(default_factory=Counter)
    fault: str | None = None


class Worker:
    """`judge(seed)` in another process, which starts with the first seed."""

    def __init__(
        self,
        judge: Callable[[int], Report],
        *,
        seconds: float = MOST_SECONDS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._judge, self._seconds, self._bytes = judge, seconds, most_bytes
        self._process: Any = None
        self._done = 0
        self.started = 0

    def report(self, seed: int) -> Report:
        """What the process says of this input; of its own end, where it came to that."""
        if self._process is None or self._done >= INPUTS_OF_ONE:
            self._start()
        self._done += 1
        try:
            self._connection.send(seed)
            return self._waited()
        except (EOFError, ConnectionError):
            self._process.join()
            code = self._process.exitcode
            self.stop()
            return Report(Counter({"died": 1}), f"the process ended with {code}")

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None

    def _start(self) -> None:
        self.stop()
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._judge), daemon=True)
        self._process.start()
        theirs.close()
        self._connection.recv()  # it has imported all that it needs
        self._done, self.started = 0, self.started + 1

    def _waited(self) -> Report:
        first = seen = self._worked()
        moved = time.monotonic()
        while not self._connection.poll(_LOOK):
            if (worked := self._worked()) != seen:
                seen, moved = worked, time.monotonic()
            if worked - first > self._seconds or time.monotonic() - moved > _IDLE:
                self.stop()
                return Report(Counter({"hung": 1}), f"no answer after {self._seconds:g} s of work")
            if self._resident() > self._bytes:
                self.stop()
                return Report(Counter({"grew": 1}), f"more than {self._bytes:,} bytes of memory")
        report: Report = self._connection.recv()
        return report

    def _worked(self) -> float:
        """Processor seconds: on a busy machine the clock says little."""
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def _resident(self) -> int:
        pages = Path(f"/proc/{self._process.pid}/statm")
        try:
            return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):  # it has ended, or there is no /proc
            return 0


def _serve(connection: Connection, judge: Callable[[int], Report]) -> None:
    connection.send("ready")
    while True:
        try:
            seed = connection.recv()
        except EOFError:
            return
        connection.send(judge(seed))
