"""`python -m benchmarks.methods [--paths N]`: seconds of every rule and Markov order, by path.

The paths are random: four touches on average, of eight channels, a tenth of them ending in a
conversion; each is one journey. The fastest of three calls counts, since the first one also
allocates memory.

Expect 15 seconds and 0.5 GiB with the defaults.
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
SETTINGS = RuleSettings(direct=(0,))


def main() -> None:
    """Print a line per method."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.methods", description=__doc__)
    parser.add_argument("--paths", type=int, default=1_000_000)
    n = parser.parse_args().paths
    paths = _random_paths(n, np.random.default_rng(18))
    print(f"{n:,} paths, {len(paths.channel):,} touches, {CHANNELS} channels")
    methods = {name: method for name, method in METHODS.items() if name != "markov"}
    for order in range(1, markov.MAX_ORDER + 1):
        methods[f"markov order {order}"] = partial(markov_chain, order=order)
    for name, method in methods.items():
        seconds, core_seconds = min(_timed(method, paths) for _ in range(3))
        title = name.replace("_", " ")
        print(f"{title}: {seconds:.2f} s, {core_seconds:.2f} s of a core", flush=True)


def _random_paths(n: int, rng: np.random.Generator) -> Paths:
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
    """Seconds by the clock, and of a core."""
    started, computing = time.monotonic(), time.process_time()
    method(paths, CHANNELS, SETTINGS)
    return time.monotonic() - started, time.process_time() - computing


if __name__ == "__main__":
    main()
