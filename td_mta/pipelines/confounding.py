"""How the credit would change without each control: what it is that the control takes.

A better predictor fits a confounder better, so that held-out quality says nothing of it. The
difference between the credits with and without a control does.
"""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from td_mta.dataset.extracted import Extracted
from td_mta.journeys.touchpoints import Floats
from td_mta.model import controls_left_out
from td_mta.pipelines.crediting import Crediting, Offsets
from td_mta.shapley import LogOdds
from td_mta.shapley.shifts import Shift

if TYPE_CHECKING:
    from td_mta.model.ladder import Fitted


def shifts(fitted: "Fitted", extracted: Extracted, crediting: Crediting) -> list[Shift]:
    """One for each control, in the order of the parameter; none without controls."""
    strata, logistic = extracted.strata, fitted.rungs[0]
    linear = logistic.predictor.linear
    if not strata.names or linear is None:
        return []
    log_odds, offsets = logistic.predictor.log_odds, partial(fitted.offsets_of, logistic)
    with_all = _shares(crediting, log_odds, offsets)
    parameters = np.append(linear.weights, logistic.controls)
    models = controls_left_out.models(fitted.logistic, strata, linear.terms, parameters)
    return [
        Shift(name, with_all, _shares(crediting, model.log_odds, model.offsets))
        for name, model in zip(strata.names, models, strict=True)
    ]


def _shares(crediting: Crediting, log_odds: LogOdds, offsets: Offsets) -> Floats:
    credit = crediting.credit(log_odds, offsets).credit
    conversions = np.append(credit.cells[0].sum(axis=0), credit.baseline[0])
    return conversions / conversions.sum()
