"""What columns of media tables are called, and what a column is by its name alone."""

import re

from td_mta.ingest import usual_names
from td_mta.ingest.beside import costs

DATES = (
    *("date", "ds", "date_week", "week_start", "week_begin", "week_date", "wk_strt_dt"),
    *("start_date", "week_starting", "week_commencing", "weekcommencing", "week_beginning"),
    *("w_c", "period_start", "week_ending", "week_of", "isoweek", "dates", "calendar_week"),
    *(name for name in costs.USUAL["day"] if name != "day"),
    # Last, since some tables have them beside the date, as numbers.
    *("day", "week", "yearweek", "year_week", "week_number", "week_no", "wk", "kalenderwoche"),
    *("kw", "month", "yearmonth", "year_month", "period", "time", "days", "weeks", "months"),
    *("woche", "monat", "semana", "semaine", "settimana", "mes", "mois", "mese", "週", "月"),
    *("from", "von"),
)
DATE_WORDS = frozenset(
    (
        *("date", "week", "wk", "month", "datum", "woche", "kw", "fecha", "semana", "semaine"),
        *("settimana", "mois", "mes", "mese", "monat"),
    )
)
KPIS = (
    *("revenue", "sales", "kpi", "total_revenue", "total_sales", "revenue_total", "net_sales"),
    *("gross_sales", "turnover", "y", "target", "conversions", "orders", "value", "umsatz"),
    *("ventas", "ingresos", "ventes", "chiffre_d_affaires", "fatturato", "receita"),
    *("net_revenue", "gross_revenue", "gmv", "bookings", "transactions", "purchases", "leads"),
    *("signups", "installs", "absatz", "erlös", "vendas", "vendite", "売上", "売上高", "매출"),
    *("销售额", "收入", "выручка", "depvar", "dep_var"),
)
KPI_WORDS = frozenset(  # of a column that alone has one of them
    (
        *("revenue", "sales", "umsatz", "gmv", "turnover", "erlöse", "nettoerlöse", "orders"),
        *("conversions", "conversion", "units", "sold", "volume", "customers", "subscriptions"),
        *("subscribers", "installs", "downloads", "signups", "ups", "registrations", "leads"),
        *("users", "bookings", "purchases", "transactions", "demand", "visits", "quantity"),
    )
)
NO_KPI_WORDS = frozenset(
    (
        *("competitor", "competitors", "competition", "per", "rate", "share", "price", "average"),
        *("avg", "last", "lag", "previous", "prev", "organic", "impressions", "impression"),
        *("clicks", "views", "cost", "costs", "tax", "index", "promo", "promotion", "control"),
    )
)
NO_MONEY = frozenset(
    (
        *("kpi", "y", "target", "conversions", "conversion", "orders", "transactions", "leads"),
        *("purchases", "signups", "installs", "absatz", "depvar", "dep", "units", "sold", "volume"),
        *("customers", "subscriptions", "subscribers", "downloads", "ups", "registrations"),
        *("users", "visits", "quantity"),
    )
)
MONEY = frozenset(("revenue", "value", "amount", "umsatz", "gmv"))
CONTROL_WORDS = (
    *("promo", "holiday", "hldy", "price", "discount", "event", "competitor", "temperature"),
    *("feiertag", "aktion", "preis", "rabatt", "precio", "festivo", "descuento", "prix", "férié"),
    *("prezzo", "preço", "feriado"),
)
YEARS = ("year", "jahr", "año", "ano", "anno", "annee", "année", "yr", "yr_nbr", "年")
SPEND_WORDS = (
    *("media_spend", "ad_spend", "adspend", "spend", "spending", "spent", "mdsp", "cost", "costs"),
    *("investment", "invest", "budget", "expenditure", "expense", "expenses", "ausgaben"),
    *("werbeausgaben", "werbekosten", "kosten", "gasto", "gastos", "inversion", "inversión"),
    *("depense", "dépense", "depenses", "dépenses", "spesa", "custo", "koszt"),
)
_WORD = "|".join(SPEND_WORDS)
_JOINED = r"Spend|Spending|Cost|Costs|Budget|Investment"  # as in TVSpend
SPEND = (
    re.compile(rf"(?i)(?:{_WORD})[\W_]+(?:(?:on|en|in|für|for|em|sur)[\W_]+)?(?P<channel>.+)"),
    re.compile(rf"(?i)(?P<channel>.+?)[\W_]+(?:{_WORD})"),
    re.compile(rf"(?P<channel>.*[A-Za-z0-9])(?:{_JOINED})"),
    re.compile(r"(?P<channel>.+?)_S"),  # Robyn's
    re.compile(r"(?P<channel>.+?)[\W_]*(?:広告費用?|費用|コスト|广告费|花费|费用|광고비|비용)"),
)
NO_CHANNELS = frozenset(  # beside a word for spend
    (
        *("total", "all", "overall", "sum", "gesamt", "media", "marketing", "ad", "advertising"),
        *("amount", "micros", "unit", "shipping", "product", "production", "delivery"),
        *("freight", "広告", "合計"),
    )
)
NO_SPEND = re.compile(  # what is said of spend
    r"(?i)(?:per|of)[\W_].*|(?:.*[\W_])?(?:share|pct|percent|percentage|ratio|planned|plan)(?:[\W_]of)?"
)
REGIONS = (
    *("geo", "region", "market", "country", "state", "dma", "city", "territory", "store"),
    *("geo_id", "geo_name", "region_name", "country_code", "land", "pais", "país", "pays"),
    *("dma_name", "dma_code", "geography", "area", "province", "location", "bundesland"),
    *("division", "brand", "product", "business_unit"),
)
NUMBERED = re.compile(r"(x|ch|channel|media)_?[0-9]+")
MEDIA = frozenset(
    (
        *("tv", "television", "ctv", "vod", "radio", "audio", "podcast", "print", "newspaper"),
        *("magazine", "ooh", "outdoor", "billboard", "cinema", "facebook", "meta", "instagram"),
        *("tiktok", "snapchat", "pinterest", "linkedin", "twitter", "google", "bing", "amazon"),
        *("search", "sem", "ppc", "youtube", "video", "display", "social", "affiliate", "dv360"),
        *("affiliates", "programmatic", "influencer", "influencers", "retargeting", "newspapers"),
        *("fb", "adwords", "leaflet", "leaflets", "flyer", "flyers", "sponsorship", "sponsoring"),
        *("digital", "fernsehen", "hörfunk", "aussenwerbung", "zeitung", "kino", "plakat"),
        *("affichage", "télévision", "televisión", "prensa", "cine", "stampa", "テレビ", "ラジオ"),
    )
)
BESIDE_MEDIA = frozenset(
    (
        *("paid", "brand", "non", "nonbrand", "generic", "ads", "online", "shopping", "x"),
        *("linear", "native", "direct", "mail"),
    )
)
MARKETED = frozenset(("content", "online", "email", "direct", "event", "digital"))
LONG_SPEND = (*costs.USUAL["spend"], "investment", "invest", "budget", "expenditure", "net_spend")
PLATFORMS = (  # channels of a long table that has no column of a name such as channel
    *("platform", "media", "medium", "media_channel", "media_type", "source", "network"),
    *("publisher", "vehicle", "partner", "campaign_name", "campaign"),
)


UNITS = {
    "thousands": re.compile(
        r"(?i)\b0{3}'?s?\b|\bthousands?\b|\bt€|\bteur\b|\btsd\b|\bk[€$£]|[€$£]k\b|\(k\)|_k$|千"
    ),
    "millions": re.compile(r"(?i)\bmillions?\b|\bmio\b|\bmeur\b|[€$£]mm?\b|\(mm?\)|_mm?$|百万"),
}


def is_money(kpi: str) -> bool:
    """Whether sales seem to be in units of money, by the column's name.

    >>> is_money("Net Sales"), is_money("units_sold"), is_money("Conversion Value")
    (True, False, True)
    """
    words = words_of(kpi)
    return bool(words & MONEY) or not words & NO_MONEY


def channel_of(column: str) -> str | None:
    """What a column is the spend of; None for a total of channels, or a cost of something else.

    >>> [channel_of(name) for name in ("spend_tv", "TV Spend (EUR)", "tv_S", "TVSpend")]
    ['tv', 'TV', 'tv', 'TV']
    >>> [channel_of(name) for name in ("Total Ad Spend", "cost_per_click", "tv_clicks")]
    [None, None, None]
    """
    name = usual_names.unit_removed(column)
    for form in SPEND:
        match = form.fullmatch(name)
        if match:
            found = match["channel"].strip(" _-.:$€£")
            words = re.split(r"[\W_]+", found.lower())
            is_other = NO_CHANNELS.issuperset(words) or NO_SPEND.fullmatch(found)
            return None if is_other else found or None
    return None


def is_media(column: str) -> bool:
    """Whether a column of a table where none says spend is called like a channel.

    >>> [name for name in ("Google Search", "x1", "x1_adstock", "search_clicks") if is_media(name)]
    ['Google Search', 'x1']
    """
    plain = usual_names.without_unit(column)
    words = set(plain.split("_"))
    is_marketing = (
        "marketing" in words and bool(words & MARKETED) and words <= {*MARKETED, "marketing"}
    )
    is_known = bool(words & MEDIA) and words <= MEDIA | BESIDE_MEDIA
    return bool(NUMBERED.fullmatch(plain)) or is_known or is_marketing


def is_control(column: str) -> bool:
    """Whether a column of that name is of what else moves sales."""
    lower = column.lower()
    if re.search(r"events?[\W_]*count|key[\W_]*events", lower):  # what visitors did
        return False
    return lower.endswith("_control") or any(word in lower for word in CONTROL_WORDS)


def words_of(name: str) -> set[str]:
    """Its words, in lower case.

    >>> sorted(words_of("TotalSales (EUR)"))
    ['sales', 'total']
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return set(usual_names.without_unit(parted).split("_"))
