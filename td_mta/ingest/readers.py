"""The columns whose meaning shows only in all of their values: conversion, value and time."""

from collections import Counter
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from td_mta.ingest.settings import TableSettings
from td_mta.ingest.times.reader import TimeReader
from td_mta.ingest.values import plain_columns
from td_mta.ingest.values.amounts import AmountReader
from td_mta.ingest.values.flags import FlagReader
from td_mta.journeys.touchpoints import Flags, Floats
from td_mta.warehouse import Warehouse


class Readers(NamedTuple):
    """Read these columns of a table, batch by batch."""

    conversion: FlagReader
    value: AmountReader | None
    converts: bool | None  # whether every row does, or none; None: `conversion` says it

    @classmethod
    def of(cls, settings: TableSettings) -> "Readers":
        """For a table's columns as its settings say."""
        name, value = settings.conversion_column, settings.value_column
        words = settings.null_words
        flags = FlagReader(name, settings.location(name), settings.conversion_values, words)
        if value is None:
            return cls(flags, None, settings.converts)
        location = settings.location(value)
        amounts = AmountReader(value, location, settings.decimal_mark, words)
        return cls(flags, amounts, settings.converts)

    def flags_of(self, batch: pa.RecordBatch) -> Flags:
        """Which rows convert, `(rows,)`."""
        if self.converts is not None:
            return np.full(len(batch), self.converts)
        return self.conversion.read(batch[self.conversion.column])

    def values_of(self, batch: pa.RecordBatch) -> Floats:
        """The value of each row, NaN for none, `(rows,)`."""
        if self.value is None:
            return np.full(len(batch), np.nan)
        return self.value.read(batch[self.value.column])

    def finished(self) -> Counter[str]:
        """What was converted, by its rows; raises `DataError` for what all values show."""
        self.conversion.check()
        converted = Counter(self.conversion.converted)
        if self.value is not None:
            self.value.check()
            converted += self.value.converted
        return converted


def time_reader(settings: TableSettings, warehouse: Warehouse) -> TimeReader:
    """For the time column; a table with `user_rnd_column` is what the workflow's SQL made."""
    name, names = settings.time_column, warehouse.columns(settings.table)
    in_seconds = settings.made_by_sql and settings.user_rnd_column in names
    return TimeReader(
        settings.location(name),
        form=None if in_seconds else settings.time_format,
        zone=settings.day_timezone,
        in_seconds=in_seconds,
        null_words=settings.null_words,
        batches=lambda: (b[name] for b in plain_columns.read(warehouse, settings.table, [name])),
    )
