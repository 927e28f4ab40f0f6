"""The requests of two runs beside each other, with what no two runs share taken out.

Job numbers, names of staging tables and imports are told apart only by their order; how often a
job's state was asked for depends on the machine, so repeated polls count once.
"""

import difflib
import itertools
import re
from collections.abc import Iterable
from typing import Protocol


class Request(Protocol):
    """What the emulator keeps of a request."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def parameters(self) -> dict[str, str]: ...
    @property
    def status(self) -> int: ...


_NUMBERED = re.compile(r"(?<=/)\d+(?=$|/)|[0-9a-f]{8,}[0-9a-f_-]*")  # in paths: job, import, table
_HEADER = re.compile(r"^-- (project_id|session_id|attempt_id): \d+$", re.MULTILINE)
_FREE = ("domain_key", "version")  # a random number, and the version of Digdag's own client


def lines(requests: Iterable[Request]) -> list[str]:
    """One line a request: method, path, answer and parameters."""
    seen: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return seen.setdefault(found[0], f"#{len(seen) + 1}")

    def line(request: Request) -> str:
        given = {key: _value(key, value) for key, value in request.parameters.items()}
        path = _NUMBERED.sub(number, request.path)
        return f"{request.method} {path} -> {request.status} {given}"

    return [line for line, _ in itertools.groupby(map(line, requests))]


def _value(key: str, value: str) -> str:
    return "*" if key in _FREE else _HEADER.sub(r"-- \1: *", value)


def differing(one: Iterable[Request], other: Iterable[Request]) -> list[str]:
    """The lines that only one of two runs has: `-` the first, `+` the second."""
    both = difflib.unified_diff(lines(one), lines(other), lineterm="", n=0)
    return [line for line in both if not line.startswith(("---", "+++", "@@"))]
