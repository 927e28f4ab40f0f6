"""The probability to convert on a day, as a function of the touched cells alone.

`Hazard` is the law by which a world's users convert; its `probability` is the value function v(S)
of the Shapley value. A window is held as bits, one integer per user and channel, so that a day's
passing is a shift.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Flags, Floats, Ints

LONGEST_WINDOW = 16  # days: the table of log risks has 2**window entries per channel


class Interaction(NamedTuple):
    """Multiplies the probability by `risk`, once, where both channels touched the window."""

    one: int  # index of a channel
    other: int
    risk: float


@dataclass(frozen=True, kw_only=True)
class Hazard:
    """A base rate times the relative risk that each touched cell brings.

    `relative_risks` holds for a touch on the day itself: above 1 a channel helps, below it harms.
    The risk's logarithm shrinks by the factor `decay`, one number or one per channel, with every
    day since; 1 keeps it the same all through the window. Raises ValueError, naming the field.
    """

    channels: tuple[str, ...] = ("Search", "Email", "Display", "Popup", "Video")
    base: float = 0.005
    relative_risks: tuple[float, ...] = (3.27, 4.83, 1.22, 0.61, 2.0)
    decay: float | tuple[float, ...] = 0.6
    window: int = 5
    interactions: tuple[Interaction, ...] = (Interaction(0, 4, 1.5),)

    def __post_init__(self) -> None:
        channels = len(self.channels)
        require_one_per_channel("relative_risks", self.relative_risks, channels)
        require_one_per_channel("decay", self.decays, channels)
        if not 0 < self.base < 1:
            raise ValueError(f"base must be between 0 and 1, got {self.base}")
        if not 1 <= self.window <= LONGEST_WINDOW:
            raise ValueError(f"window must be 1 to {LONGEST_WINDOW} days, got {self.window}")
        if min(self.relative_risks) <= 0:
            raise ValueError(f"relative_risks must be above 0, got {min(self.relative_risks)}")
        if not all(0 <= decay <= 1 for decay in self.decays):
            raise ValueError(f"decay must be within 0 and 1, got {self.decay}")
        for interaction in self.interactions:
            _check_interaction(Interaction(*interaction), channels)

    @property
    def decays(self) -> tuple[float, ...]:
        """Every channel's decay."""
        if isinstance(self.decay, tuple):
            return self.decay
        return (self.decay,) * len(self.channels)

    def probability(self, cells: Flags) -> Floats:
        """v(S): the probability of a conversion `(n,)` with just these cells touched.

        `cells` is `(n, window, channels)`; index 0 of the window is the day itself.

        >>> hazard = Hazard(base=0.01, decay=0.5, relative_risks=(4.0, 1.0, 1.0, 1.0, 1.0))
        >>> cells = np.zeros((3, 5, 5), bool)
        >>> cells[1, 0, 0] = cells[2, 1, 0] = True  # Search on the day, Search the day before
        >>> hazard.probability(cells)
        array([0.01, 0.04, 0.02])
        """
        return self.probability_of_windows(windows_of(cells))

    def probability_of_windows(self, windows: Ints) -> Floats:
        """The same of windows `(channels, ...)` of bits: bit d is set when touched d days ago."""
        log_risk = np.zeros(windows.shape[1:])
        for log_risks, window in zip(self._log_risks, windows, strict=True):
            log_risk += log_risks.take(window)
        for one, other, risk in self.interactions:
            both_touched = (windows[one] > 0) & (windows[other] > 0)
            log_risk += both_touched * np.log(risk)
        return np.minimum(self.base * np.exp(log_risk), 1.0)

    @cached_property
    def _log_risks(self) -> Floats:
        """The log risk that every possible window of a channel adds: `(channels, 2**window)`."""
        days = np.arange(self.window)
        fading = np.array(self.decays)[:, None] ** days  # (channels, window)
        effects = np.log(self.relative_risks)[:, None] * fading
        windows = np.arange(1 << self.window)  # all, as bits
        touched = windows >> days[:, None] & 1  # (window, 2**window)
        return effects @ touched


def windows_of(cells: Flags) -> Ints:
    """Cells `(n, window, channels)` as windows of bits `(channels, n)`: day d is bit d."""
    bits = 1 << np.arange(cells.shape[1])
    return np.tensordot(cells, bits, axes=([1], [0])).T


def cells_of(windows: Ints, window: int) -> Flags:
    """Windows of bits `(channels, n)` as cells `(n, window, channels)`."""
    days = np.arange(window)[:, None]
    bits = windows.T[:, None] >> days & 1  # (n, window, channels)
    return bits.astype(bool)


def require_one_per_channel(field: str, values: tuple[object, ...], channels: int) -> None:
    """Raises ValueError, naming the field, unless there is one value per channel."""
    if len(values) != channels:
        raise ValueError(f"{field}: wanted {channels} values, one per channel, got {len(values)}")


def _check_interaction(interaction: Interaction, channels: int) -> None:
    one, other, risk = interaction
    known = 0 <= one < channels and 0 <= other < channels
    if not known or one == other or not risk > 0:
        wanted = f"two of the {channels} channels, by index, and a risk above 0"
        raise ValueError(f"interactions: wanted {wanted}, got {(one, other, risk)}")
