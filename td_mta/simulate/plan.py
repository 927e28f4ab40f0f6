"""The definition of a simulated world: what `engine.py` runs and `worlds.py` lists."""

from dataclasses import dataclass
from typing import Literal

from td_mta.simulate.hazard import Hazard, require_one_per_channel
from td_mta.simulate.touching import Intent, Touching

TrialTime = Literal["day_end", "any_time"]


@dataclass(frozen=True, kw_only=True)
class WorldPlan:
    """How users of a world are touched and convert; raises ValueError, naming the field.

    Every user has one trial a day, at which the user converts or not. At `day_end` it comes after
    all touches of the day, at `any_time` at a uniformly distributed second of it. An order's value
    in money has a gamma distribution of shape 4 with mean `order_value`; every order after a user's
    first is `repeat_order_value` times as large.
    """

    about: str = ""
    hazard: Hazard
    touching: Touching
    intent: Intent | None = None
    trial_time: TrialTime = "any_time"
    days: int = 28
    users: int = 150_000
    order_value: float = 80.0
    repeat_order_value: float = 1.25

    def __post_init__(self) -> None:
        channels = len(self.hazard.channels)
        require_one_per_channel("rates", self.touching.rates, channels)
        if self.intent is not None:
            require_one_per_channel("drives", self.intent.drives, channels)
        if self.users < 1 or self.days < 1:
            raise ValueError(f"users and days must be at least 1, got {self.users} and {self.days}")

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, in the order of every array."""
        return self.hazard.channels
