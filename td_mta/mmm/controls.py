"""What moves sales beside media, as columns: a trend and seasons; the caller adds others."""

import numpy as np
import numpy.typing as npt

from td_mta.mmm.transforms import Floats

DAYS_PER_YEAR = 365.25


def trend(periods: int) -> Floats:
    """From -1 in the first period to 1 in the last, `(periods, 1)`."""
    return np.linspace(-1, 1, periods)[:, None]


def seasons(
    days: npt.NDArray[np.floating], waves: int, days_per_cycle: float = DAYS_PER_YEAR
) -> Floats:
    """Sine and cosine of 1 to `waves` cycles per year at some days, `(n, 2 waves)`.

    >>> seasons(np.array([0.0, DAYS_PER_YEAR / 4]), 1).round(6)
    array([[0., 1.], [1., 0.]])
    """
    angle = 2 * np.pi * np.asarray(days)[:, None] / days_per_cycle * np.arange(1, waves + 1)
    return np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(len(angle), 2 * waves)


def season_names(waves: int, cycle: str = "year") -> list[str]:
    """Names of the columns of `seasons`.

    >>> season_names(1)
    ['sine 1 of the year', 'cosine 1 of the year']
    """
    waves_of = range(1, waves + 1)
    return [f"{name} {w} of the {cycle}" for w in waves_of for name in ("sine", "cosine")]
