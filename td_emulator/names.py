"""Names that Treasure Data takes for databases, tables and columns."""

import re

from td_mta.warehouse.names import NAME_RULE, is_allowed

COLUMN = re.compile(r"[a-z_][a-z0-9_]*")  # other keys of a record are dropped on import


def complaint(kind: str, name: str) -> str | None:
    """What is wrong with the name of a `database` or a `table`; None where nothing is."""
    if is_allowed(name):
        return None
    return f"{kind.capitalize()} name {name!r} is not allowed: it must be {NAME_RULE}"
