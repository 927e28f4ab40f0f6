"""`python -m benchmarks.union_sql [--rows N]`: CPU seconds and memory of `queries/union.sql`.

With `--touchpoints FORM` of `queries/union_touchpoints.sql` instead, on a table whose times are
`seconds`, `doubles` (seconds as such), `iso` (2026-02-28T23:59:59Z), `local` (the same without the
zone) or `day_first`; with `--values` one in fifty rows has a value. With `--against FOLDER`,
another checkout of this repository, its code and query run in turn with ours.

The query turns page views with `utm_*` parameters in their URLs, and form fills, to touchpoints, on
the embedded SQL engine with `--threads` and `--memory-mib`. It runs in a process of its own, so
that its peak of resident memory is its own.

Expect one minute and 0.9 GiB with the defaults; the query itself takes 40 seconds.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import side_by_side

NOW = 1_772_323_200  # 2026-03-01 00:00:00 UTC
DAYS = 30
ROWS_PER_BATCH = 500_000
MEDIA = ["cpc", "cpm", "email", "organic", "affiliate", "cpv", "referral", "CPC"]
SOURCES = ["google", "facebook", "newsletter", "bing", "partner%20one", "Instagram", "x", "yahoo"]
FORMS = {"iso": "%Y-%m-%dT%H:%M:%SZ", "local": "%Y-%m-%d %H:%M:%S", "day_first": "%d/%m/%Y %H:%M"}
REFERRERS = ["", "https://www.google.com/", "https://m.facebook.com/l.php?u=1", "https://t.co/abc"]


def main() -> None:
    """Print the rows, the seconds and the peak memory of the query."""
    options = _options()
    if options.child:
        _run_query(Path(options.child), options)
        return
    with tempfile.TemporaryDirectory(prefix="td_mta_bench_") as folder:
        started = time.perf_counter()
        if options.touchpoints:
            _write_touchpoints(Path(folder), options)
        else:
            _write_inputs(Path(folder), options.rows)
        seconds = time.perf_counter() - started
        print(f"wrote {options.rows:,} rows in {seconds:.1f} s", flush=True)
        arguments = ["--child", folder]
        arguments += ["--threads", str(options.threads), "--memory-mib", str(options.memory_mib)]
        arguments += ["--touchpoints", options.touchpoints] if options.touchpoints else []
        arguments += ["--values"] if options.values else []
        side_by_side.compare("benchmarks.union_sql", arguments, options.against, options.times)


def _run_query(folder: Path, options: argparse.Namespace) -> None:
    root = side_by_side.use_code()
    from td_mta.config import attribution as configuration
    from td_mta.config import placeholders
    from td_mta.warehouse.local import LocalWarehouse

    given = {"touchpoints_value_column": "value"} if options.values else {}
    config = configuration.load(root / "config" / "params.yml", given)
    query = "union_touchpoints" if options.touchpoints else "union"
    statement = placeholders.statement(root / "queries" / f"{query}.sql", config)
    memory_bytes = options.memory_mib << 20
    warehouse = LocalWarehouse(
        folder, folder / "out", now=NOW, memory_bytes=memory_bytes, threads=options.threads
    )
    started, used = time.perf_counter(), time.process_time()
    warehouse.create_table("mta_union_conversions", statement)
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # GiB
    side_by_side.report(seconds=seconds, cpu=cpu, gib=peak)


def _write_inputs(folder: Path, rows: int) -> None:
    """Page views, half of them with utm parameters, and a form fill for every hundred."""
    rng = np.random.default_rng(18)
    _write(folder / "enriched_pageviews.parquet", _pageviews(rng, rows))
    _write(folder / "enriched_formfills.parquet", iter([_formfills(rng, rows // 100)]))


def _write_touchpoints(folder: Path, options: argparse.Namespace) -> None:
    """Touchpoints of eight channels, every fiftieth row a conversion."""
    rng = np.random.default_rng(18)
    _write(folder / "touchpoints.parquet", _touchpoints(rng, options))


def _touchpoints(rng: np.random.Generator, options: argparse.Namespace) -> Iterator[pa.RecordBatch]:
    users = max(1, options.rows * 14 // 100)
    for first in range(0, options.rows, ROWS_PER_BATCH):
        n = min(ROWS_PER_BATCH, options.rows - first)
        converts = rng.random(n) < 0.02
        columns = {
            "time": _written(_times(rng, n), options.touchpoints),
            "user_id": _numbered("user_", rng.integers(users, size=n)),
            "channel": pa.array(SOURCES).take(pa.array(rng.integers(len(SOURCES), size=n))),
            "conversion": pa.array(converts.astype(np.int64)),
        }
        if options.values:
            columns["value"] = pa.array(rng.integers(100, 100_000, n) / 100, mask=~converts)
        yield pa.RecordBatch.from_pydict(columns)


def _written(times: pa.Array, form: str) -> pa.Array:
    if form == "doubles":
        return times.cast(pa.float64())
    if form not in FORMS:
        return times
    return pc.strftime(times.cast(pa.timestamp("s")), FORMS[form])


def _write(path: Path, batches: Iterator[pa.RecordBatch]) -> None:
    first = next(batches)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)


def _pageviews(rng: np.random.Generator, rows: int) -> Iterator[pa.RecordBatch]:
    users = max(1, rows * 14 // 100)  # 2.8 million of 20 million
    for first in range(0, rows, ROWS_PER_BATCH):
        n = min(ROWS_PER_BATCH, rows - first)
        yield pa.RecordBatch.from_pydict(
            {
                "time": _times(rng, n),
                "canonical_id": _numbered("user_", rng.integers(users, size=n)),
                "td_url": _urls(rng, n),
                "td_referrer": pa.array(REFERRERS).take(pa.array(rng.integers(4, size=n))),
            }
        )


def _formfills(rng: np.random.Generator, rows: int) -> pa.RecordBatch:
    users = _numbered("user_", rng.integers(max(1, rows * 14), size=rows))
    return pa.RecordBatch.from_pydict(
        {
            "time": _times(rng, rows),
            "canonical_id": users,
            "td_url": pa.array(["https://www.shop.com/thanks"] * rows),
            "td_referrer": pa.array([""] * rows),
            "form_id": pa.array(["order"] * rows),
        }
    )


def _times(rng: np.random.Generator, n: int) -> pa.Array:
    return pa.array(NOW - 1 - rng.integers(DAYS * 86_400, size=n))


def _urls(rng: np.random.Generator, n: int) -> pa.Array:
    page = _numbered("https://www.shop.com/p/", rng.integers(20_000, size=n))
    medium, source = (
        pa.array(choices).take(pa.array(rng.integers(len(choices), size=n)))
        for choices in (MEDIA, SOURCES)
    )
    campaign = _numbered("spring%20sale%20", rng.integers(50, size=n))
    tagged = pc.binary_join_element_wise(
        page, "?utm_medium=", medium, "&utm_source=", source, "&utm_campaign=", campaign, ""
    )
    is_tagged = pa.array(rng.random(n) < 0.5)
    return pc.if_else(is_tagged, tagged, page)


def _numbered(prefix: str, numbers: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.union_sql", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-mib", type=int, default=1024)
    parser.add_argument("--touchpoints", choices=["seconds", "doubles", *FORMS])
    parser.add_argument("--values", action="store_true")
    side_by_side.add_options(parser)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
