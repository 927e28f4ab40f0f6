"""SQL files: one file holds one statement, with `${name}` where a parameter goes.

A name is filled as text: true and false in lower case, and `none`, the word of `config/params.yml`,
for None. So is a little JavaScript, for what is optional or follows from parameters: choices
`a == 'none' ? b : c`, `+` of texts, `-` of numbers, `.replace(/[a-z]+/g, '"$&"')` and the text of
whatever a name holds, `[a].join('')`. Other templates work on Digdag only and are refused here.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from td_mta.errors import ConfigError

LONGEST_SHOWN = 200  # characters of a template
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_TOKEN = re.compile(
    r"\s*(==|[?:()+-]|\[|\]\.join\(''\)|[A-Za-z_]\w*|[0-9]+|'[^']*'|\.replace\(/.+?/g?, '[^']*'\))"
)
_REPLACE = re.compile(r"\.replace\(/(.+?)/(g?), '([^']*)'\)")
_GROUP = re.compile(r"\$([1-9&])")


def statement(path: Path, parameters: Mapping[str, object] | Any) -> str:
    """The one statement of a file, filled with a mapping or a `Config`, as `td>` would fill it."""
    return fill(path.read_text(encoding="utf-8"), parameters, str(path))


def fill(text: str, parameters: Mapping[str, object] | Any, location: str) -> str:
    """Text with every template replaced; `location` is what an error calls the text.

    Raises `ConfigError` for a template that is none of those above.

    >>> fill("select ${columns.replace(/,/g, ' + ')}", {"columns": "a,b"}, "example.sql")
    'select a + b'
    """
    is_mapping = isinstance(parameters, Mapping)
    values: Mapping[str, object] = parameters if is_mapping else vars(parameters)

    def named(name: str) -> str:
        if name not in values:
            raise ConfigError(f"{location}: ${{{name}}} is not the name of a parameter")
        return _printed(values[name])

    def value(placeholder: re.Match[str]) -> str:
        try:
            return _Template(placeholder[1].strip(), named).value()
        except (ValueError, IndexError, RecursionError):
            raise ConfigError(
                f"{location}: ${{}} must hold the name of a parameter alone, got "
                f"${{{placeholder[1].strip()[:LONGEST_SHOWN]}}}"
            ) from None

    return _PLACEHOLDER.sub(value, text)


class _Template:
    """The value of an expression; raises `ValueError` or `IndexError` for another one."""

    def __init__(self, code: str, named: Callable[[str], str]) -> None:
        self._named, self._tokens, position = named, list[str](), 0
        while position < len(code):
            token = _TOKEN.match(code, position)
            if token is None:
                raise ValueError(code)
            self._tokens.append(token[1])
            position = token.end()
        self._tokens.append("")  # the end

    def value(self) -> str:
        value = self._choice()
        if self._tokens != [""]:
            raise ValueError(self._tokens)
        return value

    def _choice(self) -> str:
        condition = self._equal()
        if not self._takes("?"):
            return condition
        if_true = self._choice()
        self._expect(":")
        otherwise = self._choice()
        return if_true if condition == "true" else otherwise

    def _equal(self) -> str:
        value = self._sum()
        return _printed(value == self._sum()) if self._takes("==") else value

    def _sum(self) -> str:
        value = self._replaced()
        while self._tokens[0] in ("+", "-"):
            joins = self._tokens.pop(0) == "+"
            other = self._replaced()
            if joins and value.isdecimal() and other.isdecimal():
                raise ValueError(value)  # which JavaScript adds, or not, as their types are
            value = value + other if joins else _difference(value, other)
        return value

    def _replaced(self) -> str:
        value = self._simple()
        while replaces := _REPLACE.fullmatch(self._tokens[0]):
            pattern, everywhere, text = replaces.groups()
            by = _GROUP.sub(lambda group: "\\" + group[1].replace("&", "0"), text)
            value = _replaced(value, pattern, by, most=None if everywhere else 1)
            self._tokens.pop(0)
        return value

    def _simple(self) -> str:
        first = self._tokens.pop(0)
        if first == "(":
            value = self._choice()
            self._expect(")")
            return value
        if first == "[":
            value = self._simple()
            self._expect("].join('')")
            return value
        if first.startswith("'"):
            return first[1:-1]
        if first.isdecimal():
            return first
        if not first.isidentifier():
            raise ValueError(first)
        return self._named(first)

    def _takes(self, token: str) -> bool:
        taken = self._tokens[0] == token
        if taken:
            self._tokens.pop(0)
        return taken

    def _expect(self, token: str) -> None:
        if not self._takes(token):
            raise ValueError(token)


def _replaced(text: str, pattern: str, by: str, most: int | None) -> str:
    """By RE2, whose time is bounded by the length of the text, whatever the pattern."""
    import pyarrow.compute as pc  # only here, so that parameters are read in no time

    return str(pc.replace_substring_regex(text, pattern, by, max_replacements=most).as_py())


def _difference(one: str, other: str) -> str:
    try:
        return str(int(one) - int(other))
    except ValueError:
        return "NaN"


def _printed(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
