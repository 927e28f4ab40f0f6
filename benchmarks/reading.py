"""`python -m benchmarks.reading [--rows N]`: CPU seconds to read a table, and to extract from it.

Reading is from a Parquet file to files of clean rows by user, extracting from there to patterns and
records; `--without-rnd` has the random number of each user computed. The table is that of
`benchmarks.make_touchpoints`; each run is a process of its own. With `--against FOLDER`, another
checkout of this repository, its code runs in turn with ours, `--times` times each.

Expect a minute with the defaults: half of it for the table.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from benchmarks import side_by_side

TABLE = "mta_user_rnd"
SETTINGS = {"examples": "touch_days", "lookback_window_days": "3"}


def main() -> None:
    """Print the least CPU seconds of each step."""
    options = _options()
    if options.child:
        _run(options.child, without_rnd=options.without_rnd)
        return
    from benchmarks.make_touchpoints import write_in_subprocess  # imports our code

    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        data = options.data or Path(folder)
        if options.data is None:
            write_in_subprocess(data / f"{TABLE}.parquet", rows=options.rows)
        arguments = ["--child", str(data), *["--without-rnd"][: options.without_rnd]]
        side_by_side.compare("benchmarks.reading", arguments, options.against, options.times)


def _run(data: Path, *, without_rnd: bool) -> None:
    side_by_side.use_code()
    from td_mta.config import attribution as configuration
    from td_mta.dataset.build import extract, folders_of
    from td_mta.ingest.pages import TouchpointTable
    from td_mta.ingest.settings import TableSettings
    from td_mta.warehouse.local import LocalWarehouse

    settings = SETTINGS | ({"user_rnd_column": "none_of_them"} if without_rnd else {})
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        out, spill = Path(folder) / "out", Path(folder) / "spill"
        spill.mkdir()
        config = configuration.from_params(settings, "benchmark", out=out)
        warehouse = LocalWarehouse(data, out, now=0)
        started = time.process_time()
        touchpoints = TouchpointTable(TableSettings.of(config), warehouse, spill)
        read = time.process_time()
        extract(touchpoints, config, folders_of(config))
        extracted = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # GiB
    side_by_side.report(read=read - started, extract=extracted - read, gib=peak)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--data", type=Path, help=f"a folder that has {TABLE}.parquet already")
    parser.add_argument("--without-rnd", action="store_true")
    side_by_side.add_options(parser)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
