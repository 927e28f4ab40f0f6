"""`python -m benchmarks.counting [--rows N]`: a table counted by a real Trino, query by query.

The table is that of `benchmarks.make_touchpoints`; the queries are those of the workflow
(`queries/counting/`), with the defaults of `config/params.yml` and every `--set`. Tables lie on
disk; `--workers` servers share the queries, which this starts with `--heap-gb` GB each. It needs
Maven and a JDK once. MB exchanged went from one stage of a query to the next, over the network
where workers are several.

Expect two minutes on two cores for the default 2 million rows.
"""

import argparse
import re
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import requests

from benchmarks.make_touchpoints import write_in_subprocess
from td_emulator.engines import types
from td_emulator.engines.real_trino import RealTrino, TrinoEngine
from td_emulator.engines.real_trino.connection import DISK, USER, connect, connected, executed
from td_mta.config import attribution as configuration
from td_mta.config import placeholders
from td_mta.config.attribution import Config
from td_mta.dataset.count_tables import COLUMNS

DATABASE = "counting"
ROOT = Path(__file__).parents[1]


UNITS = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


class Cost(NamedTuple):
    """What a query took."""

    table: str
    wall: float  # seconds
    cpu: float  # seconds
    peak_mb: int
    exchanged_mb: float  # that went from a stage to the next
    rows: int  # of the table that it made


def main() -> None:
    """Print a line for each query, then their sums and the size of what leaves the warehouse."""
    options = _options()
    settings = dict(pair.split("=", 1) for pair in options.set)
    with (
        tempfile.TemporaryDirectory(prefix="td_mta_bench_", dir=options.disk) as name,
        RealTrino(heap_gb=options.heap_gb, workers=options.workers, disk=Path(name)) as server,
    ):
        folder = Path(name)
        config = configuration.from_params(settings, "benchmark", out=folder)
        engine = TrinoEngine(server.url, DISK)
        engine.create_database(DATABASE)
        of_rows = _table(server.url, folder, config, options)
        costs = [_made(server.url, name, sql) for name, sql in _queries(config)]
        sent = [engine.read(DATABASE, f"{config.counts_table}_{name}") for name in COLUMNS]
        on_disk = sum(path.stat().st_size for path in (folder / "tables").rglob("*")) / 1e6
    wall, cpu = sum(cost.wall for cost in costs), sum(cost.cpu for cost in costs)
    peak = max(cost.peak_mb for cost in costs)
    exchanged = sum(cost.exchanged_mb for cost in costs)
    print(
        f"all       {wall:7.1f} s {cpu:7.1f} CPU s, at most {peak} MB a query, {exchanged:.0f} MB "
        "exchanged"
    )
    for name, part in zip(COLUMNS, sent, strict=True):
        print(f"{name:10}{len(part):12,} rows {part.nbytes / 1e6:8.1f} MB")
    megabytes = sum(part.nbytes for part in sent) / 1e6
    print(
        f"to Python {sum(map(len, sent)):12,} rows {megabytes:8.1f} MB as Arrow arrays, "
        f"{megabytes / of_rows:.1%} of the {of_rows:,.0f} MB of the rows' columns that are read\n"
        f"on disk   {on_disk:,.0f} MB of tables while counting"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counting", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--heap-gb", type=int, default=6)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--disk", type=Path, help="folder for the tables, removed at the end")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    return parser.parse_args()


def _table(url: str, folder: Path, config: Config, options: argparse.Namespace) -> float:
    """Make the table of touchpoints; the MB of its columns that are read, as Arrow arrays."""
    path = folder / "rows" / "touchpoints.parquet"
    path.parent.mkdir()
    write_in_subprocess(path, rows=options.rows, channels=options.channels)
    file = pq.ParquetFile(path)
    columns = ", ".join(f'"{each.name}" {types.of_arrow(each.type)}' for each in file.schema_arrow)
    with connected(url) as run:
        run(
            f"create table {DISK}.{DATABASE}.{config.table} ({columns}) "
            "with (external_location = 'local:///rows', format = 'PARQUET')"
        )
    read = [config.time_column, config.user_column, config.action_column]
    read += [config.conversion_column, config.user_rnd_column]
    groups = range(file.num_row_groups)
    return sum(file.read_row_group(group, read).nbytes for group in groups) / 1e6


def _queries(config: Config) -> list[tuple[str, str]]:
    """The tables that the workflow makes and their queries, in its order."""
    tasks = (ROOT / "workflows" / "counting_tasks.dig").read_text(encoding="utf-8")
    names = re.findall(r"td>: queries/counting/(\w+)\.sql\n.*\n *create_table:", tasks)
    return [
        (
            f"{config.counts_table}_{name}",
            placeholders.statement(ROOT / "queries" / "counting" / f"{name}.sql", config),
        )
        for name in names
    ]


def _made(url: str, table: str, query: str) -> Cost:
    started = time.monotonic()
    with executed(connect(url, DATABASE, DISK), f"create table {table} as {query}") as cursor:
        ((rows,),) = cursor.fetchall()
        stats: dict[str, Any] = cursor.stats
        query_id = str(cursor.query_id)
    cost = Cost(
        table=table,
        wall=time.monotonic() - started,
        cpu=stats["cpuTimeMillis"] / 1e3,
        peak_mb=stats["peakMemoryBytes"] >> 20,
        exchanged_mb=_exchanged_mb(url, query_id),
        rows=rows,
    )
    print(
        f"{cost.table:28} {cost.wall:7.1f} s {cost.cpu:7.1f} CPU s {cost.peak_mb:6} MB "
        f"{cost.exchanged_mb:8.1f} MB exchanged {cost.rows:12,} rows",
        flush=True,
    )
    return cost


def _exchanged_mb(url: str, query_id: str) -> float:
    """What the stages of a query read from one another."""
    session = requests.Session()
    session.trust_env = False
    answer = session.get(f"{url}/v1/query/{query_id}", headers={"X-Trino-User": USER}, timeout=60)
    size = answer.json()["queryStats"]["internalNetworkInputDataSize"]
    unit = size.lstrip("0123456789.")
    return float(size.removesuffix(unit)) * UNITS[unit] / 1e6


if __name__ == "__main__":
    main()
