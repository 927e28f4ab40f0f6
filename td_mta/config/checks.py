"""What the value of a parameter must be: a check returns the typed value or says what it wants.

Numbers may come as text: Digdag passes 0.5 so, and all of `--set` is text.
"""

import datetime
import math
import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

from td_mta.warehouse.td_address import ADDRESS, DEFAULT_SERVER

Check = Callable[[object], object]
FIRST_DAY = "1970-01-02"
LONGEST_TABLE = 240  # characters: longer names are made from it


class UnfitError(ValueError):
    """A value fails its check; the message says what was wanted."""


def integer(at_least: int | None = None, at_most: int | None = None) -> Check:
    """A whole number within bounds; at most one bound alone is `at_least`."""
    wanted = "a whole number"
    if at_least is not None:
        wanted = f"at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"

    def check(value: object) -> int:
        parsed = _number(value, "a whole number")
        if parsed != int(parsed):
            raise UnfitError("a whole number")
        too_low = at_least is not None and parsed < at_least
        too_high = at_most is not None and parsed > at_most
        if too_low or too_high:
            raise UnfitError(wanted)
        return int(parsed)

    return check


def number(wanted: str, fits: Callable[[float], bool]) -> Check:
    """A finite number that `fits`; `wanted` says which numbers do."""

    def check(value: object) -> float:
        parsed = float(_number(value, "a number"))
        if not fits(parsed):
            raise UnfitError(wanted)
        return parsed

    return check


def flag(value: object) -> bool:
    """True or false, also as text in any letter case."""
    flags = {"true": True, "false": False}
    text = str(value).lower()
    if text not in flags:
        raise UnfitError("true or false")
    return flags[text]


def choice(*choices: str) -> Check:
    """One of some words."""

    def check(value: object) -> str:
        if value not in choices:
            raise UnfitError(f"one of {', '.join(choices)}")
        return str(value)

    return check


def words(*choices: str) -> Check:
    """Some words of `choices`, each once, separated by commas in a text or as a list."""

    def check(value: object) -> str:
        given = value if isinstance(value, list) else str(value).split(",")
        chosen = [str(word).strip() for word in given]
        if len(set(chosen)) != len(chosen) or not set(chosen) <= set(choices):
            raise UnfitError(f"some of {', '.join(choices)}, each once, or none")
        return ", ".join(chosen)

    return check


def columns(at_most: int) -> Check:
    """Names of columns of letters, digits and _, each once, separated by commas in a text."""
    wanted = (
        f"up to {at_most} names of columns of letters, digits and _, each once, with commas between"
    )

    def check(value: object) -> str:
        names = [name.strip() for name in str(value).split(",")]
        distinct = {name.lower() for name in names}
        plain = all(re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) for name in names)
        if not plain or len(distinct) < len(names) or len(names) > at_most:
            raise UnfitError(wanted)
        return ", ".join(names)

    return check


def time_zone(value: object) -> str:
    """The name of a time zone of the IANA database."""
    try:
        return ZoneInfo(str(value)).key
    except (ValueError, OSError, LookupError):  # also for paths that lead out of the database
        raise UnfitError("a time zone such as UTC or Europe/Berlin") from None


def day(value: object) -> str:
    """A day as YYYY-MM-DD, which YAML may have read as one."""
    text = str(value)
    try:
        is_day = datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        is_day = False
    if not is_day or text < FIRST_DAY:
        raise UnfitError("a day such as 2026-01-31")
    return text


def separator(value: object) -> str:
    """What separates the columns of a file: a word or one character."""
    text = str(value)
    if text not in SEPARATOR_WORDS and (len(text) != 1 or text in '"\n\r' or ord(text) > 127):
        raise UnfitError("comma, semicolon, bar, tab or one character")
    return text


def encoding(value: object) -> str:
    """The name of an encoding of text."""
    try:
        "".encode(str(value))
    except (LookupError, ValueError):
        raise UnfitError("the name of an encoding such as utf-8, utf-16 or cp1252") from None
    return str(value)


def table(value: object) -> str:
    """The name of a table, which a file may have too."""
    name = str(_plain_table(value))
    if name.startswith(".") or len(name) > LONGEST_TABLE or "\n" in name:
        raise UnfitError(f"a table name of up to {LONGEST_TABLE} characters, no point first")
    return name


def optional(check: Check) -> Check:
    """None, in any form that `params.yml` or Digdag writes it, or what `check` wants."""

    def check_or_none(value: object) -> object:
        return None if value in _NONE else check(value)

    return check_or_none


def _number(value: object, wanted: str) -> int | float:
    """A finite number; int before float, so that integers beyond 2^53 stay exact."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnfitError(wanted)
    for kind in (int, float):
        try:
            parsed = kind(value) if isinstance(value, str) else value
            if math.isfinite(parsed):
                return parsed
        except (ValueError, OverflowError):  # of thousands of digits, or beyond any float
            continue
    raise UnfitError(wanted)


def _matching(pattern: str, wanted: str) -> Check:
    """A text, or a number that YAML made of one, that matches as a whole."""

    def check(value: object) -> str:
        text = str(value)
        if type(value) not in (str, int) or not re.fullmatch(pattern, text):
            raise UnfitError(wanted)
        return text

    return check


SEPARATOR_WORDS = ("comma", "semicolon", "bar", "tab", "\\t")
_NONE = (None, "", "none", "None", "null")
_plain_table = _matching(
    r"""(?!none$)[^'"`/\\;]+""", "a table name without quotes, slashes or semicolons"
)
column = _matching(r"""(?!none$)[^"`;]+""", "a column name without quotes or semicolons")
text = _matching(r"(?s).+", "text")
unquoted = _matching(r"[^']+", "text without single quotes")
duration = _matching(r"[0-9]+[smhd]?", "minutes, or a time such as 90s, 30m, 1h or 1d")
interval = _matching(r"[-+]?\d+[yqMwdhms](/.+)?", "an interval such as -30d")
address = _matching(ADDRESS, f"an address such as {DEFAULT_SERVER}")
folder = _matching(r".+", "a folder")
table_or_none = optional(table)
column_or_none = optional(column)
text_or_none = optional(text)
unquoted_or_none = optional(unquoted)
share = number("from 0 to 1", lambda x: 0 <= x <= 1)
fraction = number("above 0 and below 1", lambda x: 0 < x < 1)
