"""`python -m benchmarks.bootstrap [--rows N] [--draws N]`: draws of users, the model given.

The table is that of `benchmarks.make_touchpoints`, read and extracted as in a run; what one
conversion gives is made up, since a model would not change the cost.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from td_mta.config import attribution as configuration
from td_mta.dataset.build import extract, folders_of
from td_mta.ingest.pages import Intake
from td_mta.shapley import bootstrap
from td_mta.warehouse.local import LocalWarehouse


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bootstrap", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--draws", type=int, default=1000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        data = Path(folder)
        made = [sys.executable, "-m", "benchmarks.make_touchpoints"]
        made += ["--out", str(data / "mta_user_rnd.parquet"), "--rows", str(chosen.rows)]
        made += ["--users", str(chosen.rows * 14 // 100), "--channels", str(chosen.channels)]
        subprocess.run(made, check=True)
        config = configuration.from_params({}, "bootstrap", out=data / "out")
        (data / "spill").mkdir()
        intake = Intake(config, LocalWarehouse(data, data / "out", now=0), data / "spill")
        found = extract(intake, config, folders_of(config)).converter_profiles
    rng = np.random.default_rng(18)
    credit = rng.random((len(found.patterns.keys), chosen.channels + 1))
    started, computed = time.monotonic(), time.process_time()
    bootstrap.resampled_credit(found, credit, chosen.draws, rng)
    seconds, computed = time.monotonic() - started, time.process_time() - computed
    print(
        f"{found.users.sum()} converting users of {len(found.users)} profiles, "
        f"{len(found.patterns.keys)} patterns; {chosen.draws} draws in {seconds:.1f} s "
        f"({computed:.1f} s of processor time)"
    )


if __name__ == "__main__":
    main()
