"""Tables full of ties, gaps and repeats, and the ways in which their rows can be read."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from td_mta.journeys.touchpoints import SECONDS_PER_DAY

CHANNELS = ["Direct", "Email", "Search", "  Social ", "", None]


def touchpoints(seed: int, rows: int = 800, users: int = 60) -> pd.DataFrame:
    """Few distinct times, so that touches and conversions tie; rows come in no order."""
    rng = np.random.default_rng(seed)
    conversion = (rng.random(rows) < 0.25).astype(int)
    value = np.where(conversion & (rng.random(rows) < 0.8), rng.integers(1, 40, rows) / 4, np.nan)
    return pd.DataFrame(
        {
            "canonical_id": [f"u{user}" for user in rng.integers(users, size=rows)],
            "time": 1_772_000_000 + rng.integers(60, size=rows) * (SECONDS_PER_DAY // 5),
            "channels": rng.choice(np.array(CHANNELS, object), rows),
            "conversion": conversion,
            "value": value,
        }
    )


def further_columns(seed: int, rows: int) -> dict[str, np.ndarray]:
    """A tie that is number or text or missing, and a few ids of orders and of conversions."""
    rng = np.random.default_rng(seed + 100)
    return {
        "hit": rng.choice(np.array(["2", "10", "9.5", "b", "a", None], object), rows),
        "order": rng.choice(np.array(["o1", "O1", "o2", "NA", "", None], object), rows),
        "leads_to": rng.choice(np.array(["-1", "c1", "c2", None], object), rows),
    }


# Values of parameters on which it depends what rows mean. Names and values are joined by "+".
READINGS: dict[str, list[str]] = {
    "conversion_row_is_touch": ["true", "false"],
    "conversion_flag+conversion_id": ["row+none", "journey+none", "journey+leads_to"],
    "order_id": ["none", "order"],
    "refunds": ["leave_out", "subtract"],
    "repeat_orders_within": ["none", "300", "10h"],
    "max_touches_per_user": ["none", "15"],
    "max_conversions_per_user": ["none", "6"],
    "tie_column": ["none", "hit"],
    "first_day": ["none", "2026-02-26"],
    "last_day": ["none", "2026-03-12"],
    "day_timezone": ["UTC", "America/New_York"],
    "channel_letter_case": ["keep", "join"],
    "null_words": ["none", "u3, search, NA"],
    "history_days": ["none", "4"],
    "direct_channel": ["Direct", "email, Social"],
    "position_first+position_last": ["0.4+0.4", "0.15+0.35"],
    "rules_window_days": ["2", "30"],
}


def parameters(chosen: Mapping[str, str]) -> dict[str, str]:
    """Values by the names of parameters; where names are joined by "+", values are."""
    return {
        name: value
        for names, values in chosen.items()
        for name, value in zip(names.split("+"), values.split("+"), strict=True)
    }
