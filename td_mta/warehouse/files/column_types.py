"""The narrowest type that every value of a column fits, so that no value loses what it says.

bigint (canonical integers: no leading zero or plus), double, boolean (true/false), else varchar. A
column that holds names, by its own name, is a number only where all of it is canonical integers:
the users 12.1 and 12.10 are two.
"""

import re
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

INTEGER = r"^(?:0|-?[1-9][0-9]{0,18})$"
_DIGITS = r"(?:0|[1-9][0-9]*)"
NUMBER = (  # 1e+05 and 1.0E5 are numbers, 1e5 may be a piece of a hash
    rf"^-?(?:{_DIGITS}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-][0-9]+)?$"
    rf"|^-?(?:{_DIGITS}\.[0-9]*|\.[0-9]+)[eE][0-9]+$"
)
NOT_FINITE = r"^-?(?:inf|Inf|Infinity)$"
# A double may not hold it: an identifier, not a measure. Google's client ids have a point.
OPEN = r"^-?[1-9][0-9]{0,2}\.[0-9]{3}$"  # 1.234 may be a thousand: who reads amounts decides
LONG_INTEGER, LONG_ID = r"^-?[0-9]{16,}$", r"^[0-9]{4,}\.[0-9]{4,}$"
LONG_ID_LENGTH = 19
WHOLE = r"^(?:0|-?[1-9][0-9]{0,14})(?:\.0)?$"  # pandas writes ids so where some are missing
SHORTENED = r"^[0-9](?:[.,][0-9]+)?E\+[0-9]+$"  # Excel writes long ids so
TRUE, FALSE = ["true", "True", "TRUE"], ["false", "False", "FALSE"]
MISSING = pa.array(  # what stands for a missing number, in lower case
    [
        *("na", "n/a", "#n/a", "null", "none", "nan", "nil", "undefined", "-", "--", "\\n"),
        *("(null)", "(none)", "(not set)", "(not provided)"),
    ]
)
_MISSING_OR_EMPTY = pa.concat_arrays([MISSING, pa.array([""])])

# Names of columns, in lower case.
_WHO = (
    "user|customer|client|visitor|person|contact|member|subscriber|account|cookie|device|kunde|nutzer"
    "|cliente|usuario|utilisateur|用户|客户|会员|ユーザー|顧客|会員|사용자|고객|клиент|пользователь"
)
_WHAT = f"{_WHO}|lead|session|order|transaction|conversion|click"
ID = re.compile(
    r"(.*(?:[\W_]|[^\x00-\x7f]))?(id|ids|uid|guid|uuid|gclid|hash|e?mail|phone)"
    rf"|(.*[\W_])?({_WHO}|({_WHAT})[\W_]?(id|key|no|nr|number|code|ref))"
)
CAMEL_CASE_ID = re.compile(r".*[a-z](Id|ID)")
NAME = re.compile(
    r"(.*[\W_])?(name|channels?|source|medium|campaign|keyword|zip|zip[\W_]?code|plz|postal[\W_]?code"
    r"|postcode|sku)"
)

Kind = Literal["nothing", "integer", "whole", "double", "not finite", "boolean", "text"]
# Kinds of two parts of a column, in the order of their names, to that of both.
BOTH: dict[tuple[Kind, Kind], Kind] = {
    ("double", "integer"): "double",
    ("double", "not finite"): "double",
    ("double", "whole"): "double",
    ("integer", "not finite"): "double",
    ("integer", "whole"): "whole",
}
TYPES: dict[Kind, pa.DataType] = {
    "integer": pa.int64(),
    "whole": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
}


class Reading(NamedTuple):
    """How the text of a column becomes its values."""

    type: pa.DataType
    by_csv: bool  # as it stands, which the CSV reader does by itself
    has_values: bool
    said: list[str]  # what of it must be said

    def values(self, text: pa.Array) -> pa.Array:
        """The values of a column that the CSV reader leaves as text."""
        text = pc.utf8_trim_whitespace(text)
        missing = pc.is_in(pc.utf8_lower(text), _MISSING_OR_EMPTY)
        known = pc.if_else(missing, pa.scalar(None, pa.string()), text)
        if pa.types.is_integer(self.type):
            known = pc.replace_substring_regex(known, r"\.0$", "")
        return known.cast(self.type)


class Guess:
    """The kind that all values of a column so far have."""

    def __init__(
        self,
        name: str,
        *,
        holds_names: bool = False,
        exact: bool = False,
        decimal_comma: bool = False,
    ) -> None:
        lower = name.lower()
        self._name, self._exact, self._decimal_comma = name, exact, decimal_comma
        # Of a table that we wrote the values alone tell: a channel called Email is no address.
        self._ids = not exact and bool(ID.fullmatch(lower) or CAMEL_CASE_ID.fullmatch(name))
        self._names = not exact and (holds_names or self._ids or bool(NAME.fullmatch(lower)))
        self._kind: Kind = "nothing"
        self._long = self._shortened = self._padded = False
        self._open = not exact  # every value so far may be a thousand
        self._missing: dict[str, int] = {}  # words for a missing number, and how many there are

    def add(self, column: pa.Array) -> None:
        """More values of the column, as text."""
        values = column.drop_null()
        if self._kind == "text" or not len(values):
            return
        self._open = self._open and _all_match(values, OPEN)
        kind = self._kind_of(values)
        if kind in ("text", "not finite") and not self._exact and not self._names:
            trimmed = pc.utf8_trim_whitespace(values)
            self._padded = self._padded or trimmed != values
            values = self._without_words(trimmed)
            kind = self._kind_of(values) if len(values) else "nothing"
        self._kind = self._both(kind)

    def reading(self) -> Reading:
        """How to read all values that were added."""
        kind = pa.string() if self._open else TYPES.get(self._kind, pa.string())
        said = []
        if self._missing and kind != pa.string():
            words, count = ", ".join(sorted(self._missing)), sum(self._missing.values())
            said.append(f"{words} in column {self._name} read as missing ({count:,})")
        if self._kind == "whole":
            said.append(f"1.0 in column {self._name} read as 1")
        if self._shortened:
            said.append(
                f"column {self._name} holds numbers such as 1.23E+12, which a spreadsheet has cut: "
                "different ones may have become one"
            )
        mended = self._missing or self._padded or self._kind == "whole"
        by_csv = kind == pa.string() or not mended
        return Reading(kind, by_csv, self._kind != "nothing" or bool(self._missing), said)

    def _kind_of(self, values: pa.Array) -> Kind:
        if _is_integer(values):
            self._long = self._long or _longest(values) >= 16
            return "integer"
        if self._names:
            return self._kind_of_names(values)
        if pc.all(pc.is_in(values, pa.array(TRUE + FALSE))).as_py():
            return "boolean"
        if not _all_match(values, f"{NUMBER}|{NOT_FINITE}") or _has_long(values):
            return "text"
        if self._decimal_comma and _any_matches(values, r"\."):  # 12.000 are twelve thousand
            return "text"
        return "double" if _any_matches(values, NUMBER) else "not finite"

    def _kind_of_names(self, values: pa.Array) -> Kind:
        if not self._ids:
            return "text"
        self._shortened = self._shortened or _any_matches(values, SHORTENED)
        return "whole" if _all_match(values, WHOLE) else "text"

    def _without_words(self, values: pa.Array) -> pa.Array:
        is_word = pc.is_in(pc.utf8_lower(values), MISSING)
        for entry in pc.value_counts(values.filter(is_word)).to_pylist():
            word, count = entry["values"], entry["counts"]
            self._missing[word] = self._missing.get(word, 0) + count
        is_word = pc.is_in(pc.utf8_lower(values), _MISSING_OR_EMPTY)
        return values.filter(pc.invert(is_word))

    def _both(self, kind: Kind) -> Kind:
        if "nothing" in (kind, self._kind) or kind == self._kind:
            return self._kind if kind == "nothing" else kind
        first, second = sorted((kind, self._kind))
        both = BOTH.get((first, second), "text")
        return "text" if both == "double" and self._long else both


def _is_integer(values: pa.Array) -> bool:
    if not _all_match(values, INTEGER):
        return False
    try:
        values.cast(pa.int64())  # nineteen digits may be too many
    except pa.ArrowInvalid:
        return False
    return True


def _has_long(values: pa.Array) -> bool:
    if _any_matches(values, LONG_INTEGER):
        return True
    if _longest(values) < LONG_ID_LENGTH:
        return False
    longest = values.filter(pc.greater_equal(pc.binary_length(values), LONG_ID_LENGTH))
    return _any_matches(longest, LONG_ID)


def _longest(values: pa.Array) -> int:
    longest: int = pc.max(pc.binary_length(values)).as_py()
    return longest


def _all_match(values: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def _any_matches(values: pa.Array, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(values, pattern)).as_py())
