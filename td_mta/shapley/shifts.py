"""How the credit would change were a control left out."""

from typing import NamedTuple

from td_mta.journeys.touchpoints import Floats


class Shift(NamedTuple):
    """Shares of all conversions with every control and without one of them.

    Both are by logistic regression, whatever the model is.
    """

    control: str
    with_it: Floats  # (channels + 1,), the baseline last
    without_it: Floats

    @property
    def change(self) -> Floats:
        """What leaving the control out would add to each share, `(channels + 1,)`."""
        return self.without_it - self.with_it
