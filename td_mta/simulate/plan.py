"""The definition of a simulated world: what `engine.py` runs and `worlds.py` lists."""

from dataclasses import dataclass
from typing import Literal

from td_mta.simulate.drivers import Driver, Intent
from td_mta.simulate.hazard import Hazard, require_one_per_channel
from td_mta.simulate.touching import Touching

TrialTime = Literal["day_end", "any_time"]
WindowAfterConversion = Literal["cut", "keep"]


@dataclass(frozen=True, kw_only=True)
class WorldPlan:
    """How users of a world are touched and convert; raises ValueError, naming the field.

    Every user has one trial a day, at which the user converts or not. At `day_end` it comes after
    all touches of the day, at `any_time` at a uniformly distributed second of it. An order's value
    in money has a gamma distribution of shape 4 with mean `order_value`; every order after a user's
    first is `repeat_order_value` times as large.

    A conversion uses up the touches before it, unless the window is kept. The record begins in the
    middle of a running world: after `burn_in` days, by default as many as the window has, whose
    touches have their effect but no row, and whose conversions belong to no truth.
    """

    about: str = ""
    hazard: Hazard
    touching: Touching
    intent: Intent | None = None
    drivers: tuple[Driver, ...] = ()  # beside the intent
    trial_time: TrialTime = "any_time"
    window_after_conversion: WindowAfterConversion = "cut"
    days: int = 28
    burn_in: int | None = None
    users: int = 150_000
    order_value: float = 80.0
    repeat_order_value: float = 1.25

    def __post_init__(self) -> None:
        channels = len(self.hazard.channels)
        require_one_per_channel("rates", self.touching.rates, channels)
        for driver in self.all_drivers:
            driver.check(channels)
        if self.intent is not None and self.drivers:
            raise ValueError("a plan with an intent has no other drivers: no predictor knows both")
        if self.burn_in is not None and self.burn_in < 0:
            raise ValueError(f"burn_in must not be negative, got {self.burn_in}")
        if self.users < 1 or self.days < 1:
            raise ValueError(f"users and days must be at least 1, got {self.users} and {self.days}")

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, in the order of every array."""
        return self.hazard.channels

    @property
    def all_drivers(self) -> tuple[Driver, ...]:
        """The intent, if there is one, and the others."""
        return self.drivers if self.intent is None else (self.intent, *self.drivers)

    @property
    def burn_in_days(self) -> int:
        """Days before the record."""
        return self.hazard.window if self.burn_in is None else self.burn_in
