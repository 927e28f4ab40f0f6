"""What a private release costs: errors and lost sales by epsilon, simulated from a public world.

Repeated releases of real orders would spend their budget, so that the sales of a world whose truth
is known get the noise of `private_release`, and are fitted.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from td_mta.mmm import effects
from td_mta.mmm.checks import known_truth
from td_mta.mmm.fit import fit
from td_mta.mmm.model import Model
from td_mta.mmm.transforms import Floats
from td_mta.pipelines.media_mix import picture_files
from td_mta.pipelines.media_mix.private_release import CENTS, OF_SUMS
from td_mta.privacy.noise import SeededForTests, add_noise
from td_mta.publishing import publication
from td_mta.reporting.media_mix.frames import NO_NOISE
from td_mta.simulate.media_mix.worlds import MEDIA_WORLDS
from td_mta.warehouse import Warehouse

TABLE = "mmm_privacy_utility"
EPSILONS = (*map(Fraction, ("0.1", "0.3", "1", "3", "10")), None)
FIRST_SEED = 1000
STARTS = 2


class Noise(NamedTuple):
    """The noise of a release: None for none, and the bounds of a user."""

    epsilon: Fraction | None
    max_weeks: int
    cap: int  # cents per user and week


class Fitted(NamedTuple):
    """One data set beside its truth."""

    errors: Floats  # relative, of contributions then of marginal ROIs
    sales_lost: float  # share of the best split's


def write(world: str, sets: int, noise: Noise, warehouse: Warehouse, out: Path) -> pd.DataFrame:
    """Write the table and its picture; each level of noise has `sets` data sets."""
    rows = curve(world, sets, noise)
    with publication.alone(out) as files:
        picture_files.write_privacy(rows, out, files)
        warehouse.write_all({TABLE: rows}, "overwrite", files=files)
    return rows


def curve(world: str, sets: int, noise: Noise) -> pd.DataFrame:
    """A row per level of noise and channel: errors of root mean square, relative to the truth.

    `noise` gives the bounds of a user; its epsilon is not looked at.
    """
    channels = MEDIA_WORLDS[world](FIRST_SEED).channels
    frames = []
    with tqdm(total=len(EPSILONS) * sets, desc="data sets", leave=False) as progress:
        for epsilon in EPSILONS:
            found = []
            for seed in range(FIRST_SEED, FIRST_SEED + sets):
                found.append(fitted_with(noise._replace(epsilon=epsilon), world, seed))
                progress.update()
            frames.append(_rows(epsilon, channels, found))
    return pd.concat(frames, ignore_index=True)


def fitted_with(noise: Noise, world: str, seed: int, total: float | None = None) -> Fitted:
    """A world's sales with the noise of a release, rescaling aside, fitted.

    `total` is the weekly spend to split; None for what the world spends on average.
    """
    true = MEDIA_WORLDS[world](seed)
    seen = replace(true, sales=true.sales + drawn(noise, len(true.sales), seed))
    rng = np.random.default_rng(seed)
    fitted = fit(Model(data=known_truth.data_of(seen)), rng, starts=STARTS)
    total = float(true.spend.sum(axis=1).mean()) if total is None else total
    found = effects.answers(fitted.model, fitted.p)
    lost = known_truth.sales_lost(fitted, true, total)
    return Fitted(known_truth.errors(found, true), lost)


def drawn(noise: Noise, weeks: int, seed: int) -> Floats:
    """What a release adds to each week's sales."""
    if noise.epsilon is None:
        return np.zeros(weeks)
    bound, share = noise.max_weeks * noise.cap, noise.epsilon * OF_SUMS
    cents = add_noise([0] * weeks, bound, share, SeededForTests(seed))
    return np.array(cents) / CENTS


def _rows(
    epsilon: Fraction | None, channels: Sequence[str], found: Sequence[Fitted]
) -> pd.DataFrame:
    errors = np.sqrt(np.mean(np.square([one.errors for one in found]), axis=0))
    contribution, marginal_roi = np.split(errors, 2)
    return pd.DataFrame(
        {
            "epsilon": NO_NOISE if epsilon is None else f"{float(epsilon):g}",
            "channel": list(channels),
            "contribution_error": contribution,
            "marginal_roi_error": marginal_roi,
            "sales_lost": float(np.mean([one.sales_lost for one in found])),
            "data_sets": len(found),
        }
    )
