"""Tables full of ties, gaps and repeats, and the ways in which their rows can be read."""

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


# Each a way in which rows mean something else.
READINGS: dict[str, dict[str, str]] = {
    "as they are": {},
    "some days": {
        "first_day": "2026-02-26",
        "last_day": "2026-03-02",
        "day_timezone": "Asia/Tokyo",
    },
    "ties": {"tie_column": "hit"},
    "orders": {"order_id": "order"},
    "journeys": {"conversion_flag": "journey"},
    "conversions": {"conversion_flag": "journey", "conversion_id": "leads_to"},
    "refunds": {"refunds": "subtract"},
    "limits": {"max_touches_per_user": "9", "max_conversions_per_user": "4"},
    "history": {"history_days": "5"},
    "no history": {"history_days": "0"},
    "touch days": {"examples": "touch_days"},
    "a long window": {"lookback_window_days": "5"},
    "a window of all days": {"lookback_window_days": "7"},
    "repeats": {"repeat_orders_within": "1d"},
    "repeats in minutes": {"repeat_orders_within": "300"},
    "repeats and refunds": {
        "repeat_orders_within": "10h",
        "refunds": "subtract",
        "max_conversions_per_user": "3",
    },
    "orders and refunds": {"order_id": "order", "refunds": "subtract", "tie_column": "hit"},
    "all": {
        "tie_column": "hit",
        "order_id": "order",
        "conversion_flag": "journey",
        "conversion_id": "leads_to",
        "refunds": "subtract",
        "repeat_orders_within": "6h",
        "max_touches_per_user": "9",
    },
}
