"""Names of tables and columns: what Treasure Data allows, and what to say of a missing one."""

import difflib
import re
from collections.abc import Collection, Iterable

from td_mta.errors import ConfigError, DataError

_ALLOWED = re.compile(r"[a-z0-9_]{3,255}")


def column_name(name: str) -> str:
    """What Treasure Data makes of a name: lower case, other characters to `_`, no digit first.

    >>> column_name("Paid Search"), column_name("7-Eleven")
    ('paid_search', '_7_eleven')
    """
    plain = re.sub(r"[^a-z0-9_]", "_", name.lower())
    return f"_{plain}" if plain[:1].isdigit() else plain


def check_table_name(name: str) -> None:
    """Raise `ConfigError` for the name of a table to be made that Treasure Data does not allow."""
    if not _ALLOWED.fullmatch(name):
        raise ConfigError(
            f"table {name!r}: Treasure Data allows 3 to 255 of a-z, 0-9 and _ in the name of a "
            "table; change it in config/params.yml"
        )


def check_database_name(name: str) -> None:
    """The same for a database."""
    if not _ALLOWED.fullmatch(name):
        raise ConfigError(
            f"config/params.yml: db must be the name of a database on Treasure Data, 3 to 255 of "
            f"a-z, 0-9 and _, got {name!r}"
        )


def find_column(name: str, there: Collection[str], place: str) -> str:
    """The column of that name; as in SQL, letter case does not matter where it is unambiguous."""
    if name in there:
        return name
    alike = [column for column in there if column.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    near = difflib.get_close_matches(name, there, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise DataError(f"{place}: no column {name!r}; it has {', '.join(there)}{hint}")


def nearest(name: str, there: Iterable[str], otherwise: str) -> str:
    """`there is a, b`: the names alike, else the first ten, else what to say of none at all."""
    names = sorted(there)
    near = difflib.get_close_matches(name, names, 3) or names[:10]
    return f"there is {', '.join(near)}" if near else otherwise


def check_same_columns(new: Iterable[str], there: Iterable[str], place: str) -> None:
    """Rows can be appended only where the columns are the same, in any order."""
    differ = sorted(set(new) ^ set(there))
    if differ:
        raise DataError(
            f"cannot append to {place}: columns differ in {', '.join(differ)}; drop the table, "
            "or set if_exists to overwrite"
        )
