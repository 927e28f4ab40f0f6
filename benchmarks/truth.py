"""`python -m benchmarks.truth [--world NAME] [--moment day_end|any_time]`: credit beside the truth.

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
    parser.add_argument("--world", default="hazard", help="a name in td_mta/simulate/worlds.py")
    parser.add_argument("--moment", choices=("day_end", "any_time"), help="default: the world's")
    parser.add_argument("--users", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=18, help="of the world")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        data = Path(folder)
        world = ["--world", chosen.world, "--users", str(chosen.users), "--seed", str(chosen.seed)]
        world += ["--moment", chosen.moment] if chosen.moment else []
        _python("td_mta.simulate", "--out", folder, *world)
        truth = json.loads((data / "truth.json").read_text(encoding="utf-8"))
        settings = ["--set", f"lookback_window_days={truth['window']}"]
        settings += ["--set", "conversion_row_is_touch=false"]
        started = time.monotonic()
        _python("td_mta.main", "--data", folder, "--out", str(data / "out"), *settings)
        seconds = time.monotonic() - started
        shares = pd.read_csv(data / "out" / "shapley_channel.csv").iloc[0]
        detail = pd.read_csv(data / "out" / "shapley_detail.csv")
    wanted = pd.Series(truth["channel_share"])
    print(pd.DataFrame({"truth": wanted, "found": shares}).round(4).to_string())
    error = (shares - wanted).abs().mean()
    baseline = detail["share"].iloc[-1] - truth["baseline_share"]
    print(f"{truth['world']}, {truth['moment']}: mean absolute error of channel shares {error:.4f}")
    print(f"baseline share off by {baseline:+.4f}; the run took {seconds:.0f} s")


def _python(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    main()
