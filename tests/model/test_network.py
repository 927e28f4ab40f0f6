"""The network beside its sum of weights."""

import numpy as np

from td_mta.journeys.patterns import Grid
from td_mta.model.network import Calibration, Predictor, add_linear, build


def test_an_untrained_network_says_what_the_weights_say() -> None:
    network = build(Grid(2, 3), width=4, dropout=0.5)
    add_linear(network, np.array([[0.5, -1.0, 0.25], [2.0, 0.0, -4.0]]), -3.0)
    predictor = Predictor(network, Calibration(prior=1.0))
    cells = np.zeros((3, 2, 3), np.float32)
    cells[1, 0, 1] = 1  # day 0, the second channel
    cells[2, :, 0] = 1  # both days, the first
    np.testing.assert_allclose(predictor.log_odds(cells), [-2.0, -3.0, 0.5], atol=1e-6)
