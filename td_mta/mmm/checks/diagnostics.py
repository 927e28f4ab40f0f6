"""What a fit leaves over: usual figures of quality, none of which says that effects are right."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from td_mta.mmm.transforms import Floats

MOST_FOR_SHAPIRO = 5000


class Diagnostics(NamedTuple):
    """Of sales and fitted sales."""

    r_squared: float
    mape: float  # mean of |error| / sales, over sales above 0
    durbin_watson: float  # 2 without autocorrelation, below with positive one
    shapiro_w: float
    shapiro_p: float  # of errors that are normal


def diagnostics(sales: Floats, fitted: Floats) -> Diagnostics:
    """Over the periods whose sales are known.

    >>> diagnostics(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 3, 3])).r_squared
    0.8
    """
    known = np.isfinite(sales)
    sold, errors = sales[known], (sales - fitted)[known]
    total = ((sold - sold.mean()) ** 2).sum()
    above = sold > 0
    left = (errors**2).sum()
    w, p = stats.shapiro(errors[:MOST_FOR_SHAPIRO])
    return Diagnostics(
        float(1 - left / total) if total else np.nan,
        float(np.abs(errors[above] / sold[above]).mean()) if above.any() else np.nan,
        float((np.diff(errors) ** 2).sum() / left) if left else np.nan,
        float(w),
        float(p),
    )


def normal_quantiles(errors: Floats) -> tuple[Floats, Floats]:
    """Normal quantiles and the ordered errors in units of their standard deviation."""
    ordered = np.sort(errors[np.isfinite(errors)])
    spread = ordered.std()
    probabilities = (np.arange(len(ordered)) + 0.5) / max(len(ordered), 1)
    return stats.norm.ppf(probabilities), ordered / (spread if spread else 1.0)
