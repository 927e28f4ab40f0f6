"""Tasks that run at the same time: a thread each, started in the order of the file.

What one of them prints appears whole, when it ends. A run that is interrupted ends its processes
and jobs, wherever they wait.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from itertools import pairwise

from local_runner.workflow.tasks import Task

MOST = 32  # tasks of a group at once; the others wait for a place
_stopping = threading.Event()
_writing = threading.RLock()
_counts = {"running": 0, "waiting": 0}


def log(text: str) -> None:
    """A whole line on standard error."""
    with _writing:
        print(text, file=sys.stderr, flush=True)


def say(text: str) -> None:
    """A whole text and a line's end on standard output."""
    with _writing:
        print(text, flush=True)


def sleep(seconds: float) -> None:
    """Wait; raises `KeyboardInterrupt` in every thread once the run is interrupted."""
    if _stopping.wait(min(seconds, threading.TIMEOUT_MAX)):
        raise KeyboardInterrupt


def among_others() -> bool:
    """Whether this task runs beside others, not in the main thread."""
    return threading.current_thread() is not threading.main_thread()


@contextmanager
def waiting() -> Iterator[Callable[[], bool]]:
    """A wait for what another task makes; the function tells whether one is at work that may."""
    _count("waiting", 1)
    try:
        yield lambda: _counts["running"] > _counts["waiting"]
    finally:
        _count("waiting", -1)


def _count(state: str, change: int) -> None:
    with _writing:
        _counts[state] += change


def in_sequence(tasks: Sequence[Task]) -> bool:
    """Whether each task waits for the one before."""
    return all(before in task.upstreams for before, task in pairwise(tasks))


def run(tasks: Sequence[Task], run_one: Callable[[Task], None]) -> None:
    """Run every task as soon as its upstreams have ended; raises what one of them raised."""
    pending, running, ended = list(tasks), set[Future[None]](), set[Future[None]]()
    waits = waiting() if among_others() else nullcontext()  # this task itself, for those below
    with waits, ThreadPoolExecutor(max_workers=min(len(tasks), MOST)) as pool:
        try:
            while pending or running:
                ready = [task for task in pending if _is_ready(task)]
                # In one step, so that nobody believes that nothing more is at work.
                _count("running", len(ready) - len(ended))
                running |= {pool.submit(run_one, task) for task in ready}
                pending = [task for task in pending if task not in ready]
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    future.result()
        except BaseException:
            _stopping.set()
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            _count("running", -len(ended) - len(running))


def _is_ready(task: Task) -> bool:
    return all(upstream.state != "planned" for upstream in task.upstreams)


@contextmanager
def interruptible() -> Iterator[None]:
    """A whole run, whose interruption is over with it; a request to end is one, too."""
    _stopping.clear()
    asked = () if among_others() else (signal.SIGTERM, signal.SIGHUP)
    kinds = [kind for kind in asked if signal.getsignal(kind) != signal.SIG_IGN]  # as of nohup
    earlier = {kind: signal.signal(kind, signal.default_int_handler) for kind in kinds}
    if asked and signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # In a script's background: processes would inherit that, but not that it is caught.
        earlier[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        _stopping.clear()
        for kind, handler in earlier.items():
            signal.signal(kind, handler)


def write(output: bytes) -> None:
    """A whole output of a process on standard output."""
    with _writing:
        sys.stdout.flush()
        while output:
            output = output[os.write(1, output) :]
