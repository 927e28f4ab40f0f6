"""What `td_mta.check` prints: a line for each fact of a table, then what a run would say."""

import shlex
from collections.abc import Sequence

import numpy as np

from td_mta.config.attribution import Config
from td_mta.ingest.values import spellings
from td_mta.pipelines import given_table
from td_mta.pipelines.table_check import HELD, Checked
from td_mta.reporting.wording import counted

MOST_CHANNELS = 20
WIDTH = 12  # of the first column
PLAIN_TIMES = "seconds since 1970"


def lines(checked: Checked, config: Config, found: Sequence[str]) -> list[str]:
    """The facts, then the sentences of a run; `found` are those on its columns."""
    facts = {
        "rows": _rows(checked),
        "times": _times(checked),
        "days": _days(checked, config),
        "users": _users(checked),
        "conversions": _conversions(checked, config),
        "channels": _channels(checked),
        "letter case": _letter_case(checked),
        "ties": _ties(checked),
        "duplicates": f"{counted(checked.given.facts.duplicates, 'row')} equal to another one",
        "most of all": _most(checked),
        "window": _window(checked, config),
    }
    shown = [f"{name:<{WIDTH}} {fact}" for name, fact in facts.items()]
    return [
        *found,
        *shown,
        *_list("The run will warn:", checked.warnings),
        *_list("It will note:", checked.notes),
    ]


def command(checked: Checked, config: Config, options: Sequence[str]) -> str:
    """The command line of the run: the options of the check, and what the table suggests."""
    suggested = []
    if checked.window is not None and checked.window > config.lookback_window_days:
        suggested.append(f"lookback_window_days={checked.window}")
    if config.channel_letter_case == "keep" and _groups(checked):
        suggested.append("channel_letter_case=join")
    names = {option.partition("=")[0].strip() for option in options}
    new = [text for text in suggested if text.partition("=")[0] not in names]
    pairs = [part for text in new for part in ("--set", text)]
    return of_run([*options, *pairs])


def of_run(options: Sequence[str]) -> str:
    """The command line of a run with some options."""
    return shlex.join(["python", "-m", "td_mta.main", *options])


def _rows(checked: Checked) -> str:
    scan = checked.given.touchpoints.scan
    return f"{scan.rows:,}, {scan.dropped:,} of them without a user or a time"


def _times(checked: Checked) -> str:
    touchpoints = checked.given.touchpoints
    place = f"{touchpoints.settings.location(touchpoints.settings.time_column)}: "
    converted = [what.removeprefix(place) for what in touchpoints.scan.converted]
    kinds = [what for what in converted if "column " not in what]
    return ", ".join(kinds) or PLAIN_TIMES


def _days(checked: Checked, config: Config) -> str:
    span = given_table.span(checked.given.touchpoints, checked.given.period)
    days = counted(int(str(span["days"])), "day")
    return f"{span['first_day']} to {span['last_day']}: {days}, cut in {config.day_timezone}"


def _users(checked: Checked) -> str:
    journeys = checked.given.facts.journeys
    share = journeys.converters / max(journeys.users, 1)
    convert = "converts" if journeys.converters == 1 else "convert"
    return f"{journeys.users:,}, {journeys.converters:,} of whom {convert} ({share:.2%})"


def _conversions(checked: Checked, config: Config) -> str:
    journeys = checked.given.facts.journeys
    value = "no value"
    if checked.given.touchpoints.settings.has_value:
        value = f"value {checked.value:,.2f} in all, {journeys.without_value:,} without one"
    kind = "touches too" if config.conversion_row_is_touch else "events of their own"
    if journeys.without_channel == journeys.conversions:
        kind = "without a channel, so no touches"
    return f"{journeys.conversions:,}, {value}; their rows are {kind}"


def _channels(checked: Checked) -> str:
    """Each with its touches, and with the conversions that it touched."""
    names, touches = checked.given.touchpoints.channels, checked.touches
    order = np.argsort(-touches, kind="stable")[:MOST_CHANNELS].tolist()
    shown = [f"{names[i]} {touches[i]:,} ({checked.converting_touches[i]:,})" for i in order]
    more = f", and {len(names) - len(order):,} more" if len(names) > len(order) else ""
    listed = f"{', '.join(shown)}{more}"
    return f"{len(names):,}, by touches (and conversions that they precede): {listed}"


def _groups(checked: Checked) -> list[list[str]]:
    """Channels that are one but for their spelling."""
    scan, channels = checked.given.touchpoints.scan, checked.given.touchpoints.channels
    return spellings.alike({name: scan.rows_by_channel[name] for name in channels})


def _letter_case(checked: Checked) -> str:
    groups = ["/".join(names) for names in _groups(checked)]
    return f"the same channel? {', '.join(groups)}" if groups else "no channels differ by it alone"


def _ties(checked: Checked) -> str:
    journeys = checked.given.facts.journeys
    depend = "depends" if journeys.tied_conversions == 1 else "depend"
    return (
        f"{journeys.tied_conversions:,} of {counted(journeys.conversions, 'conversion')} {depend} "
        "on the order of touches at equal times"
    )


def _most(checked: Checked) -> str:
    facts = checked.given.facts
    most = {
        "touch": (facts.most_touches, facts.journeys.touches),
        "conversion": (facts.most_conversions, facts.journeys.conversions),
    }
    return ", ".join(
        f"{counted(user.number, what)} of user {user.user} ({user.number / max(total, 1):.1%})"
        for what, (user, total) in most.items()
        if user.number
    )


def _window(checked: Checked, config: Config) -> str:
    """How much windows of several lengths would hold."""
    if not checked.shares:
        return "no touch leads to a conversion"
    shares = ", ".join(f"{days}: {share:.0%}" for days, share in checked.shares.items())
    return (
        f"share of the touches before conversions by days before them: {shares}; "
        f"{HELD:.0%} need {counted(checked.window or 0, 'day')}, lookback_window_days is "
        f"{config.lookback_window_days}"
    )


def _list(title: str, sentences: Sequence[str]) -> list[str]:
    return [title, *(f"  - {sentence}" for sentence in sentences)] if sentences else []
