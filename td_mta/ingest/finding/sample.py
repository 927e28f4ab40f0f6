"""What the first rows of a table hold, column by column: enough to tell a time from a channel."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import DataError
from td_mta.ingest.values import plain_columns
from td_mta.ingest.values.flags import NUMBERS, WORDS

FLAG_WORDS = {*NUMBERS, *WORDS}
DATES = re.compile(
    r"""\s*(?:
        \d{4}[-/.]\d{1,2}[-/.]\d{1,2} | \d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}  # 2024-03-31, 31.3.24
      | \d{1,2}[-/.\ ]{1,2}(?:de\ )?[^\W\d]{3,10}[-/.,\ ]+(?:de\ )?\d{2,4}  # 31. März 2024
      | [^\W\d]{3,9},?\ \d{1,2},?\ \d{4} | [^\W\d]{3},\ \d{1,2}\ [^\W\d]{3}\ \d{4}
      | (?:19|20)\d{6}(?:[T\ ]?\d{4,6}(?:\.\d+)?Z?)? | \d{9,19}(?:\.\d+)?  # 20240331, an epoch
    )""",
    re.VERBOSE,
)
AMOUNT = re.compile(r"\D{0,5}\d[\d.,' \u00a0\u202f]*\D{0,5}")  # 1.234,50 EUR
CLOCK = re.compile(r"\d{1,2}[:h]\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?")
EPOCHS = tuple((3e8 * unit, 5e9 * unit) for unit in (1, 1e3, 1e6, 1e9))  # 1979 to 2128
EXCEL = (20_000, 80_000)  # days since 1900: 1954 to 2119
LOOKED_AT = 500  # values, when each is looked at by itself
MOST_CHANNELS = 1000


@dataclass(frozen=True)
class Column:
    """The values of one column in the sample's rows."""

    name: str
    values: pa.Array
    null_words: frozenset[str]

    @cached_property
    def text(self) -> pa.Array:
        """Its values as stripped text, without those that are missing."""
        values = self.values
        if pa.types.is_floating(values.type):
            values = pc.if_else(pc.is_nan(values), None, values)
        try:
            text = values.cast(pa.string()).drop_null()
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # lists, structs, bytes
            return pa.array([], pa.string())
        trimmed = pc.utf8_trim_whitespace(text)
        missing = pa.array(["", *self.null_words])
        return trimmed.filter(pc.invert(pc.is_in(pc.utf8_lower(trimmed), value_set=missing)))

    @cached_property
    def distinct(self) -> list[str]:
        """Its different values."""
        return self.text.unique().to_pylist()

    @property
    def filled(self) -> float:
        """The share of the rows that have a value."""
        return len(self.text) / max(len(self.values), 1)

    @cached_property
    def is_time(self) -> bool:
        """Whether nearly all values name a day, or are numbers of an epoch."""
        kind = self.values.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return True
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            return self._is_epoch()
        looked_at = self.distinct[:LOOKED_AT]
        dates = sum(bool(DATES.match(value)) for value in looked_at)
        return bool(looked_at) and dates >= 0.9 * len(looked_at)

    @property
    def is_day(self) -> bool:
        """Whether its values name days without a time of day, which midnight is not."""
        if pa.types.is_timestamp(self.values.type):
            return bool(self.distinct) and all(" 00:00:00" in value for value in self.distinct)
        numbers = self.numbers
        if len(numbers) and any(_share(numbers, *epoch) > 0.9 for epoch in EPOCHS):
            return False
        return bool(self.distinct) and not any(":" in value for value in self.distinct[:LOOKED_AT])

    @property
    def is_clock(self) -> bool:
        """Whether its values are times of day without a day, and no durations below one hour."""
        looked_at = self.distinct[:LOOKED_AT]
        are_clocks = bool(looked_at) and all(CLOCK.fullmatch(value) for value in looked_at)
        return are_clocks and any(int(re.split("[:h]", value)[0]) > 0 for value in looked_at)

    @property
    def could_be_time(self) -> bool:
        """The same for a column whose name says so: days since 1900 or 1970 count too."""
        numbers = self.numbers
        return self.is_time or bool(len(numbers) and _share(numbers, *EXCEL) > 0.9)

    def _is_epoch(self) -> bool:
        numbers = self.numbers
        if not len(numbers):
            return False
        if any(_share(numbers, low, high) > 0.9 for low, high in EPOCHS):
            return True
        month, day = numbers // 100 % 100, numbers % 100
        named = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)  # YYYYMMDD
        return _share(numbers, 19_700_101, 21_001_231) > 0.9 and bool(named.mean() > 0.9)

    @cached_property
    def numbers(self) -> np.ndarray:
        """Its values where it is a column of numbers, else none."""
        kind = self.values.type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            return np.empty(0)
        numbers = np.asarray(self.values.drop_null().to_numpy(zero_copy_only=False), float)
        return numbers[np.isfinite(numbers)]

    @property
    def is_flag(self) -> bool:
        """Whether its values say yes or no, such as 0 and 1, or one and none."""
        if pa.types.is_boolean(self.values.type):
            return True
        words = {value.lower() for value in self.distinct[:LOOKED_AT]}
        return bool(words) and words <= FLAG_WORDS

    @property
    def is_amount(self) -> bool:
        """Whether nearly all values are numbers, a currency or separators aside."""
        looked_at = self.distinct[:LOOKED_AT]
        amounts = sum(bool(AMOUNT.fullmatch(value)) for value in looked_at)
        return bool(looked_at) and amounts >= 0.9 * len(looked_at)

    @property
    def is_text(self) -> bool:
        """Whether it is a column of text, and not of numbers or times."""
        kind = self.values.type
        return bool(pa.types.is_string(kind))

    @property
    def is_address(self) -> bool:
        """Whether nearly all values are addresses of mail."""
        looked_at = self.distinct[:LOOKED_AT]
        return sum("@" in value for value in looked_at) >= 0.9 * max(len(looked_at), 1)

    @property
    def is_few_or_one(self) -> bool:
        """Whether it holds no more values than there may be channels."""
        return 1 <= len(self.distinct) <= MOST_CHANNELS

    @property
    def is_few(self) -> bool:
        """Whether it could be channels: some values that repeat."""
        count = len(self.distinct)
        return 2 <= count <= MOST_CHANNELS and 2 * count <= max(len(self.text), 8)

    @property
    def is_many(self) -> bool:
        """Whether it could be users: many different values, at least some of which repeat."""
        count = len(self.distinct)
        return 10 <= count < len(self.text) and not pa.types.is_floating(self.values.type)


@dataclass(frozen=True)
class Sample:
    """The first rows of a table by column."""

    rows: pa.RecordBatch
    columns: dict[str, Column]

    @classmethod
    def of(
        cls, batches: Iterator[pa.RecordBatch], names: Sequence[str], null_words: str | None
    ) -> "Sample":
        """The first of the batches; there may be none."""
        empty = pa.record_batch([pa.array([], pa.string()) for _ in names], names=list(names))
        rows = next(batches, empty)
        words = frozenset({word.strip().lower() for word in (null_words or "").split(",")} - {""})
        return cls(rows, {name: Column(name, _plain(rows[name]), words) for name in names})

    def divide_alike(self, columns: Sequence[str]) -> bool:
        """Whether columns divide the rows in the same way, as two ids of one user do."""
        rows = pa.table({str(i): self.rows.column(name) for i, name in enumerate(columns)})
        together = len(rows.group_by(rows.column_names).aggregate([]))
        return all(pc.count_distinct(column, "all").as_py() == together for column in rows.columns)


def _plain(column: pa.Array) -> pa.Array:
    """The column as reading takes it; nothing but nulls where reading would refuse it."""
    try:
        return plain_columns.plain(column, "")
    except DataError:
        return pa.nulls(len(column), pa.null())


def _share(numbers: np.ndarray, low: float, high: float) -> float:
    return float(((numbers >= low) & (numbers <= high)).mean())
