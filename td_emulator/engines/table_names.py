"""`database.table` in a query. The local SQL engine knows one database, so such a pair becomes one
quoted name in the text, and is separated again where the table is looked up.
"""

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError

from td_emulator.engines.protocol import EngineError

CATALOG = "td-presto"


def joined(sql: str) -> str:
    """The query with every `database.table` as one name; the rest of the text is unchanged.

    >>> joined("select a from mta.touches where a > 0")
    'select a from "mta.touches" as "touches" where a > 0'
    """
    try:
        trees = Trino().parse(sql)
    except SqlglotError as error:
        raise EngineError("SYNTAX_ERROR", str(error).splitlines()[0]) from error
    tables = [table for tree in trees if tree for table in tree.find_all(exp.Table)]
    qualified = [table for table in tables if table.db]
    # from the end of the text, so that the positions before stay valid
    for table in sorted(qualified, key=_start, reverse=True):
        start, end = _start(table), table.parts[-1].meta["end"]
        sql = f"{sql[:start]}{_one_name(table)}{sql[end + 1 :]}"
    return sql


def separated(name: str, database: str) -> tuple[str, str]:
    """Database and table of a name in a text of `joined`; `database` is that of a bare name."""
    own_database, _, table = name.lower().rpartition(".")
    return own_database or database, table


def _start(table: exp.Table) -> int:
    """Where the table's name starts in the text."""
    start: int = table.parts[0].meta["start"]
    return start


def _one_name(table: exp.Table) -> str:
    if table.catalog.lower() not in ("", CATALOG):
        raise EngineError("CATALOG_NOT_FOUND", f"Catalog '{table.catalog}' not found")
    if table.db.lower() == "information_schema":
        raise EngineError("NOT_SUPPORTED", "information_schema: use show tables or show columns")
    alias = "" if table.alias else f' as "{table.name}"'
    return f'"{table.db}.{table.name}"{alias}'
