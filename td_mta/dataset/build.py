"""Pages of journeys to examples, and to what credit is given for: the conversions.

The examples go to disk as records and come back in memory as well, so that the model trains on them
without reading the records again.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from td_mta import progress
from td_mta.baselines.direct import direct_channels
from td_mta.baselines.methods import ModelTotals
from td_mta.baselines.rules import RuleSettings
from td_mta.config.attribution import Config
from td_mta.dataset.tfrecords import Folders, Schema, Writer
from td_mta.errors import DataError
from td_mta.ingest.pages import Page, TouchpointTable
from td_mta.ingest.table_facts import TableFacts
from td_mta.journeys.accumulate import appended
from td_mta.journeys.examples import (
    AUGMENTED,
    FEWEST_TIMES_OF_DAY,
    NEGATIVE,
    POSITIVE,
    CutTimes,
    Examples,
    conversion_times_of_day,
    merge,
    person_days,
    person_days_forward,
    select_groups,
    split_weights,
    touch_days,
)
from td_mta.journeys.hashing import Hashes, uniform
from td_mta.journeys.paths import conversion_paths, null_paths
from td_mta.journeys.patterns import Grid, Patterns, distinct
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.journeys.windows import Journeys, patterns_seen
from td_mta.shapley import bootstrap
from td_mta.shapley.bootstrap import ConverterProfiles, poisson_weights

SPLIT, BOOTSTRAP = slice(2), slice(2, None)  # groups: training and held-out, then the samples


class Extracted(NamedTuple):
    """A table's examples and conversions, by pattern."""

    schema: Schema
    examples: Examples  # groups: training, held-out
    bootstrap_examples: Examples  # a group a refit: a bootstrap sample of the training users
    patterns: Patterns  # the n distinct ones that conversions saw
    conversions_and_value: Floats  # (2, n)
    conversions_touched: Ints  # (channels,): conversions that each channel touched
    touches_and_users: Ints  # (2, channels): touches of each channel, and users whom it touched
    model_totals: ModelTotals  # credit of every baseline model
    converter_profiles: ConverterProfiles  # the users behind the conversions
    table_facts: TableFacts  # what else is known of the rows
    counts: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class _ExampleRules:
    """How examples are made of a page's journeys, the same for every page."""

    grid: Grid
    are_touch_days: bool  # else person_days
    augment: bool  # with touch_days
    times_of_day: Ints | None  # with person_days: those that cuts are drawn from
    held_out_day: int | None  # the first held-out day, where days are held out and not users
    last_day: int

    def examples_of(self, page: Page, held_out: Flags, bootstrap_weights: Ints) -> Examples:
        """Two groups, training and held-out, then one for each bootstrap sample of users."""
        cut = CutTimes(self.times_of_day, page.user_hash)
        if self.held_out_day is not None:
            days = self.held_out_day, self.last_day
            return person_days_forward(page.journeys, bootstrap_weights, self.grid, cut, *days)
        training_only = bootstrap_weights * ~held_out[:, None]
        weights = np.concatenate([split_weights(held_out), training_only], axis=1)
        if self.are_touch_days:
            return touch_days(page.journeys, weights, self.grid, augment=self.augment)
        return person_days(page.journeys, weights, self.grid, cut, self.last_day)


@dataclass
class _Sums:
    """What pages add up to; lists hold a part a page, or fewer where parts are merged."""

    examples: list[Examples] = field(default_factory=list)
    bootstrap_examples: list[Examples] = field(default_factory=list)
    patterns: list[Patterns] = field(default_factory=list)
    conversions_and_value: list[Floats] = field(default_factory=list)
    converter_profiles: list[ConverterProfiles] = field(default_factory=list)
    touches_and_users: list[Ints] = field(default_factory=list)

    def add_examples(self, split: Examples, bootstrap_samples: Examples) -> None:
        self.examples = _appended(self.examples, split)
        self.bootstrap_examples = _appended(self.bootstrap_examples, bootstrap_samples)

    def add_conversions(self, page: Page, grid: Grid) -> None:
        """The page's conversions by the pattern that each saw."""
        journeys = page.journeys
        patterns, which = patterns_seen(journeys, journeys.conversion_windows, grid)
        amounts = np.ones(len(journeys.conversions)), journeys.values
        sums = [np.bincount(which, amount, len(patterns.keys)) for amount in amounts]
        profiles = bootstrap.converter_profiles(journeys.conversions.user, which, patterns.keys)
        self.patterns.append(patterns)
        self.conversions_and_value.append(np.array(sums, np.float64))
        self.converter_profiles.append(profiles)
        self.touches_and_users.append(_touches_and_users(journeys, grid.channels))


def extract(touchpoints: TouchpointTable, config: Config, folders: Folders) -> Extracted:
    """The examples and the conversions of all users by pattern; records of the examples go to disk.

    Memory holds a page and the distinct patterns of all pages, not the users.
    """
    schema = _schema(touchpoints.channels, config)
    rules = _example_rules(touchpoints, config, schema.grid)
    model_totals = models_of(touchpoints.channels, config)
    writer = Writer(folders, schema)
    sums, table_facts = _Sums(), TableFacts(config.rules_window_days)
    started = time.monotonic()
    for number, page in enumerate(touchpoints.pages("extracting")):
        held_out = _held_out(page.user_hash, config.validation_fraction, config.seed)
        weights = poisson_weights(page.user_hash, config.interval_refits, config.seed)
        examples = rules.examples_of(page, held_out, weights)
        split = select_groups(examples, SPLIT)
        writer.write(number, split)
        sums.add_examples(split, select_groups(examples, BOOTSTRAP))
        sums.add_conversions(page, schema.grid)
        _add_paths(model_totals, page.journeys, held_out, config.rules_window_days)
        table_facts.add(page)
        if number == 0:
            pages_left = touchpoints.page_count - 1
            progress.log_time_left("extracting", (time.monotonic() - started) * pages_left)
    writer.close()
    return _extracted(schema, sums, model_totals, table_facts, touchpoints=touchpoints.scan.rows)


def models_of(channels: list[str], config: Config) -> ModelTotals:
    """The baseline models as the parameters set them; no paths counted yet."""
    settings = RuleSettings(
        direct=tuple(direct_channels(channels, config.direct_channel)),
        first=config.position_first,
        last=config.position_last,
        half_life_days=config.time_decay_half_life_days,
    )
    return ModelTotals(len(channels), settings, config.markov_order, config.markov_nulls)


def folders_of(config: Config) -> Folders:
    """Where the parameters put the records."""
    return Folders(Path(config.negative_tfrecords_dir), Path(config.positive_tfrecords_dir))


def _schema(channels: list[str], config: Config) -> Schema:
    return Schema(
        channels=tuple(channels),
        lookback_window_days=config.lookback_window_days,
        day_timezone=config.day_timezone,
        examples=config.examples,
    )


def _example_rules(touchpoints: TouchpointTable, config: Config, grid: Grid) -> _ExampleRules:
    are_touch_days = config.examples == "touch_days"
    held_out_day = None
    if config.holdout == "forward":
        held_out_day = touchpoints.first_held_out_day(config.validation_fraction)
    # Where every conversion is a visit, a day without one is seen to its end, for it has no cut.
    times_of_day = None
    if not (are_touch_days or touchpoints.visits):
        times_of_day = _times_of_day(touchpoints, grid.days)
    return _ExampleRules(
        grid=grid,
        are_touch_days=are_touch_days,
        augment=config.augment_last_day,
        times_of_day=times_of_day,
        held_out_day=held_out_day,
        last_day=touchpoints.last_day,
    )


def _times_of_day(touchpoints: TouchpointTable, days: int) -> Ints:
    """Seconds of the day to draw cuts from, sorted: of conversions without a touch in their window,
    or of all where those are too few.
    """
    pages = touchpoints.pages("times of conversions")
    of_pages = [conversion_times_of_day(page.journeys, days) for page in pages]
    every = np.concatenate([of_all for of_all, _ in of_pages])
    untouched = np.concatenate([of_untouched for _, of_untouched in of_pages])
    enough = len(untouched) >= FEWEST_TIMES_OF_DAY
    return np.sort(untouched if enough else every)


def _held_out(user_hash: Hashes, fraction: float, seed: int) -> Flags:
    """Which users are held out, a pure function of each user's hash."""
    salt = np.array([seed + 1], np.uint64)
    return uniform(user_hash, salt) < fraction


def _add_paths(totals: ModelTotals, journeys: Journeys, held_out: Flags, days: int) -> None:
    for is_held_out, users in ((False, ~held_out), (True, held_out)):
        part = journeys.of_users(users)
        totals.add(conversion_paths(part, days), held_out=is_held_out)
        totals.add(null_paths(part, days), held_out=is_held_out)


def _touches_and_users(journeys: Journeys, channels: int) -> Ints:
    """Touches of each channel, and users whom it touched, shape `(2, channels)`."""
    user, channel = journeys.touches.user, journeys.touches.channel
    touched = np.zeros((journeys.users, channels), np.bool_)
    touched[user, channel] = True
    touches = np.bincount(channel, minlength=channels)
    return np.array([touches, np.count_nonzero(touched, axis=0)], np.int64)


def _appended(parts: list[Examples], new: Examples) -> list[Examples]:
    return appended(parts, new, merge, lambda part: len(part.counts))


def _extracted(
    schema: Schema,
    sums: _Sums,
    model_totals: ModelTotals,
    table_facts: TableFacts,
    *,
    touchpoints: int,
) -> Extracted:
    examples = merge(sums.examples)
    patterns, which = distinct(Patterns.join(sums.patterns))
    of_pages = np.concatenate(sums.conversions_and_value, axis=1)  # (2, len(which))
    amounts = np.array([np.bincount(which, amount) for amount in of_pages], np.float64)
    conversions = amounts[0]
    if not conversions.sum():
        raise DataError(
            "no user who converts is within max_touches_per_user and max_conversions_per_user, so "
            "there is nothing to attribute: raise them, or set them to none"
        )
    users = table_facts.journeys.users
    counts = {"touchpoints": touchpoints, "duplicates": table_facts.duplicates, "users": users}
    counts["conversions"] = int(conversions.sum())
    counts |= _counts(examples)
    return Extracted(
        schema=schema,
        examples=examples,
        bootstrap_examples=merge(sums.bootstrap_examples),
        patterns=patterns,
        conversions_and_value=amounts,
        conversions_touched=_conversions_touched(patterns, conversions, schema.grid.channels),
        touches_and_users=np.sum(sums.touches_and_users, axis=0),
        model_totals=model_totals,
        converter_profiles=bootstrap.merge(sums.converter_profiles),
        table_facts=table_facts,
        counts=counts,
    )


def _counts(examples: Examples) -> dict[str, int]:
    """Examples and distinct patterns of each label; augmented examples are negative."""
    by_kind = examples.counts.sum(axis=2)  # (patterns, kinds)
    positive = by_kind[:, POSITIVE]
    negative = by_kind[:, NEGATIVE] + by_kind[:, AUGMENTED]
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
