"""The names of the columns, as the header gives them or as they must be called."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from td_mta.errors import DataError

MOST_COLUMNS = 2_000  # each is looked at: more take minutes
_VALUE = re.compile(  # a number or a time
    r"[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d\d.*)?"
)


class Header(NamedTuple):
    """The names of a table's columns, each once."""

    names: list[str]
    nameless: frozenset[str]  # those that got a name for want of one
    renamed: list[str]  # what was done to a name that stands twice, in words


def header(cells: Sequence[str]) -> Header:
    """Names of columns without blanks around them and line breaks in them.

    Raises `DataError` for more than `MOST_COLUMNS`.

    >>> header([" User\\nid", "day", "day", ""])
    Header(names=['User id', 'day', 'day_2', 'column_4'], nameless=frozenset({'column_4'}),
    renamed=['columns 2 and 3 are both called day, so the second is day_2'])
    """
    check_count(cells)
    given = [clean(cell) for cell in cells]
    taken = set(given)
    names: dict[str, int] = {}  # the position of each
    met: Counter[str] = Counter()
    nameless, renamed = set(), []
    for position, name in enumerate(given, 1):
        met[name] += 1
        new = name
        if not name:
            new = _free(f"column_{position}", taken)
            nameless.add(new)
        elif name in names:
            new = _free(f"{name}_{met[name]}", taken)
            renamed.append(
                f"columns {names[name]} and {position} are both called {name}, "
                f"so the second is {new}"
            )
        names[new] = position
        taken.add(new)
    return Header(list(names), frozenset(nameless), renamed)


def check_count(cells: Sequence[str]) -> None:
    """Raise `DataError` for a table of more columns than anybody looks at."""
    if len(cells) > MOST_COLUMNS:
        raise DataError(
            f"a table of {len(cells):,} columns, and {MOST_COLUMNS:,} are allowed: leave out those "
            "that are not needed"
        )


def clean(cell: str) -> str:
    """A cell without blanks and marks around it, and with one blank for a line break."""
    return " ".join(cell.replace("\ufeff", " ").replace("\u200b", "").split())


def is_value(text: str) -> bool:
    """Whether it is a number or a time, and so no name."""
    return _VALUE.fullmatch(text) is not None


def check_names(cells: Sequence[str], rows: Sequence[Sequence[str]], line: int) -> None:
    """Raise `DataError` where the header looks like one of the rows below it: there is none."""
    for position, cell in enumerate(cells):
        text = clean(cell)
        below = [clean(row[position]) for row in rows if position < len(row)]
        below = [value for value in below if value]
        if is_value(text) and below and all(_form(v) == _form(text) for v in below):
            if _counts(cells):
                return
            raise DataError(
                f"line {line} holds values ({text}) where the names of the columns are wanted: "
                "add a line with their names, or set file_header_line if these are the names"
            )


def _form(value: str) -> str:
    """The form of a number or time: any number of digits is one 0."""
    return re.sub(r"\d+", "0", value) if is_value(value) else ""


def _counts(cells: Sequence[str]) -> bool:
    """Whether the numbers among the names count: 1, 2, 3 as names of positions or weeks."""
    numbers = [int(cell) for cell in map(clean, cells) if re.fullmatch(r"\d{1,4}", cell)]
    return len(numbers) > 1 and all(b - a == 1 for a, b in itertools.pairwise(numbers))


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
