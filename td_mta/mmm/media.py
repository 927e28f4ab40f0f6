"""`MediaData`: spend, sales and controls by period, and the scales of all parameters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from td_mta.mmm.transforms import Floats


@dataclass(frozen=True, kw_only=True)
class MediaData:
    """`n` periods of `c` channels and `k` controls."""

    sales: Floats  # (n,), NaN where they are not known
    spend: Floats  # (n, c), at least 0
    channels: Sequence[str]
    controls: Floats  # (n, k), without an intercept
    control_names: Sequence[str]
    before: Floats  # spend of every period before the first one, (c,)

    @property
    def known(self) -> Floats:
        """1 where sales are known, else 0, `(n,)`."""
        return np.isfinite(self.sales).astype(np.float64)

    @property
    def usual_spend(self) -> Floats:
        """Mean spend of the periods that have some, `(c,)`."""
        spent = (self.spend > 0).sum(axis=0)
        return np.asarray(self.spend.sum(axis=0) / np.maximum(spent, 1), np.float64)

    @property
    def sales_scale(self) -> float:
        """Standard deviation of the known sales."""
        return float(np.nanstd(self.sales))

    def first(self, periods: int) -> "MediaData":
        """The data with the sales of later periods unknown, so that scales stay as they are."""
        later = np.arange(len(self.sales)) >= periods
        return MediaData(**{**vars(self), "sales": np.where(later, np.nan, self.sales)})

    def with_sales(self, sales: Floats) -> "MediaData":
        """The same periods with other sales."""
        return MediaData(**{**vars(self), "sales": sales})


def media_data(
    sales: Floats,
    spend: Floats,
    channels: Sequence[str],
    controls: Floats | None = None,
    control_names: Sequence[str] = (),
    before: Floats | None = None,
) -> MediaData:
    """Data without controls, or without spend before the first period, where none are given."""
    return MediaData(
        sales=sales,
        spend=spend,
        channels=tuple(channels),
        controls=np.zeros((len(sales), 0)) if controls is None else controls,
        control_names=tuple(control_names),
        before=np.zeros(spend.shape[1]) if before is None else before,
    )
