"""Ends the processes of tasks when the runner is gone, however it went. Run as a script.

Standard input says `+PID` and `-PID` when a group of processes starts and has ended. Its end, which
no kill of the runner can prevent, is the end of the groups that are left.
"""

import contextlib
import os
import signal
import sys
import time

GRACE = 2.0  # seconds between a request to end and the end


def main() -> None:
    """Wait for the end of standard input, then end what is left."""
    groups: set[int] = set()
    while line := sys.stdin.readline():
        group = int(line[1:])
        groups = groups | {group} if line[0] == "+" else groups - {group}
    for kind in (signal.SIGTERM, signal.SIGKILL) if groups else ():
        for group in groups:
            with contextlib.suppress(OSError):  # it has ended by now
                os.killpg(group, kind)
        time.sleep(GRACE if kind == signal.SIGTERM else 0)


if __name__ == "__main__":
    main()
