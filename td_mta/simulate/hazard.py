"""The probability to convert on a day, as a function of the touched cells.

`Hazard` is the law by which a world's users convert; its `probability` is the value function v(S)
of the Shapley value. A window is held as bits, one integer per user and channel, so that a day's
passing is a shift. Where a second touch on a day counts too, it has bits of its own, and cells hold
numbers of touches, 0 to 2, instead of flags.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from td_mta.journeys.touchpoints import Flags, Floats, Ints

# (n, window, channels): flags, or numbers of touches on a day
Cells: TypeAlias = "npt.NDArray[np.bool_ | np.uint8]"

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
    day since; 1 keeps it the same all through the window. With `peaks`, one per channel, the effect
    comes late: it is strongest so many days after the touch, and `decay` to the power of the
    squared distance from that day (delayed adstock: Jin et al. 2017). A second touch of a channel
    on the same day brings another risk, of `second_risks`, that decays alike. With `saturation` the
    log risk x of a day's touches together is s tanh(x / s): the more there are, the less each adds.
    Raises ValueError, naming the field.
    """

    channels: tuple[str, ...] = ("Search", "Email", "Display", "Popup", "Video")
    base: float = 0.005
    relative_risks: tuple[float, ...] = (3.27, 4.83, 1.22, 0.61, 2.0)
    decay: float | tuple[float, ...] = 0.6
    window: int = 5
    interactions: tuple[Interaction, ...] = (Interaction(0, 4, 1.5),)
    peaks: tuple[float, ...] | None = None
    second_risks: tuple[float, ...] | None = None
    saturation: float | None = None

    def __post_init__(self) -> None:
        channels = len(self.channels)
        require_one_per_channel("relative_risks", self.relative_risks, channels)
        require_one_per_channel("decay", self.decays, channels)
        for field in ("peaks", "second_risks"):
            values = getattr(self, field)
            if values is not None:
                require_one_per_channel(field, values, channels)
        if not 0 < self.base < 1:
            raise ValueError(f"base must be between 0 and 1, got {self.base}")
        if not 1 <= self.window <= LONGEST_WINDOW:
            raise ValueError(f"window must be 1 to {LONGEST_WINDOW} days, got {self.window}")
        for field in ("relative_risks", "second_risks"):
            smallest = min(getattr(self, field) or (1.0,))
            if smallest <= 0:
                raise ValueError(f"{field} must be above 0, got {smallest}")
        if not all(0 <= decay <= 1 for decay in self.decays):
            raise ValueError(f"decay must be within 0 and 1, got {self.decay}")
        if self.saturation is not None and self.saturation <= 0:
            raise ValueError(f"saturation must be above 0, got {self.saturation}")
        for interaction in self.interactions:
            _check_interaction(Interaction(*interaction), channels)

    @property
    def decays(self) -> tuple[float, ...]:
        """Every channel's decay."""
        if isinstance(self.decay, tuple):
            return self.decay
        return (self.decay,) * len(self.channels)

    @property
    def is_product(self) -> bool:
        """Whether v(S) is v(∅) times a risk of each cell in S, as long as it is not cut to 1."""
        return not self.interactions and self.saturation is None

    @property
    def counts_touches(self) -> bool:
        """Whether a second touch of a channel on a day counts too."""
        return self.second_risks is not None

    def probability(self, cells: Cells, factor: Floats | float = 1.0) -> Floats:
        """v(S): the probability of a conversion `(n,)` with just these cells touched.

        `cells` is `(n, window, channels)`; index 0 of the window is the day itself. `factor` is
        what drives the user and the day whatever the cells are.

        >>> hazard = Hazard(base=0.01, decay=0.5, relative_risks=(4.0, 1.0, 1.0, 1.0, 1.0))
        >>> cells = np.zeros((3, 5, 5), bool)
        >>> cells[1, 0, 0] = cells[2, 1, 0] = True  # Search on the day, Search the day before
        >>> hazard.probability(cells)
        array([0.01, 0.04, 0.02])
        """
        return self.probability_of_windows(windows_of(self._layers(cells)), factor)

    def probability_of_windows(self, windows: Ints, factor: Floats | float = 1.0) -> Floats:
        """The same of windows `(channels, ...)` of bits: bit d is set when touched d days ago.

        Where a second touch counts, its windows follow after those of all channels.
        """
        log_risk = self._log_risk(windows)
        for one, other, risk in self.interactions:
            both_touched = (windows[one] > 0) & (windows[other] > 0)
            log_risk += both_touched * np.log(risk)
        return np.minimum(self.base * np.exp(log_risk) * factor, 1.0)

    def _log_risk(self, windows: Ints) -> Floats:
        """The log risk of windows, interactions apart."""
        log_risk = np.zeros(windows.shape[1:])
        if self.saturation is None:
            for log_risks, window in zip(self._log_risks, windows, strict=True):
                log_risk += log_risks.take(window)
            return log_risk
        for day, effects in enumerate(self._effects.T):
            of_day = np.tensordot(effects, windows >> day & 1, axes=1)
            log_risk += self.saturation * np.tanh(of_day / self.saturation)
        return log_risk

    def cell_log_risks(self, cells: Cells) -> Floats:
        """What each cell alone adds to the log risk `(n, window, channels)`."""
        by_layer = self._layers(cells) * self._effects.T
        layers = np.split(by_layer, by_layer.shape[2] // len(self.channels), axis=2)
        return np.sum(layers, axis=0)

    def most_probable(self, cells: Cells) -> Floats:
        """A bound `(n,)` of base times risk over all sets of these cells; above 1 it may be cut."""
        helpful = np.maximum(self.cell_log_risks(cells), 0).sum(axis=(1, 2))
        together = sum(max(np.log(risk), 0.0) for _, _, risk in self.interactions)
        return self.base * np.exp(helpful + together)

    def _layers(self, cells: Cells) -> Flags:
        """The touched cells, and after all channels those that were touched twice, if it counts."""
        if not self.counts_touches:
            return cells > 0
        return np.concatenate([cells > 0, cells > 1], axis=2)

    @cached_property
    def _effects(self) -> Floats:
        """The log risk of a touch by day since: `(channels or twice as many, window)`."""
        days, decays = np.arange(self.window), np.array(self.decays)[:, None]
        powers = days if self.peaks is None else (days - np.array(self.peaks)[:, None]) ** 2
        fading = decays**powers  # (channels, window)
        risks = (self.relative_risks, self.second_risks or ())
        by_layer = [np.log(risk)[:, None] * fading for risk in risks if risk]
        return np.concatenate(by_layer)

    @cached_property
    def _log_risks(self) -> Floats:
        """The log risk that every possible window of a channel adds: `(channels, 2**window)`."""
        windows = np.arange(1 << self.window)  # all, as bits
        touched = windows >> np.arange(self.window)[:, None] & 1  # (window, 2**window)
        return self._effects @ touched


def windows_of(cells: Flags) -> Ints:
    """Cells `(n, window, channels)` as windows of bits `(channels, n)`: day d is bit d."""
    bits = 1 << np.arange(cells.shape[1])
    return np.tensordot(cells, bits, axes=([1], [0])).T


def cells_of(windows: Ints, hazard: Hazard) -> Cells:
    """Windows of bits `(channels, n)` as cells `(n, window, channels)`, flags or counts."""
    days = np.arange(hazard.window)[:, None]
    bits = (windows.T[:, None] >> days & 1).astype(bool)  # (n, window, channels)
    if not hazard.counts_touches:
        return bits
    once, twice = np.split(bits, 2, axis=2)
    return once.astype(np.uint8) + twice


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
