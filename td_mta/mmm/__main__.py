"""`python -m td_mta.mmm`: media mix modelling from the command line.

No heavy library is imported before it is needed, so that --help and a wrong option answer at once.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from td_mta import cli, failures
from td_mta.errors import ConfigError

DEFAULT_CONFIG = Path("config/mmm.yml")
DESCRIPTION = (
    "What did each channel's spend bring, and what would more of it bring? Reads spend and sales "
    "by day, week or month, writes tables and a report."
)
MOST_CAP = 1e12
WORLDS = (
    *("shop", "logistic", "flighted", "falling", "demand_a", "demand_b", "demand_n", "demand_s"),
    *("demand_m", "collinear", "few_weeks", "retail"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run with the options of `argv`; returns the exit code."""
    options = _parser().parse_args(argv)
    cli.log_to_stderr()
    work = {
        "fit": _fit,
        "optimize": _fit,
        "simulate": _simulate,
        "private-release": _private_release,
        "privacy-utility": _privacy_utility,
    }[options.command]
    return failures.exit_code(lambda: work(options), options.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m td_mta.mmm", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (
        ("fit", "fit the model: contribution, ROI, marginal ROI, curves, report"),
        ("optimize", "fit, and print the plan for a budget, a goal or a marginal ROI"),
    ):
        _add_run_options(commands.add_parser(name, help=text, description=text))
    _add_release_options(commands)
    _add_utility_options(commands)
    text = "write a world of known truth: media.csv and media_truth.csv"
    simulate = commands.add_parser("simulate", help=text, description=text)
    simulate.add_argument("--world", choices=WORLDS, default="shop")
    simulate.add_argument("--seed", type=int, default=42)
    simulate.add_argument("--weeks", type=int, help="default: the world's, mostly 104")
    simulate.add_argument("--noise", type=float, help="standard deviation of a week's sales")
    simulate.add_argument(
        "--experiment",
        action="append",
        default=[],
        metavar="CHANNEL=MULTIPLIER",
        help="also an experiment, such as TikTok=0 (off) or Meta=1.5, with an error of 10 %%",
    )
    simulate.add_argument(
        "--long",
        action="store_true",
        help="spend.csv and sales.csv by day, as mmm.dig reads them, instead of media.csv",
    )
    simulate.add_argument("--out", type=Path, default=Path("data/media"), metavar="DIR")
    return parser


def _add_release_options(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "release weekly revenue of a table of orders with differential privacy"
    parser = commands.add_parser("private-release", help=text, description=text)
    parser.add_argument("file", type=Path, metavar="FILE", help="orders: user, time, amount")
    parser.add_argument("--first-day", required=True, metavar="DAY", help="of the first week")
    parser.add_argument("--last-day", required=True, metavar="DAY", help="of the last week")
    parser.add_argument("--epsilon", required=True, help="of this release")
    parser.add_argument("--budget", required=True, help="epsilon of all releases of these orders")
    _add_bounds(parser)
    parser.add_argument(
        "--ledger", type=Path, metavar="FILE", help="default: privacy_ledger.jsonl beside FILE"
    )
    parser.add_argument(
        "--test-seed", type=int, help="repeatable noise, which protects nobody; charges nothing"
    )
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")


def _add_bounds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--max-weeks", type=int, default=4, help="that count of a user")
    parser.add_argument("--cap", type=float, default=500.0, help="of a user's amount in a week")


def _add_utility_options(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "what a private release costs: errors by epsilon, simulated, without anybody's data"
    parser = commands.add_parser("privacy-utility", help=text, description=text)
    parser.add_argument("--world", choices=WORLDS, default="shop")
    parser.add_argument("--sets", type=int, default=8, help="data sets at each epsilon (default 8)")
    _add_bounds(parser)
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="the table, such as data/media.csv"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"default: {DEFAULT_CONFIG}")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one parameter of the file; may be repeated",
    )
    parser.add_argument(
        "--warehouse", choices=("td", "local"), help="default: local with --data, else td"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of CSV or Parquet tables")
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="folder for tables and report"
    )


def _fit(options: argparse.Namespace) -> None:
    import time

    from td_mta.config import mmm as configuration
    from td_mta.warehouse.file_options import FileOptions

    data, chosen = cli.with_file(options, "media_table")
    default = DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None
    config = configuration.load(options.config or default, chosen, out=options.out)
    kind = options.warehouse or ("td" if data is None else "local")
    now = int(time.time())
    files = FileOptions.of(config)
    warehouse = cli.open_warehouse(kind, data, options.out, now, config.db, files=files)

    from td_mta.pipelines.media_mix import run

    is_plan = options.command == "optimize"
    summary = run.run(config, warehouse, options.out, coverage=not is_plan)
    print(summary.shown(plan=is_plan), flush=True)


def _private_release(options: argparse.Namespace) -> None:
    import datetime
    import time
    from fractions import Fraction

    def number(name: str) -> Fraction:
        try:
            value = Fraction(getattr(options, name))
        except (ValueError, ZeroDivisionError):
            value = Fraction(0)
        if value <= 0:
            raise ConfigError(f"--{name} must be a number above 0, got {getattr(options, name)}")
        return value

    def day(name: str) -> int:
        text = getattr(options, name)
        try:
            return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days
        except ValueError:
            option = name.replace("_", "-")
            raise ConfigError(f"--{option} must be a day such as 2026-01-31, got {text}") from None

    epsilon, budget, cents = number("epsilon"), number("budget"), _cents(options)
    first, last = day("first_day"), day("last_day")
    if last - first < 6:
        raise ConfigError("--last-day must be at least a week after --first-day")

    from td_mta.config.mmm import MediaMixConfig
    from td_mta.pipelines.media_mix import private_release

    options.data, options.warehouse, options.set = None, None, []
    data, chosen = cli.with_file(options, "media_table")
    warehouse = cli.open_warehouse("local", data, options.out, int(time.time()), "mta")
    wanted = private_release.Release(
        table=chosen["media_table"],
        first_day=first,
        last_day=last,
        epsilon=epsilon,
        budget=budget,
        max_weeks=options.max_weeks,
        cap=cents,
        ledger=options.ledger or options.file.parent / "privacy_ledger.jsonl",
        test_seed=options.test_seed,
    )
    print(private_release.release(wanted, MediaMixConfig(), warehouse, options.out), flush=True)


def _cents(options: argparse.Namespace) -> int:
    """The cap of a user's week."""
    cents = round(100 * options.cap) if abs(options.cap) < MOST_CAP else 0
    if options.max_weeks < 1 or cents < 1:
        raise ConfigError("--max-weeks must be at least 1 and --cap from 0.01 to 1e12")
    return cents


def _privacy_utility(options: argparse.Namespace) -> None:
    import time

    cents = _cents(options)
    if options.sets < 1:
        raise ConfigError(f"--sets must be at least 1, got {options.sets}")

    from td_mta.pipelines.media_mix import privacy_utility

    warehouse = cli.open_warehouse("local", None, options.out, int(time.time()), "mta")
    noise = privacy_utility.Noise(None, options.max_weeks, cents)
    rows = privacy_utility.write(options.world, options.sets, noise, warehouse, options.out)
    print(rows.to_string(index=False, float_format=lambda value: f"{value:.4f}"))
    print(f"{options.out / privacy_utility.TABLE}.csv", flush=True)


def _simulate(options: argparse.Namespace) -> None:
    from td_mta.simulate.media_mix import output

    try:
        lines = output.write(
            options.world,
            options.out,
            seed=options.seed,
            weeks=options.weeks,
            noise=options.noise,
            experiments=options.experiment,
            is_long=options.long,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None
    print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
