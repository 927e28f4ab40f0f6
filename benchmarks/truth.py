"""`python -m benchmarks.truth [--moment day_end|any_time]`: credit beside that of a known world.

The world has 4.5 million user-days; the run has the defaults of `config/params.yml` but for the
window and `conversion_row_is_touch`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("--moment", choices=("day_end", "any_time"), default="day_end")
    parser.add_argument("--users", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=18, help="of the world")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        data = Path(folder)
        world = ["--world", "hazard", "--moment", chosen.moment, "--users", str(chosen.users)]
        world += ["--seed", str(chosen.seed)]
        _python("td_mta.simulate", "--out", folder, *world)
        started = time.monotonic()
        settings = ["--set", "lookback_window_days=5", "--set", "conversion_row_is_touch=false"]
        _python("td_mta.main", "--data", folder, "--out", str(data / "out"), *settings)
        seconds = time.monotonic() - started
        truth = json.loads((data / "truth.json").read_text(encoding="utf-8"))
        shares = pd.read_csv(data / "out" / "shapley_channel.csv").iloc[0]
        detail = pd.read_csv(data / "out" / "shapley_detail.csv")
    wanted = pd.Series(truth["channel_share"])
    print(pd.DataFrame({"truth": wanted, "found": shares}).round(4).to_string())
    error = (shares - wanted).abs().mean()
    baseline = detail["share"].iloc[-1] - truth["baseline_share"]
    print(f"{chosen.moment}: mean absolute error of channel shares {error:.4f}")
    print(f"baseline share off by {baseline:+.4f}; the run took {seconds:.0f} s")


def _python(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    main()
