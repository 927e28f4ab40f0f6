"""Whether the row of a conversion is a touch too, by the channels that such rows have."""

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from td_mta.baselines.direct import SYNONYMS
from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest import coercion
from td_mta.ingest.finding.usual_names import CONVERTING_EVENTS, plain
from td_mta.ingest.readers import Readers
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.values import plain_columns
from td_mta.journeys.touchpoints import Flags
from td_mta.warehouse import Warehouse

ENOUGH_ROWS, ENOUGH_CONVERSIONS = 2_000_000, 1_000
FEW = 10  # conversions of one channel may be so few by chance
NO_VISIT = {*(name for row in CONVERTING_EVENTS for name in row), "direct", "website", "checkout"}


class Channels(NamedTuple):
    """How many rows each channel has; rows without a channel are under None."""

    of_conversions: Counter[str | None]
    of_others: Counter[str | None]


class Decision(NamedTuple):
    """The parameter `conversion_row_is_touch`, and why."""

    is_touch: bool
    reason: str


def decide(config: Config, warehouse: Warehouse) -> Decision | None:
    """Whether conversion rows are touches, for a table whose columns are known.

    Reads two columns, of a large table only as much as it takes. None where they cannot be read,
    which is an error of the run.
    """
    try:
        return decide_by(_channels(config, warehouse))
    except DataError:
        return None


def decide_by(channels: Channels) -> Decision:
    """Whether conversion rows are touches, by the channels of these and of other rows."""
    named = {name for name in channels.of_conversions if name is not None}
    others = {name for name in channels.of_others if name is not None}
    if not named:
        return Decision(True, "Conversion rows have no channel, so they are no touches.")
    shown = ", ".join(sorted(named)[:3]) + (", …" if len(named) > 3 else "")
    why = None
    if others and not others & named:
        why = f"their channels ({shown}) occur on no other row"
    elif len(named) == 1 and len(others) > 1 and _says_nothing(shown, channels):
        why = f"all of them have the channel {shown}"
    if why is None:
        return Decision(
            True,
            f"Conversion rows count as touches of their channels ({shown}); if they are events of "
            "their own: --set conversion_row_is_touch=false.",
        )
    return Decision(
        False,
        f"Conversion rows are taken for events of their own and no touches, since {why}; if they "
        "are touches: --set conversion_row_is_touch=true.",
    )


def _says_nothing(channel: str, channels: Channels) -> bool:
    """Whether the one channel of all conversions cannot be how each visitor came."""
    is_no_visit = plain(channel) in NO_VISIT or channel.lower() in SYNONYMS
    return is_no_visit or channels.of_conversions.total() >= FEW


def _channels(config: Config, warehouse: Warehouse) -> Channels:
    settings = replace(TableSettings.of(config), value_column=None)
    columns = list(dict.fromkeys([settings.channel_column, settings.conversion_column]))
    counted = Channels(Counter(), Counter())
    flags = Readers.of(settings).conversion
    rows = 0
    for batch in plain_columns.read(warehouse, settings.table, columns):
        names = coercion.names(batch[settings.channel_column], settings.null_words)
        _count(names, flags.read(batch[settings.conversion_column]), counted)
        rows += len(batch)
        if rows >= ENOUGH_ROWS and counted.of_conversions.total() >= ENOUGH_CONVERSIONS:
            break
    flags.check()
    return counted


def _count(names: coercion.Names, converts: Flags, counted: Channels) -> None:
    for rows, counts in ((converts, counted.of_conversions), (~converts, counted.of_others)):
        by_code = np.bincount(names.codes[rows], minlength=len(names.names))
        for code in np.flatnonzero(by_code).tolist():
            counts[names.names[code]] += int(by_code[code])
