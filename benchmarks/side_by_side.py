"""What a benchmark needs to compare this code with that of another checkout, run in turn.

The benchmark's own file runs with both; it imports the code that it measures only then.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKOUT = "TD_MTA_BENCH_CHECKOUT"  # environment variable of a run: whose code it measures


def add_options(parser: argparse.ArgumentParser) -> None:
    """Those of `compare`."""
    parser.add_argument("--against", type=Path, help="another checkout, to run in turn with this")
    parser.add_argument("--times", type=int, default=1, help="runs of each")


def compare(module: str, arguments: Sequence[str], against: Path | None, times: int) -> None:
    """Run a module so often with the code of each checkout; print the least of each number.

    The module calls `use_code` before it imports what it measures, and `report` at its end.
    """
    checkouts = [ROOT, against.resolve()] if against else [ROOT]
    least: dict[Path, dict[str, float]] = {checkout: {} for checkout in checkouts}
    for _ in range(times):
        for checkout in checkouts:
            for name, number in _reported(module, arguments, checkout).items():
                least[checkout][name] = min(number, least[checkout].get(name, number))
    for checkout, numbers in least.items():
        print(checkout, *(f"{name} {number:.2f}" for name, number in numbers.items()), sep="  ")
    if against:
        ours, theirs = least.values()
        ratios = (f"{name} {ours[name] / theirs[name]:.3f}" for name in ours)
        print("ratio", *ratios, sep="  ", flush=True)


def use_code() -> Path:
    """Import `td_mta` from the checkout whose turn it is; its folder."""
    checkout = os.environ[CHECKOUT]
    sys.path.insert(0, checkout)
    return Path(checkout)


def report(**numbers: float) -> None:
    """Hand the numbers of one run to `compare`."""
    print(json.dumps(numbers))


def _reported(module: str, arguments: Sequence[str], checkout: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, CHECKOUT: str(checkout)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    numbers: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return numbers
