"""`python -m td_mta.simulate --out DIR` writes a shop's page views and form fills as CSV.

`--world NAME` writes any other world, see `worlds.py`; `--world classic` the one of `classic.py`.
Touchpoints go to `mta_user_rnd`, under the column names of `config/params.yml`, or with
`--tables pageviews` to `enriched_pageviews` and `enriched_formfills`; what the touches cost to
`spend`, the truth to `truth.json`, see `facts.py`. With `--partners N` every partner gets a folder,
`partner_1` and on, and all of them together one, `pooled`.
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from td_mta.simulate.classic import Classic
from td_mta.simulate.output.files import Format
from td_mta.simulate.output.folders import Job, write
from td_mta.simulate.partners import Partner, partners
from td_mta.simulate.world import Moment, Plan
from td_mta.simulate.worlds import WORLDS


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a simulated world's tables and its truth to a folder."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    demo = chosen.world == "demo"
    job = Job(
        name=chosen.world,
        seed=chosen.seed,
        form=chosen.format or ("csv" if demo else "parquet"),
        shop=(chosen.tables or ("pageviews" if demo else "touchpoints")) == "pageviews",
        at_once=chosen.block,
    )
    try:
        write(job, _parts(chosen), chosen.out)
    except (ValueError, OSError) as error:
        parser.error(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m td_mta.simulate", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--world", choices=["classic", *WORLDS], default="demo")
    parser.add_argument("--users", type=int, help="default: 150000, demo 20000, classic 1000")
    parser.add_argument("--days", type=int, help="default: 28, demo, hazard and classic 30")
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument(
        "--format", choices=get_args(Format), help="default: demo csv, else parquet"
    )
    parser.add_argument(
        "--tables", choices=["touchpoints", "pageviews"], help="default: demo pageviews"
    )
    parser.add_argument("--partners", type=int, help="split the users over so many partners")
    parser.add_argument(
        "--spread", type=float, default=0.7, help="how much partners' channels differ"
    )
    parser.add_argument("--block", type=int, help="users at once: memory, not what is written")
    engine = parser.add_argument_group("all worlds but classic")
    engine.add_argument("--moment", choices=get_args(Moment), help="of the day's trial")
    engine.add_argument("--no-intent", action="store_true", help="confounded: nothing drives users")
    of_classic = parser.add_argument_group("classic")
    of_classic.add_argument("--touches", type=float, help="expected touches a user, default 10")
    of_classic.add_argument(
        "--channels",
        type=Path,
        help="CSV with columns channel, rate, frequency, order_value, deviation; fractions, not %%",
    )
    return parser


def _parts(chosen: argparse.Namespace) -> list[Partner]:
    """Whom to simulate: everyone, or the users of each partner."""
    simulated = _classic(chosen) if chosen.world == "classic" else _plan(chosen)
    if chosen.partners is None:
        return [Partner("everyone", range(simulated.users), simulated)]
    if chosen.partners < 2:
        raise ValueError(f"--partners must be at least 2, got {chosen.partners}")
    return partners(simulated, chosen.partners, seed=chosen.seed, spread=chosen.spread)


def _plan(chosen: argparse.Namespace) -> Plan:
    if chosen.touches is not None or chosen.channels is not None:
        raise ValueError("--touches and --channels are for --world classic")
    plan = WORLDS[chosen.world]
    changes = {name: getattr(chosen, name) for name in ("users", "days", "moment")}
    plan = replace(plan, **{name: new for name, new in changes.items() if new is not None})
    return replace(plan, intent=None) if chosen.no_intent else plan


def _classic(chosen: argparse.Namespace) -> Classic:
    if chosen.moment is not None or chosen.no_intent:
        raise ValueError("--moment and --no-intent are not for --world classic")
    changes: dict[str, Any] = {
        name: getattr(chosen, name)
        for name in ("users", "days", "touches")
        if getattr(chosen, name) is not None
    }
    return Classic(**changes, **({} if chosen.channels is None else _channels(chosen.channels)))


def _channels(path: Path) -> dict[str, Any]:
    """The classic world's channels from a file; raises ValueError with the place."""
    fields = {
        "rate": "rates",
        "frequency": "frequencies",
        "order_value": "order_values",
        "deviation": "deviations",
    }
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    missing = {"channel", *fields} - set(rows[0] if rows else ())
    if missing:
        raise ValueError(f"{path}: wanted a column {sorted(missing)[0]} and a row a channel")
    try:
        numbers = {
            field: tuple(float(row[column]) for row in rows) for column, field in fields.items()
        }
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return {"channels": tuple(row["channel"] for row in rows), **numbers}


if __name__ == "__main__":
    main()
