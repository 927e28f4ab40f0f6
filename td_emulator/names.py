"""Names that Treasure Data takes for databases, tables and columns."""

import re

_NAME = re.compile(r"[a-z0-9_]{3,256}")
COLUMN = re.compile(r"[a-z_][a-z0-9_]*")  # other keys of a record are dropped on import


def complaint(kind: str, name: str) -> str | None:
    """What is wrong with the name of a `database` or a `table`; None where nothing is."""
    if _NAME.fullmatch(name):
        return None
    return (
        f"{kind.capitalize()} name {name!r} is not allowed: it must be 3 to 256 characters "
        "of a-z, 0-9 and _"
    )
