"""The chance to convert on a day, as a function of the touched cells alone.

`Hazard` is the law by which a world's users convert; its `worth` is the v(S) of the Shapley value.
A window is held as bits, one whole number a user and channel, so that a day's passing is a shift.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from td_mta.simulate.draws import Floats, Integers
from td_mta.simulate.rows import Bools

LONGEST_WINDOW = 16


class Interaction(NamedTuple):
    """A window that was touched by both channels has `risk` on top, once."""

    one: int
    other: int
    risk: float


@dataclass(frozen=True, kw_only=True)
class Hazard:
    """A base rate times the relative risk that each touched cell brings.

    `relative_risks` holds for a touch on the day itself: above 1 a channel helps, below it harms.
    The risk's logarithm shrinks by `decay`, one number or one a channel, with every day since; 1
    keeps it the same all through the window. Raises ValueError, naming the field.
    """

    channels: tuple[str, ...] = ("Search", "Email", "Display", "Popup", "Video")
    base: float = 0.005
    relative_risks: tuple[float, ...] = (3.27, 4.83, 1.22, 0.61, 2.0)
    decay: float | tuple[float, ...] = 0.6
    window: int = 5
    interactions: tuple[Interaction, ...] = (Interaction(0, 4, 1.5),)

    def __post_init__(self) -> None:
        n = len(self.channels)
        one_each("relative_risks", self.relative_risks, n)
        one_each("decay", self.decays, n)
        if not 0 < self.base < 1:
            raise ValueError(f"base must be between 0 and 1, got {self.base}")
        if not 1 <= self.window <= LONGEST_WINDOW:
            raise ValueError(f"window must be 1 to {LONGEST_WINDOW} days, got {self.window}")
        if min(self.relative_risks) <= 0:
            raise ValueError(f"relative_risks must be above 0, got {min(self.relative_risks)}")
        if not all(0 <= decay <= 1 for decay in self.decays):
            raise ValueError(f"decay must be within 0 and 1, got {self.decay}")
        for one, other, risk in self.interactions:
            if not (0 <= one < n and 0 <= other < n and one != other and risk > 0):
                wanted = f"two of the {n} channels and a risk above 0"
                raise ValueError(f"interactions: wanted {wanted}, got {(one, other, risk)}")

    @property
    def decays(self) -> tuple[float, ...]:
        """Every channel's decay."""
        one = self.decay
        return one if isinstance(one, tuple) else (one,) * len(self.channels)

    def worth(self, cells: Bools) -> Floats:
        """Chance of a conversion `(n,)` with the cells `(n, window, channels)`, and only they.

        >>> hazard = Hazard(base=0.01, decay=0.5, relative_risks=(4.0, 1.0, 1.0, 1.0, 1.0))
        >>> cells = np.zeros((3, 5, 5), bool)
        >>> cells[1, 0, 0] = cells[2, 1, 0] = True  # Search on the day, Search the day before
        >>> hazard.worth(cells)
        array([0.01, 0.04, 0.02])
        """
        return self.worth_of(windows_of(cells))

    def worth_of(self, windows: Integers) -> Floats:
        """The same of windows `(channels, ...)` of bits: bit d is set when touched d days ago."""
        log_risk = np.zeros(windows.shape[1:])
        for log_risks, window in zip(self._log_risks, windows, strict=True):
            log_risk += log_risks.take(window)
        for one, other, risk in self.interactions:
            log_risk += ((windows[one] > 0) & (windows[other] > 0)) * np.log(risk)
        return np.minimum(self.base * np.exp(log_risk), 1.0)

    @cached_property
    def _log_risks(self) -> Floats:
        """What every channel's possible window of bits adds: `(channels, 2**window)`."""
        fading = np.array(self.decays)[:, None] ** np.arange(self.window)
        effects = np.log(self.relative_risks)[:, None] * fading
        touched = np.arange(1 << self.window) >> np.arange(self.window)[:, None] & 1
        return effects @ touched


def windows_of(cells: Bools) -> Integers:
    """Cells `(n, window, channels)` as one number a channel `(channels, n)`: day d is bit d."""
    return np.tensordot(cells, 1 << np.arange(cells.shape[1]), axes=([1], [0])).T


def cells_of(windows: Integers, window: int) -> Bools:
    """Windows of bits `(channels, n)` as cells `(n, window, channels)`."""
    return (windows.T[:, None] >> np.arange(window)[:, None] & 1).astype(bool)


def one_each(field: str, values: tuple[object, ...], channels: int) -> None:
    """Raises ValueError unless there is one value a channel."""
    if len(values) != channels:
        raise ValueError(f"{field}: wanted one for each of {channels} channels, got {len(values)}")
