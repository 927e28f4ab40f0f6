"""The table of single figures that the warehouse counted, as the records that later steps know.

A row is a figure: its name (`fact`), its place where there are several (`position`), and a
`number`, an `amount`, a `name` or a `text`. Of arrays the places of zeros are left out.
"""

from collections import Counter
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import DataError
from td_mta.ingest.pages import LeftOut
from td_mta.ingest.scan import Scan
from td_mta.ingest.table_facts import NOBODY, Most, TableFacts
from td_mta.journeys.controls import Period
from td_mta.journeys.events import Counts
from td_mta.journeys.facts import Facts
from td_mta.journeys.patterns import Grid
from td_mta.journeys.returns.counts import Returns, shapes
from td_mta.journeys.touchpoints import Ints


@dataclass(frozen=True)
class Figures:
    """The rows of the table of figures."""

    table: str  # its name, for errors
    rows: pa.Table

    def of(self, fact: str) -> pa.Table:
        """The rows of one fact, by ascending position."""
        rows = self.rows.filter(pc.equal(self.rows["fact"], fact))
        return rows.sort_by([("position", "ascending"), ("name", "ascending")])

    def number(self, fact: str) -> int:
        """A single figure, 0 of no rows; `DataError` where it is missing."""
        numbers = self.of(fact)["number"].to_pylist()
        if not numbers:
            raise DataError(
                f"table {self.table} has no {fact}: it was made by another version of the "
                "workflow; run its tasks +count again"
            )
        return numbers[0] or 0

    def number_or_none(self, fact: str) -> int | None:
        """A single figure that there may be none of."""
        numbers = self.of(fact)["number"].to_pylist()
        return numbers[0] if numbers else None

    def amount(self, fact: str) -> float:
        """A single amount, 0 where there is none."""
        return float(pc.sum(self.of(fact)["amount"]).as_py() or 0.0)

    def array(self, fact: str, shape: tuple[int, ...]) -> Ints:
        """Numbers by position, an array of that shape; 0 where there is no row."""
        rows = self.of(fact)
        numbers = np.zeros(int(np.prod(shape)), np.int64)
        numbers[rows["position"].to_numpy()] = rows["number"].to_numpy()
        return numbers.reshape(shape)

    def by_name(self, fact: str) -> dict[str, int]:
        """Numbers by name."""
        rows = self.of(fact)
        return dict(zip(rows["name"].to_pylist(), rows["number"].to_pylist(), strict=True))

    def texts(self, fact: str) -> dict[str, str]:
        """Texts by name."""
        rows = self.of(fact)
        return dict(zip(rows["name"].to_pylist(), rows["text"].to_pylist(), strict=True))

    def most(self, fact: str) -> Most:
        """The user who has most of something; nobody where nobody has any."""
        rows = self.of(fact)
        number, name = rows["number"][0].as_py(), rows["name"][0].as_py()
        return Most(number, name) if number else NOBODY


def period(figures: Figures) -> Period:
    """The credited days."""
    return Period(
        figures.number("first_day"),
        figures.number("last_day"),
        figures.number_or_none("held_out_day"),
    )


def channels(figures: Figures) -> list[str]:
    """The channels that touch anybody, ascending."""
    names: list[str] = figures.of("channel")["name"].to_pylist()
    return names


def scan(figures: Figures) -> Scan:
    """Counts of the rows as they are; how they were written is the SQL's matter."""
    rows = figures.by_name("channel_rows")
    codes = {name: code for code, name in enumerate(rows)}
    return Scan(
        rows=figures.number("rows"),
        dropped=figures.number("dropped"),
        before=figures.number("before"),
        after=figures.number("after"),
        conversions=figures.number("conversion_rows"),
        conversions_without_channel=figures.number("conversion_rows_without_channel"),
        refunds=figures.number("refunds"),
        refunded=figures.amount("refunded"),
        first_time=figures.number("first_time"),
        last_time=figures.number("last_time"),
        channels=codes,
        channel_rows=Counter({codes[name]: number for name, number in rows.items()}),
        spelling=figures.texts("spelling"),
        touched={codes[name] for name in channels(figures)},
        null_users=Counter(figures.by_name("null_users")),
        null_channels=Counter(figures.by_name("null_channels")),
        ties={str(tie) for tie in range(figures.number("ties"))},
    )


def table_facts(figures: Figures, days: int) -> TableFacts:
    """What is known of the rows; paths reach back `days` days."""
    found = TableFacts(
        days,
        duplicates=figures.number("duplicates"),
        duplicate_conversions=figures.number("duplicate_conversions"),
        counts=_counts(figures),
        left_out=LeftOut(figures.number("left_out_users"), figures.number("left_out_rows")),
        most_touches=figures.most("most_touches"),
        most_conversions=figures.most("most_conversions"),
        converting_users=figures.number("converters"),
        untouched=figures.number("untouched"),
        untouched_user=_name(figures, "untouched"),
        touched_user=_name(figures, "touched_user"),
        rows_by_day=_rows_by_day(figures),
    )
    found.parts.append(_facts(figures, days))
    return found


def _rows_by_day(figures: Figures) -> Counter[int]:
    rows, first_day = figures.of("rows_by_day"), figures.number("record_first_day")
    pairs = zip(rows["position"].to_pylist(), rows["number"].to_pylist(), strict=True)
    return Counter({first_day + position: number for position, number in pairs})


def _facts(figures: Figures, days: int) -> Facts:
    single = [field.name for field in fields(Facts) if field.name != "touches_by_day"]
    numbers = {name: figures.number(name) for name in single}
    return Facts(**numbers, touches_by_day=figures.array("touches_by_day", (days,)))


def _counts(figures: Figures) -> Counts:
    return Counts(
        same_order=figures.number("same_order"),
        orders_with_values=figures.number("orders_with_values"),
        repeats=figures.number("repeats"),
        subtracted=figures.number_or_none("subtracted") or 0,
        subtracted_value=figures.amount("subtracted_value"),
        unmatched=figures.number_or_none("unmatched") or 0,
        unmatched_value=figures.amount("unmatched_value"),
    )


def _name(figures: Figures, fact: str) -> str:
    names = figures.of(fact)["name"].to_pylist()
    return str(names[0]) if names else ""


def returns(figures: Figures, grid: Grid, record: Period) -> Returns:
    """Counts of users who come back."""
    by_name = shapes(grid, record.days)
    return Returns(
        **{name: figures.array(f"returns_{name}", shape) for name, shape in by_name.items()}
    )
