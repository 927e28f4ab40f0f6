"""The intercept of a trained model, refitted where it predicts too many or too few conversions."""

from typing import NamedTuple

import numpy as np

from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Floats
from td_mta.model.counted_patterns import CountedPatterns
from td_mta.model.network import Calibration, Predictor
from td_mta.shapley import score

TOLERANCE = 0.02  # of predicted against observed conversions
NEWTON_STEPS = 50


class Recalibrated(NamedTuple):
    """A predictor of as many conversions as were observed, up to `TOLERANCE`."""

    predictor: Predictor
    ratio: float  # predicted over observed conversions before
    refitted: bool  # whether the intercept was


def recalibrate(predictor: Predictor, train: CountedPatterns, grid: Grid) -> Recalibrated:
    """Move the intercept until as many conversions are predicted as observed, if they differ."""
    weight, observed = train.weight, train.positives.sum()
    log_probability = np.log(score(train.patterns, grid, predictor))  # (n,)
    probability = np.exp(log_probability)
    ratio = float(weight @ probability / observed)
    if abs(ratio - 1) <= TOLERANCE:
        return Recalibrated(predictor, ratio, refitted=False)
    log_odds = log_probability - np.log1p(-probability)
    intercept = _matching_shift(log_odds, weight, observed)
    calibration = Calibration(predictor.calibration.prior, intercept)
    return Recalibrated(predictor.calibrated(calibration), ratio, refitted=True)


def _matching_shift(log_odds: Floats, weight: Floats, observed: float) -> float:
    """The shift of all log-odds `(n,)` by which `observed` conversions are predicted (Newton)."""
    shift = 0.0
    for _ in range(NEWTON_STEPS):
        probability = 1 / (1 + np.exp(-log_odds - shift))
        slope = weight @ (probability * (1 - probability))
        shift += float((observed - weight @ probability) / slope)
    return shift
