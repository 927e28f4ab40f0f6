"""Warnings and notes on the table of costs: what of it does not match the touchpoints."""

from td_mta.ingest.beside.costs import ChannelCosts, describe
from td_mta.ingest.beside.tables import date
from td_mta.reporting.wording import listed

MOST_NAMED = 20  # channels
FEW_DAYS = 0.05  # of the touchpoints' days: those without costs before the first and after the last


def warnings(costs: ChannelCosts) -> list[str]:
    """Sentences on channels, days and amounts; none where all costs could be used as they are."""
    table = f"spend_table {costs.table}"
    if costs.days is None:
        return [f"{table} has no rows: the report has no costs."]
    return [*_channels(costs, table), *_days(costs, costs.days, table), *_amounts(costs, table)]


def notes(costs: ChannelCosts) -> list[str]:
    """Which columns were read, and channels whose names were joined to the touchpoints'."""
    sentences = [f"Costs of table {costs.table}: {describe(costs.columns)}."]
    if costs.joined:
        pairs = listed(
            [f"{name} to {channel}" for name, channel in costs.joined.items()], MOST_NAMED
        )
        sentences.append(
            "Costs were joined to the channels whose names differ by letter case, blanks, - or _ "
            f"alone: {pairs}."
        )
    return sentences


def _channels(costs: ChannelCosts, table: str) -> list[str]:
    sentences = []
    if costs.unknown:
        named = listed(
            [f"{name} (spend {spend:,.2f})" for name, spend in costs.unknown.items()], MOST_NAMED
        )
        sentences.append(f"{table} has channels that the touchpoints lack: {named}.")
    if costs.without:
        sentences.append(
            f"Channels without costs in {table}: {listed(costs.without, MOST_NAMED)}; where they "
            "had a cost, name them there as the touchpoints do."
        )
    return sentences


def _days(costs: ChannelCosts, days: tuple[int, int], table: str) -> list[str]:
    first, last = costs.touchpoint_days
    both = (
        f"{table} has costs from {date(days[0])} to {date(days[1])}, the touchpoints are from "
        f"{date(first)} to {date(last)}"
    )
    sentences = []
    if costs.outside[0]:
        count, spend = costs.outside
        sentences.append(
            f"{both}: the spend of {count} other {'day' if count == 1 else 'days'}, {spend:,.2f}, "
            "was left out."
        )
    missing = max(days[0] - first, 0) + max(last - days[1], 0)
    if missing > max(1, FEW_DAYS * (last + 1 - first)):
        sentences.append(
            f"{both}: {missing} days of touchpoints have no costs, so that cost per conversion is "
            "too low."
        )
    return sentences


def _amounts(costs: ChannelCosts, table: str) -> list[str]:
    sentences = []
    if costs.incomplete[0]:
        rows, spend = costs.incomplete
        sentences.append(
            f"{table}: {rows} rows without day or channel, spend {spend:,.2f}, dropped."
        )
    if costs.negative[0]:
        rows, spend = costs.negative
        sentences.append(
            f"{table}: {rows} rows have a negative spend, {spend:,.2f} in all, which lowers the "
            "costs of their channels."
        )
    return sentences
