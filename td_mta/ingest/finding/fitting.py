"""Whether a column may have a role: by what it holds, where its name says so or says nothing."""

import re
from collections.abc import Callable, Iterable

from td_mta.ingest.finding.sample import Column
from td_mta.ingest.finding.usual_names import (
    CHANNEL,
    CONVERSION,
    CONVERTING_EVENTS,
    TIME,
    USER,
    VALUE,
    Role,
    plain,
)

NOT_A_CONVERSION = ("bot", "mobile", "new", "return", "log", "click", "test", "activ", "view")
NOT_A_CHANNEL = re.compile(
    r"event|device|browser|country|city|region|language|locale|page|url|host|path|product|currency|gender"
    r"|category|segment|stage|status|plan$|version|os$|geraet|pays|land$|ville|pais|设备|城市|国家|デバイス|기기"
)
PART_OF_TIME = re.compile(
    r"(^|_)(hour|minute|weekday|day|week|month|quarter|year|stunde|heure|hora)(_|$)"
)


def fits(role: Role, column: Column) -> bool:
    """Whether a column whose name says the role holds what that needs."""
    return _FITS[role.name](column)


def looks_like(role: Role, column: Column) -> bool:
    """Whether a column whose name says nothing does."""
    name = plain(column.name)
    if role.name == TIME.name and (role.is_other(column.name) or _says_user(column.name)):
        return False  # the time of something else, or an id that reads like an epoch
    if role.name == USER.name and (
        any(name in row for row in VALUE.rows) or PART_OF_TIME.search(name)
    ):
        return False  # amounts and hours differ and repeat as ids do
    return bool(len(column.values)) and _LOOKS_LIKE[role.name](column)


def converting(values: Iterable[str]) -> list[str]:
    """Those values that say a conversion, as the table writes them."""
    listed = sorted(values)
    rows = ([v for v in listed if plain(v) in row and "," not in v] for row in CONVERTING_EVENTS)
    return next((row for row in rows if row), [])


def _is_conversion(column: Column) -> bool:
    return column.is_flag or bool(converting(column.distinct))


def _says_user(name: str) -> bool:
    return any(plain(name) in row for row in USER.rows[:2])


def _is_user(column: Column) -> bool:
    """Ids; where the name says so, also such as 1234567890.1700000000, which GA4 has."""
    return bool(column.distinct) and (_says_user(column.name) or not column.is_time)


_FITS: dict[str, Callable[[Column], bool]] = {
    USER.name: _is_user,
    TIME.name: lambda column: column.could_be_time,
    CHANNEL.name: lambda column: column.is_few_or_one and not column.is_time,
    CONVERSION.name: _is_conversion,
    VALUE.name: lambda column: column.is_amount and not column.is_time,
}
_LOOKS_LIKE: dict[str, Callable[[Column], bool]] = {
    USER.name: lambda column: column.is_many and not column.is_time,
    TIME.name: lambda column: column.is_time,
    CHANNEL.name: lambda column: (
        column.is_text
        and column.is_few
        and not column.is_time
        and not column.is_flag
        and not column.is_address
        and not NOT_A_CHANNEL.search(plain(column.name))
    ),
    CONVERSION.name: lambda column: (
        column.is_flag
        and len(column.distinct) == 2
        and not any(word in plain(column.name) for word in NOT_A_CONVERSION)
    ),
    VALUE.name: lambda column: False,
}
