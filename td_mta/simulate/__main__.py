"""`python -m td_mta.simulate --out DIR` writes a shop's page views and form fills as CSV.

`--world NAME` writes any other world of `worlds.py`, `--world classic` that of `classic/`.
Touchpoints go to `mta_user_rnd`, under the column names of `config/params.yml`, or with
`--tables pageviews` to `enriched_pageviews` and `enriched_formfills`; what the touches cost goes to
`spend`, the truth to `truth.json`, see `output/facts.py`, and what an experiment on a channel would
find to `experiments` with `--experiment CHANNEL`. With `--partners N` every partner gets a
folder, `partner_1` and on, and all of them together one, `pooled`.
"""

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from td_mta import failures
from td_mta.simulate.classic.plan import ClassicPlan
from td_mta.simulate.output.files import FileFormat
from td_mta.simulate.output.folders import OutputSettings, TableKind, write
from td_mta.simulate.partners import Partner, partners
from td_mta.simulate.plan import TrialTime, WorldPlan
from td_mta.simulate.worlds import WORLDS

# columns of the file of `--channels` beside `channel`, and the fields of ClassicPlan
CHANNEL_COLUMNS = {
    "rate": "rates",
    "frequency": "frequencies",
    "order_value": "order_values",
    "deviation": "deviations",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a simulated world's tables and its truth to a folder."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        settings, parts = _settings(options), _parts(options)
        _check_channels(options.experiment, parts[0].plan.channels)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return failures.exit_code(lambda: write(settings, parts, options.out), options.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m td_mta.simulate", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--world", choices=["classic", *WORLDS], default="demo")
    parser.add_argument("--users", type=int, help="default: the world's, such as 20000 of demo")
    parser.add_argument("--days", type=int, help="default: the world's, 28 or 30")
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument(
        "--format", choices=get_args(FileFormat), help="default: csv for demo, else parquet"
    )
    parser.add_argument(
        "--tables",
        choices=get_args(TableKind),
        help="default: pageviews for demo, else touchpoints",
    )
    parser.add_argument("--partners", type=int, help="split the users over this many partners")
    parser.add_argument(
        "--spread", type=float, default=0.7, help="how much the partners' channels differ"
    )
    parser.add_argument(
        "--block", type=int, help="users simulated at a time: changes memory, not the output"
    )
    parser.add_argument(
        "--experiment",
        action="append",
        default=[],
        metavar="CHANNEL",
        help="also write an experiment on this channel, with a standard error of 10 %%",
    )
    _add_options_of_one_kind(parser)
    return parser


def _add_options_of_one_kind(parser: argparse.ArgumentParser) -> None:
    engine = parser.add_argument_group("all worlds but classic")
    engine.add_argument(
        "--moment",
        dest="trial_time",
        choices=get_args(TrialTime),
        help="time of day at which a user converts or not",
    )
    engine.add_argument(
        "--no-intent", action="store_true", help="confounded: without the latent intent"
    )
    classic = parser.add_argument_group("classic")
    classic.add_argument("--touches", type=float, help="expected touches per user, default 10")
    classic.add_argument(
        "--channels",
        type=Path,
        help=f"CSV with columns channel, {', '.join(CHANNEL_COLUMNS)}; fractions, not %%",
    )


def _settings(options: argparse.Namespace) -> OutputSettings:
    is_demo = options.world == "demo"
    return OutputSettings(
        world=options.world,
        seed=options.seed,
        file_format=options.format or ("csv" if is_demo else "parquet"),
        tables=options.tables or ("pageviews" if is_demo else "touchpoints"),
        users_per_block=options.block,
        experiments=tuple(dict.fromkeys(options.experiment)),
    )


def _check_channels(named: Sequence[str], channels: Sequence[str]) -> None:
    for name in named:
        if name not in channels:
            raise ValueError(f"--experiment must be one of {', '.join(channels)}, got {name}")


def _parts(options: argparse.Namespace) -> list[Partner]:
    """Whom to simulate: everyone, or the users of each partner."""
    plan = _classic_plan(options) if options.world == "classic" else _world_plan(options)
    if options.partners is None:
        return [Partner("everyone", range(plan.users), plan)]
    if options.partners < 2:
        raise ValueError(f"--partners must be at least 2, got {options.partners}")
    return partners(plan, options.partners, seed=options.seed, spread=options.spread)


def _world_plan(options: argparse.Namespace) -> WorldPlan:
    if options.touches is not None or options.channels is not None:
        raise ValueError("--touches and --channels are for --world classic only")
    changes = _set_options(options, "users", "days", "trial_time")
    plan = replace(WORLDS[options.world], **changes)
    return replace(plan, intent=None) if options.no_intent else plan


def _classic_plan(options: argparse.Namespace) -> ClassicPlan:
    if options.trial_time is not None or options.no_intent:
        raise ValueError("--moment and --no-intent are not for --world classic")
    changes = _set_options(options, "users", "days", "touches")
    if options.channels is not None:
        changes |= _read_channels(options.channels)
    return ClassicPlan(**changes)


def _set_options(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Those of the options that the command line sets."""
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def _read_channels(path: Path) -> dict[str, Any]:
    """The fields of `ClassicPlan` from a file; raises ValueError, naming it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    missing = {"channel", *CHANNEL_COLUMNS} - set(rows[0] if rows else ())
    if missing:
        wanted = f"a column {sorted(missing)[0]} and at least one row"
        raise ValueError(f"{path}: wanted {wanted}")
    try:
        fields = {
            field: _numbers(row[column] for row in rows)
            for column, field in CHANNEL_COLUMNS.items()
        }
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return {"channels": tuple(row["channel"] for row in rows), **fields}


def _numbers(texts: Iterable[str]) -> tuple[float, ...]:
    return tuple(float(text) for text in texts)


if __name__ == "__main__":
    sys.exit(main())
