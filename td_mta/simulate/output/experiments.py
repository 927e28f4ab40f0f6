"""What experiments on channels would find: their true credit, with a noise that is known."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Floats
from td_mta.simulate.output.facts import Facts
from td_mta.simulate.random_streams import RandomStreams

RELATIVE_ERROR = 0.1
LEAST_ERROR = 0.001  # of all conversions, for channels that do little


class Found(NamedTuple):
    """One experiment on each of `m` channels, over all days of the record."""

    channels: Sequence[str]
    first_day: str
    last_day: str
    incremental: Floats  # conversions, (m,)
    error: Floats  # standard errors of them, (m,)


def experiments(facts: Facts, channels: Sequence[str], *, seed: int) -> Found:
    """Experiments on the channels.

    What a channel brings is its causal credit, which with an unseen intent no attribution finds.
    """
    first = np.datetime64(facts["first_day"], "D")
    credit = np.array([facts["channel_conversions"][name] for name in channels], np.float64)
    least = LEAST_ERROR * facts["conversions"]
    error = np.maximum(RELATIVE_ERROR * np.abs(credit), least)
    number = np.array([facts["channels"].index(name) for name in channels])
    noise = RandomStreams.of_seed(seed).fold_in("experiments").fold_in(number).normal()
    last = first + facts["days"] - 1
    return Found(channels, str(first), str(last), credit + error * noise, error)
