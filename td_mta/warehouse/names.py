"""Names of databases, tables and columns: what Treasure Data allows, and which exist instead of one
that is missing.
"""

import difflib
import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from td_mta.errors import ConfigError, DataError

# Treasure Data's own clients do not agree: td-client-java, through which Digdag's td operators go,
# takes 3 to 256 characters (TDClient.validateName), td-client-ruby 3 to 255, td-client-python
# checks nothing. Digdag's limit is the one here; beyond it the server has the last word.
SHORTEST_NAME, LONGEST_NAME = 3, 256
NAME_RULE = f"{SHORTEST_NAME} to {LONGEST_NAME} characters of a-z, 0-9 and _"
_ALLOWED = re.compile(rf"[a-z0-9_]{{{SHORTEST_NAME},{LONGEST_NAME}}}")


def is_allowed(name: str) -> bool:
    """Whether Treasure Data takes it as the name of a database or a table."""
    return _ALLOWED.fullmatch(name) is not None


def column_name(name: str) -> str:
    """What Treasure Data makes of a name: lower case, other characters to `_`, no digit first.

    >>> column_name("Paid Search"), column_name("7-Eleven")
    ('paid_search', '_7_eleven')
    """
    plain = re.sub(r"[^a-z0-9_]", "_", name.lower())
    return f"_{plain}" if plain[:1].isdigit() else plain


def wide_columns(names: Sequence[str], reserved: Collection[str]) -> list[str]:
    """A column for each name, in a table that has the columns `reserved` too.

    A name stays as it is where `column_name` tells it from all others. Names that would become one
    column, or a reserved one, are numbered; those without a letter or digit of Treasure Data's are
    `channel_1`, `channel_2` and so on.

    >>> wide_columns(["EMAIL", "Email", "Social", "time", "快手"], ["time"])
    ['email', 'email_2', 'Social', 'time_2', 'channel_1']
    """
    plain = [column_name(name) for name in names]
    sharing = Counter(plain)
    alone = [name for name in plain if _says_something(name) and sharing[name] == 1]
    taken = {*reserved, *alone}
    columns = []
    for name, plain_name in zip(names, plain, strict=True):
        if plain_name in alone and plain_name not in reserved:
            columns.append(name)
            continue
        columns.append(next(free for free in _numbered(plain_name) if free not in taken))
        taken.add(columns[-1])
    return columns


def quoted(name: str) -> str:
    """The name within a query, whatever its characters.

    >>> print(quoted('the "first" day'))
    "the ""first"" day"
    """
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def check_table_name(name: str) -> None:
    """Raise `ConfigError` for the name of a new table that Treasure Data does not allow."""
    if not is_allowed(name):
        raise ConfigError(
            f"table {name!r}: Treasure Data allows {NAME_RULE} in the name of a table; "
            "change it in the file of parameters"
        )


def check_database_name(name: str) -> None:
    """The same for a database."""
    if not is_allowed(name):
        raise ConfigError(
            f"db must be the name of a database on Treasure Data, {NAME_RULE}, got {name!r}"
        )


def find_column(name: str, columns: Collection[str], table: str) -> str:
    """The column of that name; as in SQL, letter case does not matter where it is unambiguous.

    Raises `DataError`, which calls the table `table`.
    """
    existing = same_column(name, columns)
    if existing is not None:
        return existing
    raise DataError(f"{table}: {missing_column(name, columns)}")


def missing_column(name: str, columns: Collection[str], called: str = "") -> str:
    """What to say of a column that does not exist, with what else the user calls it.

    >>> missing_column("chanel", ["user", "channel"], " (action_column)")
    "no column 'chanel' (action_column); it has user, channel; did you mean 'channel'?"
    """
    similar = difflib.get_close_matches(name, columns, 1)
    hint = f"; did you mean {similar[0]!r}?" if similar else ""
    return f"no column {name!r}{called}; it has {', '.join(columns)}{hint}"


def same_column(name: str, columns: Collection[str]) -> str | None:
    """The column of that name, letter case aside where it is unambiguous; None for no such one."""
    if name in columns:
        return name
    same_letters = [column for column in columns if column.lower() == name.lower()]
    return same_letters[0] if len(same_letters) == 1 else None


def nearest(name: str, existing: Iterable[str], otherwise: str) -> str:
    """`there is a, b`: similar names, else the first ten, else `otherwise` where none exists."""
    names = sorted(existing)
    shown = difflib.get_close_matches(name, names, 3) or names[:10]
    return f"there is {', '.join(shown)}" if shown else otherwise


def check_same_columns(new: Iterable[str], existing: Iterable[str], table: str) -> None:
    """Raise `DataError` unless both are the same in any order: else rows cannot be appended."""
    differ = sorted(set(new) ^ set(existing))
    if differ:
        raise DataError(
            f"cannot append to {table}: columns differ in {', '.join(differ)}; drop the table, "
            "or set if_exists to overwrite"
        )


def _says_something(plain: str) -> bool:
    return bool(plain.strip("_"))


def _numbered(plain: str) -> Iterator[str]:
    """What the column may be called, the best first."""
    if _says_something(plain):
        yield plain
    base, first = (plain, 2) if _says_something(plain) else ("channel", 1)
    yield from (f"{base}_{number}" for number in itertools.count(first))
