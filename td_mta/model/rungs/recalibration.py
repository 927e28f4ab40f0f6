"""The intercept is refitted where too many or too few conversions are predicted."""

from scipy.special import expit

from td_mta.journeys.touchpoints import Floats

TOLERANCE = 0.02  # of predicted against observed conversions
NEWTON_STEPS = 50


def recalibration(log_odds: Floats, weight: Floats, observed: float) -> tuple[float, float]:
    """The shift of all log-odds by which as many conversions are predicted as observed.

    0 where they differ by up to `TOLERANCE`. And predicted over observed conversions before.
    """
    ratio = float(weight @ expit(log_odds)) / observed
    if abs(ratio - 1) <= TOLERANCE:
        return 0.0, ratio
    shift = 0.0
    for _ in range(NEWTON_STEPS):
        probability = expit(log_odds + shift)
        slope = weight @ (probability * (1 - probability))
        shift += float((observed - weight @ probability) / slope)
    return shift, ratio
