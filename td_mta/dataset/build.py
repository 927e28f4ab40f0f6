"""Pages of journeys to records of examples, and to what credit is given for: the conversions."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from td_mta import progress
from td_mta.baselines.methods import ModelTotals
from td_mta.baselines.rules import RuleSettings
from td_mta.config.attribution import Config
from td_mta.dataset.tfrecords import Folders, Schema, Writer
from td_mta.ingest.pages import Intake, Page
from td_mta.journeys import patterns
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
from td_mta.journeys.paths import Paths, conversion_paths, null_paths
from td_mta.journeys.patterns import Grid, Keys, Patterns
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.journeys.windows import patterns_seen
from td_mta.shapley import bootstrap
from td_mta.shapley.bootstrap import ConverterProfiles, poisson_weights


class Extracted(NamedTuple):
    """Conversions by pattern: `conversions_and_value` `(2, n)` counts them and their value.

    `conversions_touched` counts conversions that each channel touched; `model_totals` has the
    credit of every baseline model. `converter_profiles` are the users behind the conversions,
    grouped by what these saw.
    `bootstrap_examples` has a group for each refit: a bootstrap sample of the training users.
    """

    schema: Schema
    patterns: Patterns
    conversions_and_value: Floats
    conversions_touched: Ints
    model_totals: ModelTotals
    converter_profiles: ConverterProfiles
    bootstrap_examples: Examples
    counts: dict[str, int]


@dataclass
class _Sums:
    sets: list[Patterns] = field(default_factory=list)
    amounts: list[Floats] = field(default_factory=list)
    converters: list[ConverterProfiles] = field(default_factory=list)
    redrawn: list[Examples] = field(default_factory=list)
    keys: tuple[list[Keys], list[Keys]] = field(default_factory=lambda: ([], []))
    examples: Ints = field(default_factory=lambda: np.zeros(3, np.int64))
    users: int = 0
    duplicates: int = 0
    conversions: int = 0


def extract(intake: Intake, config: Config, folders: Folders) -> Extracted:
    """Write the records of all pages; the conversions of all users come back by pattern."""
    schema = Schema(
        channels=tuple(intake.channels),
        lookback_window_days=config.lookback_window_days,
        day_timezone=config.day_timezone,
        examples=config.examples,
    )
    drawn_from = _moments(intake, config)
    models = models_of(intake.channels, config)
    writer, sums, started = Writer(folders, schema), _Sums(), time.monotonic()
    for number, page in enumerate(intake.pages("extracting")):
        held_out = _held_out(page.user_hash, config)
        weights = poisson_weights(page.user_hash, config.interval_refits, config.seed)
        examples = _examples(page, held_out, weights, intake, config, schema.grid, drawn_from)
        split, redrawn = select_groups(examples, slice(2)), select_groups(examples, slice(2, None))
        writer.write(number, split)
        _add(sums, page, split, schema.grid)
        sums.redrawn = appended(sums.redrawn, redrawn, merge, lambda part: len(part.counts))
        _add_paths(models, page, held_out, config.lookback_window_days)
        if number == 0:
            seconds = time.monotonic() - started
            progress.tell("extracting", seconds * (intake.page_count - 1))
    writer.close()
    sets, which = patterns.distinct(Patterns.join(sums.sets))
    of_sets = np.concatenate(sums.amounts, axis=1)
    amounts = np.array([np.bincount(which, each) for each in of_sets], np.float64)
    return Extracted(
        schema=schema,
        patterns=sets,
        conversions_and_value=amounts,
        conversions_touched=_touching(sets, amounts[0], schema.grid),
        model_totals=models,
        converter_profiles=bootstrap.merge(sums.converters),
        bootstrap_examples=merge(sums.redrawn),
        counts=_counts(sums, intake.scan.rows),
    )


def _moments(intake: Intake, config: Config) -> Ints | None:
    """Times of day to draw cuts from, sorted; None where days are seen whole."""
    if config.examples == "touch_days" or intake.visits:
        return None
    pages = intake.pages("times of conversions")
    found = [conversion_times_of_day(page.journeys, config.lookback_window_days) for page in pages]
    every, untouched = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return np.sort(untouched if len(untouched) >= FEWEST_TIMES_OF_DAY else every)


def models_of(channels: list[str], config: Config) -> ModelTotals:
    """The models beside the Shapley values, with what the parameters say of them."""
    settings = RuleSettings(
        direct=channels.index(direct) if (direct := config.direct_channel) in channels else -1,
        first=config.position_first,
        last=config.position_last,
        half_life_days=config.time_decay_half_life_days,
    )
    return ModelTotals(len(channels), settings, config.markov_order, config.markov_nulls)


def _add_paths(models: ModelTotals, page: Page, held_out: Flags, days: int) -> None:
    for is_held_out, users in ((False, ~held_out), (True, held_out)):
        part = page.journeys.of_users(users)
        paths = Paths.join([conversion_paths(part, days), null_paths(part, days)])
        models.add(paths, held_out=is_held_out)


def _held_out(user_hash: Hashes, config: Config) -> Flags:
    salt = np.array([config.seed + 1], np.uint64)
    return uniform(user_hash, salt) < config.validation_fraction


def _examples(
    page: Page,
    held_out: Flags,
    weights: Ints,
    intake: Intake,
    config: Config,
    grid: Grid,
    drawn_from: Ints | None,
) -> Examples:
    """Two groups, for training and held out, then one for each draw of users."""
    cut = CutTimes(drawn_from, page.user_hash)
    if config.holdout == "forward":
        days = intake.held_out_day, intake.last_day
        return person_days_forward(page.journeys, weights, grid, cut, *days)
    groups = np.concatenate([split_weights(held_out), weights * ~held_out[:, None]], axis=1)
    if config.examples == "touch_days":
        return touch_days(page.journeys, groups, grid, augment=config.augment_last_day)
    return person_days(page.journeys, groups, grid, cut, intake.last_day)


def _add(sums: _Sums, page: Page, examples: Examples, grid: Grid) -> None:
    journeys = page.journeys
    found, which = patterns_seen(journeys, journeys.conversion_windows, grid)
    user, n = journeys.conversions.user, len(found.keys)
    rows = np.ones(len(user)), journeys.values
    sums.sets.append(found)
    sums.amounts.append(np.array([np.bincount(which, row, n) for row in rows], np.float64))
    sums.converters.append(bootstrap.converter_profiles(user, which, found))
    of_kind = examples.counts.sum(axis=2)
    negative = of_kind[:, NEGATIVE] + of_kind[:, AUGMENTED]
    for label, of_label in ((NEGATIVE, negative), (POSITIVE, of_kind[:, POSITIVE])):
        sums.keys[label].append(examples.patterns.keys[of_label > 0])
    sums.examples += of_kind.sum(axis=0)
    sums.users += journeys.users
    sums.duplicates += page.duplicates
    sums.conversions += len(journeys.conversions)


def _counts(sums: _Sums, rows: int) -> dict[str, int]:
    return {
        "touchpoints": rows,
        "duplicates": sums.duplicates,
        "users": sums.users,
        "conversions": sums.conversions,
        "positive_examples": int(sums.examples[POSITIVE]),
        "negative_examples": int(sums.examples[NEGATIVE] + sums.examples[AUGMENTED]),
        "positive_patterns": len(np.unique(np.concatenate(sums.keys[POSITIVE]))),
        "negative_patterns": len(np.unique(np.concatenate(sums.keys[NEGATIVE]))),
    }


def _touching(sets: Patterns, conversions: Floats, grid: Grid) -> Ints:
    owner = sets.owner
    pairs = np.unique(owner * grid.channels + sets.cells % grid.channels)
    owner, channel = np.divmod(pairs, grid.channels)
    return np.bincount(channel, conversions[owner], minlength=grid.channels).astype(np.int64)


def folders_of(config: Config) -> Folders:
    return Folders(Path(config.negative_tfrecords_dir), Path(config.positive_tfrecords_dir))
