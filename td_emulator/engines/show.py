"""SHOW TABLES, SHOW SCHEMAS, SHOW COLUMNS and DESCRIBE, for the engine that has no real Trino."""

import re

import pyarrow as pa

from td_emulator.engines.protocol import Engine, EngineError, QueryResult

_NAME = r'"?(?:td-presto"?\."?)?(?:"?(?P<database>\w+)"?\.)?"?(?P<table>\w+)"?'
_FORMS = {
    "schemas": re.compile(r"show schemas", re.I),
    "tables": re.compile(r'show tables(?: (?:from|in) "?(?P<database>\w+)"?)?', re.I),
    "columns": re.compile(rf"(?:show columns (?:from|in)|describe|desc) {_NAME}", re.I),
}


def shown(text: str, database: str, engine: Engine) -> QueryResult:
    """The rows of such a statement, as Trino has them."""
    words = " ".join(text.split())
    for kind, form in _FORMS.items():
        found = form.fullmatch(words)
        if found and kind == "schemas":
            return _rows(["Schema"], [[name] for name in engine.databases()])
        if found and kind == "tables":
            tables = engine.tables((found["database"] or database).lower())
            return _rows(["Table"], [[name] for name in tables])
        if found:
            columns = engine.columns(
                (found["database"] or database).lower(), found["table"].lower()
            )
            rows = [[name, kind, "", ""] for name, kind in columns]
            return _rows(["Column", "Type", "Extra", "Comment"], rows)
    raise EngineError("NOT_SUPPORTED", f"{words[:60]!r}: only show schemas, tables and columns")


def _rows(columns: list[str], rows: list[list[str]]) -> QueryResult:
    arrays = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(columns))]
    batch = pa.record_batch(arrays, names=columns)
    return QueryResult(tuple(columns), ("varchar",) * len(columns), iter([batch]))
