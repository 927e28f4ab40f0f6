"""A world as files: `media.csv` by week, or `spend.csv` and `sales.csv` by day, and its truth.

`media_truth.csv` has the true values, `media_experiments.csv` experiments, on demand.
"""

import csv
import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from td_mta.atomic_files import replacing
from td_mta.simulate.media_mix.world import MediaWorld
from td_mta.simulate.media_mix.worlds import MEDIA_WORLDS

FIRST_DAY = datetime.date(2024, 1, 1)
TEST_WEEKS = 8
DAYS = 7  # of a week
ERROR = 0.1  # of an experiment's effect, for its standard error


def write(
    world: str,
    out: Path,
    *,
    seed: int,
    weeks: int | None = None,
    noise: float | None = None,
    experiments: Sequence[str] = (),
    is_long: bool = False,
) -> list[str]:
    """Write the files and return the lines to print; `experiments` are like `TikTok=0`.

    `is_long` is the form that mmm.dig reads. Raises `ValueError` for a channel that the world does
    not have.
    """
    chosen = {"weeks": weeks, "noise": noise}
    simulated = MEDIA_WORLDS[world](seed, **{k: v for k, v in chosen.items() if v is not None})
    tests = [_experiment(simulated, text, seed) for text in experiments]
    out.mkdir(parents=True, exist_ok=True)
    if is_long:
        _write(out / "spend.csv", _spend_by_day(simulated))
        _write(out / "sales.csv", _sales_by_day(simulated))
        command = f"python -m local_runner run mmm.dig --data {out}"
        if simulated.controls:
            command += f" --set 'control_columns={', '.join(simulated.controls)}'"
    else:
        _write(out / "media.csv", _media(simulated))
        command = f"python -m td_mta.mmm fit {out / 'media.csv'}"
    _write(out / "media_truth.csv", [("channel", "parameter", "true_value"), *_truth(simulated)])
    command += " --set truth_table=media_truth --set spend_before=zero"
    if tests:
        heading = ("channel", "first_day", "last_day", "spend_multiplier")
        columns = (*heading, "incremental_revenue", "standard_error")
        _write(out / "media_experiments.csv", [columns, *tests])
        command += " --set experiments_table=media_experiments"
    return [f"{len(simulated.sales)} weeks of {world} in {out}", f"next: {command}"]


def _media(world: MediaWorld) -> Iterable[Sequence[object]]:
    channels = [f"spend_{name}" for name in world.channels]
    yield ("date", *channels, *world.controls, "revenue")
    for week, sales in enumerate(world.sales):
        spend = [f"{amount:.6f}" for amount in world.spend[week]]
        controls = [f"{column[week]:g}" for column in world.controls.values()]
        yield (_day(week), *spend, *controls, f"{sales:.6f}")


def _spend_by_day(world: MediaWorld) -> Iterable[Sequence[object]]:
    """A row per day and channel with spend."""
    yield ("day", "channel", "spend")
    for week, row in enumerate(world.spend):
        by_channel = [_by_day(amount) for amount in row]
        for day in range(DAYS):
            for name, amounts in zip(world.channels, by_channel, strict=True):
                if amounts[day]:
                    yield (_day(week, day), name, f"{amounts[day]:.6f}")


def _sales_by_day(world: MediaWorld) -> Iterable[Sequence[object]]:
    yield ("day", *world.controls, "revenue")
    for week, sales in enumerate(world.sales):
        controls = [f"{column[week]:g}" for column in world.controls.values()]
        for day, amount in enumerate(_by_day(sales)):
            yield (_day(week, day), *controls, f"{amount:.6f}")


def _by_day(amount: float) -> list[float]:
    """A week's amount as seven, which sum to it to six digits after the point."""
    whole = round(1e6 * float(amount))
    each = whole // DAYS
    return [part / 1e6 for part in [each] * (DAYS - 1) + [whole - each * (DAYS - 1)]]


def _truth(world: MediaWorld) -> Iterable[tuple[str, str, float]]:
    answers = zip(world.contribution(), world.roi(), world.marginal_roi(), strict=True)
    for law, (contribution, roi, marginal_roi) in zip(world.laws, answers, strict=True):
        yield law.name, "decay", law.decay
        if law.curve == "hill":
            yield law.name, "slope", law.slope
        yield law.name, "half_at", law.half_at * (1 - law.decay)
        yield law.name, "contribution", float(contribution)
        yield law.name, "roi", float(roi)
        yield law.name, "marginal_roi", float(marginal_roi)


def _experiment(world: MediaWorld, text: str, seed: int) -> tuple[object, ...]:
    """Eight weeks in the middle of the data, observed with an error of 10 %."""
    name, _, factor = text.partition("=")
    if name not in world.channels or not factor.replace(".", "", 1).isdigit() or factor == "1":
        raise ValueError(
            f"--experiment must be CHANNEL=MULTIPLIER, the channel one of "
            f"{', '.join(world.channels)}, the multiplier not 1, got {text}"
        )
    channel, multiplier = world.channels.index(name), float(factor)
    first = (len(world.sales) - TEST_WEEKS) // 2
    changed = world.spend.copy()
    changed[first : first + TEST_WEEKS, channel] *= multiplier
    difference = (world.effects(changed) - world.effects())[:, channel].sum()
    effect = abs(float(difference))
    error = ERROR * effect
    observed = effect + error * np.random.default_rng(seed).standard_normal()
    last = _day(first + TEST_WEEKS - 1, 6)
    return name, _day(first), last, multiplier, round(observed, 4), round(error, 4)


def _day(week: int, add: int = 0) -> datetime.date:
    return FIRST_DAY + datetime.timedelta(DAYS * week + add)


def _write(path: Path, rows: Iterable[Sequence[object]]) -> None:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
