"""The answers to SHOW TABLES, SHOW SCHEMAS, SHOW COLUMNS and DESCRIBE, for the embedded engine."""

import re

import pyarrow as pa

from td_emulator.engines.protocol import Engine, EngineError, QueryResult

_NAME = r'"?(?:td-presto"?\."?)?(?:"?(?P<database>\w+)"?\.)?"?(?P<table>\w+)"?'
_SCHEMAS = re.compile(r"show schemas", re.I)
_TABLES = re.compile(r'show tables(?: (?:from|in) "?(?P<database>\w+)"?)?', re.I)
_COLUMNS = re.compile(rf"(?:show columns (?:from|in)|describe|desc) {_NAME}", re.I)


def shown(text: str, database: str, engine: Engine) -> QueryResult:
    """The rows of such a statement, as Trino has them; raises `EngineError` for any other."""
    words = " ".join(text.split())
    if _SCHEMAS.fullmatch(words):
        return _result(["Schema"], [[name] for name in engine.databases()])
    if matched := _TABLES.fullmatch(words):
        tables = engine.tables((matched["database"] or database).lower())
        return _result(["Table"], [[name] for name in tables])
    if matched := _COLUMNS.fullmatch(words):
        of_database = (matched["database"] or database).lower()
        columns = engine.columns(of_database, matched["table"].lower())
        rows = [[name, kind, "", ""] for name, kind in columns]
        return _result(["Column", "Type", "Extra", "Comment"], rows)
    raise EngineError("NOT_SUPPORTED", f"{words[:60]!r}: only show schemas, tables and columns")


def _result(columns: list[str], rows: list[list[str]]) -> QueryResult:
    arrays = [pa.array([row[index] for row in rows], pa.string()) for index in range(len(columns))]
    batch = pa.record_batch(arrays, names=columns)
    return QueryResult(tuple(columns), ("varchar",) * len(columns), iter([batch]))
