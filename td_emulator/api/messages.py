"""What comes in and what goes out: a request with its parameters, an answer, an error.

Python's client sends parameters as multipart/form-data, Java's as a URL-encoded form.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as the emulator saw it, without the key. `path` has each `//` as `/`.

    `status` is 0 where the connection was cut instead of answered.
    """

    method: str
    path: str
    parameters: dict[str, str] = field(default_factory=dict)
    status: int = 0


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a handler is given. `body` is a file where an upload came, which it may keep."""

    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    text: str = ""
    body: Path | None = None
    may_write: bool = True
    may_read: bool = True


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer: bytes, or `length` bytes that come in pieces."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    length: int | None = None
    type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """A request that is answered by an error."""

    def __init__(self, status: int, message: str, **details: str) -> None:
        super().__init__(message)
        self.status, self.details = status, details

    def answer(self) -> Answer:
        text = str(self)
        content = {"error": text, "text": text, "severity": "error", "details": self.details}
        return Answer(status=self.status, body=encoded(content))


def answer(**content: Any) -> Answer:
    """A JSON object with these members."""
    return Answer(body=encoded(content))


def encoded(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def parameters(query: str, content_type: str, body: bytes) -> dict[str, str]:
    """The parameters of the URL and those of a form.

    >>> parameters("a=1&b=", "application/x-www-form-urlencoded", b"q=select+%27x%27")
    {'a': '1', 'b': '', 'q': "select 'x'"}
    """
    found = dict(parse_qsl(query, keep_blank_values=True))
    if content_type.startswith("application/x-www-form-urlencoded"):
        found |= dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    boundary = re.search(r'^multipart/form-data;.*boundary="?([^";]+)', content_type)
    return found | (_multipart(body, boundary[1].encode()) if boundary else {})


def _multipart(body: bytes, boundary: bytes) -> dict[str, str]:
    found = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        head, _, value = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        if name:
            found[name[1].decode(errors="replace")] = value.decode(errors="replace")
    return found
