"""Which form predicts periods that it has not seen: hold-out with a rolling origin."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from td_mta.mmm.fit import fit
from td_mta.mmm.media import MediaData
from td_mta.mmm.model import Form, Model, Priors
from td_mta.mmm.transforms import Floats

FORMS = (
    Form("geometric", "hill"),
    Form("geometric", "logistic"),
    Form("delayed", "hill"),
    Form("delayed", "logistic"),
)
CUTS = 3
STARTS = 1  # from the prior's mean, where almost all starts end
LEAST_TRAINING = 0.6  # of the periods


class Held(NamedTuple):
    """How a form did on periods after those that it was fitted on."""

    rmse: float
    mape: float  # mean of |error| / sales, over sales above 0


def compare(
    data: MediaData, priors: Priors, rng: np.random.Generator, forms: Sequence[Form] = FORMS
) -> Mapping[Form, Held]:
    """Each form fitted before each of a few cuts, judged on the periods until the next one.

    The spend of the judged periods is known, their sales are not. Cuts are the same for all.
    """
    found = {}
    for form in forms:
        errors = [
            _errors(data, form, priors, start, end, rng) for start, end in cuts(len(data.sales))
        ]
        together = np.concatenate([error for error, _ in errors])
        sales = np.concatenate([sold for _, sold in errors])
        sold = sales > 0
        mape = np.abs(together[sold] / sales[sold]).mean() if sold.any() else np.nan
        rmse = np.sqrt((together**2).mean()) if len(together) else np.nan
        found[form] = Held(float(rmse), float(mape))
    return found


def cuts(periods: int) -> list[tuple[int, int]]:
    """First judged period and the end of those judged, for each cut.

    >>> cuts(100)
    [(60, 73), (73, 87), (87, 100)]
    """
    edges = np.linspace(LEAST_TRAINING * periods, periods, CUTS + 1).round().astype(int).tolist()
    return list(itertools.pairwise(edges))


def best(found: Mapping[Form, Held]) -> Form:
    """The first form whose error is within 2 % of the least: a simpler one stands before others."""
    least = min(held.rmse for held in found.values())
    return next((form for form, held in found.items() if held.rmse <= 1.02 * least), FORMS[0])


def _errors(
    data: MediaData, form: Form, priors: Priors, start: int, end: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Errors and sales of the judged periods."""
    fitted = fit(Model(data=data.first(start), form=form, priors=priors), rng, starts=STARTS)
    sales = data.sales[start:end]
    known = np.isfinite(sales)
    return (fitted.fitted[start:end] - sales)[known], sales[known]
