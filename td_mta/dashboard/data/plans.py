"""What the synthesizer's settings mean: the plan of a world, its errors, what it will take."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from td_mta.simulate import WORLDS, ClassicPlan, WorldPlan
from td_mta.simulate.classic.plan import FEWEST_USERS, MOST_USERS

CLASSIC = "classic"
CHANNEL, RATE, FREQUENCY, VALUE, DEVIATION = (
    *("Channel", "Channel CVR (%)", "Relative Frequency (%)", "AOV", "Standard Deviation"),
)
COLUMNS = (CHANNEL, RATE, FREQUENCY, VALUE, DEVIATION)
MOST_CHANNELS = 100
TOLERANCE = 1e-6  # of 100 %

# Measured with benchmarks.app: seconds and bytes of a touch and of a user, beside those to start.
START_SECONDS, SECONDS_PER_TOUCH, SECONDS_PER_USER_DAY = 2.0, 1.1e-6, 1.6e-6
START_BYTES, BYTES_PER_TOUCH, BYTES_PER_USER = 300e6, 45.0, 120.0


class Estimate(NamedTuple):
    """What a simulation takes, by and large."""

    seconds: float
    megabytes: float


def default_channels() -> pd.DataFrame:
    """The channels of the classic world as its table shows them, rates in percent."""
    plan = ClassicPlan()
    columns = (
        plan.channels,
        [100 * rate for rate in plan.rates],
        [100 * share for share in plan.frequencies],
        plan.order_values,
        plan.deviations,
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def errors(table: pd.DataFrame) -> list[str]:
    """Why the table is no classic world, a sentence each; none where it is one."""
    rows = table.dropna(how="all")
    if not len(rows):
        return ["Add at least one channel."]
    if len(rows) > MOST_CHANNELS:
        return [f"At most {MOST_CHANNELS} channels, not {len(rows)}: remove some rows."]
    found = []
    names = [_name(value) for value in rows[CHANNEL]]
    for number, name in enumerate(names, 1):
        if not name:
            found.append(f"Row {number} has no channel: name it or remove the row.")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    found += [f"{name} stands in two rows: rename or remove one." for name in twice]
    for column in COLUMNS[1:]:
        found += _of_numbers(rows[column], column, names)
    total = float(rows[FREQUENCY].sum())
    if not found and abs(total - 100) > TOLERANCE:
        found.append(
            f"Relative frequencies must total 100 %, they total {total:.6g} %: change them, or "
            "press Normalise."
        )
    return found


def _of_numbers(values: pd.Series, column: str, names: Sequence[str]) -> list[str]:
    found = []
    for name, value in zip(names, pd.to_numeric(values, errors="coerce"), strict=True):
        if not math.isfinite(value):
            found.append(f"{column} of {name or 'a row'} is empty: type a number.")
        elif value < 0:
            found.append(f"{column} of {name} must not be negative, it is {value:g}.")
        elif column == RATE and value > 100:
            found.append(f"{column} of {name} must be at most 100, it is {value:g}.")
    return found


def normalised(table: pd.DataFrame) -> pd.DataFrame:
    """The table with frequencies that total 100 %; equal ones where all are 0 or empty."""
    table = table.dropna(how="all").reset_index(drop=True)
    shares = pd.to_numeric(table[FREQUENCY], errors="coerce").fillna(0.0).clip(lower=0.0)
    total = shares.sum()
    shares = shares / total if total else shares + 1 / len(table)
    return table.assign(**{FREQUENCY: 100 * shares})


def job_of(
    world: str, users: int, touches: float, seed: int, table: pd.DataFrame, days: int
) -> dict[str, Any]:
    """The settings as the job of a worker; they and nothing else decide what is simulated."""
    job: dict[str, Any] = {
        "what": "simulate",
        "world": world,
        "users": users,
        "seed": seed,
        "days": days,
    }
    if world == CLASSIC:
        rows = table.dropna(how="all")
        job["touches"] = touches
        job["channels"] = [
            [_name(row[0]), *(float(value) for value in row[1:])]
            for row in rows[list(COLUMNS)].itertuples(index=False)
        ]
    return job


def plan_of(job: Mapping[str, Any]) -> ClassicPlan | WorldPlan:
    """The plan of a job's world; raises ValueError, naming the field."""
    if job["world"] != CLASSIC:
        return dataclasses.replace(WORLDS[job["world"]], users=job["users"])
    names, rates, frequencies, values, deviations = zip(*job["channels"], strict=True)
    total = sum(frequencies)
    return ClassicPlan(
        channels=names,
        rates=tuple(rate / 100 for rate in rates),
        frequencies=tuple(share / total for share in frequencies),
        order_values=values,
        deviations=deviations,
        touches=job["touches"],
        users=job["users"],
    )


def estimate(world: str, users: int, touches: float) -> Estimate:
    """What simulating and adding up takes on a common machine."""
    if world == CLASSIC:
        seconds = users * touches * SECONDS_PER_TOUCH
        rows = users * touches
    else:
        plan = WORLDS[world]
        channels = len(plan.channels)
        rows = users * plan.days * float(sum(plan.touching.rates))
        seconds = users * plan.days * (channels + 2) * SECONDS_PER_USER_DAY / 4
        seconds += rows * SECONDS_PER_TOUCH
    megabytes = (START_BYTES + rows * BYTES_PER_TOUCH + users * BYTES_PER_USER) / 1e6
    return Estimate(START_SECONDS + seconds, megabytes)


def user_steps() -> list[int]:
    """Numbers of users on a logarithmic scale, from the fewest to the most."""
    steps = {FEWEST_USERS, MOST_USERS}
    for power in range(1, 8):
        steps |= {int(digit * 10**power) for digit in (1, 1.5, 2, 3, 5, 7)}
    return sorted(step for step in steps if FEWEST_USERS <= step <= MOST_USERS)


def worlds() -> list[str]:
    """The classic world, then the others by name."""
    return [CLASSIC, *sorted(WORLDS)]


def about(world: str) -> str:
    """What a world is."""
    return ClassicPlan().about if world == CLASSIC else WORLDS[world].about


def _name(value: object) -> str:
    return "" if value is None or value != value else str(value).strip()
