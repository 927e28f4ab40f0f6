"""Which column of a media table is what, by parameters and usual names."""

from collections.abc import Sequence
from typing import NamedTuple

from td_mta.config.mmm import MediaMixConfig, listed
from td_mta.errors import DataError
from td_mta.ingest import usual_names
from td_mta.ingest.beside import costs
from td_mta.ingest.media_mix.media_names import (
    DATE_WORDS,
    DATES,
    KPI_WORDS,
    KPIS,
    LONG_SPEND,
    NO_KPI_WORDS,
    REGIONS,
    UNITS,
    YEARS,
    channel_of,
    is_control,
    is_media,
    is_money,
    words_of,
)
from td_mta.ingest.values import plain_columns
from td_mta.warehouse.names import find_column


class WideColumns(NamedTuple):
    """Of a wide table."""

    date: str
    kpi: str
    spend: dict[str, str]  # column by channel
    controls: list[str]
    region: str | None  # whose rows of a date are added up
    year: str | None  # where the date is a number of a week or month


def wide_columns(config: MediaMixConfig, names: Sequence[str], location: str) -> WideColumns:
    """Raises `DataError` for a column that is needed and not there."""
    date, kpi = date_of(config, names, location), kpi_of(config, names, location)
    if config.spend_columns:
        chosen = [find_column(name, names, location) for name in listed(config.spend_columns)]
    else:
        free = [name for name in names if name not in (date, kpi)]
        chosen = [name for name in free if channel_of(name)] or [n for n in free if is_media(n)]
        only = usual_names.find(free, costs.USUAL["spend"])
        chosen = chosen or ([only] if only else [])
    if not chosen:
        raise DataError(
            f"{location} has no column of spend such as spend_tv or tv_spend: it has "
            f"{', '.join(names)}; name them in spend_columns"
        )
    spend = _by_channel(chosen, location, is_given=config.spend_columns is not None)
    refuse_units([*chosen, *([kpi] if is_money(kpi) else [])], location)
    others = controls(config, names, [date, kpi, *chosen], location)
    region, year = (usual_names.find(names, usual) for usual in (REGIONS, YEARS))
    return WideColumns(date, kpi, spend, others, region, year)


def _by_channel(chosen: Sequence[str], location: str, *, is_given: bool) -> dict[str, str]:
    """Columns of spend by channel; raises `DataError` where two may be of one."""
    spend: dict[str, str] = {}
    for column in chosen:
        channel = channel_of(column) or column
        if channel in spend and not is_given:
            raise DataError(
                f"{location}: {spend[channel]} and {column} may both be spend of {channel}; name "
                "the columns of spend in spend_columns, with commas between"
            )
        spend[channel] = column
    return spend if len(spend) == len(chosen) else {column: column for column in chosen}


def is_long(names: Sequence[str]) -> bool:
    """Whether no column's name says whose spend it is, and one says spend alone."""
    return not any(map(channel_of, names)) and bool(usual_names.find(names, LONG_SPEND))


def date_of(config: MediaMixConfig, names: Sequence[str], location: str) -> str:
    """The column of dates, or `year + month + day`; raises `DataError` where there is none."""
    given = config.date_column
    found = named(given, names, location, DATES)
    if found and not given and usual_names.without_unit(found) == "day":
        year, month = (usual_names.find(names, usual) for usual in (YEARS, ("month",)))
        return plain_columns.AND.join((year, month, found)) if year and month else found
    words = [name for name in names if DATE_WORDS & words_of(name)]
    return found or _one(words, names, location, "date", "date_column")


def kpi_of(config: MediaMixConfig, names: Sequence[str], location: str) -> str:
    """The column of sales; raises `DataError` where there is none, or more than one that may be."""
    found = kpi_or_none(config, names, location)
    if found is None:
        raise _missing(names, location, "sales", "kpi_column")
    return found


def kpi_or_none(config: MediaMixConfig, names: Sequence[str], location: str) -> str | None:
    """The same; None where there is none."""
    found = named(config.kpi_column, names, location, KPIS)
    if found:
        return found
    words = {name: words_of(name) for name in names if not (channel_of(name) or is_media(name))}
    likely = [name for name in words if words[name] & KPI_WORDS and not words[name] & NO_KPI_WORDS]
    return _one(likely, names, location, "sales", "kpi_column") if likely else None


def _one(
    found: Sequence[str], names: Sequence[str], location: str, role: str, parameter: str
) -> str:
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"{location}: the {role} may be in {' or '.join(found)}; set {parameter} to one of them"
        )
    raise _missing(names, location, role, parameter)


def _missing(names: Sequence[str], location: str, role: str, parameter: str) -> DataError:
    return DataError(
        f"{location} has no column for the {role}: it has {', '.join(names)}; name it in "
        f"{parameter}"
    )


def refuse_units(columns: Sequence[str], location: str) -> None:
    """Raises `DataError` where the names say thousands of some amounts and not of others."""
    units = {
        name: next((u for u, form in UNITS.items() if form.search(name)), "") for name in columns
    }
    if len(set(units.values())) > 1:
        of_unit = next(name for name in columns if units[name])
        other = next(name for name in columns if units[name] != units[of_unit])
        raise DataError(
            f"{location}: {of_unit} is in {units[of_unit]} and {other} is not; write all amounts "
            "in one unit, with one name for it"
        )


def controls(
    config: MediaMixConfig, names: Sequence[str], taken: Sequence[str], location: str
) -> list[str]:
    """Columns of what else moves sales, among those that are not `taken`."""
    if config.control_columns:
        return [find_column(name, names, location) for name in listed(config.control_columns)]
    free = [name for name in names if name not in taken]
    return [name for name in free if is_control(name)]


def named(
    given: str | None, names: Sequence[str], location: str, usual: Sequence[str]
) -> str | None:
    """The column of a given name, else of a usual one, else None."""
    return find_column(given, names, location) if given else usual_names.find(names, usual)


def needed(
    given: str | None,
    names: Sequence[str],
    location: str,
    role: str,
    parameter: str,
    usual: Sequence[str],
) -> str:
    """The same; raises `DataError`, which names `role` and `parameter`, where there is none."""
    column = named(given, names, location, usual)
    if column is None:
        raise _missing(names, location, role, parameter)
    return column
