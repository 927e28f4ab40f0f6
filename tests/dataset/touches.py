"""Rows of users with several touches and conversions, some of them at one time."""

import numpy as np
import pandas as pd


def touchpoints(rows: int = 3000, users: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "canonical_id": rng.integers(0, users, rows).astype(str),
            "time": 1_700_000_000 + rng.integers(0, 20 * 86_400, rows),
            "channels": rng.choice(["Email", "Social", "Direct"], rows),
            "conversion": (rng.random(rows) < 0.1).astype(int),
            "value": np.where(rng.random(rows) < 0.8, rng.integers(1, 4000, rows) / 100, np.nan),
        }
    )
