"""Tables beside the touchpoints: of costs, of experiments. Columns by usual names, days, channels.

What they call a channel is what `action_column` names in the touchpoints; names that differ by
letter case and blanks alone are the same.
"""

import datetime
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest import usual_names
from td_mta.ingest.settings import words
from td_mta.ingest.times.clocks import local_time
from td_mta.ingest.times.reader import TimeReader
from td_mta.ingest.values import plain_columns
from td_mta.ingest.values.spellings import joined_name
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Flags, Ints
from td_mta.warehouse import Warehouse
from td_mta.warehouse.names import find_column, quoted

CHANNELS = (
    *("channel", "channels", "channel_name", "marketing_channel", "default_channel_group"),
    *("kanal", "kanaal", "canal", "canale", "渠道", "チャネル", "채널", "канал"),
)
OTHER_CHANNELS = {  # beside the name that action_column has itself
    "source": ("source", "utm_source", "platform", "network", "publisher"),
    "medium": ("medium", "utm_medium"),
    "campaign": ("campaign", "campaign_name", "utm_campaign"),
}
# Days counted from 1970, of 1980 to 2049; Excel counts days of 1980 and later from 29221 on.
EPOCH_DAYS = (3652, 29220)
MOST_NAMED = 5


class SideTable:
    """A table of the warehouse, or of another database of it (`costs.daily`), by its parameter."""

    def __init__(self, parameter: str, config: Config, warehouse: Warehouse) -> None:
        self._table, self._warehouse = str(getattr(config, parameter)), warehouse
        self._location = f"{parameter} {self._table}"
        self._whole: pa.Table | None = None
        if "." in self._table:  # only a query can name another database
            self._whole = warehouse.query(
                f"select * from {'.'.join(map(quoted, self._table.split('.')))}"
            )
        self.names = (
            warehouse.columns(self._table) if self._whole is None else self._whole.column_names
        )

    def found(
        self,
        usual: Mapping[str, Sequence[str]],
        parameters: Mapping[str, str],
        optional: Sequence[str],
        config: Config,
    ) -> dict[str, str]:
        """The column of each role, by its parameter or by its usual names.

        Raises `DataError` for one that is missing and not optional.
        """
        columns = {}
        for role, names in usual.items():
            named = getattr(config, parameters[role])
            column = find_column(named, self.names, self._location) if named else None
            column = column or usual_names.find(self.names, names)
            if column:
                columns[role] = column
            elif role not in optional:
                raise DataError(
                    f"{self._location} has no column for the {role.replace('_', ' ')}: it has "
                    f"{', '.join(sorted(self.names))}; name it in {parameters[role]}"
                )
        return columns

    def rows(self, columns: list[str]) -> dict[str, pa.Array]:
        """Some columns, each in one piece."""
        distinct = list(dict.fromkeys(columns))
        table = self._whole
        if table is None:
            empty = pa.table({name: pa.array([], pa.string()) for name in distinct})
            batches = list(self._warehouse.read(self._table, distinct))
            table = pa.Table.from_batches(batches) if batches else empty
        return {
            name: plain_columns.plain(
                _in_one_piece(table[name]), f"{self._location}, column {name}"
            )
            for name in distinct
        }


def _in_one_piece(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def usual_channels(action_column: str) -> tuple[str, ...]:
    """The touchpoints' own name first, then what is as coarse or fine as that."""
    own = usual_names.without_unit(action_column)
    alike = [names for word, names in OTHER_CHANNELS.items() if own in names or own == word]
    others = [name for names in OTHER_CHANNELS.values() for name in names]
    return (own, *(name for names in alike for name in names), *CHANNELS, *others)


def days(column: pa.Array, location: str, config: Config) -> tuple[Ints, Flags]:
    """Days since 1970 as the owner of the table wrote them, and where there is none."""
    if _are_epoch_days(column):
        missing = np.asarray(column.is_null().to_numpy(zero_copy_only=False), bool)
        numbers = column.fill_null(0).to_numpy(zero_copy_only=False)
        return np.asarray(numbers, np.int64), missing
    order = config.time_format if config.time_format in ("day_first", "month_first") else None
    read = TimeReader(
        location,
        form=order,
        zone=config.day_timezone,
        null_words=words(config.null_words),
        batches=lambda: [column],
    ).read(column)
    return _local_days(read.seconds, config.day_timezone), read.missing


def _are_epoch_days(column: pa.Array) -> bool:
    if not pa.types.is_integer(column.type):
        return False
    numbers = column.drop_null().to_numpy(zero_copy_only=False)
    first, last = EPOCH_DAYS
    return bool(len(numbers) and ((numbers >= first) & (numbers <= last)).all())


def _local_days(seconds: Ints, zone: str) -> Ints:
    """Midnights of UTC are days as they stand, whatever the time zone of the touchpoints."""
    if not (seconds % SECONDS_PER_DAY).any():
        return seconds // SECONDS_PER_DAY
    return local_time(seconds, zone)[0]


def joined(names: Sequence[str], channels: Sequence[str]) -> dict[str, str]:
    """The touchpoints' name, one of `channels`, of each of the names that has one."""
    found = {name: name for name in names if name in set(channels)}
    alike: dict[str, list[str]] = {}
    for channel in channels:
        alike.setdefault(joined_name(channel), []).append(channel)
    for name in names:
        same = alike.get(joined_name(name), [])
        if len(same) == 1:
            found.setdefault(name, same[0])
    return found


def date(day: int) -> datetime.date:
    """The date of a day counted from 1970."""
    return datetime.date(1970, 1, 1) + datetime.timedelta(int(day))


def listed(names: Sequence[str] | pd.Index) -> str:
    """A few names in quotes, and how many more there are."""
    shown = ", ".join(repr(str(name)) for name in names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"
