"""A request with its parameters, an answer, and an error that is one.

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
    """One request as the emulator logs it, without the key. `path` has each `//` as `/`.

    `status` is that of the answer, 0 where the connection was cut instead.
    """

    method: str
    path: str
    parameters: dict[str, str] = field(default_factory=dict)
    status: int = 0


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request as its handler gets it.

    `text` is the body of a Trino statement, `body` the file of an upload, which a handler that
    keeps it links to; the names of `headers` are in lower case.
    """

    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    text: str = ""
    body: Path | None = None
    may_write: bool = True
    may_read: bool = True


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer. `body` is bytes, or pieces of bytes that together have `length`."""

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
        """The error as Treasure Data writes it."""
        text = str(self)
        content = {"error": text, "text": text, "severity": "error", "details": self.details}
        return Answer(status=self.status, body=encoded(content))


def answer(**content: Any) -> Answer:
    """A JSON object with these members."""
    return Answer(body=encoded(content))


def encoded(content: object) -> bytes:
    """JSON in UTF-8."""
    return json.dumps(content, ensure_ascii=False).encode()


def parameters(query: str, content_type: str, body: bytes) -> dict[str, str]:
    """The parameters of the URL and those of a form, or the members of a JSON object.

    >>> parameters("a=1&b=", "application/x-www-form-urlencoded", b"q=select+%27x%27")
    {'a': '1', 'b': '', 'q': "select 'x'"}
    """
    from_url = dict(parse_qsl(query, keep_blank_values=True))
    if content_type.startswith("application/x-www-form-urlencoded"):
        text = body.decode(errors="replace")
        return from_url | dict(parse_qsl(text, keep_blank_values=True))
    if content_type.startswith("application/json"):
        return from_url | _members(body)
    boundary = re.search(r'^multipart/form-data;.*boundary="?([^";]+)', content_type)
    return from_url | (_multipart(body, boundary[1].encode()) if boundary else {})


def _members(body: bytes) -> dict[str, str]:
    """The members of a JSON object, those that are no text as JSON; none where it is no object."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    members = content.items() if isinstance(content, dict) else ()
    return {
        key: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for key, value in members
    }


def _multipart(body: bytes, boundary: bytes) -> dict[str, str]:
    values = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        head, _, value = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        if name:
            values[name[1].decode(errors="replace")] = value.decode(errors="replace")
    return values
