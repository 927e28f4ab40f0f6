"""How the credit would change without each control: what it is that the control takes.

A better predictor fits a confounder better, so that held-out quality says nothing of it. The
difference between the credits with and without a control does.
"""

import numpy as np

from td_mta.dataset.build import Extracted
from td_mta.journeys.touchpoints import Floats
from td_mta.model import controls_left_out
from td_mta.model.controls_left_out import LinearModel
from td_mta.pipelines.crediting import Crediting
from td_mta.shapley.shifts import Shift


def shifts(extracted: Extracted, crediting: Crediting) -> list[Shift]:
    """One for each control, in the order of the parameter; none without controls."""
    if not extracted.strata.names:
        return []
    models = controls_left_out.models(extracted.examples, extracted.strata, extracted.schema.grid)
    shares = {name: _shares(crediting, model) for name, model in models}
    with_all = shares.pop("")
    return [Shift(name, with_all, without) for name, without in shares.items()]


def _shares(crediting: Crediting, model: LinearModel) -> Floats:
    credit = crediting.credit(model.log_odds, model.offsets).credit
    conversions = np.append(credit.cells[0].sum(axis=0), credit.baseline[0])
    return conversions / conversions.sum()
