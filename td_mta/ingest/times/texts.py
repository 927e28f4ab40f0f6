"""Times as text to what a clock shows and the offset from UTC that stands behind it.

A text is rewritten, rule by rule, to `YYYY-MM-DD HH:MM:SS` and a tail (AM, PM, UTC, +01:00); one
that does not become so is no time. `queries/union_touchpoints.sql` has the same rules in the same
order (a test compares), so the patterns are those that RE2 and Trino read alike.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.ingest import columns
from td_mta.ingest.times.numbers import clock_of_digits
from td_mta.journeys.touchpoints import Flags, Ints

Order = Literal["day_first", "month_first"]

TAIL = (
    r"(?:[.,:][0-9]+)? ?((?:[AP][.]? ?M[.]?)?) ?((?:Z|UTC|GMT|UT)?) ?"
    r"((?:[-+][0-9]{1,2}(?::?[0-9]{2})?)?)$"
)
STAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}" + TAIL

# 04/03/2024: the fourth of March, or April the third. With a year of two digits the first number
# may be the year as well, so only a second number above 12 decides.
DAY_MONTH = r"^([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})"
SHORT_YEAR = r"^([0-9]{1,2}[-/. ][0-9]{1,2})[-/. ]([0-9]{2})($|[ T,])"
OPEN = r"^[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?:[0-9]{4}|[0-9]{2}($|[ T,]))"
EITHER = r"^(?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:[0-9]{4}|[0-9]{2}($|[ T,]))"
SHOWS_DAY_FIRST = r"^(?:1[3-9]|2[0-9]|3[01])[-/. ](?:0?[1-9]|1[0-2])[-/. ][0-9]{4}"
SHOWS_MONTH_FIRST = (
    r"^(?:0?[1-9]|1[0-2])[-/. ](?:1[3-9]|2[0-9]|3[01])[-/. ](?:[0-9]{4}|[0-9]{2}($|[ T,]))"
)
REORDERED: dict[Order, str] = {"day_first": r"\3-\2-\1", "month_first": r"\3-\1-\2"}

DATE_RULES = (
    (r" +", " "),
    (r" ?UHR$", ""),
    (r"JUIL", "JUL"),
    (
        r"^(?:MON|TUE|WED|THU|FRI|SAT|SUN|DIENSTAG|MITTWOCH|DONNER|FREITAG|SONN"
        r"|(?:MO|DI|MI|DO|FR|SA|SO)[,.])[A-Z]*[,.]* ",
        "",
    ),
    (r"(Z|[-+][0-9]{2}:?[0-9]{2})(?: ?[(][^()]*[)]|\[[A-Z_/]*\])$", r"\1"),  # a zone's name
    (r"^([A-Z]{3}) ([0-9]{1,2}) ([0-9:]+) ([^ ]*) ?([0-9]{4})$", r"\5-\1-\2 \3\4"),  # year last
    (r"^([0-9]{4})([0-9]{2})([0-9]{2})([-T _:]|$)", r"\1-\2-\3 "),
    (r"^([0-9]{4})[-/. ]*([A-ZÄÇÉÛ]{3})[A-ZÄÇÉÛ]*[-/. ]*([0-9]{1,2})", r"\1-\2-\3"),
    (
        r"^([0-9]{1,2})(?:ST|ND|RD|TH)?[-/., ]*(?:OF |DE )?([A-ZÄÇÉÛ]{3})[A-ZÄÇÉÛ]*"
        r"[-/., ]*(?:DE )?([0-9]{4})",
        r"\3-\2-\1",
    ),
    (r"^([0-9]{1,2})[-/. ]([A-ZÄÇÉÛ]{3})[A-ZÄÇÉÛ]*[-/. ]([0-9]{2})($|[ T,])", r"20\3-\2-\1\4"),
    (
        r"^([A-ZÄÇÉÛ]{3})[A-ZÄÇÉÛ]*[-/. ]*([0-9]{1,2})(?:ST|ND|RD|TH)?[-/., ]+([0-9]{4})",
        r"\3-\1-\2",
    ),
    (r"^([0-9]{4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,2})", r"\1-\2-\3"),
)
CLOCK_RULES = (
    (r"^([0-9]{4})-([0-9])-", r"\1-0\2-"),
    (r"^([0-9]{4}-[0-9]{2})-([0-9])($|[^0-9])", r"\1-0\2\3"),
    (r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[- T,_:]*(?:AT )?", r"\1 "),
    (r"^([-0-9]{10}) ([0-9]{1,2})[.]([0-9]{2})[.]([0-9]{2})", r"\1 \2:\3:\4"),
    (r"^([-0-9]{10}) ([0-9]{1,2}) ?[.H] ?([0-9]{2})($|[^0-9])", r"\1 \2:\3\4"),
    (r"^([-0-9]{10}) ([0-9]{2})([0-9]{2})([0-9]{2})", r"\1 \2:\3:\4"),
    (r"^([-0-9]{10}) ([0-9]{2})([0-9]{2})", r"\1 \2:\3"),
    (r"^([-0-9]{10}) ([0-9]{1,2})( ?[AP])", r"\1 \2:00\3"),
    (r"^([-0-9]{10}) ([0-9]{2})($|[-+ Z])", r"\1 \2:00\3"),
    (r"^([-0-9]{10}) ([0-9]):", r"\1 0\2:"),
    (r"^([-0-9]{10}) ([0-9]{2}:[0-9]{2})($|[^:0-9])", r"\1 \2:00\3"),
    (r"^([-0-9]{10}) ($|[-+Z]|UTC|GMT)", r"\1 00:00:00\2"),
)
NAMED_MONTH = r"^[0-9]{4}-[A-ZÄÇÉÛ]{3}-"
# What months begin with in English, then where it is something else in German, French, Spanish,
# Italian, Dutch and Portuguese: twelve in a row.
MONTHS = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
    *("JÄN", "FÉV", "MÄR", "AVR", "MAI", "JUI", "LUG", "AOÛ", "SET", "OKT", "NOV", "DEZ"),
    *("ENE", "FEV", "MRT", "ABR", "MEI", "GIU", "JUL", "AGO", "SEP", "OTT", "NOV", "DIC"),
    *("GEN", "FEB", "MAA", "APR", "MAG", "JUN", "JUL", "AOU", "SEP", "OUT", "NOV", "DÉC"),
    *("JAN", "FEB", "MRZ", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)
_LARGEST_OFFSET = 14 * 3600
_NO_STAMP = "0000-00-00 00:00:00"
_DIGITS = [place for place, letter in enumerate(_NO_STAMP) if letter == "0"]


class ClockTimes(NamedTuple):
    """Texts as times, each `(rows,)`; of no meaning where they could not be read."""

    clock: Ints  # what the clock shows, in seconds since 1970-01-01 00:00 on it
    offset: Ints  # of the clock from UTC, seconds
    local: Flags  # the text names no offset
    read: Flags


def clock_times(text: pa.Array, order: Callable[[], Order | None]) -> ClockTimes:
    """Of texts without blanks around them; `order`, that of day and month, is asked for if open."""
    is_stamp = columns.matches(text, STAMP)
    if not is_stamp.all():
        others = ~is_stamp & np.asarray(text.is_valid())
        found = text.filter(pa.array(others)).dictionary_encode()
        stamps = stamps_of(found.dictionary, order).take(found.indices)
        text = pc.replace_with_mask(text, pa.array(others), stamps)
        is_stamp = columns.matches(text, STAMP)
        text = pc.if_else(pa.array(is_stamp), text, None)
    return of_stamps(text)


def cleaned(text: pa.Array) -> pa.Array:
    """Without quotes, with plain blanks; in capitals."""
    for odd, plain in (("\u00a0", " "), ("\u202f", " "), ('"', ""), ("'", "")):
        text = pc.replace_substring(text, odd, plain)
    return pc.utf8_upper(pc.utf8_trim_whitespace(text))


def stamps_of(text: pa.Array, order: Callable[[], Order | None]) -> pa.Array:
    """Texts rewritten by the rules; those of `STAMP`'s form are read."""
    text = dates_of(text)
    if columns.matches(text, OPEN).any():
        text = reordered(text, order())
    if columns.matches(text, NAMED_MONTH).any():
        for place, name in enumerate(MONTHS):
            month = f"-{place % 12 + 1:02d}-"
            text = pc.replace_substring(text, f"-{name}-", month, max_replacements=1)
    return _rewritten(text, CLOCK_RULES)


def reordered(text: pa.Array, order: Order | None) -> pa.Array:
    """Dates whose day and month stand before the year, with the year first."""
    if order is None:
        return text
    return _rewritten(text, ((SHORT_YEAR, r"\1-20\2\3"), (DAY_MONTH, REORDERED[order])))


def dates_of(text: pa.Array) -> pa.Array:
    """Texts with the year first, except where day and month are open (`DAY_MONTH`)."""
    return _rewritten(cleaned(text), DATE_RULES)


def _rewritten(text: pa.Array, rules: tuple[tuple[str, str], ...]) -> pa.Array:
    for pattern, replacement in rules:
        text = pc.replace_substring_regex(text, pattern, replacement)
    return text


def of_stamps(text: pa.Array) -> ClockTimes:
    """Of texts of `STAMP`'s form and nulls."""
    text = pc.fill_null(text, _NO_STAMP) if text.null_count else text
    whole = _digits(pc.utf8_slice_codeunits(text, 0, 19))  # YYYYMMDDHHMMSS
    half, offset, local = _tails(pc.utf8_slice_codeunits(text, 19))
    hour = whole // 10_000 % 100
    has_half = half != ""
    if has_half.any():
        in_day = np.where(has_half, hour % 12 + 12 * (half == "P"), hour)
        whole = whole + (in_day - hour) * 10_000
    clock, read = clock_of_digits(whole, 6)
    read &= ~has_half | (hour >= 1) & (hour <= 12)
    return ClockTimes(clock, offset, local, read & (abs(offset) <= _LARGEST_OFFSET))


def _digits(stamp: pa.Array) -> Ints:
    """The number that the digits of `YYYY-MM-DD HH:MM:SS` write."""
    letters = np.frombuffer(stamp.buffers()[2], np.uint8, 19 * len(stamp))
    digits = letters.reshape(len(stamp), 19)[:, _DIGITS].astype(np.int64) - ord("0")
    return digits @ 10 ** np.arange(13, -1, -1)


def _tails(tail: pa.Array) -> tuple[np.ndarray, Ints, Flags]:
    """A or P for the half of the day or '', the offset in seconds, and whether there is none."""
    if (pc.max(pc.binary_length(tail)).as_py() or 0) > len("+01:00"):
        tail = pc.replace_substring_regex(tail, r"^[.,:][0-9]+", "")
    encoded = tail.dictionary_encode()
    parts = [_tail(text) for text in encoded.dictionary.to_pylist()]
    code = encoded.indices.to_numpy()
    half = np.array([part[0] for part in parts], "<U1")
    offset = np.array([part[1] or 0 for part in parts], np.int64)
    local = np.array([part[1] is None for part in parts], bool)
    return half[code], offset[code], local[code]


def _tail(text: str) -> tuple[str, int | None]:
    match = re.match(TAIL, text)
    half, utc, offset = match.groups() if match else ("", "", "")
    if not offset:
        return half[:1], 0 if utc else None
    digits = re.sub("[-+:]", "", offset)
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    sign = -1 if offset[0] == "-" else 1
    return half[:1], sign * (int(hours) * 3600 + int(minutes) * 60)
