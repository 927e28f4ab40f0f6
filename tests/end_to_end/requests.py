"""Differences between the requests of two runs, apart from what no two runs share.

Job numbers, names of staging tables and of imports are replaced by their order of appearance; how
often a job's state was polled depends on the machine, so repeated polls count once.
"""

import difflib
import itertools
import re
from collections.abc import Iterable
from typing import Protocol


class Request(Protocol):
    """What the emulator records of a request."""

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
_ARBITRARY = ("domain_key", "version")  # a random number, and the version of Digdag's own client


def lines(requests: Iterable[Request]) -> list[str]:
    """One line a request: method, path, answer and parameters."""
    seen: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return seen.setdefault(match[0], f"#{len(seen) + 1}")

    def line(request: Request) -> str:
        parameters = {key: _value(key, value) for key, value in request.parameters.items()}
        path = _NUMBERED.sub(number, request.path)
        return f"{request.method} {path} -> {request.status} {parameters}"

    return [line for line, _ in itertools.groupby(map(line, requests))]


def _value(key: str, value: str) -> str:
    return "*" if key in _ARBITRARY else _HEADER.sub(r"-- \1: *", value)


def differing(one: Iterable[Request], other: Iterable[Request]) -> list[str]:
    """The lines that only one of two runs has: `-` the first, `+` the second."""
    difference = difflib.unified_diff(lines(one), lines(other), lineterm="", n=0)
    return [line for line in difference if not line.startswith(("---", "+++", "@@"))]
