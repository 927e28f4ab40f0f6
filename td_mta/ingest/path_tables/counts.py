"""Conversions, value and nulls of the rows of a table of paths."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest.path_tables.columns import PathTable
from td_mta.ingest.settings import words
from td_mta.ingest.values.amounts import amounts
from td_mta.ingest.values.flags import FlagReader
from td_mta.journeys.touchpoints import Floats


class Counts(NamedTuple):
    """What each row stands for, `(rows,)` each."""

    conversions: Floats
    value: Floats
    nulls: Floats
    notes: list[str]
    warnings: list[str]


def read(table: PathTable, columns: Mapping[str, pa.Array], config: Config) -> Counts:
    """Counts and flags as numbers; raises `DataError` for negative counts and no conversion."""
    rows = len(columns[table.touches[0]])
    notes: list[str] = []
    warnings: list[str] = []
    if table.conversions is None:
        conversions = np.ones(rows)
        warnings.append(
            f"Table {table.table} has no column of conversions: each row counts as one conversion; "
            "else name the column in conversion_column."
        )
    else:
        conversions = _counts(
            columns[table.conversions],
            _location(table, table.conversions),
            config,
            notes,
            words(config.conversion_value_is),
        )
    if not conversions.sum():
        raise DataError(
            f"table {table.table}: no path has a conversion in column {table.conversions}, so "
            "there is nothing to attribute; check conversion_column"
        )
    nulls = np.zeros(rows)
    if table.nulls is not None:
        nulls = _counts(columns[table.nulls], _location(table, table.nulls), config, notes)
    elif (conversions == 0).any() and conversions.max() == 1:
        nulls = 1 - conversions
        notes.append("Each row is one journey: those without a conversion are the chain's nulls.")
    else:
        notes.append(
            "No column says how often a path did not convert (null_paths_column): the Markov chain "
            "knows journeys that converted alone."
        )
    value = np.zeros(rows)
    if table.value is not None:
        value = _numbers(columns[table.value], _location(table, table.value), config)
        warnings += _unconverted(value, conversions, table.value)
        value = np.where(conversions > 0, value, 0.0)
    return Counts(conversions, value, nulls, notes, warnings)


def _location(table: PathTable, column: str) -> str:
    return f"table {table.table}, column {column}"


def _counts(
    column: pa.Array, location: str, config: Config, notes: list[str], values: Sequence[str] = ()
) -> Floats:
    """Numbers from 0 on, or flags; a missing one is 0. `values` are the flags that convert."""
    if values:
        return _flags(column, location, values)
    try:
        numbers = _whole_if_possible(column, location, config, notes)
    except DataError as no_number:
        try:
            return _flags(column, location)
        except DataError:
            raise no_number from None
    negative = numbers < 0
    if negative.any():
        raise DataError(f"{location} must hold counts from 0 on, got {numbers[negative][0]:g}")
    return numbers


def _whole_if_possible(column: pa.Array, location: str, config: Config, notes: list[str]) -> Floats:
    """Counts are whole, which tells of texts that the point of 1.234 stands between thousands."""
    numbers = _numbers(column, location, config)
    if config.decimal_mark or _are_whole(numbers):
        return numbers
    with_comma = numbers
    if pa.types.is_string(column.type):
        with_comma = np.nan_to_num(amounts(column, location, "comma"), nan=0.0)
    if not _are_whole(with_comma):
        part = numbers[np.floor(numbers) != numbers][0]
        notes.append(
            f"{location} holds parts of counts, such as {part:g}: where the point stands between "
            "thousands, write it without."
        )
        return numbers
    broken = np.flatnonzero(numbers != with_comma)[0]
    notes.append(
        f"In {location} a point stands between thousands, as counts are whole: {column[broken]} is "
        f"{with_comma[broken]:,.0f}; else set decimal_mark: point."
    )
    return with_comma


def _are_whole(numbers: Floats) -> bool:
    return bool((np.floor(numbers) == numbers).all())


def _flags(column: pa.Array, location: str, values: Sequence[str] = ()) -> Floats:
    reader = FlagReader("", location, tuple(values))
    flags = reader.read(column)
    reader.check()
    return flags.astype(np.float64)


def _numbers(column: pa.Array, location: str, config: Config) -> Floats:
    if pa.types.is_boolean(column.type):
        return np.asarray(column.fill_null(False).to_numpy(zero_copy_only=False), np.float64)
    return np.nan_to_num(amounts(column, location, config.decimal_mark), nan=0.0)


def _unconverted(value: Floats, conversions: Floats, column: str) -> list[str]:
    lost = value[(conversions == 0) & (value != 0)]
    if not len(lost):
        return []
    return [
        f"{len(lost):,} paths without a conversion have a value in column {column}, "
        f"{lost.sum():,.2f} in all, which was left out."
    ]
