"""The tables of counts that the warehouse's SQL makes (`queries/counting/`), as typed Arrow tables.

Their names begin with `counts_table`. A warehouse that keeps tables as text may have lost a
column's type, so every column is cast to that of `COLUMNS`.
"""

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import DataError
from td_mta.warehouse import Warehouse

MOST_ROWS = 20_000_000  # of one table; of examples they take about 2 GB

_TEXT, _WHOLE, _REAL = pa.string(), pa.int64(), pa.float64()
COLUMNS: Mapping[str, Mapping[str, pa.DataType]] = {
    "examples": {"pattern": _TEXT, "levels": _WHOLE, "examples": _TEXT},
    "credited": {
        "first_unit": _WHOLE,
        "pattern": _TEXT,
        "levels": _WHOLE,
        "conversions": _TEXT,
        "returning": _TEXT,
        "amounts": _TEXT,
    },
    "profiles": {"units": _TEXT, "users": _WHOLE},
    "ngrams": {"held_out": _WHOLE, "state": _WHOLE, "followers": _TEXT, "value": _REAL},
    "rules": {
        "model": _TEXT,
        "channel": _TEXT,
        "share": _REAL,
        "conversions": _REAL,
        "value": _REAL,
    },
    "facts": {
        "fact": _TEXT,
        "position": _WHOLE,
        "number": _WHOLE,
        "amount": _REAL,
        "name": _TEXT,
        "text": _TEXT,
    },
}


class CountTables:
    """The tables of counts of one run; what was read of them is added up."""

    def __init__(self, warehouse: Warehouse, prefix: str, most_rows: int = MOST_ROWS) -> None:
        self._warehouse, self._prefix, self._most_rows = warehouse, prefix, most_rows
        self.rows = self.bytes = 0

    def name(self, table: str) -> str:
        """The table's name in the warehouse."""
        return f"{self._prefix}_{table}"

    def exist(self) -> bool:
        """Whether the workflow has made them: whether the last one is there."""
        try:
            self._warehouse.columns(self.name("facts"))
        except DataError:
            return False
        return True

    def read(self, table: str) -> pa.Table:
        """All rows of a table; `DataError` where it is missing or holds too many."""
        return pa.Table.from_batches(self.batches(table), pa.schema(COLUMNS[table]))

    def batches(self, table: str) -> Iterator[pa.RecordBatch]:
        """The same in parts."""
        columns, rows = COLUMNS[table], 0
        for batch in self._warehouse.read(self.name(table), list(columns)):
            rows += len(batch)
            if rows > self._most_rows:
                raise DataError(self._too_many(table))
            self.rows, self.bytes = self.rows + len(batch), self.bytes + batch.nbytes
            typed = map(_typed, batch.columns, columns.values())
            yield pa.record_batch(list(typed), names=list(columns))

    def _too_many(self, table: str) -> str:
        return (
            f"table {self.name(table)} has more than {self._most_rows:,} rows, each of another "
            "pattern or of other levels of controls: lower lookback_window_days, set action_column "
            "to a coarser column, leave out one of controls (user_activity has most levels), or "
            "shorten time_interval"
        )


def _typed(column: pa.Array, kind: pa.DataType) -> pa.Array:
    typed = column.cast(kind)
    # an empty text, such as the pattern of no touch, may come as none
    return pc.fill_null(typed, "") if pa.types.is_string(kind) else typed
