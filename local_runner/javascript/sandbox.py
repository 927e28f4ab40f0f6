"""The process of templates, run as a script: `sandbox.py ENGINE MEGABYTES SECONDS`.

It answers one line of JSON on standard input with one on standard output. Once the engine is loaded
it can open no file, and memory and processor time are limited. To the engine there is no way to
Python but one question, `summer`, which the runner answers; it must not import anything of ours.
"""

import functools
import importlib.util
import json
import resource
import sys
from typing import Any


class Interpreter:
    """What the engine wants of an interpreter: its context, and the functions that it may call.

    It has no module loader, without which `import` fails.
    """

    def __init__(self, engine: Any, zone: str) -> None:
        self.engine, self.zone = engine, zone
        self.summer = functools.lru_cache(maxsize=1024)(self._summer)
        self._ctx = engine.create_context()

    def run(self, source: str, values: object) -> Any:
        """The value of a script, which finds `values` in the global `dukpy`."""
        encoded = json.dumps(values).encode()
        result = self.engine.eval_string(self, source.encode(), encoded, False, "<template>")
        return None if result is None else json.loads(result.decode("utf-8"))

    def _check_exported_function_exists(self, name: bytes) -> bool:
        return name == b"summer"

    def _call_python(self, name: bytes, arguments: bytes) -> bytes:
        (time,) = json.loads(arguments)
        return json.dumps(self.summer(float(time))).encode()

    def _summer(self, time: float) -> int | None:
        answer({"summer": time, "zone": self.zone})
        minutes: int | None = json.loads(sys.stdin.readline())
        return minutes


def answer(reply: dict[str, Any]) -> None:
    """Write a line; half a character becomes an escape, which JSON's reader takes back."""
    print(json.dumps(reply), flush=True)


def load(path: str) -> Any:
    """The engine's extension module, without the package around it."""
    spec = importlib.util.spec_from_file_location("_dukpy", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def close_down(megabytes: int) -> None:
    """No file from here on, none written, no process, and no more memory than this."""
    bounds = {"RLIMIT_NOFILE": 0, "RLIMIT_FSIZE": 0, "RLIMIT_NPROC": 0, "RLIMIT_CORE": 0}
    for name, bound in {**bounds, "RLIMIT_AS": megabytes << 20}.items():
        try:
            resource.setrlimit(getattr(resource, name), (bound, bound))
        except (AttributeError, OSError, ValueError):  # a system without it
            continue


def allow_seconds(seconds: int) -> None:
    """The system ends this process after so much more processor time, even without a runner."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    used = int(usage.ru_utime + usage.ru_stime)
    soft = used + seconds + 2
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def main(path: str, megabytes: int, seconds: int) -> None:
    """Answer requests until standard input ends."""
    server = Server(load(path))
    close_down(megabytes)
    while line := sys.stdin.readline():
        request = json.loads(line)
        allow_seconds(seconds)
        try:
            reply = {"result": server.result(**request)}
        except Exception as error:
            reply = {"fault": f"{type(error).__name__}: {str(error)[:200]}"}
        answer(reply)


class Server:
    """The realms that are kept, by name: each is made of a source that comes once."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.sources: dict[str, str] = {}
        self.kept: dict[str, Interpreter] = {}

    def result(
        self, realm: str, zone: str, values: object, keep: bool, source: str | None = None
    ) -> Any:
        """What a script comes to in a realm, which a fault or `keep` false gives up."""
        if source is not None:
            self.sources[realm] = source
        interpreter = self.kept.pop(realm, None) if keep else None
        if interpreter is None:
            interpreter = Interpreter(self.engine, zone)
            interpreter.run(self.sources[realm], {})
        result = interpreter.run("__run()", values)
        if keep:
            self.kept[realm] = interpreter
        return result


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
