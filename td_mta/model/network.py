"""The conversion model: two bidirectional LSTM layers over the days of a window, oldest day first,
and beside them a weight for each cell.

`Predictor` is what the rest sees: sets of cells in, calibrated probabilities out, in float64 after
the network. Layers keep the defaults that the fused GPU kernel needs.
"""

import copy
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from td_mta.atomic_files import replacing
from td_mta.errors import DataError
from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Floats

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read when TensorFlow is imported

import keras
import tensorflow as tf

BLOCK = 8192  # sets scored at a time: one shape, so the graph is traced once
LINEAR = "linear"
NETWORK, CALIBRATION = "model.keras", "calibration.json"


def build(grid: Grid, *, width: int, dropout: float) -> keras.Model:
    """The network: cells `(n, days, channels)`, day 0 last, to log-odds `(n, 1)`.

    The LSTM's output is added to a sum of weights, one per cell; both are zero at first. So the
    LSTM is left with what no such sum can express (Wide & Deep, Cheng et al. 2016).
    """
    cells = keras.Input((grid.days, grid.channels))
    flat = keras.layers.Flatten()(cells)
    linear = keras.layers.Dense(1, kernel_initializer="zeros", name=LINEAR)(flat)
    x = keras.layers.Bidirectional(keras.layers.LSTM(width, return_sequences=True))(cells)
    x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.Bidirectional(keras.layers.LSTM(width))(x)
    x = keras.layers.Dropout(dropout)(x)
    interactions = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")(x)
    log_odds = keras.layers.Add()([linear, interactions])
    return keras.Model(cells, log_odds)


def add_linear(network: keras.Model, weights: Floats, intercept: float) -> None:
    """Add `weights` `(days, channels)`, day 0 first, to the network's own sum of weights."""
    layer = network.get_layer(LINEAR)
    kernel, bias = layer.get_weights()  # (days * channels, 1), (1,)
    added = weights[::-1].reshape(-1, 1)  # the oldest day is the network's first
    layer.set_weights([kernel + added, bias + intercept])


def in_order(cells: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Days before the anchor day, 0 first, to the order in which they passed."""
    return cells[:, ::-1]


@dataclass(frozen=True)
class Calibration:
    """What turns the network's log-odds into those at natural prevalence.

    `prior` undoes the balance of the classes in training, log(positives / negatives); `intercept`
    is what was left to correct.
    """

    prior: float
    intercept: float = 0.0


class Predictor:
    """The probability of a conversion for sets of cells, `(n, days, channels)`, day 0 first.

    It follows its network, whose weights training changes. A predictor `with_weights` keeps these
    instead: several share one network, and its traced graph, and still are different models.
    """

    def __init__(self, network: keras.Model, calibration: Calibration) -> None:
        self.network, self.calibration = network, calibration
        self._weights: list[Floats] | None = None
        shape = [None, *network.input_shape[1:]]  # any number of sets
        signature = [tf.TensorSpec(shape, tf.float32)]
        self._graph = tf.function(lambda x: network(x, training=False), input_signature=signature)

    def calibrated(self, calibration: Calibration) -> "Predictor":
        """The same network and weights under another calibration."""
        other = copy.copy(self)
        other.calibration = calibration
        return other

    def with_weights(self, weights: list[Floats]) -> "Predictor":
        """The same network with these weights, whatever is done to it later."""
        other = copy.copy(self)
        other._weights = weights
        return other

    def log_odds(self, cells: npt.NDArray[np.float32]) -> Floats:
        """At natural prevalence, `(n,)`."""
        self._load_weights()
        parts = [np.empty(0, np.float32)]  # concatenation needs one where there are no cells
        for first in range(0, len(cells), BLOCK):
            block = in_order(cells[first : first + BLOCK])
            parts.append(self._graph(block).numpy()[:, 0])
        raw = np.concatenate(parts).astype(np.float64)
        return raw + self.calibration.prior + self.calibration.intercept

    def __call__(self, cells: npt.NDArray[np.float32]) -> Floats:
        return 1 / (1 + np.exp(-self.log_odds(cells)))

    def save(self, folder: Path) -> None:
        """Write the network and its calibration to `folder`, which `load` reads."""
        self._load_weights()
        folder.mkdir(parents=True, exist_ok=True)
        # Keras chooses the format by the suffix, which the temporary name therefore keeps
        with replacing(folder / NETWORK, f"part-{NETWORK}") as temporary:
            self.network.save(temporary)
        text = json.dumps(asdict(self.calibration), indent=1)
        (folder / CALIBRATION).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Predictor":
        """The predictor that was saved, with the same numbers; `DataError` where none was."""
        if not (folder / NETWORK).exists():
            raise DataError(f"{folder} must hold a trained model, got no file {NETWORK}")
        network = keras.models.load_model(folder / NETWORK)
        calibration = json.loads((folder / CALIBRATION).read_text(encoding="utf-8"))
        return cls(network, Calibration(**calibration))

    def _load_weights(self) -> None:
        if self._weights is not None:
            self.network.set_weights(self._weights)
