"""Warnings and notes about the names of channels: which are one, which are direct, their columns.

Each function returns sentences, none where there is nothing to say.
"""

from collections.abc import Mapping, Sequence

from td_mta.baselines import direct

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
