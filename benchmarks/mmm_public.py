"""`python -m benchmarks.mmm_public [--data DIR]`: media mix on the example data of other packages.

The files are fetched by pip from robynpy (MIT) and the sources of pymc-marketing (Apache 2.0) into
DIR, or a folder that is removed, and are no part of this project. Each is read as it stands, by its
own column names. Two hold what sales would have been without a channel, or its contribution: there
ROI stands beside the truth. Expect two minutes of one core, and pip's time.
"""

import argparse
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from td_mta.config import mmm as configuration
from td_mta.pipelines.media_mix import run
from td_mta.warehouse.local import LocalWarehouse

ROBYN, PYMC = "robynpy==0.3.6", "pymc-marketing==0.19.2"
Truth = Callable[[pd.DataFrame], Mapping[str, float]]


class Public(NamedTuple):
    """One file of a package."""

    package: str
    name: str
    settings: Mapping[str, str]
    truth: Truth | None = None  # ROI by channel


def _without(sales: pd.DataFrame) -> dict[str, float]:
    """ROI by sales with and without a channel."""
    return {
        channel: float((sales["y"] - sales[other]).sum() / sales[channel].sum())
        for channel, other in (("x1", "y01"), ("x2", "y02"))
    }


def _contributions(sales: pd.DataFrame) -> dict[str, float]:
    """ROI by the contributions in the file."""
    return {
        channel: float(sales[f"{channel}_contribution"].sum() / sales[channel].sum())
        for channel in ("x1", "x2")
    }


FILES = (
    Public(ROBYN, "dt_simulated_weekly.csv", {}),
    Public(PYMC, "mmm_roas_data.csv", {}, _without),
    Public(PYMC, "media_tvp_data.csv", {}, _contributions),
    Public(PYMC, "mmm_example.csv", {}),
    Public(PYMC, "mmm_multidimensional_example.csv", {}),
    Public(PYMC, "mock_cgp_data.csv", {"kpi_column": "target1"}),
    Public(PYMC, "case_study_data.csv", {}),
)


def main() -> None:
    """Print a line per file and channel."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mmm_public", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep or reuse the files here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.data or Path(scratch) / "data"
        for file in FILES:
            if not (folder / file.name).exists():
                _fetch(file.package, folder)
            _fit(file, folder, Path(scratch) / "out")


def _fetch(package: str, folder: Path) -> None:
    """The CSV files of a package's wheel, or of its sources where the wheel has none."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        own = ["--no-binary", "pymc-marketing"] if package == PYMC else []
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *own]
        subprocess.run([*command, "--dest", scratch, package], check=True)
        for archive in Path(scratch).iterdir():
            for name, content in _csv_files(archive).items():
                (folder / name).write_bytes(content)


def _csv_files(archive: Path) -> dict[str, bytes]:
    wanted = {file.name for file in FILES}
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            names = [name for name in wheel.namelist() if Path(name).name in wanted]
            return {Path(name).name: wheel.read(name) for name in names}
    found = {}
    with tarfile.open(archive) as sources:
        for member in sources:
            content = sources.extractfile(member) if Path(member.name).name in wanted else None
            if content is not None:
                found[Path(member.name).name] = content.read()
    return found


def _fit(file: Public, folder: Path, out: Path) -> None:
    started = time.process_time()
    table = Path(file.name).stem
    settings = {"media_table": table, "coverage_datasets": "0", **file.settings}
    warehouse = LocalWarehouse(folder, out, now=0)
    config = configuration.load(None, settings, out=out)
    channels = run.run(config, warehouse, out).channels.set_index("channel").sort_index()
    facts = pd.read_csv(out / "mmm_run_info.csv").set_index("name")["value"]
    said = ", ".join(f"{name}={value}" for name, value in file.settings.items()) or "nothing"
    quality = {
        name: float(facts[name]) for name in ("r_squared", "mape_held_out", "agreeing_starts")
    }
    print(
        f"{file.name} of {file.package}, --set {said}: R² {quality['r_squared']:.2f}, held out "
        f"MAPE {quality['mape_held_out']:.1%}, {quality['agreeing_starts']:.0%} of starts agree, "
        f"{time.process_time() - started:.0f} s"
    )
    truth = file.truth(pd.read_csv(folder / file.name)) if file.truth else {}
    for row in channels.itertuples():
        line = f"  {row.Index}: ROI {row.roi:.3g} [{row.roi_lower:.3g}, {row.roi_upper:.3g}]"
        if row.Index in truth:
            true = truth[row.Index]
            is_held = row.roi_lower <= true <= row.roi_upper
            line += f", truth {true:.3g}: {row.roi / true - 1:+.0%}, "
            line += "inside" if is_held else "outside"
        print(f"{line}, {row.flag}", flush=True)


if __name__ == "__main__":
    main()
