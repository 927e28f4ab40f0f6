"""Which column of a media table is what, by parameters and usual names."""

from collections.abc import Sequence
from typing import NamedTuple

from td_mta.config.mmm import MediaMixConfig, listed
from td_mta.errors import DataError
from td_mta.ingest import usual_names
from td_mta.ingest.beside import costs
from td_mta.warehouse.names import find_column

DATES = (
    *("date", "day", "week", "month", "period", "week_start", "week_begin", "ds", "date_week"),
    *("wk_strt_dt", "week_date", "time", "start_date", "isoweek", *costs.USUAL["day"]),
)
KPIS = (
    *("revenue", "sales", "kpi", "total_revenue", "total_sales", "revenue_total", "net_sales"),
    *("gross_sales", "turnover", "y", "target", "conversions", "orders", "value", "umsatz"),
    *("ventas", "ingresos", "ventes", "chiffre_d_affaires", "fatturato", "receita"),
)
NO_MONEY = ("kpi", "y", "target", "conversions", "orders")
CONTROL_WORDS = ("promo", "holiday", "price", "discount", "event", "competitor", "temperature")
SPEND_WORDS = ("spend", "cost")


class WideColumns(NamedTuple):
    """Of a wide table."""

    date: str
    kpi: str
    spend: dict[str, str]  # column by channel
    controls: list[str]


def wide_columns(config: MediaMixConfig, names: Sequence[str], location: str) -> WideColumns:
    """Raises `DataError` for a column that is needed and not there."""
    date = needed(config.date_column, names, location, "date", "date_column", DATES)
    kpi = needed(config.kpi_column, names, location, "sales", "kpi_column", KPIS)
    if config.spend_columns:
        chosen = [find_column(name, names, location) for name in listed(config.spend_columns)]
    else:
        chosen = [name for name in names if _channel(name) and name not in (date, kpi)]
    if not chosen:
        raise DataError(
            f"{location} has no column of spend such as spend_tv or tv_spend: it has "
            f"{', '.join(names)}; name them in spend_columns"
        )
    spend = {_channel(name) or name: name for name in chosen}
    if len(spend) < len(chosen):
        spend = {name: name for name in chosen}
    return WideColumns(date, kpi, spend, controls(config, names, [date, kpi, *chosen], location))


def _channel(column: str) -> str | None:
    """What `spend_tv`, `tv_spend` or `tv_S` is the spend of."""
    lower = column.lower()
    for word in SPEND_WORDS:
        for joint in ("_", " ", "-"):
            if lower.startswith(word + joint):
                return column[len(word) + 1 :]
            if lower.endswith(joint + word):
                return column[: -len(word) - 1]
    return column[:-2] if column.endswith("_S") and len(column) > 2 else None


def controls(
    config: MediaMixConfig, names: Sequence[str], taken: Sequence[str], location: str
) -> list[str]:
    """Columns of what else moves sales, among those that are not `taken`."""
    if config.control_columns:
        return [find_column(name, names, location) for name in listed(config.control_columns)]
    free = [name for name in names if name not in taken]
    return [name for name in free if any(word in name.lower() for word in CONTROL_WORDS)]


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
        raise DataError(
            f"{location} has no column for the {role}: it has {', '.join(names)}; name it in "
            f"{parameter}"
        )
    return column
