"""Local clocks: unix seconds to the day and second that a time zone's clock shows, and back."""

import numpy as np
import pandas as pd

from td_mta.journeys.touchpoints import SECONDS_PER_DAY, Flags, Ints, day_and_second


def local_time(time: Ints, zone: str) -> tuple[Ints, Ints]:
    """Local day since 1970 and the second in it, of unix seconds `(n,)`."""
    return day_and_second(shown(time, zone))


def shown(time: Ints, zone: str) -> Ints:
    """What the clock shows at unix seconds `(n,)`, as seconds since 1970-01-01 00:00 on it."""
    if zone == "UTC" or not len(time):
        return time
    # Offsets change at whole minutes, and a minute has many rows: one look-up for each minute.
    minute, which = np.unique(time // 60, return_inverse=True)
    in_utc = pd.to_datetime(minute * 60, unit="s", utc=True)
    local = in_utc.tz_convert(zone).tz_localize(None).as_unit("s").asi8  # (minutes,)
    offset = local - minute * 60  # seconds, (minutes,)
    return time + offset[which]


def unix_time(clock: Ints, zone: str) -> Ints:
    """Unix seconds at which the clock shows these seconds `(n,)`; `shown` back.

    In a gap in spring the clock moves on, of the two times in autumn it is the first: both are what
    the offset of the day before gives.

    >>> unix_time(np.array([9 * 3600]), "Asia/Tokyo").tolist()
    [0]
    """
    if zone == "UTC" or not len(clock):
        return clock
    before, after = (_offset(clock + days * SECONDS_PER_DAY, zone) for days in (-1, 1))
    by_offset_before, by_offset_after = clock - before, clock - after
    has_changed = (shown(by_offset_before, zone) != clock) & (shown(by_offset_after, zone) == clock)
    return np.where(has_changed, by_offset_after, by_offset_before)


def outside(time: Ints, period: tuple[str | None, str | None], zone: str) -> tuple[Flags, Flags]:
    """Which unix seconds `(n,)` lie before the first day of a period, and which after the last.

    >>> time = np.array([0, 86_400, 172_800])
    >>> [flags.tolist() for flags in outside(time, ("1970-01-02", "1970-01-02"), "UTC")]
    [[True, False, False], [False, False, True]]
    """
    first, last = period
    nowhere = np.zeros(len(time), np.bool_)
    return (
        nowhere if first is None else time < _midnight(first, 0, zone),
        nowhere if last is None else time >= _midnight(last, 1, zone),
    )


def _midnight(day: str, later: int, zone: str) -> int:
    """Unix seconds at which the day begins that is so many days later."""
    clock = (np.datetime64(day, "D") + later).astype("datetime64[s]").astype(np.int64)
    return int(unix_time(np.array([clock]), zone)[0])


def _offset(time: Ints, zone: str) -> Ints:
    return shown(time, zone) - time
