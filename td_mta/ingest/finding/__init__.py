"""Which column is the user, the time, the channel, the conversion and the value of a table.

    usual_names.py  the names that people and exports give them, as rows to edit
    sample.py       what the first rows of each column hold
    fitting.py      whether that is what a role needs
    orders.py       the same of a table of orders
    sentences.py    what is said of them
    columns.py      both together: the parameters that name the columns, or an error that asks
    conversions.py  whether a conversion's row is a touch, by its channels

A name decides first, then content: times parse, users repeat, channels are few, flags are two.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from td_mta.config.attribution import Config
from td_mta.errors import ConfigError, DataError
from td_mta.ingest.finding.columns import Found, chosen_parameters, find_columns
from td_mta.ingest.finding.conversions import decide
from td_mta.ingest.finding.orders import find_orders
from td_mta.ingest.finding.usual_names import CHANNEL, TIME, USER
from td_mta.warehouse import Warehouse

__all__ = ["Found", "check_columns", "chosen_parameters", "find"]


OF_TOUCHES = (USER, TIME, CHANNEL)


def find(
    config: Config,
    on_command_line: Collection[str],
    warehouse: Warehouse,
    *,
    file: Path | None,
    local: bool,
) -> Found:
    """The parameters of the table that a run reads, and what was found out, in sentences.

    Where the user named a `file`, everything is found that nobody set: also the value, and whether
    conversions are touches. Rows are looked at in `local` tables only. Raises `ConfigError` where
    no table was named, `DataError` for a column that is missing or cannot be decided.
    """
    chosen = chosen_parameters(config, on_command_line)
    if "table" not in chosen:
        _check_default_table(config, warehouse)
    if config.orders_table and config.table != config.rand_shuffle:
        return _with_orders(config, chosen, warehouse, everything=file is not None, content=local)
    found = find_columns(config, chosen, warehouse, everything=file is not None, content=local)
    if file is None or "conversion_row_is_touch" in chosen:
        return found
    decision = decide(found.config, warehouse)
    if decision is None:
        return found
    config = replace(found.config, conversion_row_is_touch=decision.is_touch)
    return Found(config, [*found.notes, decision.reason])


def check_columns(config: Config, warehouse: Warehouse) -> None:
    """Raise `DataError`, which names the parameter, for a named column that the table lacks."""
    find_columns(config, chosen_parameters(config, ()), warehouse, content=False)


def _with_orders(
    config: Config,
    chosen: Collection[str],
    warehouse: Warehouse,
    *,
    everything: bool,
    content: bool,
) -> Found:
    """Touches, of which none converts, and the orders, of which each does."""
    touches = find_columns(
        config, chosen, warehouse, everything=everything, content=content, roles=OF_TOUCHES
    )
    orders = find_orders(touches.config, chosen, warehouse, content=content)
    said = (
        f"Every row of orders_table {config.orders_table} is a conversion, and none of table "
        f"{config.table} is."
    )
    return Found(orders.config, [*touches.notes, *orders.notes, said])


def _check_default_table(config: Config, warehouse: Warehouse) -> None:
    """The table of the workflow is the default, which nobody named who has another one."""
    try:
        warehouse.columns(config.table)
    except DataError as error:
        raise ConfigError(
            "no table was named: give its file, as in python -m td_mta.main data/touchpoints.csv, "
            f"or set --set table=…; the default is the table that the workflow makes ({error})"
        ) from None
