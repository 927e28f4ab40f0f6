"""What is counted of journeys, so that a run can say how its rows were taken. Parts add up."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from td_mta.journeys.runs import positions
from td_mta.journeys.touchpoints import Ints, same_time_as_previous
from td_mta.journeys.windows import Journeys, Windows, look_back


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Counts of users, of rows, and of what is unusual about them."""

    users: int
    touches: int
    conversions: int
    without_value: int  # conversions
    without_channel: int  # conversions
    converters: int  # users with a conversion
    late_converters: int  # those with another row before one of their conversions
    tied_conversions: int  # whose path would be another in another order of equal times
    touches_by_day: Ints  # by days before the conversion that they lead to, (days,)


def facts_of(journeys: Journeys, days: int) -> Facts:
    """Counts of the journeys; paths reach back `days` days."""
    rows, conversions = journeys.rows, journeys.conversions
    windows = look_back(journeys, journeys.conversion_windows, days)
    same_user = rows.user[1:] == rows.user[:-1]
    begins_to_convert = same_user & rows.conversion[1:] & ~rows.conversion[:-1]
    return Facts(
        users=journeys.users,
        touches=len(journeys.touches),
        conversions=len(conversions),
        without_value=int(np.isnan(conversions.value).sum()),
        without_channel=int((conversions.channel < 0).sum()),
        converters=len(np.unique(conversions.user)),
        late_converters=len(np.unique(rows.user[1:][begins_to_convert])),
        tied_conversions=_tied(journeys, windows),
        touches_by_day=_touches_by_day(journeys, windows, days),
    )


def sum_of(parts: Sequence[Facts]) -> Facts:
    """The counts of all parts together."""
    names = [field.name for field in fields(Facts)]
    return Facts(**{name: sum(getattr(part, name) for part in parts) for name in names})


def _tied(journeys: Journeys, windows: Windows) -> int:
    """Conversions with two touches of different channels at one time in or beside their path."""
    touches = journeys.touches
    tied = same_time_as_previous(touches)
    tied[1:] &= touches.channel[1:] != touches.channel[:-1]
    before = np.concatenate([[0], np.cumsum(tied)])  # of the touches before each
    # The touch after the path counts too: in another order it would have come before its end.
    last = np.minimum(windows.stop + 1, len(touches))
    depends = (windows.sizes > 0) & (before[last] > before[windows.start])
    return int(depends.sum())


def _touches_by_day(journeys: Journeys, windows: Windows, days: int) -> Ints:
    touch = positions(windows.start, windows.sizes)
    anchor = np.repeat(windows.anchor, windows.sizes)
    return np.bincount(anchor - journeys.touches.day[touch], minlength=days)
