"""What Python counted of a table, written as the tables that the warehouse's SQL makes."""

import dataclasses
import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from td_mta.baselines import markov
from td_mta.baselines.rules import merge
from td_mta.config.attribution import Config
from td_mta.dataset.build import MOST_DAYS
from td_mta.dataset.count_tables import COLUMNS
from td_mta.dataset.extracted import Extracted
from td_mta.dataset.pattern_words import WORD_BITS
from td_mta.ingest.pages import TouchpointTable
from td_mta.journeys.controls import CONTROLS
from td_mta.journeys.examples import NEGATIVE
from td_mta.journeys.patterns import Patterns
from td_mta.journeys.touchpoints import Ints
from td_mta.tables import BASELINE

PARAMETERS = (
    *("lookback_window_days", "controls", "validation_fraction", "conversion_row_is_touch"),
    "value_column",
)


class Fact(NamedTuple):
    """A row of the table of figures."""

    fact: str
    position: int = 0
    number: int | None = None
    amount: float | None = None
    name: str | None = None
    text: str | None = None


def tables_of(
    extracted: Extracted, table: TouchpointTable, config: Config
) -> dict[str, pd.DataFrame]:
    """Every table by its name and the prefix of `config`."""
    frames = {
        "examples": _examples(extracted, one_in_of(extracted, table)),
        "credited": _credited(extracted),
        "profiles": _profiles(extracted),
        "ngrams": _ngrams(extracted),
        "rules": _rules(extracted),
        "facts": pd.DataFrame(facts_of(extracted, table, config), columns=list(Fact._fields)),
    }
    shuffled = {name: frame.sample(frac=1, random_state=1) for name, frame in frames.items()}
    return {
        f"{config.counts_table}_{name}": frame[list(COLUMNS[name])]
        for name, frame in shuffled.items()
    }


def one_in_of(extracted: Extracted, table: TouchpointTable) -> int:
    """Days without a conversion, of which one was drawn."""
    return math.ceil(table.users * extracted.period.days / MOST_DAYS)


def words(patterns: Patterns) -> list[str]:
    """The text of every pattern."""
    texts = []
    for first, last in zip(patterns.offsets[:-1], patterns.offsets[1:], strict=True):
        bits: dict[int, int] = {}
        for cell in patterns.cells[first:last].tolist():
            word, bit = divmod(cell, WORD_BITS)
            bits[word] = bits.get(word, 0) | 1 << bit
        texts.append(",".join(f"{word}:{bits[word]}" for word in sorted(bits)))
    return texts


def _levels(extracted: Extracted, stratum: Ints) -> Ints:
    """The calendar day, then two digits each of the other controls."""
    of_names = dict(zip(extracted.strata.names, extracted.strata.levels(stratum), strict=True))
    levels = np.zeros(len(stratum), np.int64)
    for name in CONTROLS:
        levels = 100 * levels + of_names.get(name, 0)
    return levels


def _examples(extracted: Extracted, one_in: int) -> pd.DataFrame:
    examples = extracted.examples
    row, kind = np.nonzero(examples.counts)
    day_and_activity, levels = np.divmod(_levels(extracted, examples.stratum[row]), 10_000)
    rows = pd.DataFrame(
        {
            "pattern": np.array(words(examples.patterns), object)[examples.pattern[row]],
            "levels": levels,
            "number": 1000 * day_and_activity + 100 * kind + examples.group[row],
            "count": examples.counts[row, kind] // np.where(kind == NEGATIVE, one_in, 1),
        }
    ).sort_values("number")
    rows["examples"] = _steps(rows) + _counts(rows["count"])
    return rows.groupby(["pattern", "levels"])["examples"].agg(",".join).reset_index()


def _steps(rows: pd.DataFrame) -> pd.Series:
    """Of each pattern and its levels the first number, and from each to the next."""
    before = rows.groupby(["pattern", "levels"])["number"].shift(fill_value=0)
    return (rows["number"] - before).astype(str)


def _counts(counts: pd.Series) -> pd.Series:
    return pd.Series(np.where(counts == 1, "", ":" + counts.astype(str)), counts.index)


def _units(extracted: Extracted) -> pd.DataFrame:
    """Every unit that conversions saw, in the order of their numbers."""
    credited = extracted.credited
    day_and_activity, levels = np.divmod(_levels(extracted, credited.stratum), 10_000)
    units = pd.DataFrame(
        {
            "key": credited.keys,
            "pattern": np.array(words(credited.patterns), object)[credited.pattern],
            "levels": levels,
            "number": day_and_activity,
            "conversions": credited.amounts[0].astype(int),
            "value": credited.amounts[1],
            "returning": credited.returning.astype(int),
        }
    ).sort_values(["pattern", "levels", "number"], ignore_index=True)
    return units.rename_axis("unit").reset_index()


def _credited(extracted: Extracted) -> pd.DataFrame:
    units = _units(extracted)
    place = units.groupby(["pattern", "levels"]).cumcount().astype(str)
    again = units["returning"] > 0
    texts = units.assign(
        conversions=_steps(units) + _counts(units["conversions"]),
        returning=(place + _counts(units["returning"])).where(again, ""),
        amounts=units["value"].astype(str),
    )
    by_row = texts.groupby(["pattern", "levels"], as_index=False)
    rows = by_row.agg(
        first_unit=("unit", "min"),
        conversions=("conversions", ",".join),
        returning=("returning", lambda texts: ",".join(filter(None, texts))),
        amounts=("amounts", ",".join),
        value=("value", "max"),
    )
    return rows.assign(amounts=rows["amounts"].where(rows["value"] > 0, ""))


def _profiles(extracted: Extracted) -> pd.DataFrame:
    profiles, units = extracted.converter_profiles, _units(extracted)
    number = dict(zip(units["key"], units["unit"], strict=True))
    rows = []
    for users, *own in zip(
        profiles.users, profiles.conversions.indptr, profiles.conversions.indptr[1:], strict=False
    ):
        keys = profiles.units[profiles.conversions.indices[slice(*own)]]
        times = profiles.conversions.data[slice(*own)].astype(int)
        if times.sum() > 1:
            seen = sorted((number[key], time) for key, time in zip(keys, times, strict=True))
            rows.append((",".join(f"{unit}:{time}" for unit, time in seen), users))
    return pd.DataFrame(rows, columns=["units", "users"])


def _ngrams(extracted: Extracted) -> pd.DataFrame:
    rows = []
    for held_out, all_ngrams in extracted.model_totals._ngrams.items():
        ngrams = markov.merge(all_ngrams)
        for key, count, value in zip(ngrams.keys, ngrams.counts, ngrams.values, strict=True):
            state, symbol = divmod(int(key), ngrams.base)
            follower = f"{symbol}:{int(count)}" if count > 1 else str(symbol)
            rows.append((int(held_out), state, follower, value))
    return (
        pd.DataFrame(rows, columns=["held_out", "state", "followers", "value"])
        .groupby(["held_out", "state"], as_index=False)
        .agg({"followers": ",".join, "value": "sum"})
    )


def _rules(extracted: Extracted) -> pd.DataFrame:
    names = np.array([*extracted.schema.channels, BASELINE], object)
    parts = []
    for rule, shares in extracted.model_totals._shares.items():
        of_rule = merge(shares)
        columns = dict(zip(("conversions", "value"), of_rule.amounts, strict=True))
        channel = names[of_rule.channel]
        parts.append(pd.DataFrame({"channel": channel, "share": of_rule.share, **columns}))
        parts[-1].insert(0, "model", rule)
    return pd.concat(parts)


def facts_of(extracted: Extracted, table: TouchpointTable, config: Config) -> list[Fact]:
    """The rows of the table of figures."""
    scan, found, period = table.scan, extracted.table_facts, extracted.period
    single = {
        "rows": scan.rows,
        "dropped": scan.dropped,
        "before": scan.before,
        "after": scan.after,
        "conversion_rows": scan.conversions,
        "conversion_rows_without_channel": scan.conversions_without_channel,
        "refunds": scan.refunds,
        "first_time": scan.first_time,
        "last_time": scan.last_time,
        "ties": len(scan.ties),
        "duplicates": found.duplicates,
        "duplicate_conversions": found.duplicate_conversions,
        "left_out_users": found.left_out.users,
        "left_out_rows": found.left_out.rows,
        "first_day": period.first_day,
        "last_day": period.last_day,
        "record_first_day": table.first_day,
        "one_in": one_in_of(extracted, table),
    }
    if period.held_out_day is not None:
        single["held_out_day"] = period.held_out_day
    journeys = dataclasses.asdict(found.journeys)
    touches_by_day = journeys.pop("touches_by_day")
    counts = found.counts._asdict()
    amounts = {name: counts.pop(name) for name in list(counts) if name.endswith("_value")}
    arrays = {f"returns_{name}": array for name, array in extracted.returns._asdict().items()}
    arrays |= {
        "conversions_by_day": extracted.conversions_by_day,
        "channel_users": extracted.touches_and_users[1],
        "touches_by_day": touches_by_day,
    }
    return [
        *(Fact(name, number=number) for name, number in (single | journeys | counts).items()),
        *(Fact(name, amount=amount) for name, amount in amounts.items()),
        Fact("refunded", amount=scan.refunded),
        *(fact for name, array in arrays.items() for fact in _array(name, array)),
        *(
            Fact("rows_by_day", day - table.first_day, rows)
            for day, rows in found.rows_by_day.items()
        ),
        *_channels(extracted, table),
        *_named(extracted),
        *_parameters(config),
    ]


def _array(name: str, array: Ints) -> Iterable[Fact]:
    flat = array.ravel()
    return (Fact(name, position, int(flat[position])) for position in np.flatnonzero(flat).tolist())


def _channels(extracted: Extracted, table: TouchpointTable) -> Iterable[Fact]:
    scan, touches = table.scan, extracted.touches_and_users[0]
    for position, name in enumerate(extracted.schema.channels):
        yield Fact("channel", position, int(touches[position]), name=name)
    for position, (name, rows) in enumerate(scan.rows_by_channel.items()):
        yield Fact("channel_rows", position, rows, name=name)
    for name, joined in scan.spelling.items():
        yield Fact("spelling", name=name, text=joined)
    for fact, words in (("null_users", scan.null_users), ("null_channels", scan.null_channels)):
        for name, rows in words.items():
            yield Fact(fact, number=rows, name=name)


def _named(extracted: Extracted) -> Iterable[Fact]:
    found = extracted.table_facts
    for name in ("most_touches", "most_conversions"):
        most = getattr(found, name)
        yield Fact(name, number=most.number, name=most.user)
    yield Fact("untouched", number=found.untouched, name=found.untouched_user)
    yield Fact("touched_user", name=found.touched_user)


def _parameters(config: Config) -> Iterable[Fact]:
    for name in PARAMETERS:
        value = getattr(config, name)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield Fact("parameter", name=name, text="none" if value is None else text)
