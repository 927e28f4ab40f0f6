"""A query on the real Trino and on the local engine, over the same tables: types and rows."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from td_emulator.engines.protocol import QueryResult
from td_emulator.engines.real_trino import TrinoEngine
from td_mta.warehouse.local import LocalWarehouse


@dataclass(frozen=True)
class Answer:
    """Column names, Trino types, and the rows in an order of their own."""

    columns: list[str]
    types: list[str]
    rows: list[tuple[object, ...]]


def load(engine: TrinoEngine, database: str, local: LocalWarehouse) -> None:
    """All tables of a local warehouse into a database, which is made anew."""
    if database in engine.databases():
        engine.drop_database(database)
    engine.create_database(database)
    for table in local.tables():
        engine.write(database, table, pq.read_table(local.typed_file(table)))


def of_trino(engine: TrinoEngine, database: str, sql: str, now: int) -> Answer:
    found = engine.run(sql, database, now)
    assert isinstance(found, QueryResult)
    batches = [
        batch.rename_columns(list(map(str, range(len(found.columns))))) for batch in found.batches
    ]
    rows = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
    types = [kind.replace(",", ", ").replace(",  ", ", ") for kind in found.types]
    return Answer([name.lower() for name in found.columns], types, _in_order(rows))


def of_local(local: LocalWarehouse, sql: str) -> Answer:
    plan, table = local.answer(sql)
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    names = [name.lower() for name in table.column_names]
    return Answer(names, [str(kind) for kind in plan.types], _in_order(rows))


def differences(a: Answer, b: Answer, limit: int = 5) -> list[object]:
    """The first few differences; none if all is equal, doubles within 1e-12."""
    if (a.columns, a.types) != (b.columns, b.types):
        return [(a.columns, a.types), (b.columns, b.types)]
    if len(a.rows) != len(b.rows):
        return [f"{len(a.rows)} rows", f"{len(b.rows)} rows"]
    pairs = zip(a.rows, b.rows, strict=True)
    return [(x, y) for x, y in pairs if not all(map(_same, x, y))][:limit]


def _same(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12) or (math.isnan(a) and math.isnan(b))
    return type(a) is type(b) and a == b


def _in_order(rows: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Sorted by their text, doubles to nine digits: SQL gave no order."""

    def key(row: tuple[object, ...]) -> list[str]:
        return [f"{value:.9g}" if isinstance(value, float) else repr(value) for value in row]

    return sorted(rows, key=key)


def write(folder: Path, tables: dict[str, pa.Table]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        pq.write_table(rows, folder / f"{name}.parquet")
