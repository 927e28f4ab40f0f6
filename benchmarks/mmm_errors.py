"""How far answers are from the truth of simulated worlds, in words."""

import numpy as np

from td_mta.mmm.transforms import Floats

BUDGET = 33_000.0  # per week


def rms(errors: list[Floats]) -> str:
    """Root mean squares over data sets, in words."""
    return halves(np.sqrt(np.mean(np.square(errors), axis=0)), ".1%")


def halves(values: Floats, form: str) -> str:
    """Values of contributions then of marginal ROIs, `(2 c,)`, in words."""
    half = len(values) // 2
    texts = [" / ".join(format(value, form) for value in part) for part in np.split(values, [half])]
    return f"contribution {texts[0]}, marginal ROI {texts[1]}"
