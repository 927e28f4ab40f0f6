"""The runner's side of the process of templates (sandbox.py): one a run, started when needed.

It is killed when it takes too long or too much, and started again for the next template.
"""

import atexit
import contextlib
import json
import math
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from local_runner.bounds import limits
from local_runner.javascript.tokens import UnsupportedError

_SCRIPT = Path(__file__).with_name("sandbox.py")
_CHUNK = 1 << 16


class LimitError(UnsupportedError):
    """A template that took longer, or more memory, than it may."""


class Sandbox:
    """Asks a process of its own, one template at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._limits = limits.current()
        self._sent: set[str] = set()  # the realms whose source the process has

    def result(
        self,
        zone: str,
        realm: tuple[str, Callable[[], str]],
        values: object,
        *,
        keep: bool,
        summer: Callable[[float], int | None],
    ) -> Any:
        """What a script comes to, in a realm of a name and a source that is asked for once.

        Raises `UnsupportedError`, where a limit is met `LimitError`.
        """
        name, source = realm
        with self._lock:
            process = self._running()
            request = {"realm": name, "zone": zone, "values": values, "keep": keep}
            if name not in self._sent:
                request["source"] = source()
                self._sent.add(name)
            try:
                return self._talk(process, request, summer)
            except BaseException:
                self._kill()
                raise

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._kill()

    def _running(self) -> "subprocess.Popen[bytes]":
        wanted = limits.current()
        if self._process is None or self._process.poll() is not None or self._limits != wanted:
            self._kill()
            self._limits = wanted
            self._process = _started(wanted)
        return self._process

    def _kill(self) -> None:
        process, self._process = self._process, None
        self._sent.clear()
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            assert pipe
            with contextlib.suppress(OSError):  # what was not read yet
                pipe.close()
        process.wait()

    def _talk(
        self,
        process: "subprocess.Popen[bytes]",
        request: object,
        summer: Callable[[float], int | None],
    ) -> Any:
        deadline = time.monotonic() + self._limits.template_seconds
        answer = self._ask(process, request, deadline)
        while "summer" in answer:
            answer = self._ask(process, summer(float(answer["summer"])), deadline)
        if "fault" in answer:
            fault = answer["fault"].split("\n")[0]
            raise UnsupportedError(f"code that the engine cannot run ({fault})")
        return answer["result"]

    def _ask(self, process: "subprocess.Popen[bytes]", request: object, deadline: float) -> Any:
        assert process.stdin and process.stdout
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self._too_much() from None
        return json.loads(self._line(process.stdout.fileno(), deadline))

    def _line(self, pipe: int, deadline: float) -> bytes:
        """One line of an answer, within time and size."""
        line = bytearray()
        waiting = select.poll()
        waiting.register(pipe, select.POLLIN)
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not waiting.poll(math.ceil(left * 1000)):
                raise LimitError(
                    f"code that takes longer than {self._limits.template_seconds} s "
                    f"({limits.raising('template_seconds')})"
                )
            part = os.read(pipe, _CHUNK)
            if not part or len(line) > self._limits.template_mb << 20:
                raise self._too_much()
            line += part
        return bytes(line)

    def _too_much(self) -> LimitError:
        return LimitError(
            f"code that takes more than {self._limits.template_mb} MB, or ends the engine "
            f"({limits.raising('template_mb')})"
        )


def _started(wanted: limits.Limits) -> "subprocess.Popen[bytes]":
    """The process: without our variables, and without site-packages but for the engine itself."""
    arguments = [_engine_file(), str(wanted.template_mb), str(wanted.template_seconds)]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_SCRIPT), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        start_new_session=True,  # Ctrl-C is for the runner, which ends it
    )


def _engine_file() -> str:
    spec = find_spec("dukpy")
    folders = spec.submodule_search_locations if spec else None
    found = [str(file) for folder in folders or () for file in Path(folder).glob("_dukpy*.so")]
    if not found:
        raise ModuleNotFoundError("No module named 'dukpy'", name="dukpy")
    return found[0]


shared = Sandbox()
atexit.register(shared.close)
