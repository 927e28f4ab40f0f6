"""Warnings and notes of how a table's rows were read: what may be otherwise than it looks.

One function per topic; each takes what it needs and returns sentences, none where all is well.
"""

from collections.abc import Mapping

import numpy as np

from td_mta.ingest.pages import LeftOut
from td_mta.ingest.scan import Scan
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.table_facts import Most, TableFacts
from td_mta.ingest.times.reader import KINDS as TIME_KINDS
from td_mta.journeys.facts import Facts
from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Ints
from td_mta.reporting.wording import counted

FEWEST_CONVERTERS = 10  # to tell flags of journeys from conversions
SEVERAL = 1.5  # conversions per user who converts
NEARLY_NONE = 0.05
FEWEST_USERS, FEWEST_OF_A_BOT, LARGE_SHARE = 20, 20, 0.1
MANY_UNTOUCHED = 0.3  # of the users of orders
BEGINNING = 946_684_800  # of the year 2000, unix seconds
FEWEST_ROWS, NEXT_TO_NONE = 20, 0.05  # a day, and the share of it that is next to none
FEWEST_TOUCHES, OUTSIDE, HELD = 20, 0.5, 0.9


def untouched_warnings(facts: TableFacts, orders_table: str | None) -> list[str]:
    """Many users of a table of orders without any touch: perhaps the ids of another system."""
    if not orders_table or facts.untouched <= MANY_UNTOUCHED * facts.converting_users:
        return []
    return [
        f"{facts.untouched:,} of the {facts.converting_users:,} users of orders_table "
        f"{orders_table} have no touch, such as {facts.untouched_user}: their orders are the "
        "baseline's. Where they do have touches, the ids of the two tables differ "
        "(orders_user_column)."
    ]


def row_warnings(found: TableFacts, scan: Scan, settings: TableSettings, arrival: int) -> list[str]:
    """All of the sentences below that warn; `arrival` says whether the order of rows is known."""
    journeys = found.journeys
    sentences = _dropped(scan)
    if not settings.reading.flags_of_journeys:
        sentences += flag_warnings(journeys)
    sentences += duplicate_warnings(found, "order" in settings.mark_columns)
    sentences += tie_warnings(journeys, arrival, scan, settings.mark_columns.get("tie"))
    sentences += order_warnings(found)
    sentences += refund_warnings(found, scan, subtract=settings.reading.subtract_refunds)
    sentences += bot_warnings("conversions", found.most_conversions, journeys.conversions, journeys)
    sentences += bot_warnings("touches", found.most_touches, journeys.touches, journeys)
    if settings.has_value and journeys.without_value:
        sentences.append(
            f"{counted(journeys.without_value, 'conversion')} without a value in column "
            f"{(settings.orders or settings).value_column}: value 0 was used."
        )
    return sentences


def _dropped(scan: Scan) -> list[str]:
    if not scan.dropped:
        return []
    return [f"Dropped {scan.dropped:,} of {counted(scan.rows, 'row')}: user or time is missing."]


def time_warnings(scan: Scan, settings: TableSettings, now: float) -> list[str]:
    """Several units or forms of time in one column, and a last day in the future."""
    location, sentences = settings.location(settings.time_column), []
    kinds = {kind: rows for kind, rows in scan.time_kinds.items() if kind in TIME_KINDS}
    if len(kinds) > 1:
        parts = " and ".join(f"{kind} ({counted(rows, 'row')})" for kind, rows in kinds.items())
        sentences.append(
            f"The {location} holds {parts}: each value was read by itself, by its size or form."
        )
    if scan.first_time < BEGINNING and settings.time_format is None:
        first = np.datetime64(scan.first_time, "s").astype("datetime64[D]")
        sentences.append(
            f"The first row of {location} is of {first}, before the year 2000: check its unit "
            "(time_format) and stray rows, which first_day leaves out."
        )
    if scan.last_time > now + SECONDS_PER_DAY:
        last = np.datetime64(scan.last_time, "s").astype("datetime64[D]")
        sentences.append(
            f"The last row of {location} is of {last}, a day to come: check its unit (time_format) "
            "and stray rows, which last_day leaves out: every user's days count to the last day of "
            "the data."
        )
    return sentences


def edge_warnings(rows_by_day: Mapping[int, int]) -> list[str]:
    """Days at either end of the data with next to no rows, beside what most rows have around them.

    `rows_by_day` are counted by local day since 1970.
    """
    days = np.array(sorted(rows_by_day), np.int64)
    rows = np.array([rows_by_day[day] for day in days.tolist()], np.int64)
    usual = _weighted_median(rows) if len(rows) else 0
    if usual < FEWEST_ROWS:
        return []
    full = days[rows > NEXT_TO_NONE * usual]
    ends = (
        ("first", days[0], full[0] - 1, full[0]),
        ("last", full[-1] + 1, days[-1], full[-1]),
    )
    return [
        f"The {name} {counted(int(end - begin + 1), 'day')} of the data ({_date(begin)} to "
        f"{_date(end)}) hold {counted(int(rows[(days >= begin) & (days <= end)].sum()), 'row')}, "
        f"where a day has {usual:,}: stray rows? Every user's days count to the last day of the "
        f"data; set {name}_day: {_date(edge)} to leave them out."
        for name, begin, end, edge in ends
        if begin <= end
    ]


def _weighted_median(rows: Ints) -> int:
    """The rows of the day of the row in the middle, by days of few rows first."""
    ordered = np.sort(rows)
    return int(ordered[np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)])


def _date(day: int) -> np.datetime64:
    return np.datetime64(int(day), "D")


def period_notes(scan: Scan, period: tuple[str | None, str | None]) -> list[str]:
    """Rows that first_day and last_day leave out."""
    first, last = period
    left_out = [
        f"{counted(rows, 'row')} {where} {day}"
        for rows, where, day in (
            (scan.before, "before first_day", first),
            (scan.after, "after last_day", last),
        )
        if rows
    ]
    return [f"Left out {' and '.join(left_out)}."] if left_out else []


def flag_warnings(journeys: Facts) -> list[str]:
    """A conversion flag that seems to stand on every touch of a journey that converts.

    Where conversions are visits, few users convert twice, and others of their visits come first.
    """
    users, conversions = journeys.converters, journeys.conversions
    if (
        users < FEWEST_CONVERTERS
        or conversions < SEVERAL * users
        or journeys.late_converters > NEARLY_NONE * users
        or journeys.without_channel > NEARLY_NONE * conversions
    ):
        return []
    return [
        f"The {users:,} users who convert have {conversions / users:.1f} conversions each and "
        "(nearly) no touch before them: if the flag stands on every touch of a journey that "
        "converts, as in Criteo's data, set conversion_flag: journey, and conversion_id if there "
        "is such a column; else each of these rows is a conversion."
    ]


def duplicate_warnings(found: TableFacts, order_id: bool) -> list[str]:
    """Rows that count once because they are equal in what was read."""
    if not found.duplicates:
        return []
    dropped, hint = counted(found.duplicates, "row"), ""
    if found.duplicate_conversions:
        dropped += f" ({counted(found.duplicate_conversions, 'conversion')})"
        hint = "" if order_id else "; set order_id to a column that tells orders apart"
    columns = "conversion, value and order id" if order_id else "conversion and value"
    return [
        f"Dropped {dropped}: rows equal in user, time, channel, {columns} (other columns were not "
        f"read) count once{hint}."
    ]


def tie_warnings(journeys: Facts, arrival: int, scan: Scan, tie_column: str | None) -> list[str]:
    """Conversions whose first or last touch, or the order of their path, time does not tell."""
    tied = journeys.tied_conversions
    if not tied or (tie_column and len(scan.ties) > 1):
        return []
    order = {
        0: "which came first is not known, so they count in the order of their names",
        1: "they count in the order of the file",
        -1: "they count in the order of the file from its end, as it is sorted newest first",
    }[arrival]
    depend = "depends" if tied == 1 else "depend"
    no_help = f" (tie_column {tie_column} has one value in all rows)" if tie_column else ""
    return [
        f"{tied:,} of {counted(journeys.conversions, 'conversion')} {depend} on the order of "
        f"touches at equal times{no_help}: {order}; set tie_column to a column that orders them."
    ]


def order_warnings(found: TableFacts) -> list[str]:
    """Orders of several rows whose values differ."""
    orders = found.counts.orders_with_values
    if not orders:
        return []
    return [
        f"{counted(orders, 'order')} of one order id have rows of different values: an order "
        "counts once, with the value of its first row that has one; add up its rows beforehand if "
        "they are items."
    ]


def order_notes(found: TableFacts) -> list[str]:
    """Further rows of orders that count once, and orders that count with the one before them."""
    rows, repeats = found.counts.same_order, found.counts.repeats
    sentences = []
    if rows:
        of_orders = "of an order id counted with the order's first row"
        sentences.append(f"{counted(rows, 'further row')} {of_orders}.")
    if repeats:
        sentences.append(
            f"{counted(repeats, 'conversion')} soon after the user's previous one counted with "
            "it, their values added (repeat_orders_within)."
        )
    return sentences


def refund_warnings(found: TableFacts, scan: Scan, *, subtract: bool) -> list[str]:
    """Conversions of negative value, and what became of them."""
    if not scan.refunds:
        return []
    counts = found.counts
    what = f"{counted(scan.refunds, 'conversion')} of negative value ({-scan.refunded:,.2f} in all)"
    if not subtract:
        return [
            f"{what}: taken for refunds and left out; with refunds: subtract their value is taken "
            "from the user's order."
        ]
    sentence = f"{what}: taken for refunds, their value taken from the user's order"
    if counts.unmatched:
        sentence += (
            f"; {counts.unmatched:,} of them ({-counts.unmatched_value:,.2f}) left out, of users "
            "without an earlier conversion"
        )
    return [f"{sentence}."]


def bot_warnings(what: str, most: Most, total: int, journeys: Facts) -> list[str]:
    """One user with a large part of all touches or conversions."""
    few = journeys.users < FEWEST_USERS or most.number <= FEWEST_OF_A_BOT
    if few or most.number <= LARGE_SHARE * total:
        return []
    return [
        f"User {most.user} has {most.number:,} of {total:,} {what} ({most.number / total:.0%}): a "
        f"bot, or an id that many share? Set max_{what}_per_user to leave out users with more."
    ]


def limit_notes(left_out: LeftOut, settings: TableSettings) -> list[str]:
    """Users who were left out whole."""
    if not left_out.users:
        return []
    limits = {
        "touches": settings.reading.max_touches,
        "conversions": settings.reading.max_conversions,
    }
    over = " or ".join(f"{limit:,} {what}" for what, limit in limits.items() if limit is not None)
    return [
        f"Left out {counted(left_out.users, 'user')} with more than {over}, and their "
        f"{counted(left_out.rows, 'row')}."
    ]


def window_warnings(found: TableFacts, lookback_window_days: int) -> list[str]:
    """A window of the model that leaves out most of the touches before conversions."""
    by_day = found.journeys.touches_by_day
    touches = by_day.sum()
    outside = by_day[lookback_window_days:].sum()
    if touches < FEWEST_TOUCHES or outside < OUTSIDE * touches:
        return []
    days = 1 + int(np.argmax(np.cumsum(by_day) >= HELD * touches))
    return [
        f"{outside / touches:.0%} of the touches in the {found.days} days before a conversion lie "
        f"outside the model's window, lookback_window_days: {lookback_window_days}; "
        f"{days} days would hold {HELD:.0%} of them."
    ]


def window_notes(rules_window_days: int, lookback_window_days: int) -> list[str]:
    """Which window which method has."""
    if rules_window_days == lookback_window_days:
        return []
    return [
        f"The rules and the Markov chain count touches of {counted(rules_window_days, 'day')} "
        f"(rules_window_days), the model those of {counted(lookback_window_days, 'day')} "
        "(lookback_window_days)."
    ]
