"""td_mta's whole-array extraction gives the examples that a row-by-row one gives.

The journeys are nasty: ties in time, duplicates, rows without a channel, several conversions a day,
gaps longer than the window, and days on which the clock is put forward or back.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from td_mta.config.attribution import from_params
from td_mta.ingest.pages import Page, TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.ingest.times.clocks import local_time
from td_mta.journeys import examples
from td_mta.journeys.controls import CONTROLS, Period, strata_of
from td_mta.journeys.examples import (
    AUGMENTED,
    GROUPS,
    NEGATIVE,
    POSITIVE,
    CutTimes,
    DayRules,
    Examples,
)
from td_mta.journeys.hashing import whole
from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Touchpoints, arrange
from td_mta.journeys.windows import Journeys, patterns_seen
from tests.journeys import oracle

# Zones, each with a day before its clock is put forward or back, or skips a whole day (Apia).
TURNS = {
    "UTC": "2026-01-01",
    "America/New_York": "2026-03-07",
    "Europe/Berlin": "2026-10-24",
    "Australia/Lord_Howe": "2026-04-04",
    "America/Sao_Paulo": "2018-02-16",
    "Asia/Kathmandu": "1985-12-30",
    "Pacific/Apia": "2011-12-28",
}
SECONDS = (0, 1, 3_599, 5_400, 7_199, 7_200, 9_000, 10_800, 43_200, 86_399)


@dataclass(frozen=True, kw_only=True)
class Case:
    rows: list[oracle.Row]
    lookback: int
    names: list[str]
    zone: str
    conversion_row_is_touch: bool


def channel_names(count: int) -> list[str]:
    """In ascending order, as a vocabulary; some are not ASCII."""
    return sorted(f"{'aÄ中😀'[i % 4]} {i}" for i in range(count))


@st.composite
def cases(draw: Callable) -> Case:
    zone = draw(st.sampled_from(sorted(TURNS)))
    midnight = int(datetime.fromisoformat(TURNS[zone]).replace(tzinfo=ZoneInfo(zone)).timestamp())
    names = channel_names(draw(st.sampled_from([1, 2, 3, 8, 33, 100])))
    rows = st.tuples(
        st.sampled_from(["u0", "u1", "u2"]),
        st.builds(
            lambda day, second: midnight + day * 86_400 + second,
            st.one_of(st.integers(0, 3), st.integers(0, 25)),
            st.sampled_from(SECONDS),
        ),
        st.one_of(st.none(), st.sampled_from(names[:3]), st.sampled_from(names)),
        st.sampled_from([0, 0, 0, 1]),
        st.sampled_from([None, None, 1.0, 2.5]),
    )
    some = draw(st.lists(rows, min_size=1, max_size=25))
    again = draw(st.lists(st.sampled_from(some), max_size=5))
    return Case(
        rows=some + again,
        lookback=draw(st.integers(1, 14)),
        names=names,
        zone=zone,
        conversion_row_is_touch=draw(st.booleans()),
    )


def journeys_of(case: Case) -> tuple[Journeys, int]:
    """The case as td_mta's arrays, and how many duplicates were dropped on the way."""
    user, time, channel, conversion, value = zip(*case.rows, strict=True)
    day, second = local_time(np.array(time), case.zone)
    code = {name: i for i, name in enumerate(case.names)} | {None: -1}
    rows = Touchpoints(
        user=np.array([int(name[1:]) for name in user]),
        time=np.array(time),
        day=day,
        second=second,
        channel=np.array([code[name] for name in channel]),
        conversion=np.array(conversion) == 1,
        value=np.array(value, dtype=float),
    )
    arranged = arrange(rows)
    journeys = Journeys(arranged.rows, 3, case.conversion_row_is_touch)
    return journeys, arranged.duplicates


def grid_of(case: Case) -> Grid:
    return Grid(case.lookback, len(case.names))


def counted(found: Examples, case: Case, kinds: list[int]) -> Counter:
    """td_mta's examples in the oracle's terms: counts by (label, set of cells)."""
    counts: Counter = Counter()
    sets, offsets = found.patterns.cells.tolist(), found.patterns.offsets.tolist()
    for i, row in zip(found.pattern.tolist(), found.counts.tolist(), strict=True):
        cells = (divmod(cell, len(case.names)) for cell in sets[offsets[i] : offsets[i + 1]])
        pattern = frozenset((day, case.names[channel]) for day, channel in cells)
        for kind in kinds:
            counts[int(kind == POSITIVE), pattern] += row[kind]
    return +counts


def rules_of(case: Case, journeys: Journeys, last_day: int, **how: object) -> DayRules:
    """Every user-day up to `last_day`."""
    period = Period(int(journeys.rows.day.min(initial=last_day)), last_day)
    return DayRules(grid_of(case), period)._replace(**how)


def of_groups(found: Examples, which: np.ndarray) -> Examples:
    """Some rows of the examples."""
    rows = (column[which] for column in found[1:])
    return Examples(found.patterns, *rows)


NOBODY = np.arange(3)  # groups of users of whom none is held out
nasty = settings(max_examples=100, deadline=None)


@nasty
@given(cases())
def test_touch_days_are_those_of_the_oracle(case: Case) -> None:
    journeys, _ = journeys_of(case)
    found = examples.touch_days(journeys, NOBODY, grid_of(case), augment=True)
    expected = oracle.touch_days(
        case.rows,
        lookback=case.lookback,
        day_timezone=case.zone,
        conversion_row_is_touch=case.conversion_row_is_touch,
        augment_last_day=True,
    )
    assert counted(found, case, [NEGATIVE, POSITIVE]) == expected.examples
    assert counted(found, case, [AUGMENTED]) == expected.augmented


@nasty
@given(cases(), st.integers(0, 3))
def test_person_days_are_those_of_the_oracle(case: Case, seed: int) -> None:
    """Both cut a day without conversion at the same moment, drawn by td_mta from a few seconds."""
    journeys, _ = journeys_of(case)
    drawn = np.sort(np.random.default_rng(seed).choice([*SECONDS, 6_000, 8_000, 84_000], 4))
    visits = oracle.conversions_are_visits(case.rows, case.conversion_row_is_touch)
    cut = CutTimes(None if visits else drawn, np.arange(3, dtype=np.uint64) + np.uint64(seed))
    last_day = int(journeys.rows.day.max())
    found = examples.person_days(journeys, NOBODY, rules_of(case, journeys, last_day), cut)
    expected = oracle.person_days(
        case.rows,
        lookback=case.lookback,
        cut_of=lambda user, day: int(cut.second(np.array([int(user[1:])]), np.array([day]))[0]),
        day_timezone=case.zone,
        conversion_row_is_touch=case.conversion_row_is_touch,
    )
    assert counted(found, case, [NEGATIVE, POSITIVE]) == expected


@nasty
@given(cases(), st.integers(0, 26))
def test_days_ahead_are_held_out_and_the_past_knows_nothing_of_them(case: Case, ahead: int) -> None:
    journeys, _ = journeys_of(case)
    first, last = int(journeys.rows.day.min()), int(journeys.rows.day.max())
    held_out = min(first + ahead, last)
    visits = oracle.conversions_are_visits(case.rows, case.conversion_row_is_touch)
    cut = CutTimes(None if visits else np.array([9_000]), np.zeros(3, np.uint64))
    rules = rules_of(case, journeys, last, period=Period(first, last, held_out))
    found = examples.person_days(journeys, NOBODY, rules, cut)
    kinds = [NEGATIVE, POSITIVE]
    how = {
        "lookback": case.lookback,
        "cut_of": lambda user, day: 9_000,
        "day_timezone": case.zone,
        "conversion_row_is_touch": case.conversion_row_is_touch,
    }
    past = of_groups(found, found.group < GROUPS)
    expected = oracle.person_days(_up_to(held_out - 1, case, visits=visits), **how)
    assert counted(past, case, kinds) == expected
    assert counted(found, case, kinds) == oracle.person_days(case.rows, **how)


@nasty
@given(cases(), st.integers(0, 20))
def test_history_is_seen_and_is_no_example(case: Case, history: int) -> None:
    """The examples of all days are those of the days before a day and those from it on."""
    journeys, _ = journeys_of(case)
    first, last = int(journeys.rows.day.min()), int(journeys.rows.day.max())
    cut = CutTimes(np.array([9_000]), np.zeros(3, np.uint64))

    def between(one: int, other: int) -> Counter:
        rules = rules_of(case, journeys, last, period=Period(one, other))
        found = examples.person_days(journeys, NOBODY, rules, cut)
        return counted(found, case, [NEGATIVE, POSITIVE])

    before = _before(journeys, first + history, cut, case)
    assert before + between(first + history, last) == between(first, last)


def _before(journeys: Journeys, day: int, cut: CutTimes, case: Case) -> Counter:
    period = Period(int(journeys.rows.day.min()), min(day - 1, int(journeys.rows.day.max())))
    past = Journeys(journeys.rows.take(journeys.rows.day < day), 3, case.conversion_row_is_touch)
    rules = rules_of(case, journeys, period.last_day, period=period)
    return counted(examples.person_days(past, NOBODY, rules, cut), case, [NEGATIVE, POSITIVE])


@nasty
@given(cases(), st.integers(1, 5))
def test_one_day_in_so_many_stands_for_the_others(case: Case, one_in: int) -> None:
    """Drawn in all its phases, every day without a conversion is there just once."""
    journeys, _ = journeys_of(case)
    rules = rules_of(case, journeys, int(journeys.rows.day.max()))
    of_all = examples.person_days(journeys, NOBODY, rules, CutTimes(None, np.zeros(3, np.uint64)))
    drawn: Counter = Counter()
    phases = {}
    for number in range(200):
        hashes = np.full(3, number, np.uint64)
        phase = int(whole(hashes, examples.DRAW_SALT)[0] % one_in)
        phases.setdefault(phase, hashes)
    assert len(phases) == one_in
    for hashes in phases.values():
        found = examples.person_days(
            journeys, NOBODY, rules._replace(one_in=one_in), CutTimes(None, hashes)
        )
        assert (found.counts[:, NEGATIVE] % one_in == 0).all()
        drawn += counted(found, case, [NEGATIVE])
    expected = counted(of_all, case, [NEGATIVE])
    assert drawn == Counter({key: count * one_in for key, count in expected.items()})


@nasty
@given(cases())
def test_strata_split_the_examples_and_change_none(case: Case) -> None:
    journeys, _ = journeys_of(case)
    rules = rules_of(case, journeys, int(journeys.rows.day.max()))
    strata = strata_of(tuple(CONTROLS), rules.period)
    cut = CutTimes(np.array([9_000]), np.zeros(3, np.uint64))
    split = examples.person_days(journeys, NOBODY, rules._replace(strata=strata), cut)
    whole = examples.person_days(journeys, NOBODY, rules, cut)
    kinds = [NEGATIVE, POSITIVE]
    assert counted(split, case, kinds) == counted(whole, case, kinds)
    day = strata.levels(split.stratum)[0]
    assert ((day >= 0) & (day < rules.period.days)).all()
    assert len(strata.design(split.stratum)) == len(split.stratum)


def _up_to(day: int, case: Case, *, visits: bool) -> list[oracle.Row]:
    """The rows up to that day, on which one of a user without a touch ends the data."""
    end = datetime.fromisoformat("1970-01-01T12:00:00") + timedelta(days=day)
    noon = int(end.replace(tzinfo=ZoneInfo(case.zone)).timestamp())
    assume(oracle.local_day_and_second(noon, case.zone)[0] == day)  # Apia had no 2011-12-30
    rows: list[oracle.Row] = [("nobody", noon, None, 0 if visits else 1, None)]
    for user, journey in oracle.journeys(case.rows, case.zone).items():
        rows += [
            (user, event.time, event.channel, int(event.converts), event.value)
            for event in journey
            if event.day <= day
        ]
    return rows


def test_a_clock_put_back_does_not_turn_a_journey_back() -> None:
    """Half past eleven comes twice; what came after it the first time is later in the day.

    So at a cut at a quarter past eleven neither touch has been seen: the day is no anchor day.
    """
    half_past = int(datetime(2018, 2, 17, 23, 30, tzinfo=ZoneInfo("America/Sao_Paulo")).timestamp())
    rows: list[oracle.Row] = [
        ("u0", half_past, "early", 0, None),
        ("u0", half_past + 2_400, "late", 0, None),  # the clock shows ten past eleven
        ("u1", half_past + 80_000, None, 0, None),
    ]
    case = Case(
        rows=rows,
        lookback=2,
        names=["early", "late"],
        zone="America/Sao_Paulo",
        conversion_row_is_touch=False,
    )
    journeys, _ = journeys_of(case)
    cut = CutTimes(np.array([23 * 3600 + 900]), np.zeros(3, np.uint64))
    last_day = int(journeys.rows.day.max())
    found = examples.person_days(journeys, NOBODY, rules_of(case, journeys, last_day), cut)
    expected = {(0, frozenset({(1, "early"), (1, "late")})): 1}
    assert counted(found, case, [NEGATIVE, POSITIVE]) == expected
    assert expected == oracle.person_days(
        rows,
        lookback=2,
        cut_of=lambda user, day: 23 * 3600 + 900,
        day_timezone=case.zone,
        conversion_row_is_touch=False,
    )


@nasty
@given(cases())
def test_moments_to_draw_from_are_those_of_the_oracle(case: Case) -> None:
    journeys, _ = journeys_of(case)
    every, untouched = examples.conversion_times_of_day(journeys, case.lookback)
    for found, fewest in ((every, float("inf")), (untouched, 0)):
        assert sorted(found.tolist()) == oracle.times_to_draw_from(
            case.rows,
            lookback=case.lookback,
            day_timezone=case.zone,
            conversion_row_is_touch=case.conversion_row_is_touch,
            fewest=fewest,
        )


@nasty
@given(cases())
def test_every_conversion_is_credited_by_its_own_pattern(case: Case) -> None:
    journeys, _ = journeys_of(case)
    patterns, which = patterns_seen(journeys, journeys.conversion_windows, grid_of(case))
    counts = np.zeros((len(which), 3), np.int64)
    counts[:, POSITIVE] = 1
    nothing = np.zeros(len(which), np.int64)
    expected = oracle.conversion_patterns(
        case.rows,
        lookback=case.lookback,
        day_timezone=case.zone,
        conversion_row_is_touch=case.conversion_row_is_touch,
    )
    found = counted(Examples(patterns, which, nothing, nothing, counts), case, [POSITIVE])
    assert found == {(1, pattern): count for pattern, count in expected.items()}


@nasty
@given(cases(), st.lists(st.booleans(), min_size=3, max_size=3))
def test_examples_of_pages_add_up_to_those_of_all_users(case: Case, on_page: list[bool]) -> None:
    journeys, _ = journeys_of(case)
    last_day = int(journeys.rows.day.max())
    cut = CutTimes(np.array([1, 9_000]), np.arange(3, dtype=np.uint64))
    grid, rules = grid_of(case), rules_of(case, journeys, last_day)

    def both_ways(page: Journeys) -> list[Examples]:
        return [
            examples.touch_days(page, NOBODY, grid, augment=True),
            examples.person_days(page, NOBODY, rules, cut),
        ]

    chosen = np.array(on_page)[journeys.rows.user]
    pages = [
        both_ways(Journeys(journeys.rows.take(part), 3, case.conversion_row_is_touch))
        for part in (chosen, ~chosen)
    ]
    kinds = [NEGATIVE, POSITIVE, AUGMENTED]
    for of_all, one, other in zip(both_ways(journeys), *pages, strict=True):
        merged = examples.merge([one, other])
        assert counted(merged, case, kinds) == counted(of_all, case, kinds)


@nasty
@given(cases())
def test_equal_rows_count_once(case: Case) -> None:
    journeys, dropped = journeys_of(case)
    assert dropped == len(case.rows) - len(oracle.distinct(case.rows))
    assert len(journeys.rows) == len(oracle.distinct(case.rows))


@nasty
@given(cases(), st.lists(st.booleans(), min_size=3, max_size=3))
def test_held_out_users_have_the_examples_of_their_own_rows(case: Case, held: list[bool]) -> None:
    journeys, _ = journeys_of(case)
    found = examples.touch_days(journeys, np.array(held) * GROUPS, grid_of(case), augment=False)
    for side in (0, 1):
        rows = [row for row in case.rows if held[int(row[0][1:])] == bool(side)]
        expected = oracle.touch_days(
            rows,
            lookback=case.lookback,
            day_timezone=case.zone,
            conversion_row_is_touch=case.conversion_row_is_touch,
        )
        part = of_groups(found, found.group // GROUPS == side)
        assert counted(part, case, [NEGATIVE, POSITIVE]) == expected.examples


class OneTable:
    """A warehouse of one table, read in small batches."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def columns(self, table: str) -> list[str]:
        return self.table.column_names

    def keeps_order(self, table: str) -> bool:
        return False

    def read(self, table: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
        yield from self.table.select(columns).to_batches(max_chunksize=7)


def table_of(case: Case) -> pa.Table:
    names = ["canonical_id", "time", "channels", "conversion", "amount"]
    columns = zip(*case.rows, strict=True)
    types = [pa.string(), pa.int64(), pa.string(), pa.int64(), pa.float64()]
    return pa.table([pa.array(c, t) for c, t in zip(columns, types, strict=True)], names=names)


def read_back(case: Case, users_per_page: int) -> tuple[TouchpointTable, list[Page], Case]:
    """The case through td_mta's pages; channels that touch nobody are no longer in its names."""
    params = {
        "time_format": "seconds",
        "day_timezone": case.zone,
        "lookback_window_days": case.lookback,
        "conversion_row_is_touch": case.conversion_row_is_touch,
        "value_column": "amount",
        "users_per_tfrecord": users_per_page,
    }
    with TemporaryDirectory() as spill:
        config = from_params(params, "test")
        touchpoints = TouchpointTable(
            TableSettings.of(config), OneTable(table_of(case)), Path(spill)
        )  # type: ignore[arg-type]
        return touchpoints, list(touchpoints.pages("")), replace(case, names=touchpoints.channels)


def usable(case: Case) -> bool:
    """Something to attribute, and a touch to give it to; td_mta refuses other tables."""
    touches = [row for row in case.rows if row[2] and (case.conversion_row_is_touch or not row[3])]
    return bool(touches) and any(row[3] for row in case.rows)


@settings(max_examples=60, deadline=None)
@given(cases().filter(usable), st.integers(1, 3))
def test_a_table_read_and_paged_has_the_examples_of_its_rows(case: Case, users: int) -> None:
    touchpoints, pages, seen_by = read_back(case, users)
    grid, nobody = grid_of(seen_by), np.zeros(3, np.int64)
    rules = DayRules(grid, Period(touchpoints.first_day, touchpoints.last_day))
    distinct = oracle.distinct(case.rows)
    assert sum(page.duplicates for page in pages) == len(case.rows) - len(distinct)
    assert sum(page.journeys.users for page in pages) == len({row[0] for row in case.rows})
    cut = CutTimes(None if touchpoints.visits else np.array([9_000]), np.zeros(3, np.uint64))
    touch, person = (
        examples.merge(found)
        for found in zip(
            *(
                (
                    examples.touch_days(page.journeys, nobody, grid, augment=False),
                    examples.person_days(page.journeys, nobody, rules, cut),
                )
                for page in pages
            ),
            strict=True,
        )
    )
    how = {
        "lookback": case.lookback,
        "day_timezone": case.zone,
        "conversion_row_is_touch": case.conversion_row_is_touch,
    }
    kinds = [NEGATIVE, POSITIVE]
    assert counted(touch, seen_by, kinds) == oracle.touch_days(case.rows, **how).examples
    expected = oracle.person_days(case.rows, cut_of=lambda user, day: 9_000, **how)
    assert counted(person, seen_by, kinds) == expected


def test_conversions_of_one_second_stay_apart_though_their_channels_touch_nobody() -> None:
    case = Case(
        rows=[
            ("u0", 100, "search", 0, None),
            ("u0", 500, "order", 1, None),
            ("u0", 500, "subscription", 1, None),
        ],
        lookback=3,
        names=["search"],
        zone="UTC",
        conversion_row_is_touch=False,
    )
    touchpoints, [page], _ = read_back(case, 3)
    assert touchpoints.channels == ["search"]
    assert page.duplicates == 0
    assert len(page.journeys.conversions) == 2
