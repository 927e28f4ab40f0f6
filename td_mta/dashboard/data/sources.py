"""The work of a process of its own: a world is simulated, or a table is read, and kept in a folder.

Each says how far it is, and raises what the command line would raise.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from td_mta import cli
from td_mta.config.attribution import Config
from td_mta.dashboard.data import gathering, kept
from td_mta.dashboard.data.gathering import Gathered
from td_mta.dataset.build import held_out_users
from td_mta.ingest import path_tables
from td_mta.ingest.table_facts import TableFacts
from td_mta.ingest.user_hash import user_rnd
from td_mta.journeys.touchpoints import Flags, Ints, Touchpoints, arrange, day_and_second
from td_mta.journeys.windows import Journeys
from td_mta.simulate import ClassicPlan, WorldPlan
from td_mta.simulate.output import files, media
from td_mta.simulate.output.folders import STEPS
from td_mta.simulate.rows import TouchpointRows

TABLE = "synthetic_touchpoints"
LOOKBACK = 30  # days of the rules, as the parameter's default
Say = Callable[[float, str], None]  # the share that is done, and what is being done


def simulate(
    plan: ClassicPlan | WorldPlan,
    name: str,
    seed: int,
    folder: Path,
    say: Say,
    days: int = LOOKBACK,
) -> None:
    """Simulate the plan's users: rows to `synthetic_touchpoints.parquet`, the rest as kept."""
    steps = STEPS[type(plan)]
    blocks: Iterator[Any] = steps.blocks(plan, seed=seed)
    truth, visits = steps.accumulator([plan]), isinstance(plan, ClassicPlan)
    channels = sorted(plan.channels)
    code = np.array([*(channels.index(channel) for channel in plan.channels), -1])
    config = Config(table=TABLE, rules_window_days=days, history_days=0)
    gathered = Gathered(days, 0, len(channels))
    clicks, last = 0, np.iinfo(np.int64).min
    with files.table_files(folder, "parquet") as tables:
        done = 0
        for block in blocks:
            rows = files.touchpoints(block.rows, plan.channels)
            tables.write(TABLE, rows)
            journeys = _journeys(block.rows, code, visits=visits)
            users = rows["canonical_id"].chunk(0).dictionary
            gathered.add(journeys, _held_out(users, config))
            truth.add(block)
            clicks, last = clicks + block.clicks, max(last, int(journeys.rows.day.max(initial=0)))
            done += block.users
            say(0.9 * done / plan.users, f"{done:,} of {plan.users:,} users")
    say(0.92, "adding up")
    facts = steps.facts(name, plan, truth.truth(), seed=seed, users=plan.users)
    of_record = {
        **_described(plan, name, seed, facts, days),
        "file": str(folder / f"{TABLE}.parquet"),
        "last_day": str(np.datetime64(last, "D")),
        "costs": _costs(plan.channels, clicks, seed),
    }
    _finish(gathered, channels, config, of_record, folder, say)


def _described(
    plan: ClassicPlan | WorldPlan, name: str, seed: int, facts: Mapping[str, Any], days: int
) -> dict[str, Any]:
    """What the pages say of a simulated world, and its truth."""
    first = str(np.datetime64(facts["first_day"]))
    return {
        "kind": "simulated",
        "title": f"{name.replace('_', ' ')} world, {plan.users:,} users, seed {seed}",
        "sets": {
            "history_days": "0",
            "conversion_row_is_touch": str(facts["conversion_row_is_touch"]).lower(),
            "rules_window_days": str(days),
        },
        "first_day": first,
        "credited_from": first,
        "notes": [f"A simulated world: {plan.about}."],
        "warnings": [],
        "has_value": True,
        "switched_off": facts["switched_off"],
        "true_share": facts["channel_share"],
        "true_conversions": facts["channel_conversions"],
    }


def _costs(channels: Sequence[str], clicks: Any, seed: int) -> dict[str, dict[str, float]]:
    """Spend and impressions by channel."""
    bought = media.media(channels, np.atleast_2d(clicks), seed=seed)
    return {
        channel: {
            "spend": float(bought.spend[:, at].sum()),
            "impressions": int(bought.impressions[:, at].sum()),
        }
        for at, channel in enumerate(channels)
    }


def read(given: Mapping[str, Any], folder: Path, say: Say) -> None:
    """Read a table as the command line does: `file`, or `table` on Treasure Data; `sets` by name.

    Raises an `MtaError`; the columns of a table that could not be read are kept all the same.
    """
    sets = {key: str(value) for key, value in given.get("sets", {}).items() if value != ""}
    arguments = ["--out", str(folder / "out")]
    for key, value in sets.items():
        arguments += ["--set", f"{key}={value}"]
    if given.get("file"):
        arguments = [given["file"], *arguments]
    else:
        arguments += ["--warehouse", "td", "--set", f"table={given['table']}"]
    options = cli.parser("the app").parse_args(arguments)
    say(0.02, "finding the columns")
    table = _opened(options, given, folder)
    shared = {
        "kind": "table",
        "title": given.get("title") or given.get("table"),
        "file": given.get("file", ""),
        "td_table": given.get("table", ""),
        "sets": sets,
        "columns": table.warehouse.columns(table.config.table),
    }
    _keep_columns(shared["columns"], folder)
    if table.paths is not None:
        _read_paths(table, shared, folder, say)
    else:
        _read_touches(table, shared, folder, say)


def _opened(options: Any, given: Mapping[str, Any], folder: Path) -> cli.OpenTable:
    try:
        return cli.open_table(options)
    except Exception:
        if given.get("file"):
            file = Path(given["file"])
            with contextlib.suppress(Exception):
                now = int(time.time())
                warehouse = cli.open_warehouse("local", file.parent, options.out, now, "")
                _keep_columns(warehouse.columns(file.name.split(".")[0]), folder)
        raise


def _keep_columns(names: Sequence[str], folder: Path) -> None:
    """The names to choose from, where a table could not be read."""
    (folder / "columns.json").write_text(json.dumps(list(names)), encoding="utf-8")


def _read_touches(table: cli.OpenTable, shared: dict[str, Any], folder: Path, say: Say) -> None:
    from td_mta.dataset.period import period_of
    from td_mta.pipelines import given_table
    from td_mta.pipelines.given_table import GivenTable
    from td_mta.publishing import scratch

    config, warehouse = table.config, table.warehouse
    say(0.05, "reading the rows")
    with scratch.folder() as spill:
        touchpoints = given_table.read(config, warehouse, spill)
        period = period_of(touchpoints, config)
        found = TableFacts(config.rules_window_days)
        gathered = Gathered(config.rules_window_days, period.first_day, len(touchpoints.channels))
        for number, page in enumerate(touchpoints.pages("reading"), 1):
            found.add(page)
            held_out = held_out_users(page.user_hash, config.validation_fraction, config.seed)
            gathered.add(page.journeys, held_out)
            say(0.3 + 0.6 * number / touchpoints.page_count, f"{gathered.users:,} users")
        given_table.check_orders(found, config)
        of_table = GivenTable(touchpoints, period, found, None)
        span = given_table.span(touchpoints, period)
        facts = {
            **shared,
            **{name: str(span[name]) for name in ("first_day", "last_day")},
            "credited_from": str(span["first_credited_day"]),
            "found": _found(config),
            "notes": [*warehouse.notes(), *table.notes, *given_table.notes(of_table, config)],
            "warnings": given_table.warnings(of_table, config),
            "has_value": touchpoints.settings.has_value,
        }
    _finish(gathered, touchpoints.channels, config, facts, folder, say)


def _read_paths(table: cli.OpenTable, shared: dict[str, Any], folder: Path, say: Say) -> None:
    from td_mta.pipelines import paths as pipeline

    assert table.paths is not None
    say(0.1, "reading the paths")
    given = path_tables.read(table.paths, table.config, table.warehouse)
    of_rows = kept.of_counted(given.paths)
    say(0.5, "computing the models")
    out = folder / "out"  # where the table's warehouse writes
    pipeline.run(table.paths, table.config, table.warehouse, out, table.notes)
    journeys = given.paths.conversions + given.paths.nulls
    touches = np.bincount(
        given.paths.channel, journeys[given.paths.owner], minlength=len(given.channels)
    )
    every = gathering.found(of_rows, given.channels, table.config, times=False)
    say(0.9, "adding up")
    facts = shared | {
        "kind": "paths",
        "channels": given.channels,
        "touches": touches.round().astype(int).tolist(),
        "users_touched": None,
        "users": round(float(journeys.sum())),
        "found": _found(table.config) | {"action_column": table.paths.touches[0]},
        "notes": list(given.notes),
        "warnings": list(given.warnings),
        "has_value": table.paths.value is not None,
        "first_day": "",
        "last_day": "",
        "credited_from": "",
        "days": 0,
        "direct_channel": table.config.direct_channel,
    }
    gathering.save(folder, of_rows, every, facts)


def _finish(
    gathered: Gathered,
    channels: list[str],
    config: Config,
    facts: dict[str, Any],
    folder: Path,
    say: Say,
) -> None:
    say(0.93, "computing the models")
    paths = kept.join(gathered.parts)
    gathered.parts.clear()
    every = gathering.found(paths, channels, config)
    say(0.98, "writing")
    touches, users = gathered.touches_and_users.tolist()
    counted = {
        "channels": channels,
        "touches": touches,
        "users_touched": users,
        "users": gathered.users,
        "days": gathered.days,
        "direct_channel": config.direct_channel,
    }
    gathering.save(folder, paths, every, facts | counted)


def _found(config: Config) -> dict[str, str | None]:
    names = ("user_column", "time_column", "action_column", "conversion_column", "value_column")
    return {name: getattr(config, name) for name in names}


def _held_out(users: Any, config: Config) -> Flags:
    hashes = (user_rnd(users, config.user_rnd_seed) * 2.0**53).astype(np.uint64)
    return held_out_users(hashes, config.validation_fraction, config.seed)


def _journeys(rows: TouchpointRows, code: Ints, *, visits: bool) -> Journeys:
    """A block's rows as a table of them would be read; `code` is each channel's, -1 the last."""
    begins = np.diff(rows.user, prepend=-1) != 0
    user = np.cumsum(begins) - 1
    day, second = day_and_second(rows.time)
    touchpoints = Touchpoints(
        user=user,
        time=rows.time,
        day=day,
        second=second,
        channel=code[rows.channel],
        conversion=rows.conversion,
        value=rows.value,
    )
    arranged = arrange(touchpoints, arrival=1)
    return Journeys(arranged.rows, int(begins.sum()), visits)
