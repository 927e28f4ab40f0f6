"""Names that Treasure Data takes for databases, tables and columns."""

import re
import uuid

from td_mta.warehouse.names import NAME_RULE, is_allowed

COLUMN = re.compile(r"[a-z_][a-z0-9_]*")  # other keys of a record are dropped on import


def unused(table: str, what: str) -> str:
    """A name for a table that is there for a moment; no other request has it."""
    return f"{table[:200]}__{what}_{uuid.uuid4().hex}"


def complaint(kind: str, name: str) -> str | None:
    """Why Treasure Data refuses a name, None where it takes it; `kind` is database or table."""
    if is_allowed(name):
        return None
    return f"{kind.capitalize()} name {name!r} is not allowed: it must be {NAME_RULE}"
