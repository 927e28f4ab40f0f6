"""Pages of journeys to examples, and to what credit is given for: the conversions.

The examples go to disk as records and come back in memory as well, so that the model trains on them
without reading the records again.
"""

import itertools
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from td_mta import progress
from td_mta.baselines.direct import direct_channels
from td_mta.baselines.methods import ModelTotals
from td_mta.baselines.rules import RuleSettings
from td_mta.config.attribution import Config
from td_mta.dataset.extracted import Extracted, RowCounts, extracted_of
from td_mta.dataset.period import period_of
from td_mta.dataset.tfrecords import Folders, Schema, Writer
from td_mta.ingest.pages import Page, TouchpointTable
from td_mta.ingest.table_facts import TableFacts
from td_mta.journeys import credited as credits
from td_mta.journeys.accumulate import appended
from td_mta.journeys.controls import Period, strata_of
from td_mta.journeys.credited import Credited, credits_of
from td_mta.journeys.examples import (
    FEWEST_TIMES_OF_DAY,
    CutTimes,
    DayRules,
    Examples,
    by_pattern,
    conversion_times_of_day,
    groups_of,
    merge,
    person_days,
    touch_days,
)
from td_mta.journeys.hashing import Hashes, uniform
from td_mta.journeys.paths import conversion_paths, null_paths
from td_mta.journeys.patterns import Grid
from td_mta.journeys.returns.counts import Returns, returns_of, sum_of
from td_mta.journeys.touchpoints import Flags, Ints
from td_mta.journeys.windows import Journeys
from td_mta.shapley import bootstrap
from td_mta.shapley.bootstrap import ConverterProfiles

MOST_DAYS = 4_000_000  # examples without a conversion; of more, one in so many is drawn
ENOUGH_CONVERSIONS = 200_000  # whose times of day are looked at


@dataclass(frozen=True, kw_only=True)
class _ExampleRules:
    """How examples are made of a page's journeys, the same for every page."""

    days: DayRules
    are_touch_days: bool  # else person_days
    augment: bool  # with touch_days
    times_of_day: Ints | None  # with person_days: those that cuts are drawn from

    def examples_of(self, page: Page, held_out: Flags) -> Examples:
        """The examples of the page's users, of whom some are held out, `(users,)`."""
        if self.are_touch_days:
            group = groups_of(page.user_hash, held_out)
            return touch_days(page.journeys, group, self.days.grid, augment=self.augment)
        cut = CutTimes(self.times_of_day, page.user_hash)
        by_day = self.days.period.held_out_day is not None
        group = groups_of(page.user_hash, held_out & (not by_day))
        return person_days(page.journeys, group, self.days, cut)


@dataclass
class _Sums:
    """What pages add up to; lists hold a part a page, or fewer where parts are merged."""

    examples: list[Examples] = field(default_factory=list)
    credited: list[Credited] = field(default_factory=list)
    converter_profiles: list[ConverterProfiles] = field(default_factory=list)
    touches_and_users: list[Ints] = field(default_factory=list)
    returns: list[Returns] = field(default_factory=list)
    conversions_by_day: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def add_examples(self, examples: Examples) -> None:
        self.examples = appended(self.examples, examples, merge, lambda part: len(part.counts))

    def add_days(self, journeys: Journeys, record: Period) -> None:
        """The page's conversions by day of the record."""
        day = journeys.conversions.day - record.first_day
        of_page = np.bincount(day, minlength=record.days)
        self.conversions_by_day = of_page + (self.conversions_by_day if self.returns else 0)

    def add_conversions(self, page: Page, rules: DayRules) -> None:
        """The page's conversions of the period by what each saw."""
        of_page = credits_of(page.journeys, rules)
        profiles = bootstrap.converter_profiles(of_page.user, of_page.unit, of_page.credited.keys)
        self.credited = appended(
            self.credited, of_page.credited, credits.merge, lambda part: len(part.pattern)
        )
        self.converter_profiles.append(profiles)
        self.touches_and_users.append(touches_and_users(page.journeys, rules.grid.channels))

    def counted(self, model_totals: ModelTotals, table_facts: TableFacts) -> RowCounts:
        """All pages together, with what else was counted of them."""
        return RowCounts(
            examples=merge(self.examples),
            credited=credits.merge(self.credited),
            conversions_by_day=self.conversions_by_day,
            touches_and_users=np.sum(self.touches_and_users, axis=0),
            model_totals=model_totals,
            converter_profiles=bootstrap.merge(self.converter_profiles),
            table_facts=table_facts,
            returns=self.returns[0],
        )


def extract(touchpoints: TouchpointTable, config: Config, folders: Folders) -> Extracted:
    """The examples and the conversions of all users by pattern; records of the examples go to disk.

    Memory holds a page and the distinct patterns and strata of all pages, not the users.
    """
    schema = schema_of(touchpoints.channels, config)
    rules = _example_rules(touchpoints, config, schema.grid)
    first_day = rules.days.period.first_day
    record = Period(touchpoints.first_day, touchpoints.last_day)
    model_totals = models_of(touchpoints.channels, config)
    writer = Writer(folders, schema)
    sums, table_facts = _Sums(), TableFacts(config.rules_window_days)
    started = time.monotonic()
    for number, page in enumerate(touchpoints.pages("extracting")):
        held_out = held_out_users(page.user_hash, config.validation_fraction, config.seed)
        examples = rules.examples_of(page, held_out)
        writer.write(number, by_pattern(examples))
        sums.add_examples(examples)
        sums.add_conversions(page, rules.days)
        sums.add_days(page.journeys, record)
        sums.returns = [sum_of([*sums.returns, returns_of(page.journeys, schema.grid, record)])]
        _add_paths(model_totals, page.journeys, held_out, config.rules_window_days, first_day)
        table_facts.add(page)
        if number == 0:
            pages_left = touchpoints.page_count - 1
            progress.log_time_left("extracting", (time.monotonic() - started) * pages_left)
    writer.close()
    counted = sums.counted(model_totals, table_facts)
    return extracted_of(
        counted, schema, rules.days.period, rules.days.strata, touchpoints.scan.rows
    )


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


def schema_of(channels: list[str], config: Config) -> Schema:
    """What the records of these channels mean."""
    return Schema(
        channels=tuple(channels),
        lookback_window_days=config.lookback_window_days,
        day_timezone=config.day_timezone,
        examples=config.examples,
    )


def _example_rules(touchpoints: TouchpointTable, config: Config, grid: Grid) -> _ExampleRules:
    are_touch_days = config.examples == "touch_days"
    # Where every conversion is a visit, a day without one is seen to its end, for it has no cut.
    times_of_day = None
    if not (are_touch_days or touchpoints.visits):
        times_of_day = _times_of_day(touchpoints, grid.days)
    return _ExampleRules(
        days=day_rules(touchpoints, config, grid),
        are_touch_days=are_touch_days,
        augment=config.augment_last_day,
        times_of_day=times_of_day,
    )


def day_rules(touchpoints: TouchpointTable, config: Config, grid: Grid) -> DayRules:
    """Which user-days the parameters make examples of; with touch_days, what conversions see."""
    period = period_of(touchpoints, config)
    of_days = config.examples == "person_days"
    levels = {name: of_column.size for name, of_column in touchpoints.attribute_levels.items()}
    return DayRules(
        grid=grid,
        period=period,
        strata=strata_of(config.control_names, period, levels),
        returning=of_days and config.days_at_risk == "returning",
        cut_at_conversion=not of_days or config.window_after_conversion == "cut",
        one_in=math.ceil(touchpoints.users * period.days / MOST_DAYS),
    )


def _times_of_day(touchpoints: TouchpointTable, days: int) -> Ints:
    """Seconds of the day to draw cuts from, sorted: of conversions without a touch in their window,
    or of all where those are too few.

    Of a sample of the users where conversions are many, those of the lowest random numbers.
    """
    every, untouched = np.empty((2, 0), np.int64)
    share = ENOUGH_CONVERSIONS / touchpoints.scan.conversions
    pages = math.floor(share * touchpoints.page_count) + 1
    for page in itertools.islice(touchpoints.pages("times of conversions"), pages):
        sample = page.journeys.of_users(page.rnd < share)
        of_page = conversion_times_of_day(sample, days)
        every, untouched = map(np.append, (every, untouched), of_page)
    enough = len(untouched) >= FEWEST_TIMES_OF_DAY
    return np.sort(untouched if enough else every)


def held_out_users(user_hash: Hashes, fraction: float, seed: int) -> Flags:
    """Which users are held out, a pure function of each user's hash."""
    salt = np.array([seed + 1], np.uint64)
    return uniform(user_hash, salt) < fraction


def _add_paths(
    totals: ModelTotals, journeys: Journeys, held_out: Flags, days: int, first_day: int
) -> None:
    for is_held_out, users in ((False, ~held_out), (True, held_out)):
        part = journeys.of_users(users)
        totals.add(conversion_paths(part, days, first_day), held_out=is_held_out)
        totals.add(null_paths(part, days), held_out=is_held_out)


def touches_and_users(journeys: Journeys, channels: int) -> Ints:
    """Touches of each channel, and users whom it touched, shape `(2, channels)`."""
    user, channel = journeys.touches.user, journeys.touches.channel
    touched = np.zeros((journeys.users, channels), np.bool_)
    touched[user, channel] = True
    touches = np.bincount(channel, minlength=channels)
    return np.array([touches, np.count_nonzero(touched, axis=0)], np.int64)
