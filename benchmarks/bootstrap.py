"""`python -m benchmarks.bootstrap [--rows N] [--draws N]`: bootstrap samples of users, per second.

The table of `benchmarks.make_touchpoints` is read and extracted as in a run; what is timed is the
credit of every bootstrap sample of its converting users. The credit per conversion is random, since
a trained model would not change the cost.

Expect two minutes and 1.5 GiB with the defaults, of which the bootstrap takes 3 seconds.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.make_touchpoints import write_in_subprocess
from td_mta.config import attribution as configuration
from td_mta.dataset.build import extract, folders_of
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.shapley import bootstrap
from td_mta.warehouse.local import LocalWarehouse


def main() -> None:
    """Print the number of distinct user profiles and the seconds that the samples took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bootstrap", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--draws", type=int, default=1000, help="bootstrap samples")
    options = parser.parse_args()
    profiles = _converter_profiles(options.rows, options.channels)
    rng = np.random.default_rng(18)
    credit = rng.random((len(profiles.units), options.channels + 1))
    started, computing = time.monotonic(), time.process_time()
    bootstrap.resampled_credit(profiles, credit, options.draws, rng)
    seconds = time.monotonic() - started
    core_seconds = time.process_time() - computing
    print(
        f"{profiles.users.sum()} converting users of {len(profiles.users)} profiles, "
        f"{len(profiles.units)} patterns; {options.draws} draws in {seconds:.1f} s "
        f"({core_seconds:.1f} s of processor time)"
    )


def _converter_profiles(rows: int, channels: int) -> bootstrap.ConverterProfiles:
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        data = Path(folder)
        write_in_subprocess(data / "mta_user_rnd.parquet", rows=rows, channels=channels)
        config = configuration.from_params({}, "bootstrap", out=data / "out")
        spill = data / "spill"
        spill.mkdir()
        touchpoints = TouchpointTable(
            TableSettings.of(config), LocalWarehouse(data, data / "out", now=0), spill
        )
        return extract(touchpoints, config, folders_of(config)).converter_profiles


if __name__ == "__main__":
    main()
