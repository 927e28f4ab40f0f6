"""`Extracted` from tables of counts that the warehouse's SQL made; no row of a user is read.

The queries are `queries/counting/`, the workflow makes their tables. What comes out equals what
`build.extract` makes of the rows, to the last count.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.baselines import markov, rules
from td_mta.baselines.markov import MAX_ORDER, Ngrams
from td_mta.baselines.methods import RULES, ModelTotals
from td_mta.baselines.rules import Shares
from td_mta.config.attribution import Config, from_params
from td_mta.dataset import count_facts
from td_mta.dataset.build import models_of, schema_of
from td_mta.dataset.count_facts import Figures
from td_mta.dataset.count_tables import COLUMNS, CountTables
from td_mta.dataset.extracted import Extracted, RowCounts, extracted_of
from td_mta.dataset.pattern_words import pairs_of, patterns_of
from td_mta.dataset.period import check_days
from td_mta.dataset.tfrecords import Folders, Writer
from td_mta.errors import DataError
from td_mta.ingest.pages import check_channels
from td_mta.ingest.readers import Readers
from td_mta.ingest.scan import (
    EmptyTableError,
    Scan,
    check_complete,
    check_number_of_channels,
    check_scan,
)
from td_mta.ingest.settings import TableSettings
from td_mta.journeys import credited as credits
from td_mta.journeys.accumulate import appended
from td_mta.journeys.controls import CONTROLS, Period, strata_of
from td_mta.journeys.credited import Credited
from td_mta.journeys.examples import KINDS, NEGATIVE, Examples, by_pattern, merge
from td_mta.journeys.patterns import Grid, Keys
from td_mta.journeys.strata import Strata
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.shapley.bootstrap import ConverterProfiles, counted_profiles
from td_mta.tables import BASELINE
from td_mta.warehouse import Warehouse
from td_mta.warehouse.names import quoted

# Of numbers 1000 * (100 * calendar day + activity) + 100 * kind + group, and of the other levels.
DAY_AND_ACTIVITY, KIND, OTHER_LEVELS = 1000, 100, 10_000


@dataclass(frozen=True, kw_only=True)
class WarehouseTable:
    """A table whose rows the warehouse has counted: a `ReadTable`."""

    settings: TableSettings
    scan: Scan
    channels: list[str]
    first_day: int
    last_day: int
    arrival: int = 0  # a warehouse keeps no order of rows

    @property
    def visits(self) -> bool:
        """Every conversion is a visit by some channel, so nobody converts without a touch."""
        return self.settings.conversion_row_is_touch and not self.scan.conversions_without_channel


class FromCounts(NamedTuple):
    """What the tables of counts hold, and how much of them was read."""

    table: WarehouseTable
    extracted: Extracted
    rows: int
    bytes: int


def read(config: Config, warehouse: Warehouse, folders: Folders) -> FromCounts:
    """What was counted; records of the examples go to disk, as one page.

    Raises `DataError` for tables that are missing, too large, or made with other parameters or of
    another state of the table, and for what a run on the rows would refuse. Memory holds the
    distinct patterns and strata.
    """
    tables = CountTables(warehouse, config.counts_table)
    if not tables.exist():
        raise DataError(
            f"table {tables.name('facts')} does not exist: the workflow's tasks +count make it "
            "where count_in is warehouse; run them, or set count_in: python"
        )
    figures = Figures(tables.name("facts"), tables.read("facts"))
    if not figures.number_or_none("rows"):
        raise EmptyTableError(f"table {config.table} is empty")
    _check_parameters(figures, config)
    _check_rows(figures, config, warehouse)
    table = _table(figures, config)
    period, record = count_facts.period(figures), Period(table.first_day, table.last_day)
    check_days(config, record, period.first_day)
    schema = schema_of(table.channels, config)
    strata = strata_of(config.control_names, period)
    shape = _Shape(schema.grid, strata, record, figures.number("one_in"))
    counted = _counted(tables, figures, shape, config)
    writer = Writer(folders, schema)
    writer.write(0, by_pattern(counted.examples))
    writer.close()
    extracted = extracted_of(counted, schema, period, strata, table.scan.rows)
    if not len(extracted.examples.counts):
        raise DataError(
            f"table {tables.name('examples')} is empty: run the workflow's tasks +count again"
        )
    return FromCounts(table, extracted, tables.rows, tables.bytes)


class _Shape(NamedTuple):
    """What the counts are of."""

    grid: Grid
    strata: Strata
    record: Period
    one_in: int  # days without a conversion, of which one was drawn


def _check_parameters(figures: Figures, config: Config) -> None:
    """Refuse counts that were made with other values of the parameters that they depend on."""
    given = figures.texts("parameter")
    counted = from_params(given, f"table {figures.table}")
    for name in given:
        wanted, found = getattr(config, name), getattr(counted, name)
        if wanted != found:
            raise DataError(
                f"table {figures.table} was counted with {name}: {_shown(found)}, and it is "
                f"{_shown(wanted)} now: run the workflow's tasks +count again, or set it back"
            )


def _check_rows(figures: Figures, config: Config, warehouse: Warehouse) -> None:
    counted, now = figures.number("rows"), count_rows(config.table, warehouse)
    if counted != now:
        raise DataError(
            f"table {figures.table} was counted when table {config.table} had {counted:,} rows, "
            f"and it has {now:,} now: run the workflow's tasks +count again"
        )


def count_rows(table: str, warehouse: Warehouse) -> int:
    """The rows of a table, counted by the warehouse."""
    answer = warehouse.query(f'select count(*) as "rows" from {quoted(table)}')
    return int(answer["rows"][0].as_py())


def _shown(value: object) -> str:
    return "none" if value is None else str(value)


def _table(figures: Figures, config: Config) -> WarehouseTable:
    """The table, if it has what credit needs; else what a run on the rows says."""
    settings, scan = TableSettings.of(config), count_facts.scan(figures)
    check_complete(scan.rows, scan.dropped, settings)
    check_number_of_channels(scan, settings)
    check_scan(scan, settings, Readers.of(settings))
    channels = count_facts.channels(figures)
    check_channels(channels, settings.location(settings.channel_column))
    return WarehouseTable(
        settings=settings,
        scan=scan,
        channels=channels,
        first_day=figures.number("record_first_day"),
        last_day=figures.number("last_day"),
    )


def _counted(tables: CountTables, figures: Figures, shape: _Shape, config: Config) -> RowCounts:
    credited, units = _credited(tables.read("credited"), shape)
    days, channels = shape.record.days, shape.grid.channels
    of_channels = [figures.array(fact, (channels,)) for fact in ("channel", "channel_users")]
    return RowCounts(
        examples=_examples(tables, shape),
        credited=credited,
        conversions_by_day=figures.array("conversions_by_day", (days,)),
        touches_and_users=np.stack(of_channels),
        model_totals=_model_totals(tables, count_facts.channels(figures), config),
        converter_profiles=_profiles(tables.read("profiles"), units),
        table_facts=count_facts.table_facts(figures, config.rules_window_days),
        returns=count_facts.returns(figures, shape.grid, shape.record),
    )


def _examples(tables: CountTables, shape: _Shape) -> Examples:
    """Merged batch by batch, so that memory holds each pattern once."""
    parts: list[Examples] = []
    for batch in tables.batches("examples"):
        parts = appended(parts, _part(batch, shape), merge, lambda part: len(part.counts))
    return merge(parts or [_part(_no_rows("examples"), shape)])


def _part(batch: pa.RecordBatch, shape: _Shape) -> Examples:
    patterns = pc.dictionary_encode(batch["pattern"])
    row, step, examples = pairs_of(batch["examples"])
    day_and_activity, kind_and_group = np.divmod(_added_up(step, row), DAY_AND_ACTIVITY)
    kind, group = np.divmod(kind_and_group, KIND)
    drawn_from = np.where(kind == NEGATIVE, shape.one_in, 1)
    counts = np.zeros((len(row), len(KINDS)), np.int64)
    counts[np.arange(len(row)), kind] = examples * drawn_from
    return Examples(
        patterns_of(patterns.dictionary, shape.grid),
        _ints(patterns.indices)[row],
        _stratum(OTHER_LEVELS * day_and_activity + _ints(batch["levels"])[row], shape.strata),
        group,
        counts,
    )


def _added_up(steps: Ints, owner: Ints) -> Ints:
    """The numbers that each owner's steps lead to, the first of them from 0."""
    sums = np.cumsum(steps)
    is_first = np.diff(owner, prepend=-1) != 0
    return sums - (sums - steps)[is_first][np.cumsum(is_first) - 1]


class _Units(NamedTuple):
    """Patterns in strata by their numbers in the tables, each array of shape `(units,)`."""

    keys: Keys
    conversions: Ints


def _credited(rows: pa.Table, shape: _Shape) -> tuple[Credited, _Units]:
    """The units that conversions saw."""
    (batch,) = rows.combine_chunks().to_batches() or [_no_rows("credited")]
    row, step, conversions = pairs_of(batch["conversions"])
    levels = OTHER_LEVELS * _added_up(step, row) + _ints(batch["levels"])[row]
    first = np.searchsorted(row, np.arange(len(batch)))  # units of a row follow one another
    returning, value = np.zeros(len(row)), np.zeros(len(row))
    returning_row, place, returning_conversions = pairs_of(batch["returning"])
    returning[first[returning_row] + place] = returning_conversions
    has_value = pc.not_equal(batch["amounts"], "")
    amounts = pc.list_flatten(pc.split_pattern(batch["amounts"].filter(has_value), ","))
    value[has_value.to_numpy(zero_copy_only=False)[row]] = _floats(amounts.cast(pa.float64()))
    patterns = patterns_of(batch["pattern"], shape.grid)
    stratum = _stratum(levels, shape.strata)
    credited = Credited(patterns, row, stratum, np.stack([conversions, value]), returning)
    unit = np.argsort(_ints(batch["first_unit"])[row] + np.arange(len(row)) - first[row])
    return credits.merge([credited]), _Units(credited.keys[unit], conversions[unit])


def _no_rows(table: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], pa.schema(COLUMNS[table]))


def _stratum(levels: Ints, strata: Strata) -> Ints:
    """The stratum of levels that are two digits each, behind the days of the first."""
    by_name, rows = {}, len(levels)
    first, *further = CONTROLS
    for name in reversed(further):
        levels, by_name[name] = np.divmod(levels, 100)
    by_name[first] = levels
    return strata.code([by_name[name] for name in strata.names], rows)


def _profiles(rows: pa.Table, units: _Units) -> ConverterProfiles:
    """The table has users with several conversions; the others are what remains of each unit."""
    profile, unit, conversions = pairs_of(rows["units"].combine_chunks())
    users = _ints(rows["users"])
    remaining = units.conversions.copy()
    np.subtract.at(remaining, unit, users[profile] * conversions)
    alone = np.flatnonzero(remaining)
    return counted_profiles(
        np.concatenate([users, remaining[alone]]),
        np.concatenate([profile, len(users) + np.arange(len(alone))]),
        np.concatenate([unit, alone]),
        np.concatenate([conversions, np.ones(len(alone), np.int64)]),
        units.keys,
    )


def _model_totals(tables: CountTables, channels: list[str], config: Config) -> ModelTotals:
    totals = models_of(channels, config)
    by_rule, untouched = _shares(tables.read("rules"), channels)
    totals.add_shares(by_rule, untouched)
    rows = tables.read("ngrams")
    for held_out in (False, True):
        of_users = rows.filter(pc.equal(rows["held_out"], int(held_out)))
        ngrams = _ngrams(of_users, len(channels), config.markov_order or MAX_ORDER)
        totals.add_ngrams(markov.merge([ngrams]), held_out=held_out)
    return totals


def _shares(rows: pa.Table, channels: list[str]) -> tuple[dict[str, Shares], Floats]:
    """What each rule gives, and conversions and value without a touch."""
    names = pa.array([*channels, BASELINE])
    by_rule = {}
    for rule in RULES:
        of_rule = rows.filter(pc.equal(rows["model"], rule))
        amounts = np.stack([_floats(of_rule["conversions"]), _floats(of_rule["value"])])
        channel = _ints(pc.index_in(of_rule["channel"], names))
        by_rule[rule] = rules.merge([Shares(channel, _floats(of_rule["share"]), amounts)])
    some = by_rule[next(iter(RULES))]
    untouched = some.amounts[:, some.channel == len(channels)].sum(axis=1)
    return by_rule, untouched


def _ngrams(rows: pa.Table, channels: int, order: int) -> Ngrams:
    state, symbol, counts = pairs_of(rows["followers"].combine_chunks())
    ngrams = Ngrams(channels, order, symbol, counts.astype(np.float64), np.zeros(len(symbol)))
    return ngrams._replace(
        keys=_ints(rows["state"])[state] * ngrams.base + symbol,
        values=np.where(symbol == ngrams.conversion, _floats(rows["value"])[state], 0.0),
    )


def _ints(column: pa.Array | pa.ChunkedArray) -> Ints:
    return column.to_numpy(zero_copy_only=False).astype(np.int64)


def _floats(column: pa.Array | pa.ChunkedArray) -> Floats:
    return column.to_numpy(zero_copy_only=False).astype(np.float64)
