"""Session time, schedule and the variables that Digdag makes of them.

A schedule is shown and never waited for: it only sets the times at which last and next session lie.
"""

import re
import uuid
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from local_runner.workflow.yaml_types import Located, Value
from td_mta.errors import Refused

_WEEKDAYS = {"Sun": 0, "Mon": 1, "Tue": 2, "Wed": 3, "Thu": 4, "Fri": 5, "Sat": 6}
# Words of a cron's field, by the field's place; in any case of letters.
_ALIASES: dict[int, dict[str, int]] = {
    3: dict(jan=1, feb=2, mar=3, apr=4, may=5, jun=6, jul=7, aug=8, sep=9, oct=10, nov=11, dec=12),
    4: {day.lower(): number for day, number in _WEEKDAYS.items()},
}
_CLOCK = r"[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}"
_OPTIONS = frozenset({"skip_on_overtime", "skip_delayed_by"})
_LIMITS = ("start", "end")
_SHAPES = {  # scheduler: the form of its argument
    "daily": _CLOCK,
    "hourly": r"[0-9]{1,2}:[0-9]{1,2}",
    "weekly": rf"({'|'.join(_WEEKDAYS)}), *{_CLOCK}",
    "monthly": rf"([1-9]|[12][0-9]|3[01]), *{_CLOCK}",
    "minutes_interval": r"[1-9]|[1-5][0-9]",
    "cron": r"\S+( +\S+){4}",
}
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_WEEKDAY = 4  # the place of a cron's field
_SEARCH_DAYS = 400


class SessionTimes(NamedTuple):
    """The minutes, hours, days, months and weekdays (0 is Sunday) that a schedule allows."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def on(self, day: date) -> list[datetime]:
        """The local times on a day, in order."""
        if day.day not in self.days or day.month not in self.months:
            return []
        if day.isoweekday() % 7 not in self.weekdays:
            return []
        return [
            datetime.combine(day, time(hour, minute))
            for hour in sorted(self.hours)
            for minute in sorted(self.minutes)
        ]


class Schedule(NamedTuple):
    """A schedule as written, its times, and the days within which it is in force."""

    text: str
    session_times: SessionTimes
    start: date = date.min
    end: date = date.max


def zone(name: Value) -> ZoneInfo:
    """A time zone by the name that Java knows too; raises `ValueError`."""
    known = isinstance(name, str) and (
        name == "UTC" or re.fullmatch(r"[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+-]+)+", name)
    )
    try:
        if known:
            return ZoneInfo(str(name))
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        pass
    raise ValueError(f"timezone must be a known name such as Asia/Tokyo, got {name!r}")


def schedule(config: Value) -> Schedule:
    """The schedule of a workflow; raises `ValueError`."""
    if not isinstance(config, dict):
        raise ValueError("schedule must be a mapping such as `daily>: 07:00:00`")
    kinds = [key for key in config if key.endswith(">")]
    unknown = [key for key in config if key not in {*kinds, *_OPTIONS, *_LIMITS}]
    if unknown or len(kinds) != 1 or kinds[0][:-1] not in _SHAPES:
        raise ValueError(
            f"schedule must have one of {', '.join(f'{kind}>' for kind in _SHAPES)}, perhaps with "
            f"{', '.join(sorted(_OPTIONS.union(_LIMITS)))}, got {', '.join(config) or 'nothing'}"
        )
    kind, argument = kinds[0][:-1], str(config[kinds[0]])
    if not re.fullmatch(_SHAPES[kind], argument):
        raise ValueError(f"schedule: {kind}> with the argument {argument} is not supported")
    limits = {key: _day(key, config[key]) for key in _LIMITS if key in config}
    return Schedule(f"{kind}>: {argument}", _session_times(_cron(kind, argument)), **limits)


def _day(key: str, value: Value) -> date:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
        raise ValueError(f"schedule: {key} must be a day in the form yyyy-MM-dd, got {value}")
    return date.fromisoformat(str(value))


def _cron(kind: str, argument: str) -> str:
    """Sessions lie on the full day, hour ...: the clock in the argument only delays the start."""
    day = argument.split(",")[0]  # of weekly> and monthly>
    return {
        "daily": "0 0 * * *",
        "hourly": "0 * * * *",
        "weekly": f"0 0 * * {_WEEKDAYS.get(day)}",
        "monthly": f"0 0 {day} * *",
        "minutes_interval": f"*/{argument} * * * *",
        "cron": argument,
    }[kind]


def _session_times(cron: str) -> SessionTimes:
    """A day must fit both the day of the month and the weekday, as in Digdag's cron4j."""
    fields = enumerate(cron.split())
    return SessionTimes(*(frozenset(_cron_field(text, place)) for place, text in fields))


def _cron_field(text: str, place: int) -> Iterator[int]:
    low, high = _RANGES[place]
    aliases = _ALIASES.get(place, {})
    number = "|".join(["[0-9]+", *aliases])
    for part in text.lower().split(","):
        match = re.fullmatch(rf"(?:\*|({number})(?:-({number}))?)(?:/([1-9][0-9]*))?", part)
        if match is None:
            raise ValueError(f"cron field {text} is not supported")
        first, last, step = match.groups()
        start, stop = (
            int(aliases.get(word, word)) for word in (first or str(low), last or first or str(high))
        )
        if not (low <= start <= high and low <= stop <= high):
            raise ValueError(f"cron field must be within {low} to {high}, got {text}")
        if place == _WEEKDAY and first:  # 7 is Sunday as well, before a range is made
            start, stop = start % 7, stop % 7
        if start <= stop:
            numbers = list(range(start, stop + 1))
        else:  # over the end, as `22-2`
            numbers = [*range(start, high + 1), *range(low, stop + 1)]
        yield from numbers[:: int(step or 1)]


def parse_time(text: str, tz: ZoneInfo) -> datetime:
    """`yyyy-MM-dd` or `yyyy-MM-dd HH:mm:ss` in the workflow's time zone."""
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S"):
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", text):
                return _local(datetime.strptime(text, form), tz)
        except ValueError:
            continue
    raise Refused(f"--session must be yyyy-MM-dd or 'yyyy-MM-dd HH:mm:ss', got {text}")


def today(now: datetime, tz: ZoneInfo) -> datetime:
    """The session when none is given: the start of the day."""
    return datetime.combine(now.astimezone(tz).date(), time(), tz)


def _local(naive: datetime, tz: ZoneInfo) -> datetime:
    """A clock time in a zone; one that is skipped is moved on, of two the earlier one is taken."""
    return naive.replace(tzinfo=tz).astimezone(timezone.utc).astimezone(tz)


def _on_grid(naive: datetime, tz: ZoneInfo) -> datetime:
    """A session's clock time in a zone; raises `Refused` where the clocks skip or repeat it."""
    local = _local(naive, tz)
    is_skipped = local.replace(tzinfo=None) != naive
    is_repeated = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
    if is_skipped or is_repeated:
        raise Refused(
            f"the schedule's session of {naive} does not exist or exists twice in {tz.key}: "
            "choose another --session"
        )
    return local


def of_workflow(
    config: Located, session_time: datetime, tz: ZoneInfo
) -> tuple[Schedule | None, dict[str, Value]]:
    """The schedule of a workflow, and the built-in parameters of its session.

    Raises `Refused` with the schedule's place in the file.
    """
    try:
        plan = schedule(config["schedule"]) if "schedule" in config else None
        return plan, variables(session_time, tz, plan)
    except (ValueError, Refused) as error:
        raise Refused(f"{config.location('schedule')}: {error}") from None


def identity(number: int) -> dict[str, Value]:
    """The ids of a session, which is the run's `number`-th, and of its only attempt."""
    ids: dict[str, Value] = {"session_id": number, "attempt_id": number, "project_id": 1}
    return {"session_uuid": str(uuid.uuid4()), **ids}


def variables(session_time: datetime, tz: ZoneInfo, timetable: Schedule | None) -> dict[str, Value]:
    """The built-in parameters of a session, but for task and attempt; raises `Refused`."""
    params: dict[str, Value] = {"timezone": tz.key, **_times("session", session_time)}
    if timetable:
        last, following = _neighbours(session_time, tz, timetable.session_times)
        if not _in_force(timetable, [last, following, session_time]):
            raise Refused(
                "a session on the edge of the schedule's start and end is not supported: choose "
                "a --session within them"
            )
        params |= _times("last_session", last) | _times("next_session", following)
    # As in a workflow that never ran: present, and empty but for the offset.
    never: dict[str, Value] = dict.fromkeys(_times("last_executed_session", session_time), "")
    epoch = datetime.fromtimestamp(0, tz)  # the time that stands for no session
    never["last_executed_session_tz_offset"] = _offset(epoch)
    return params | never


def _in_force(timetable: Schedule, times: Iterable[datetime]) -> bool:
    return all(timetable.start < day_time.date() < timetable.end for day_time in times)


def _neighbours(
    session_time: datetime, tz: ZoneInfo, session_times: SessionTimes
) -> tuple[datetime, datetime]:
    """The sessions before and after a time; raises `Refused` where Digdag's are not certain."""
    local = session_time.astimezone(tz).replace(tzinfo=None)
    day = local.date()
    backward = (
        earlier
        for days in range(_SEARCH_DAYS)
        for earlier in reversed(session_times.on(day - timedelta(days)))
    )
    forward = (
        later for days in range(_SEARCH_DAYS) for later in session_times.on(day + timedelta(days))
    )
    last = next((earlier for earlier in backward if earlier < local), None)
    coming = (later for later in forward if later > local)
    following, second = next(coming, None), next(coming, None)
    if following is None or second is None:
        raise Refused(
            f"the schedule has no sessions within {_SEARCH_DAYS} days of --session: not supported"
        )
    next_session, one_more = _on_grid(following, tz), _on_grid(second, tz)
    # Digdag looks back two steps of the coming length, and stays there if no session lies after.
    step = _utc(one_more) - _utc(next_session)
    earliest = _utc(session_time) - 2 * step
    last_session = earliest if last is None else max(earliest, _utc(_on_grid(last, tz)))
    return last_session.astimezone(tz), next_session


def _utc(local: datetime) -> datetime:
    """The same time in UTC: differences of local times would be those of the clocks."""
    return local.astimezone(timezone.utc)


def _offset(local: datetime) -> str:
    """The offset of a zone as `+0900`, without seconds."""
    return f"{local:%z}"[:5]


def _times(prefix: str, session_time: datetime) -> dict[str, Value]:
    """One time in the six forms that Digdag gives it."""
    return {
        f"{prefix}_time": session_time.isoformat(timespec="seconds"),
        f"{prefix}_date": f"{session_time:%Y-%m-%d}",
        f"{prefix}_date_compact": f"{session_time:%Y%m%d}",
        f"{prefix}_local_time": f"{session_time:%Y-%m-%d %H:%M:%S}",
        f"{prefix}_tz_offset": _offset(session_time),
        f"{prefix}_unixtime": int(session_time.timestamp()),
    }
