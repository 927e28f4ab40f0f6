"""`python -m benchmarks.methods [--paths N]`: every rule and Markov order on encoded paths.

Paths of four touches on average, drawn from eight channels, a tenth of them ending in a conversion;
each is one journey. The fastest of three calls counts: the first one also brings memory in.
"""

import argparse
import time
from functools import partial

import numpy as np

from td_mta.baselines import markov
from td_mta.baselines.methods import METHODS, Method, markov_chain
from td_mta.baselines.rules import RuleSettings
from td_mta.journeys.paths import Paths
from td_mta.journeys.runs import offsets_of
from td_mta.journeys.touchpoints import SECONDS_PER_DAY

CHANNELS = 8
SETTINGS = RuleSettings(direct=0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.methods", description=__doc__)
    parser.add_argument("--paths", type=int, default=1_000_000)
    n = parser.parse_args().paths
    rng = np.random.default_rng(18)
    paths = _paths(n, rng)
    print(f"{n:,} paths, {len(paths.channel):,} touches, {CHANNELS} channels")
    methods = {name: method for name, method in METHODS.items() if name != "markov"}
    for order in range(1, markov.MAX_ORDER + 1):
        methods[f"markov order {order}"] = partial(markov_chain, order=order)
    for name, method in methods.items():
        wall, seconds = min(_timed(method, paths) for _ in range(3))
        print(f"{name.replace('_', ' ')}: {wall:.2f} s, {seconds:.2f} s of a core", flush=True)


def _paths(n: int, rng: np.random.Generator) -> Paths:
    sizes = rng.geometric(0.25, n)
    converts = (rng.random(n) < 0.1).astype(np.float64)
    touches = int(sizes.sum())
    popularity = 1 / np.arange(2, CHANNELS + 2)
    return Paths(
        rng.choice(CHANNELS, touches, p=popularity / popularity.sum()),
        offsets_of(sizes),
        converts,
        converts * 50,
        1 - converts,
        rng.random(touches) * 14 * SECONDS_PER_DAY,
    )


def _timed(method: Method, paths: Paths) -> tuple[float, float]:
    """Seconds on the clock and of a core."""
    started, busy = time.monotonic(), time.process_time()
    method(paths, CHANNELS, SETTINGS)
    return time.monotonic() - started, time.process_time() - busy


if __name__ == "__main__":
    main()
