"""Warnings and notes about names: words for missing ones, spellings, direct channels, columns.

Each function returns sentences, none where there is nothing to say.
"""

from collections.abc import Mapping, Sequence

from td_mta.baselines import direct
from td_mta.ingest.scan import Scan
from td_mta.ingest.values import spellings
from td_mta.journeys.touchpoints import Floats
from td_mta.reporting.wording import listed

MOST_NAMED = 20  # channels in one sentence


def of_columns(numbered: Mapping[str, str], shapley_table: str) -> list[str]:
    """Which channel a column stands for where it has another name: `numbered`, by column."""
    if not numbered:
        return []
    listed = ", ".join(f"{column} is {channel}" for column, channel in numbered.items())
    return [
        f"In the tables with a column for each channel ({shapley_table}, {shapley_table}_channel) "
        f"{listed}: Treasure Data could not tell columns of these names apart. All other tables "
        "have the names themselves."
    ]


def of_direct(channels: Sequence[str], parameter: str) -> list[str]:
    """Which channels `last_non_direct` passes over, unless it is the one of that very name."""
    passed = [channels[index] for index in direct.direct_channels(channels, parameter)]
    if not passed or passed == [parameter]:
        return []
    listed = ", ".join(passed)
    return [f"last_non_direct skips {listed} (direct_channel: {parameter})."]


def direct_warnings(channels: Sequence[str], parameter: str) -> list[str]:
    """Names that the user gave and no channel has."""
    missing = direct.missing_names(channels, parameter)
    if not missing:
        return []
    return [
        f"No channel is called {' or '.join(missing)}, which direct_channel names for "
        f"last_non_direct to skip; there is {', '.join(channels[:MOST_NAMED])}."
    ]


def of_null_channels(channels: Sequence[str], null: Floats) -> list[str]:
    """Which channels are more probably without effect than with one; `null` `(channels,)`."""
    named = [
        channel for channel, probability in zip(channels, null, strict=True) if probability > 0.5
    ]
    if not named:
        return []
    return [
        f"No effect was found of {listed(named, MOST_NAMED)}: their weights are drawn to 0, and "
        "with them their credit, since what many such channels have by accident adds up."
    ]


def null_word_warnings(scan: Scan) -> list[str]:
    """Users and channels that are words for a missing value, and their rows."""
    sentences = []
    if scan.null_users:
        sentences.append(
            f"Left out {_listed(scan.null_users)}: as a user that is a word for a missing value "
            "(null_words)."
        )
    if scan.null_channels:
        sentences.append(
            f"Read as no touch: {_listed(scan.null_channels)}, since that is a word for a missing "
            "value; if it is a channel, leave it out of null_words."
        )
    return sentences


def spelling_warnings(scan: Scan) -> list[str]:
    """Channels that count as several and differ by letter case, blanks, `_` and `-` alone."""
    rows = scan.rows_by_channel
    sentences = []
    groups = [] if scan.spelling else spellings.alike(rows)
    if groups:
        sentences.append(
            "Channels that differ by letter case, blanks, _ or - alone count as several: "
            f"{_listed_groups(groups, rows)}; set channel_letter_case: join to count each of these "
            "groups as one channel."
        )
    look_alike = spellings.look_alike(rows)
    if look_alike:
        sentences.append(
            "Channels that look the same, but are stored as other characters of Unicode, count as "
            f"several: {_listed_groups(look_alike, rows)}; write them alike in the table."
        )
    return sentences


def _listed_groups(groups: Sequence[Sequence[str]], rows: Mapping[str, int]) -> str:
    return "; ".join(_rows_of({name: rows[name] for name in group}) for group in groups)


def spelling_notes(scan: Scan) -> list[str]:
    """Channels that were joined."""
    if not scan.spelling:
        return []
    listed = ", ".join(f"{name} to {most}" for name, most in scan.spelling.items())
    return [f"Joined (channel_letter_case): {listed}."]


def conversion_value_warnings(scan: Scan) -> list[str]:
    """Values of the conversion column that the user named and no row has."""
    if not scan.absent_conversion_values:
        return []
    absent = " or ".join(scan.absent_conversion_values)
    return [f"No row has the value {absent}, which conversion_value_is names."]


def _listed(rows: Mapping[str, int]) -> str:
    """Words and their rows, the most frequent first.

    >>> _listed({"NA": 1, "null": 2})
    "2 rows of 'null', 1 row of 'NA'"
    """
    most = sorted(rows, key=lambda word: (-rows[word], word))[:MOST_NAMED]
    return ", ".join(f"{_rows(rows[word])} of {word!r}" for word in most)


def _rows_of(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({_rows(count)})" for name, count in rows.items())


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
