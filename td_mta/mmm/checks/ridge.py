"""The plain regression beside the model: given adstock and saturation, ridge coefficients.

Effects are one coefficient per channel, of any sign; there are no priors but the pull to 0. It is
shown for comparison, as a simpler model may.
"""

from dataclasses import dataclass

import numpy as np

from td_mta.mmm.media import MediaData
from td_mta.mmm.transforms import Floats, Geometric, Hill


@dataclass(frozen=True, kw_only=True)
class Ridge:
    """A fitted ridge regression; its transforms are given."""

    fitted: Floats  # expected sales, (n,)
    contribution: Floats  # (c,)
    roi: Floats  # (c,)


def ridge(
    data: MediaData,
    *,
    decay: float = 0.5,
    half_at: float = 1.0,
    slope: float = 1.0,
    penalty: float = 1.0,
) -> Ridge:
    """Spend carried over by `decay`, through a Hill curve that is half at `half_at` usual spends.

    `penalty` is that of squared coefficients of columns of standard deviation 1; controls and the
    intercept have none.
    """
    curve = np.log([slope, half_at])
    unit = np.where(data.usual_spend > 0, data.usual_spend, 1.0)
    logit = np.array([np.log(decay / (1 - decay)) if decay > 0 else -40.0])
    media = np.stack(
        [
            Hill().value(Geometric().carried(data.spend[:, c] / unit[c], logit), curve)
            for c in range(data.spend.shape[1])
        ],
        axis=1,
    )
    spread = media.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    known = np.isfinite(data.sales)
    columns = np.hstack([media / spread, data.controls, np.ones((len(media), 1))])
    penalties = np.zeros(columns.shape[1])
    penalties[: len(unit)] = penalty
    gram = columns[known].T @ columns[known] + np.diag(penalties)
    b = np.linalg.lstsq(gram, columns[known].T @ data.sales[known], rcond=None)[0]
    contribution = b[: len(unit)] * (media / spread).sum(axis=0)
    spend = np.where(data.spend.sum(axis=0) > 0, data.spend.sum(axis=0), np.nan)
    return Ridge(fitted=columns @ b, contribution=contribution, roi=contribution / spend)
