"""Parameters that messages ask to set, typed as `time_format=day_first; decimal_mark=comma`."""

import re
from collections.abc import Mapping, Sequence

import streamlit as st

from td_mta.warehouse.file_options import FORMAT

OF_VALUES = ("time_format", "decimal_mark", "null_words")
OF_TOUCHES = (
    *FORMAT,
    *OF_VALUES,
    *("day_timezone", "conversion_value_is", "conversion_row_is_touch", "conversion_flag"),
    *("order_id", "tie_column", "channel_letter_case", "refunds", "first_day", "last_day"),
    *("max_touches_per_user", "max_conversions_per_user", "repeat_orders_within"),
    *("path_separator", "null_paths_column", "direct_channel"),
)
OF_MEDIA = (
    *FORMAT,
    *OF_VALUES,
    *("period", "empty_spend", "spend_before", "holidays", "channel_column", "spend_column"),
)


def field(known: Sequence[str], key: str, now: Mapping[str, str]) -> str:
    """The field, which shows those of `now`; `parsed` reads it."""
    return st.text_input(
        "Other settings",
        "; ".join(f"{name}={value}" for name, value in now.items() if name in known),
        placeholder="such as time_format=day_first; decimal_mark=comma",
        help=f"What a message asks to set, with semicolons between: {', '.join(known)}.",
        key=key,
    )


def parsed(text: str, known: Sequence[str]) -> dict[str, str]:
    """The settings by name; raises `ValueError` with a sentence for what is none of `known`.

    >>> parsed("--set time_format=day_first; null_words=x, y", OF_TOUCHES)
    {'time_format': 'day_first', 'null_words': 'x, y'}
    """
    found = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        name, is_set, value = part.removeprefix("--set ").partition("=")
        if not is_set or name.strip() not in known:
            raise ValueError(
                f"{part!r} is no setting here: write name=value, with semicolons between; the "
                f"names are {', '.join(known)}"
            )
        found[name.strip()] = re.sub("^'(.*)'$", r"\1", value.strip())
    return found
