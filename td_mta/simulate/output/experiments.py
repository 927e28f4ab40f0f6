"""What experiments on channels would find: their true credit, with a noise that is known."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from td_mta.simulate.output.facts import Facts
from td_mta.simulate.random_streams import RandomStreams

RELATIVE_ERROR = 0.1
LEAST_ERROR = 0.001  # of all conversions, for channels that do little


def experiments(facts: Facts, channels: Sequence[str], *, seed: int) -> pa.Table:
    """One row for each of the channels, over all days of the record.

    What a channel brings is its causal credit, which with an unseen intent no attribution finds.
    """
    first = np.datetime64(facts["first_day"], "D")
    credit = np.array([facts["channel_conversions"][name] for name in channels], np.float64)
    least = LEAST_ERROR * facts["conversions"]
    error = np.maximum(RELATIVE_ERROR * np.abs(credit), least)
    number = np.array([facts["channels"].index(name) for name in channels])
    noise = RandomStreams.of_seed(seed).fold_in("experiments").fold_in(number).normal()
    return pa.table(
        {
            "channel": list(channels),
            "first_day": [str(first)] * len(channels),
            "last_day": [str(first + facts["days"] - 1)] * len(channels),
            "incremental_conversions": credit + error * noise,
            "standard_error": error,
        }
    )
