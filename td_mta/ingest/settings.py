"""What reading a touchpoint table needs to know: its name, its columns and what its rows mean."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from td_mta.config.attribution import Config
from td_mta.journeys.events import Reading


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """A touchpoint table; columns have the names that its owner gave them."""

    table: str
    user_column: str
    time_column: str
    channel_column: str
    conversion_column: str
    value_column: str | None
    user_rnd_column: str  # read where the table has it, computed where not
    user_rnd_seed: int
    conversion_row_is_touch: bool
    null_words: tuple[str, ...]  # in lower case, that stand for no value
    mark_columns: Mapping[str, str]  # columns that hold `Marks`, by their names there
    control_columns: tuple[str, ...]  # that describe users or days
    reading: Reading
    day_timezone: str
    period: tuple[str | None, str | None] = (None, None)  # the first and the last day that count
    conversion_values: tuple[str, ...] = ()  # those that convert, in lower case; none: 1 and yes
    decimal_mark: Literal["point", "comma"] | None = None
    join_letter_case: bool = False
    users_per_page: int
    time_format: str | None = None
    made_by_sql: bool = False  # the workflow's SQL has applied time_format and the like already
    converts: bool | None = None  # every row, or none; None: conversion_column says which
    orders: "TableSettings | None" = None  # the table of orders, each a conversion without a touch

    @classmethod
    def of(cls, config: Config) -> "TableSettings":
        """The table that a run's parameters name."""
        flags_of_journeys = config.conversion_flag == "journey"
        is_made_by_sql = config.table == config.rand_shuffle  # its values are read already
        settings = cls(
            table=config.table,
            user_column=config.user_column,
            time_column=config.time_column,
            channel_column=config.action_column,
            conversion_column=config.conversion_column,
            value_column=config.value_column,
            user_rnd_column=config.user_rnd_column,
            user_rnd_seed=config.user_rnd_seed,
            conversion_row_is_touch=config.conversion_row_is_touch or flags_of_journeys,
            null_words=words(config.null_words),
            mark_columns=_named(
                tie=config.tie_column,
                order=config.order_id,
                journey=config.conversion_id if flags_of_journeys else None,
                order_id=config.order_id if config.credit_table else None,
            ),
            control_columns=config.attribute_names,
            reading=Reading(
                flags_of_journeys=flags_of_journeys,
                subtract_refunds=config.refunds == "subtract",
                repeats_within=config.repeat_seconds,
                max_touches=config.max_touches_per_user,
                max_conversions=config.max_conversions_per_user,
            ),
            day_timezone=config.day_timezone,
            period=(config.first_day, config.last_day),
            conversion_values=() if is_made_by_sql else words(config.conversion_value_is),
            decimal_mark=None if is_made_by_sql else config.decimal_mark,
            join_letter_case=config.channel_letter_case == "join",
            users_per_page=config.users_per_tfrecord,
            time_format=config.time_format,
            made_by_sql=config.table == config.rand_shuffle,
        )
        # Where the SQL made the table, the orders are among its rows.
        return settings if is_made_by_sql else settings._with_orders(config)

    @property
    def has_value(self) -> bool:
        """Whether conversions have a value."""
        return bool(self.value_column or (self.orders and self.orders.value_column))

    def _with_orders(self, config: Config) -> "TableSettings":
        """No touch converts where orders have a table of their own."""
        if config.orders_table is None:
            return self
        orders = replace(
            self,
            table=config.orders_table,
            user_column=config.orders_user_column or self.user_column,
            time_column=config.orders_time_column or self.time_column,
            value_column=config.orders_value_column or self.value_column,
            converts=True,
        )
        return replace(self, value_column=None, converts=False, orders=orders)

    def location(self, column: str) -> str:
        """How an error names one of the columns."""
        return f"table {self.table}, column {column}"


def words(text: str | None) -> tuple[str, ...]:
    """The words of a list separated by commas, in lower case.

    >>> words("NA, (not set)")
    ('na', '(not set)')
    """
    return tuple(word.strip().lower() for word in (text or "").split(",") if word.strip())


def _named(**columns: str | None) -> dict[str, str]:
    return {name: column for name, column in columns.items() if column is not None}
