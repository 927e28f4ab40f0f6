"""`python -m td_mta.simulate --out DIR` writes a shop's page views and form fills as CSV.

`--world hazard` writes a world's touchpoints as Parquet, under the column names of
`config/params.yml`, and its truth as `truth.json`.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from td_mta.simulate.shop import Table, demo_tables
from td_mta.simulate.world import Moment, World, hazard_world


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a simulated table or two to a folder."""
    parser = argparse.ArgumentParser(prog="python -m td_mta.simulate", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--world", choices=["demo", "hazard"], default="demo")
    parser.add_argument("--moment", choices=get_args(Moment), default="day_end", help="of hazard")
    parser.add_argument("--users", type=int, help="default: 20000, hazard 150000")
    parser.add_argument("--seed", type=int, default=18)
    chosen = parser.parse_args(arguments)
    rng = np.random.default_rng(chosen.seed)
    chosen.out.mkdir(parents=True, exist_ok=True)
    if chosen.world == "demo":
        for name, table in demo_tables(rng=rng, users=chosen.users or 20_000).items():
            _write_csv(chosen.out / f"{name}.csv", table)
    else:
        world = hazard_world(rng=rng, moment=chosen.moment, users=chosen.users or 150_000)
        _write_touchpoints(chosen.out / "mta_user_rnd.parquet", world)
        text = json.dumps(truth_table(world), indent=2)
        (chosen.out / "truth.json").write_text(text + "\n", encoding="utf-8")


def _write_csv(path: Path, table: Table) -> None:
    pd.DataFrame(table).to_csv(path, index=False, lineterminator="\n")


def _write_touchpoints(path: Path, world: World) -> None:
    channels = pa.array([*world.hazard.channels, None])
    columns = {
        "time": world.time,
        "canonical_id": pa.array(np.char.mod("u%07d", world.user)),
        "channels": channels.take(pa.array(world.channel % len(channels))),
        "conversion": world.conversion.astype(np.int64),
        "value": pa.array(world.value, from_pandas=True),
    }
    pq.write_table(pa.table(columns), path)


def truth_table(world: World) -> dict[str, object]:
    """The truth as plain values: conversions, and the shares that a good attribution finds."""
    by_channel = world.truth.cells.sum(axis=0)
    total = world.truth.baseline + by_channel.sum()
    names = world.hazard.channels
    return {
        "conversions": len(world.patterns),
        "baseline_share": world.truth.baseline / total,
        "channel_share": dict(zip(names, (by_channel / by_channel.sum()).tolist(), strict=True)),
        "channels": list(names),
        "conversions_by_day_and_channel": world.truth.cells.tolist(),
    }


if __name__ == "__main__":
    main()
