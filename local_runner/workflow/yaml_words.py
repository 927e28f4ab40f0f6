"""Plain words of YAML as Digdag types them: 0.5 is a string, 010 is 8, yes is a word."""

import base64
import math
import re
from collections.abc import Callable
from datetime import datetime

Word = None | bool | int | float | str

_BOOLS = {"true": True, "True": True, "false": False, "False": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
# The patterns of Digdag's resolver: no leading zero in a float, no `:` in an int.
_INT = re.compile(r"[-+]?(0b[01_]*[01][01_]*|0x[0-9a-fA-F_]*[0-9a-fA-F]_*|0[0-7_]*|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[1-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*")
_INFINITIES, _NANS = ("inf", "Inf", "INF"), ("nan", "NaN", "NAN")
# Texts, since JSON, in which Digdag keeps its parameters, has no such numbers.
_SPECIAL = {
    **{f"{sign}.{word}": "Infinity" for word in _INFINITIES for sign in ("", "+")},
    **{f"-.{word}": "-Infinity" for word in _INFINITIES},
    **{f".{word}": "NaN" for word in _NANS},
}
_BASES = {"0b": 2, "0x": 16}  # a plain 0 in front means octal
_LONGEST_INTEGER = 1000
NEVER = re.compile(r"(?!)")
# Explicit tags (`!!int`): the forms known to mean the same whatever the quotes, and their value.
TAGGED: dict[str, tuple[re.Pattern[str], Callable[[str], Word]]] = {
    "int": (re.compile(r"-?(0|[1-9][0-9]*)"), int),
    "float": (re.compile(r"-?[0-9]+\.[0-9]+"), float),
    "bool": (re.compile(r"yes|no|true|false"), lambda text: text in ("yes", "true")),
    "null": (re.compile(r"|~|null"), lambda text: None),
    "binary": (
        re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)?"),
        lambda text: base64.b64encode(base64.b64decode(text)).decode(),
    ),
    "timestamp": (
        re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
        lambda text: int(datetime.fromisoformat(f"{text}T00:00:00+00:00").timestamp() * 1000),
    ),
}


def word(text: str) -> Word:
    """The value of a plain word.

    >>> word("0.5"), word("1.5"), word("010"), word("yes"), word("1e3")
    ('0.5', 1.5, 8, 'yes', 1000.0)
    """
    if text in _BOOLS:
        return _BOOLS[text]
    if text in _NULLS:
        return None
    if text in _SPECIAL:
        return _SPECIAL[text]
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return number if abs(number) < math.inf else _SPECIAL[f"{'-' * (number < 0)}.inf"]
    if _SEXAGESIMAL.fullmatch(text):
        parts = text.lstrip("+-").replace("_", "").split(":")
        seconds = sum(float(part) * 60**place for place, part in enumerate(reversed(parts)))
        return -seconds if text.startswith("-") else seconds
    if text == "<<":
        raise ValueError("the unquoted word << is only for keys: quote it")
    return text


def _integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise ValueError(f"an integer of more than {_LONGEST_INTEGER} characters")
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-").replace("_", "")
    if digits[:2] in _BASES:
        return sign * int(digits[2:], _BASES[digits[:2]])
    return sign * int(digits, 8 if len(digits) > 1 and digits[0] == "0" else 10)
