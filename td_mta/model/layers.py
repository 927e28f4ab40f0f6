"""The Keras side of the model: the networks beside the linear sum, and both as one Keras model.

Cells are given in the order in which days passed, oldest first. Layers keep the defaults that the
fused GPU kernel needs, and are plain ones of Keras, so that a saved model loads without our code.
"""

import os
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Floats
from td_mta.model.terms import Terms, constant

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read when TensorFlow is imported

import keras
import tensorflow as tf

BLOCK = 8192  # sets scored at a time: one shape, so the graph is traced once
MLP_WIDTH = 64
# First weights of the LSTM's inputs. With Keras's own the states are next to linear in touches,
# which the sum has learned already: hundreds of steps pass before there is a gradient to follow.
TOUCH_SCALE = 3.0  # standard deviation, for touches
STATE_SCALE = 16.0  # times the variance of Keras's own, for states


def lstm(grid: Grid, *, width: int, dropout: float) -> keras.Model:
    """Two bidirectional LSTM layers over the days, `(n, days, channels)` to log-odds `(n, 1)`.

    They are added to a linear sum and are zero at first, so they are left with what no such sum can
    express (Wide & Deep, Cheng et al. 2016).
    """
    cells = keras.Input((grid.days, grid.channels))
    touches = keras.initializers.RandomNormal(stddev=TOUCH_SCALE)
    states = keras.initializers.VarianceScaling(STATE_SCALE)
    first = keras.layers.LSTM(width, return_sequences=True, kernel_initializer=touches)
    x = keras.layers.Bidirectional(first)(cells)
    x = keras.layers.Dropout(dropout)(x)
    second = keras.layers.LSTM(width, kernel_initializer=states)
    x = keras.layers.Bidirectional(second)(x)
    x = keras.layers.Dropout(dropout)(x)
    return keras.Model(cells, _zero_at_first(x))


def mlp(grid: Grid, *, dropout: float) -> keras.Model:
    """Two layers on the cells side by side; shapes and role as `lstm`."""
    cells = keras.Input((grid.days, grid.channels))
    x = keras.layers.Flatten()(cells)
    for _ in range(2):
        x = keras.layers.Dense(MLP_WIDTH, activation="relu")(x)
        x = keras.layers.Dropout(dropout)(x)
    return keras.Model(cells, _zero_at_first(x))


def whole(terms: Terms, weights: Floats, network: keras.Model | None) -> keras.Model:
    """The linear sum and the network as one model, cells to log-odds `(n, 1)`.

    z'Qz takes z, the items but the constant. An item "any touch" is 1 - relu(1 - touches).
    """
    grid, q = terms.grid, terms.quadratic(weights)[:-1, :-1]
    cells = keras.Input((grid.days, grid.channels))
    flat = keras.layers.Flatten()(cells)
    member = _members(grid)
    untouched = _fixed(-member, 1.0, "untouched", activation="relu")(flat)
    touched = _fixed(-np.eye(member.shape[1]), 1.0, "touched")(untouched)
    z = keras.layers.Concatenate(name="items")([flat, touched])
    order = np.concatenate([_passed(grid), np.arange(grid.cells, constant(grid))])
    q = q[np.ix_(order, order)]
    intercept = float(weights[0])
    parts = [_fixed(np.diag(q)[:, None], intercept, "linear")(z)]
    products = q - np.diag(np.diag(q))
    if products.any():
        weighted = _fixed(products, 0.0, "products")(z)
        parts.append(keras.layers.Dot(axes=1, name="sum_of_products")([weighted, z]))
    if network is not None:
        parts.append(network(cells))
    return keras.Model(cells, keras.layers.Add()(parts) if len(parts) > 1 else parts[0])


def in_order(cells: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Days before the anchor day, 0 first, to the order in which they passed."""
    return cells[:, ::-1]


def log_odds_of(network: keras.Model) -> Callable[[npt.NDArray[np.float32]], Floats]:
    """What the network makes of cells `(n, days, channels)`, day 0 first: `(n,)`."""
    shape = [None, *network.input_shape[1:]]  # any number of sets
    signature = [tf.TensorSpec(shape, tf.float32)]
    graph = tf.function(lambda x: network(x, training=False), input_signature=signature)

    def log_odds(cells: npt.NDArray[np.float32]) -> Floats:
        parts = [np.empty(0, np.float32)]  # concatenation needs one where there are no cells
        for first in range(0, len(cells), BLOCK):
            parts.append(graph(in_order(cells[first : first + BLOCK])).numpy()[:, 0])
        return np.concatenate(parts).astype(np.float64)

    return log_odds


def _zero_at_first(x: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")(x)


def _fixed(kernel: Floats, bias: float, name: str, activation: str | None = None) -> keras.Layer:
    """A layer with given weights, the same bias for each output."""
    inputs, outputs = kernel.shape
    layer = keras.layers.Dense(outputs, activation=activation, name=name, trainable=False)
    layer.build((None, inputs))
    layer.set_weights([kernel, np.full(outputs, bias)])
    return layer


def _passed(grid: Grid) -> npt.NDArray[np.int64]:
    """The cells in the order in which days passed, `(cells,)`."""
    return np.arange(grid.cells).reshape(grid)[::-1].ravel()


def _members(grid: Grid) -> Floats:
    """Which cells, in that order, make up channels, then days, `(cells, channels + days)`."""
    day, channel = np.divmod(_passed(grid), grid.channels)
    return np.concatenate([np.eye(grid.channels)[channel], np.eye(grid.days)[day]], axis=1)
