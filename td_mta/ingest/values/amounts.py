"""A column of amounts: numbers, or texts with currency signs, thousands and either decimal mark.

What no value alone can tell, whether `1,234` is a thousand or a little more than one, the values of
the whole column tell together, or the parameter `decimal_mark`.
"""

import contextlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import DataError
from td_mta.ingest import columns
from td_mta.ingest.columns import BLANKS
from td_mta.ingest.values.money import Amount, Mark, amount
from td_mta.journeys.touchpoints import Flags, Floats, Ints

PLAIN = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?$"
LARGEST = 1e15  # beyond it sums, and squares of sums, end in infinity
OPEN = r"^[-+]?[1-9][0-9]{0,2}\.[0-9]{3}$"  # 1.234: with a decimal comma it is a thousand


class DecimalMarkError(Exception):
    """The column shows this decimal mark only after open values were read with the other."""

    def __init__(self, mark: Mark) -> None:
        super().__init__(mark)
        self.mark: Mark = mark


def amounts(
    column: pa.Array,
    location: str,
    given: Mark | None = None,
    null_words: Collection[str] = (),
) -> Floats:
    """The amounts of a whole column, `(rows,)`; see `AmountReader`.

    The mark that is `given` for another table counts here where these texts can have it.
    """
    if given and pa.types.is_string(column.type):
        with contextlib.suppress(DataError):
            return AmountReader("", location, given, null_words).read(column)
    reader = AmountReader("", location, null_words=null_words)
    try:
        values = reader.read(column)
    except DecimalMarkError as found:
        reader = AmountReader("", location, found.mark, null_words)
        values = reader.read(column)
    reader.check()
    return values


@dataclass
class AmountReader:
    """Reads the value column of a table, batch by batch; `given` is the parameter decimal_mark."""

    column: str
    location: str
    given: Mark | None = None
    null_words: Collection[str] = ()
    converted: Counter[str] = field(default_factory=Counter)  # what was converted -> rows
    _shown: dict[Mark, str] = field(default_factory=dict)  # by a value with one reading
    _likely: dict[Mark, str] = field(default_factory=dict)  # by a value with two
    _used: set[Mark] = field(default_factory=set)  # for values with two
    _currencies: dict[str, str] = field(default_factory=dict)  # a value of each

    def read(self, column: pa.Array) -> Floats:
        """Numbers up to `LARGEST`, `(rows,)`; a missing one is NaN. `check` comes last.

        Raises `DataError` for what cannot be read, and `DecimalMarkError` where the table must be
        read again with that mark.
        """
        values = self._read(column)
        beyond = np.abs(values) > LARGEST
        if beyond.any():
            got = columns.example(column, beyond)
            raise DataError(
                f"{self.location} must hold numbers, none of them beyond {LARGEST:,.0f}, got {got}"
            )
        return values

    def _read(self, column: pa.Array) -> Floats:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            return self._of_numbers(column)
        encoded = pc.dictionary_encode(column.cast(pa.string()))
        indices = pc.fill_null(encoded.indices, len(encoded.dictionary))
        place = indices.to_numpy(zero_copy_only=False)
        rows = np.bincount(place, minlength=len(encoded.dictionary) + 1)
        values = self._of_distinct(encoded.dictionary, rows[:-1])
        return np.append(values, np.nan)[place]

    def check(self) -> None:
        """Raise `DataError` where values contradict each other or leave the decimal mark open."""
        if len(self._currencies) > 1:
            examples = " and ".join(repr(value) for value in list(self._currencies.values())[:2])
            raise DataError(
                f"{self.location} holds amounts in several currencies, such as {examples}; "
                "convert them to one"
            )
        if not self.given and not self._shown and len(self._likely) > 1:
            self._refuse_marks(self._likely)

    @property
    def _mark(self) -> Mark:
        marks: list[Mark | None] = [self.given, *self._shown, *self._likely, "point"]
        return next(mark for mark in marks if mark)

    def _of_numbers(self, column: pa.Array) -> Floats:
        numbers = np.asarray(columns.numbers(column), np.float64)
        if self.given == "comma" and (np.floor(numbers) != numbers)[~np.isnan(numbers)].any():
            raise DataError(
                f"{self.location} holds numbers with a decimal point already, but decimal_mark is "
                "comma; set decimal_mark: point"
            )
        return numbers

    def _of_distinct(self, raw: pa.Array, rows: Ints) -> Floats:
        """The numbers of distinct texts, which so many rows have."""
        text = pc.utf8_lower(pc.utf8_trim(raw, BLANKS))
        missing = columns.is_in(text, ("", "nan", *self.null_words))
        plain = columns.matches(text, PLAIN)
        is_plain = (plain | missing).all() and not columns.matches(text, OPEN).any()
        if is_plain and self._mark == "point":
            return self._of_plain(text, raw, missing)
        read = [
            Amount(missing=True) if absent else amount(value)
            for value, absent in zip(text.to_pylist(), missing, strict=True)
        ]
        mark = self._learned(read, raw.to_pylist())
        values = np.array([one.comma if mark == "comma" else one.point for one in read])
        known = ~np.isnan(values) | np.array([one.missing for one in read], bool)
        if not known.all():
            self._refuse(raw, ~known, rows)
        for one, value, count in zip(read, text.to_pylist(), rows.tolist(), strict=True):
            self._count(one, value, count, mark)
        return values

    def _of_plain(self, text: pa.Array, raw: pa.Array, missing: Flags) -> Floats:
        with_point = np.flatnonzero(columns.matches(text, r"\."))
        if len(with_point):
            self._shown.setdefault("point", raw[int(with_point[0])].as_py())
        numbers = pc.if_else(pa.array(missing), None, text).cast(pa.float64())
        return np.array(numbers.to_numpy(zero_copy_only=False), np.float64)

    def _learned(self, read: list[Amount], raw: list[str]) -> Mark:
        """The decimal mark, after these values too."""
        for one, value in zip(read, raw, strict=True):
            if one.currency:
                self._currencies.setdefault(one.currency, value)
            if one.shown:
                self._shown.setdefault(one.shown, value)
            if one.likely:
                self._likely.setdefault(one.likely, value)
        if not self.given and len(self._shown) > 1:
            self._refuse_marks(self._shown)
        mark = self._mark
        if any(one.likely for one in read):
            self._used.add(mark)
        if self._used - {mark}:
            raise DecimalMarkError(mark)
        return mark

    def _refuse(self, raw: pa.Array, bad: Flags, rows: Ints) -> None:
        first = raw[int(np.flatnonzero(bad)[0])].as_py()
        count = int(rows[bad].sum())
        of_mark = f" with decimal_mark: {self.given}" if self.given else ""
        raise DataError(
            f"{self.location} must hold numbers{of_mark}, got {first!r} in "
            f"{f'{count} of the rows read' if count > 1 else 'one row'}"
        )

    def _refuse_marks(self, examples: dict[Mark, str]) -> None:
        raise DataError(
            f"{self.location} does not tell whether a point or a comma is the decimal mark: it "
            f"holds {examples['point']!r} and {examples['comma']!r}; set decimal_mark to point or "
            "comma, or write all amounts alike"
        )

    def _count(self, one: Amount, text: str, rows: int, mark: Mark) -> None:
        """What a value needed, in words, for the notes."""
        if one.likely and not self.given and not self._shown:
            other = "point" if mark == "comma" else "comma"
            self.converted[
                f"open amounts of column {self.column}, such as {self._likely[mark]}, by a decimal "
                f"{mark} (decimal_mark: {other} reads them otherwise)"
            ] += rows
        if one.currency:
            self.converted[f"{one.currency} in column {self.column}"] += rows
        if mark == "comma" and "," in text:
            self.converted[f"decimal commas in column {self.column}"] += rows
        elif not one.currency and not one.missing and any(mark in text for mark in ",' ()"):
            self.converted[f"amounts with separators in column {self.column}"] += rows
