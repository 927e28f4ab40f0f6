"""The conversion model: two bidirectional LSTM layers over the days of a window, oldest day first.

`Predictor` is what the rest sees: sets of cells in, calibrated probabilities out, in float64 after
the network. Layers keep the defaults that the fused GPU kernel asks for.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Floats

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402

BLOCK = 8192  # sets scored at a time: one shape, so one compiled graph


def build(grid: Grid, *, width: int, dropout: float) -> keras.Model:
    """The network: cells `(n, days, channels)`, day 0 first, to log-odds `(n, 1)`."""
    cells = keras.Input((grid.days, grid.channels))
    x = keras.layers.Lambda(keras.ops.flip, arguments={"axis": 1})(cells)
    x = keras.layers.Bidirectional(keras.layers.LSTM(width, return_sequences=True))(x)
    x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.Bidirectional(keras.layers.LSTM(width))(x)
    x = keras.layers.Dropout(dropout)(x)
    return keras.Model(cells, keras.layers.Dense(1)(x))
