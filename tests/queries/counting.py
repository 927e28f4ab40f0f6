"""The counts of `queries/counting` and those of Python in one form, to be compared."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from td_mta.config import placeholders
from td_mta.config.attribution import CONTROLS, Config
from td_mta.dataset.build import Extracted
from td_mta.journeys.credited import Credited
from td_mta.journeys.examples import Examples
from td_mta.journeys.patterns import Patterns
from td_mta.journeys.strata import Strata
from td_mta.shapley.bootstrap import ConverterProfiles

FOLDER = Path(__file__).parents[2] / "queries" / "counting"
TABLES = (  # in the order in which they are made
    *("read", "channels", "rows", "period", "times_of_day", "users", "anchors", "windows"),
    *("examples", "credited", "profiles"),
)
PREFIX = "mta_counts"
Unit = tuple[frozenset[int], tuple[int, ...]]  # cells, and the levels of `CONTROLS`


class Counts(NamedTuple):
    """What both sides count."""

    examples: Counter  # by unit, group of users and kind
    credited: dict[Unit, tuple[float, float, float]]  # conversions, value and returning ones
    profiles: Counter  # users, by units and how many conversions each has


def statements(config: Config, tables: Iterable[str] = TABLES) -> dict[str, str]:
    """The query of each table, by the table's name."""
    parameters = vars(config) | {"counts_table": PREFIX}
    return {
        f"{PREFIX}_{name}": placeholders.statement(FOLDER / f"{name}.sql", parameters)
        for name in tables
    }


def of_sql(read: Callable[[str], pa.Table]) -> Counts:
    """The tables that `read` gives by their names."""
    examples, credited, profiles = (
        read(f"{PREFIX}_{name}").to_pandas() for name in ("examples", "credited", "profiles")
    )
    units = dict(zip(credited["unit"], _units(credited), strict=True))
    assert sorted(units) == list(range(len(units)))
    keys = zip(_units(examples), examples["user_group"], examples["kind"], strict=True)
    amounts = credited[["conversions", "value", "returning"]].itertuples(index=False, name=None)
    seen = [
        frozenset((units[int(unit)], int(n)) for unit, n in _pairs(text))
        for text in profiles["units"]
    ]
    return Counts(
        examples=Counter(dict(zip(keys, examples["examples"], strict=True))),
        credited=dict(zip(units.values(), amounts, strict=True)),
        profiles=Counter(dict(zip(seen, profiles["users"], strict=True))),
    )


def of_python(extracted: Extracted) -> Counts:
    """What the pages of a table add up to."""
    strata, credited = extracted.strata, extracted.credited
    return Counts(
        examples=examples_of(extracted.examples, strata),
        credited=dict(
            zip(
                units_of(credited.patterns, credited.pattern, credited.stratum, strata),
                zip(*credited.amounts.tolist(), credited.returning.tolist(), strict=True),
                strict=True,
            )
        ),
        profiles=_profiles(extracted.converter_profiles, credited, strata),
    )


def examples_of(examples: Examples, strata: Strata) -> Counter:
    """The number of examples by unit, group of users and kind, where there are any."""
    units = units_of(examples.patterns, examples.pattern, examples.stratum, strata)
    return Counter(
        {
            (unit, group, kind): int(number)
            for unit, group, numbers in zip(
                units, examples.group.tolist(), examples.counts, strict=True
            )
            for kind, number in enumerate(numbers)
            if number
        }
    )


def units_of(
    patterns: Patterns, pattern: np.ndarray, stratum: np.ndarray, strata: Strata
) -> list[Unit]:
    """Each pair of a pattern and a stratum."""
    cells = [
        frozenset(patterns.cells[start:stop].tolist())
        for start, stop in zip(patterns.offsets[:-1], patterns.offsets[1:], strict=True)
    ]
    by_name = dict(zip(strata.names, strata.levels(stratum), strict=True))
    none = np.zeros(len(stratum), np.int64)
    levels = np.stack([by_name.get(name, none) for name in CONTROLS], axis=1)
    return [(cells[at], tuple(row)) for at, row in zip(pattern, levels.tolist(), strict=True)]


def _profiles(profiles: ConverterProfiles, credited: Credited, strata: Strata) -> Counter:
    units = units_of(credited.patterns, credited.pattern, credited.stratum, strata)
    of_key = dict(zip(credited.keys.tolist(), units, strict=True))
    columns = [of_key[key] for key in profiles.units.tolist()]
    counts = profiles.conversions.toarray().astype(int)
    return Counter(
        {
            frozenset((columns[at], int(row[at])) for at in np.flatnonzero(row)): int(users)
            for row, users in zip(counts, profiles.users, strict=True)
        }
    )


def _units(rows: pd.DataFrame) -> list[Unit]:
    levels = rows[list(CONTROLS)].itertuples(index=False, name=None)
    return [
        (_cells(text), tuple(map(int, of_row)))
        for text, of_row in zip(rows["pattern"], levels, strict=True)
    ]


def _cells(pattern: str) -> frozenset[int]:
    """The cells of a pattern's text, which has one form alone."""
    words = [(int(word), int(bits)) for word, bits in _pairs(pattern)]
    assert words == sorted(dict(words).items())
    assert all(bits for _, bits in words)
    return frozenset(
        62 * word + bit for word, bits in words for bit in range(62) if bits >> bit & 1
    )


def _pairs(text: str) -> list[list[str]]:
    return [pair.split(":") for pair in text.split(",") if pair]
