"""What is said of the columns of a table: what they were taken for, or what to set."""

from collections.abc import Mapping, Sequence

from td_mta.config.attribution import Config
from td_mta.ingest.finding.sample import Column, Sample
from td_mta.ingest.finding.usual_names import CHANNEL, CONVERSION, VALUE, Role, plain
from td_mta.warehouse.names import same_column

PAGE_ADDRESSES = {"td_url", "url", "page_url", "page_location", "landing_page", "page"}
MOST_COLUMNS = 30  # listed in an error
MOST_EVENTS = 10
SAME_BY_CHANCE = 0.01  # of random ids


def described(config: Config, named: Mapping[Role, str | None], table: str, sample: Sample) -> str:
    """What each column was taken for, and how to say otherwise."""
    parts = []
    for role, column in named.items():
        name = same_column(column or "", list(sample.columns))
        if column and not name:  # two columns that are read as one
            parts.append(f"{role.name}: {column}")
        elif name:
            parts.append(f"{role.name}: {name}{_shown(role, sample.columns[name], config)}")
        elif role.name == VALUE.name:
            parts.append("value: none")
    others = ", ".join(role.parameter for role in named)
    return f"Columns of {table}: {', '.join(parts)}; to choose others, --set one of {others}."


def of_user_spelling(column: Column) -> list[str]:
    """That ids of users differ by nothing but letter case or leading zeros, where many do."""
    by_spelling: dict[str, str] = {}
    pairs = []
    for user in column.distinct:
        spelling = user.lstrip("0") if user.isdigit() else user.casefold()
        other = by_spelling.setdefault(spelling, user)
        if other != user:
            pairs.append((other, user))
    if len(pairs) <= SAME_BY_CHANCE * len(column.distinct):
        return []
    return [
        f"{len(pairs):,} of the first {len(column.distinct):,} users differ from another one by "
        f"letter case or leading zeros alone, such as {pairs[0][1]} from {pairs[0][0]}, and count "
        "as users of their own: if they are the same, write them alike in the table."
    ]


def undecided(table: str, role: Role, candidates: Sequence[str]) -> str:
    """That several columns could be one thing."""
    return (
        f"table {table}: {' and '.join(candidates)} could each be the {role.name}; choose "
        f"one with --set {role.parameter}={candidates[0]} or another of them"
    )


def not_found(table: str, missing: Sequence[Role], sample: Sample) -> str:
    """That columns were not found, which there are, and what else the table may be."""
    columns = list(sample.columns)
    wanted = " and ".join(f"the {role.name} ({role.parameter})" for role in missing)
    to_set = " ".join(f"--set {role.parameter}=…" for role in missing)
    more = len(columns) - MOST_COLUMNS
    listed = ", ".join(columns[:MOST_COLUMNS]) + (f" and {more} more" if more > 0 else "")
    return (
        f"table {table}: no column was found for {wanted}; it has {listed}; name it with "
        f"{to_set}{''.join(_hints(missing, sample))}"
    )


def _hints(missing: Sequence[Role], sample: Sample) -> list[str]:
    """What else the table may be, after the parameters to set."""
    hints = []
    if CONVERSION in missing:
        hints += (
            _amount_hint(sample)
            or _event_hint(sample)
            or ["; where orders are a table of their own, name it with --set orders_table=…"]
        )
    if {plain(c) for c in sample.columns} & PAGE_ADDRESSES and {CHANNEL, CONVERSION} & {*missing}:
        hints.append(
            "; if its rows are page views, their channels come from their addresses: "
            "python -m local_runner run mta.dig (docs/analyst.md)"
        )
    return hints


def _amount_hint(sample: Sample) -> list[str]:
    """What to do where only a column of amounts tells orders."""
    named = [
        column
        for name, column in sample.columns.items()
        if any(plain(name) in row for role in (CONVERSION, VALUE) for row in role.rows)
    ]
    amounts = [column.name for column in named if column.is_amount and not column.is_flag]
    if not amounts:
        return []
    return [
        f"; column {amounts[0]} holds amounts, which say no yes or no: add a column such as "
        "converted that is 1 where the row is an order and 0 elsewhere"
    ]


def _event_hint(sample: Sample) -> list[str]:
    """How to say which event converts, where a column names events."""
    events = [c for row in CONVERSION.rows for c in sample.columns if plain(c) in row]
    if not events:
        return []
    values = sorted(sample.columns[events[0]].distinct)[:MOST_EVENTS]
    return [
        f", where a value of {events[0]} converts ({', '.join(values)}) with "
        f"--set conversion_column={events[0]} --set conversion_value_is=…; where orders are a "
        "table of their own, name it with --set orders_table=…"
    ]


def _shown(role: Role, column: Column, config: Config) -> str:
    if role == CHANNEL and column.distinct:
        count = len(column.distinct)
        return f" ({count} value{'' if count == 1 else 's'})"
    if role == CONVERSION and config.conversion_value_is:
        return f" (where it is {config.conversion_value_is})"
    if role == CONVERSION and column.is_flag:
        return f" ({'/'.join(sorted(column.distinct))})"
    return ""
