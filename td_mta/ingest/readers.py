"""The columns whose meaning shows only in all of their values: conversion and value."""

from collections import Counter
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from td_mta.ingest.settings import TableSettings
from td_mta.ingest.values.amounts import AmountReader
from td_mta.ingest.values.flags import FlagReader
from td_mta.journeys.touchpoints import Flags, Floats


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
