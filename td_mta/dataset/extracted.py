"""`Extracted`: all that later steps take from a table's rows, whoever counted them.

`build.py` makes it of pages of rows, `warehouse_counts.py` of tables that the warehouse's SQL made.
"""

from typing import NamedTuple

import numpy as np

from td_mta.baselines.methods import ModelTotals
from td_mta.dataset.tfrecords import Schema
from td_mta.errors import DataError
from td_mta.ingest.table_facts import TableFacts
from td_mta.journeys.controls import Period
from td_mta.journeys.credited import Credited
from td_mta.journeys.examples import AUGMENTED, NEGATIVE, POSITIVE, Examples, by_pattern
from td_mta.journeys.patterns import Patterns
from td_mta.journeys.returns.counts import Returns
from td_mta.journeys.strata import Strata
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.shapley.bootstrap import ConverterProfiles


class RowCounts(NamedTuple):
    """What is counted of a table's rows."""

    examples: Examples
    credited: Credited  # the conversions of the period
    conversions_by_day: Ints  # of the record, history included, (days,)
    touches_and_users: Ints  # (2, channels): touches of each channel, and users whom it touched
    model_totals: ModelTotals  # credit of every baseline model
    converter_profiles: ConverterProfiles  # the users behind the conversions
    table_facts: TableFacts  # what else is known of the rows
    returns: Returns  # of users who come back after a touch or a conversion


class Extracted(NamedTuple):
    """A table's examples and conversions, by pattern and stratum."""

    schema: Schema
    period: Period  # the credited days
    strata: Strata  # of the controls
    examples: Examples
    credited: Credited  # the conversions of the period
    conversions_by_day: Ints  # of the record, history included, (days,)
    conversions_touched: Ints  # (channels,): conversions that each channel touched
    touches_and_users: Ints  # (2, channels): touches of each channel, and users whom it touched
    model_totals: ModelTotals  # credit of every baseline model
    converter_profiles: ConverterProfiles  # the users behind the conversions
    table_facts: TableFacts  # what else is known of the rows
    returns: Returns  # of users who come back after a touch or a conversion
    counts: dict[str, int]


def extracted_of(
    counted: RowCounts, schema: Schema, period: Period, strata: Strata, rows: int
) -> Extracted:
    """What was counted of a table of so many rows; `DataError` where nothing is to be credited."""
    examples, credited = counted.examples, counted.credited
    facts = counted.table_facts
    conversions, observed = credited.amounts[0].sum(), facts.journeys.conversions
    _check_conversions(conversions, observed, period)
    counts = {
        "touchpoints": rows,
        "duplicates": facts.duplicates,
        "users": facts.journeys.users,
        "conversions": int(conversions),
        "conversions_in_history": int(observed - conversions),
        "conversions_returning": int(credited.returning.sum()),
    }
    touched = _conversions_touched(credited.patterns, credited.by_pattern[0], schema.grid.channels)
    return Extracted(
        schema=schema,
        period=period,
        strata=strata,
        conversions_touched=touched,
        counts=counts | _counts(examples),
        **counted._asdict(),
    )


def _check_conversions(credited: float, observed: int, period: Period) -> None:
    if credited:
        return
    if observed:
        raise DataError(
            f"all {observed:,} conversions fall before {np.datetime64(period.first_day, 'D')}, on "
            "days that are only looked back on, so there is nothing to attribute: lower "
            "history_days"
        )
    raise DataError(
        "no user who converts is within max_touches_per_user and max_conversions_per_user, so "
        "there is nothing to attribute: raise them, or set them to none"
    )


def _counts(examples: Examples) -> dict[str, int]:
    """Examples and distinct patterns of each label; augmented examples are negative."""
    counts = by_pattern(examples).counts.sum(axis=2)  # (patterns, kinds)
    positive = counts[:, POSITIVE]
    negative = counts[:, NEGATIVE] + counts[:, AUGMENTED]
    return {
        "positive_examples": int(positive.sum()),
        "negative_examples": int(negative.sum()),
        "positive_patterns": int(np.count_nonzero(positive)),
        "negative_patterns": int(np.count_nonzero(negative)),
    }


def _conversions_touched(patterns: Patterns, conversions: Floats, channels: int) -> Ints:
    """Conversions whose window each channel touched, on whatever days, shape `(channels,)`."""
    channel = patterns.cells % channels
    pairs = np.unique(patterns.owner * channels + channel)  # a channel of a pattern once
    owner, channel = np.divmod(pairs, channels)
    touched = np.bincount(channel, conversions[owner], minlength=channels)
    return touched.astype(np.int64)
