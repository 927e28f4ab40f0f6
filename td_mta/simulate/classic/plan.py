"""The definition of a classic world."""

from dataclasses import dataclass

from td_mta.simulate.hazard import require_one_per_channel

FEWEST_USERS, MOST_USERS = 50, 10_000_000
MOST_TOUCHES = 1_000


@dataclass(frozen=True, kw_only=True)
class ClassicPlan:
    """λ is `touches`; one conversion rate, frequency, order value and deviation for each channel.

    Deviations are a fifth of the order value, and a user's touches lie anywhere in `days` days,
    uniformly over their seconds and no two at the same one: neither is in the original. An order's
    value in money is 0 at least. Raises ValueError, naming the field.
    """

    channels: tuple[str, ...] = (
        *("Paid Social", "Paid Search", "Display Network", "Affiliate", "Email"),
    )
    rates: tuple[float, ...] = (0.02, 0.02, 0.025, 0.04, 0.05)
    frequencies: tuple[float, ...] = (0.2, 0.1, 0.3, 0.3, 0.1)
    order_values: tuple[float, ...] = (95.0, 90.0, 100.0, 120.0, 130.0)
    deviations: tuple[float, ...] = (19.0, 18.0, 20.0, 24.0, 26.0)
    touches: float = 10.0
    days: int = 30
    users: int = 1_000
    about: str = "touches add up their channels' conversion rates, the last one converts or not"

    def __post_init__(self) -> None:
        for field in ("rates", "frequencies", "order_values", "deviations"):
            values = getattr(self, field)
            require_one_per_channel(field, values, len(self.channels))
            if min(values) < 0:
                raise ValueError(f"{field} must not be negative, got {min(values)}")
        total = sum(self.frequencies)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"frequencies must sum to 100 %, got {100 * total:.6g} %")
        if max(self.rates) > 1:
            raise ValueError(f"rates must be at most 1, got {max(self.rates)}")
        if not 0 < self.touches <= MOST_TOUCHES:
            wanted = f"above 0 and at most {MOST_TOUCHES} per user"
            raise ValueError(f"touches must be {wanted}, got {self.touches}")
        if self.days < 1:
            raise ValueError(f"days must be at least 1, got {self.days}")
        if not FEWEST_USERS <= self.users <= MOST_USERS:
            wanted = f"{FEWEST_USERS} to {MOST_USERS:,}"
            raise ValueError(f"users must be {wanted}, got {self.users:,}")
