"""What the value of a parameter must be: each check returns the typed value or says what it wants.

Numbers may come as text: Digdag writes 0.5 so, and the command line knows nothing else.
"""

import math
import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

from td_mta.warehouse.td_address import ADDRESS, DEFAULT_SERVER

Check = Callable[[object], object]


class UnfitError(ValueError):
    """What a value should have been."""


def whole(at_least: int | None = None, at_most: int | None = None) -> Check:
    wanted = "a whole number"
    if at_least is not None:
        wanted = f"at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"

    def check(value: object) -> int:
        number = _number(value, "a whole number")
        if number != int(number):
            raise UnfitError("a whole number")
        if (at_least is not None and number < at_least) or (
            at_most is not None and number > at_most
        ):
            raise UnfitError(wanted)
        return int(number)

    return check


def fraction(wanted: str, fits: Callable[[float], bool]) -> Check:
    def check(value: object) -> float:
        number = float(_number(value, "a number"))
        if not fits(number):
            raise UnfitError(wanted)
        return number

    return check


def _number(value: object, wanted: str) -> int | float:
    """A number, also one that Digdag or the command line passes as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnfitError(wanted)
    for kind in (int, float):
        try:
            number = kind(value) if isinstance(value, str) else value
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    raise UnfitError(wanted)


def flag(value: object) -> bool:
    flags = {"true": True, "false": False}
    if str(value).lower() not in flags:
        raise UnfitError("true or false")
    return flags[str(value).lower()]


def choice(*choices: str) -> Check:
    def check(value: object) -> str:
        if value not in choices:
            raise UnfitError(f"one of {', '.join(choices)}")
        return str(value)

    return check


def _matching(pattern: str, wanted: str) -> Check:
    def check(value: object) -> str:
        text = str(value)
        if type(value) not in (str, int) or not re.fullmatch(pattern, text):
            raise UnfitError(wanted)
        return text

    return check


def time_zone(value: object) -> str:
    try:
        return ZoneInfo(str(value)).key
    except (ValueError, OSError, LookupError):
        raise UnfitError("a time zone such as UTC or Europe/Berlin") from None


def optional(check: Check) -> Check:
    def check_or_none(value: object) -> object:
        return None if value in _NONE else check(value)

    return check_or_none


_NONE = (None, "", "none", "None", "null")
table = _matching(
    r"""(?!none$)[^'"`/\\;]+""", "the name of a table, without quotes, slashes or semicolons"
)
column = _matching(r"""(?!none$)[^"`;]+""", "the name of a column, without quotes or semicolons")
text = _matching(r"[^']+", "a text without single quotes")
interval = _matching(r"[-+]?\d+[yqMwdhms](/.+)?", "an interval such as -30d")
address = _matching(ADDRESS, f"an address such as {DEFAULT_SERVER}")
folder = _matching(r".+", "a folder")
