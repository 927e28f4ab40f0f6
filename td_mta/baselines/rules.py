"""Attribution by rule. A rule gives every touch of a path a share; a path's shares sum to 1.

Conversions without a touch belong to no channel: they are the caller's baseline.
"""

from collections.abc import Callable

import numpy as np

from td_mta.journeys.paths import Paths
from td_mta.journeys.touchpoints import Floats

Rule = Callable[[Paths], Floats]


def last_touch(paths: Paths) -> Floats:
    """All to the last touch; one share per touch, shape `(touches,)`.

    >>> last_touch(Paths(np.array([4, 2, 7]), np.array([0, 2, 3]), np.ones(2))).tolist()
    [0.0, 1.0, 1.0]
    """
    shares = np.zeros(len(paths.channel))
    shares[paths.offsets[1:][paths.sizes > 0] - 1] = 1
    return shares


def linear(paths: Paths) -> Floats:
    """The same to every touch, repeats included.

    >>> linear(Paths(np.array([4, 2, 7]), np.array([0, 2, 3]), np.ones(2))).tolist()
    [0.5, 0.5, 1.0]
    """
    sizes = paths.sizes
    return np.repeat(1 / np.maximum(sizes, 1), sizes)


METHODS: dict[str, Rule] = {"last_touch": last_touch, "linear": linear}


def credit(rule: Rule, paths: Paths, channels: int) -> Floats:
    """Conversions and value, shape `(2, channels + 1)`; the last column is the baseline."""
    owner = np.repeat(np.arange(len(paths.value)), paths.sizes)
    shares = rule(paths)
    out = np.zeros((2, channels + 1))
    out[0, :channels] = np.bincount(paths.channel, shares, minlength=channels)
    out[1, :channels] = np.bincount(paths.channel, shares * paths.value[owner], minlength=channels)
    untouched = paths.sizes == 0
    out[:, channels] = untouched.sum(), paths.value[untouched].sum()
    return out
