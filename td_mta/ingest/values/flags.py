"""Whether a row converts: by 0 and 1, words for yes and no, or the values that a user names."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import DataError
from td_mta.ingest import columns
from td_mta.ingest.columns import BLANKS
from td_mta.journeys.touchpoints import Flags

NUMBERS = {"1": True, "1.0": True, "0": False, "0.0": False}
WORDS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "x", "✓", "✔"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "-"), False),
    **{"converted": True, "not converted": False},
    # The words of spreadsheets in other languages.
    **dict.fromkeys(("ja", "j", "tak", "wahr", "oui", "vrai", "si", "sí", "sì"), True),
    **dict.fromkeys(("verdadero", "vero", "sim", "verdadeiro", "да", "истина", "是"), True),
    **dict.fromkeys(("nein", "nee", "nej", "nie", "falsch", "non", "faux", "falso"), False),
    **dict.fromkeys(("não", "nao", "нет", "ложь", "否"), False),
}
LIKELY = ("purchase", "order", "transaction", "conver", "sale", "checkout", "sign", "lead")
MOST_VALUES = 1000  # distinct ones, beyond which a column holds no names of events
MOST_SHOWN = 8


@dataclass
class FlagReader:
    """Reads the conversion column of a table, batch by batch, and counts what it met.

    `values` are those that convert, in lower case; none: what the words and numbers above say.
    """

    column: str
    location: str
    values: tuple[str, ...] = ()
    null_words: Collection[str] = ()
    converted: Counter[str] = field(default_factory=Counter)  # what was converted -> rows
    others: Counter[str] = field(default_factory=Counter)  # neither yes nor no -> rows
    found: set[str] = field(default_factory=set)  # of `values`

    def read(self, column: pa.Array) -> Flags:
        """True where a row converts, `(rows,)`; a missing value does not. `check` comes last."""
        if not self.values and not column.null_count:
            if pa.types.is_boolean(column.type):
                return np.asarray(column.to_numpy(zero_copy_only=False), bool)
            if pa.types.is_integer(column.type):
                numbers = column.to_numpy()
                if ((numbers == 0) | (numbers == 1)).all():
                    return np.asarray(numbers == 1, bool)
        return self._of_text(columns.identifier(column))

    def check(self) -> None:
        """Raise `DataError` for values that are neither yes nor no."""
        if self.others and not self.values:
            raise DataError(f"{self.location} must hold 0 or 1 (or yes, no), {self._advice()}")

    def nothing_found(self) -> str:
        """What to say of a column in which no row converts, after its name."""
        if not self.values:
            return "= 1, so there is nothing to attribute; check the conversion rule"
        return f"= {' or '.join(self.values)} (conversion_value_is); it has {_listed(self.others)}"

    def absent_values(self) -> list[str]:
        """Those of `values` that no row has."""
        return [value for value in self.values if value not in self.found]

    def _of_text(self, text: pa.Array) -> Flags:
        encoded = pc.dictionary_encode(text)
        raw = encoded.dictionary.to_pylist()
        indices = pc.fill_null(encoded.indices, len(raw)).to_numpy(zero_copy_only=False)
        rows = np.bincount(indices, minlength=len(raw) + 1).tolist()
        flags = [self._flag(value, count) for value, count in zip([*raw, ""], rows, strict=True)]
        if len(self.others) > MOST_VALUES:  # before all of a long column is counted
            self.check()
        return np.array(flags, bool)[indices]

    def _flag(self, raw: str, rows: int) -> bool:
        value = raw.strip(BLANKS)
        word = value.lower()
        if self.values:
            converts = word in self.values
            if converts:
                self.found.add(word)
            elif value:
                self.others[value] += rows
            return converts
        if word in NUMBERS:
            return NUMBERS[word]
        if not word or word in self.null_words:
            self.converted[f"nothing in column {self.column} as no conversion"] += rows
            return False
        if word in WORDS:
            self.converted[f"words for yes and no in column {self.column}"] += rows
            return WORDS[word]
        self.others[value] += rows
        return False

    def _advice(self) -> str:
        listed = _listed(self.others)
        if all(_is_number(value) for value in self.others):
            ones = ", ".join(sorted({"1", *(v for v in self.others if not v.startswith("-"))})[:5])
            return (
                f"got {listed}; a row is one conversion at most: give each conversion a row, or "
                f"set conversion_value_is: '{ones}' so that each of these rows counts as one"
            )
        return (
            f"got {listed}; set conversion_value_is to the values that convert, such as "
            f"--set conversion_value_is={_likely(self.others)}"
        )


def _listed(values: Mapping[str, int]) -> str:
    """The most frequent values and their rows."""
    most = Counter(values).most_common(MOST_SHOWN)
    shown = ", ".join(f"{value!r} ({rows:,} row{'s' * (rows != 1)})" for value, rows in most)
    more = len(values) - len(most)
    return f"{shown} and {more:,} more values" if more else shown or "no value"


def _likely(values: Mapping[str, int]) -> str:
    """The value that is most likely a conversion: by its name, else the rarest."""
    rarest_first = sorted(values, key=lambda value: (values[value], value))
    named = (value for part in LIKELY for value in rarest_first if part in value.lower())
    return next(named, rarest_first[0])


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
