"""What the app's simulation takes, and the clicks after it.

A worker process simulates and keeps the users as a click on the page makes it do; then every page's
view is computed, and computed again, in a process that loads what was kept.

python -m benchmarks.app
python -m benchmarks.app --users 10000000
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from td_mta.dashboard.data import jobs, plans, source, spend
from td_mta.dashboard.data.source import Source
from td_mta.dashboard.screens import attribution, decide, journeys, over_time, quality
from td_mta.dashboard.screens.choices import Chosen
from td_mta.dashboard.screens.costs_editor import Costs

PATIENCE = 3_600  # seconds


def main() -> None:
    """Print seconds and memory of the simulation, and seconds of each page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--world", default=plans.CLASSIC)
    parser.add_argument("--touches", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        os.environ[jobs.FOLDER] = folder
        table = plans.default_channels()
        job = plans.job_of(options.world, options.users, options.touches, 18, table, 30)
        started = time.monotonic()
        kept = jobs.workspace() / jobs.start(job)
        ended = jobs.wait(kept, PATIENCE)
        seconds = time.monotonic() - started
        time.sleep(2)  # until the worker has ended, and counts as one that has
        jobs.state(kept)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        core = used.ru_utime + used.ru_stime
        print(
            f"{options.users:,} users: {ended.status} in {seconds:.1f} s, "
            f"{core:.1f} s of one core, {used.ru_maxrss / 2**20:.1f} GiB"
        )
        _pages(kept)
    app = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"the app's own memory: {app:.1f} GiB")


def _pages(kept: Path) -> None:
    of_world, loading = _timed(lambda: source.of_folder(kept, False))
    print(f"{'loading':<20} {loading}")
    for name, view in _views(of_world):
        print(f"{name:<20} {_timed(view)[1]}, again {_timed(view)[1]}")


def _views(of_world: Source) -> Iterator[tuple[str, Callable[[], object]]]:
    costs = Costs(
        spend.table_of(of_world.channels, of_world.facts["touches"], of_world.facts["costs"]), "CPC"
    )
    models = ["first_touch", "last_touch", "linear", "markov"]
    now = {str(k): float(v) for k, v in spend.spend_of(costs.table, costs.by).items()}

    def shown(days: int | None, order: int | None) -> object:
        chosen = Chosen(models, of_world.models(days, order), days, order)
        return attribution.view(of_world, chosen, costs)

    yield "attribution", lambda: shown(None, None)
    for days in (3, 7, 14):
        yield f"lookback {days} days", partial(shown, days, None)
    yield "Markov order 1", lambda: shown(None, 1)
    yield "over time", lambda: over_time.view(of_world)
    yield "journeys", lambda: journeys.view(of_world)
    yield "search", lambda: journeys.view(of_world, "email > affiliate")
    yield "decide", lambda: decide.view(of_world, "linear", costs, now, now, 0.5)
    yield "quality", lambda: quality.view(of_world)


def _timed(work: Callable[[], object]) -> tuple[Source, str]:
    """What the work gives, and its seconds on the clock and of all cores."""
    started, before = time.monotonic(), time.process_time()
    made = work()
    clock, cores = time.monotonic() - started, time.process_time() - before
    return made, f"{clock:5.2f} s ({cores:.2f} of the cores)"  # type: ignore[return-value]


if __name__ == "__main__":
    main()
