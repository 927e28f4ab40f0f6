"""Which column of a media table is what, by parameters and usual names."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from td_mta.config.mmm import MediaMixConfig, listed
from td_mta.errors import DataError
from td_mta.ingest import usual_names
from td_mta.ingest.beside import costs
from td_mta.warehouse.names import find_column

DATES = (
    *("date", "ds", "date_week", "week_start", "week_begin", "week_date", "wk_strt_dt"),
    *("start_date", "week_starting", "week_ending", "week_of", "isoweek", "dates"),
    *(name for name in costs.USUAL["day"] if name != "day"),
    # Last, since some tables have them beside the date, as numbers.
    *("day", "week", "month", "period", "time", "days", "weeks", "months", "woche", "monat"),
    *("semana", "semaine", "settimana", "mes", "mois", "mese"),
)
KPIS = (
    *("revenue", "sales", "kpi", "total_revenue", "total_sales", "revenue_total", "net_sales"),
    *("gross_sales", "turnover", "y", "target", "conversions", "orders", "value", "umsatz"),
    *("ventas", "ingresos", "ventes", "chiffre_d_affaires", "fatturato", "receita"),
    *("net_revenue", "gross_revenue", "gmv", "bookings", "transactions", "purchases", "leads"),
    *("signups", "installs", "absatz", "erlös", "vendas", "vendite"),
)
NO_MONEY = (
    *("kpi", "y", "target", "conversions", "orders", "transactions", "purchases", "leads"),
    *("signups", "installs", "absatz"),
)
CONTROL_WORDS = (
    *("promo", "holiday", "hldy", "price", "discount", "event", "competitor", "temperature"),
    *("feiertag", "aktion", "preis"),
)
YEARS = ("year", "jahr", "año", "ano", "anno", "annee", "année")
SPEND_WORDS = (
    *("media_spend", "ad_spend", "adspend", "spend", "spending", "spent", "mdsp", "cost", "costs"),
    *("investment", "budget", "ausgaben", "werbeausgaben", "kosten", "gasto", "inversion"),
    *("inversión", "depense", "dépense", "depenses", "dépenses", "spesa", "custo", "koszt"),
)
NO_CHANNELS = frozenset(  # beside a word for spend
    (
        *("total", "all", "overall", "sum", "gesamt", "media", "marketing", "ad", "advertising"),
        *("unit", "shipping", "product", "production", "delivery", "freight"),
    )
)
REGIONS = (
    *("geo", "region", "market", "country", "state", "dma", "city", "territory", "store"),
    *("geo_id", "geo_name", "region_name", "country_code", "land", "pais", "país", "pays"),
)
NUMBERED = re.compile(r"(x|ch|channel|media)_?[0-9]+")
MEDIA = frozenset(
    (
        *("tv", "television", "ctv", "vod", "radio", "audio", "podcast", "print", "newspaper"),
        *("magazine", "ooh", "outdoor", "billboard", "cinema", "facebook", "meta", "instagram"),
        *("tiktok", "snapchat", "pinterest", "linkedin", "twitter", "google", "bing", "amazon"),
        *("search", "sem", "ppc", "youtube", "video", "display", "social", "affiliate", "dv360"),
        *("affiliates", "programmatic", "influencer", "influencers", "retargeting", "newspapers"),
    )
)
BESIDE_MEDIA = frozenset(
    (
        *("paid", "brand", "non", "nonbrand", "generic", "ads", "online", "digital", "shopping"),
        *("linear", "native", "direct", "mail"),
    )
)


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
    date = needed(config.date_column, names, location, "date", "date_column", DATES)
    kpi = needed(config.kpi_column, names, location, "sales", "kpi_column", KPIS)
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
    spend = {channel_of(name) or name: name for name in chosen}
    if len(spend) < len(chosen):
        spend = {name: name for name in chosen}
    others = controls(config, names, [date, kpi, *chosen], location)
    region, year = (usual_names.find(names, usual) for usual in (REGIONS, YEARS))
    return WideColumns(date, kpi, spend, others, region, year)


def channel_of(column: str) -> str | None:
    """What a column is the spend of; None for a total of channels, or a cost of something else.

    >>> [channel_of(name) for name in ("spend_tv", "TV Spend (EUR)", "tv_S")]
    ['tv', 'TV', 'tv']
    >>> [channel_of(name) for name in ("Total Spend", "cost_per_click", "tv_clicks")]
    [None, None, None]
    """
    name = usual_names.unit_removed(column)
    found = name[:-2] if name.endswith("_S") and len(name) > 2 else ""
    for word in SPEND_WORDS:
        for joint in ("_", " ", "-"):
            if name.lower().startswith(word + joint):
                found = found or name[len(word) + 1 :]
            if name.lower().endswith(joint + word):
                found = found or name[: -len(word) - 1]
    found = found.strip(" _-")
    is_other = found.lower() in NO_CHANNELS or re.match(r"(per|of)[_ -]", found.lower())
    return None if is_other else found or None


def is_media(column: str) -> bool:
    """Whether a column of a table where none says spend is called like a channel.

    >>> [name for name in ("Google Search", "x1", "x1_adstock", "search_clicks") if is_media(name)]
    ['Google Search', 'x1']
    """
    plain = usual_names.without_unit(column)
    words = set(plain.split("_"))
    return bool(NUMBERED.fullmatch(plain) or (words & MEDIA and words <= MEDIA | BESIDE_MEDIA))


def controls(
    config: MediaMixConfig, names: Sequence[str], taken: Sequence[str], location: str
) -> list[str]:
    """Columns of what else moves sales, among those that are not `taken`."""
    if config.control_columns:
        return [find_column(name, names, location) for name in listed(config.control_columns)]
    free = [name for name in names if name not in taken]
    return [name for name in free if _is_control(name.lower())]


def _is_control(lower: str) -> bool:
    return lower.endswith("_control") or any(word in lower for word in CONTROL_WORDS)


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
