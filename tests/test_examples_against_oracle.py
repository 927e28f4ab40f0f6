"""td_mta's whole-array extraction gives the examples that a row-by-row one gives.

The journeys are nasty: ties in time, duplicates, rows without a channel, several conversions a day,
gaps longer than the window, and days on which the clock is put forward or back.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from td_mta.journeys import examples
from td_mta.journeys.examples import AUGMENTED, NEGATIVE, POSITIVE, Cut, Examples
from td_mta.journeys.patterns import Grid
from td_mta.journeys.touchpoints import Touchpoints, arrange
from td_mta.journeys.windows import Journeys, seen
from tests import oracle

# Zones, each with a day before its clock is put forward or back, or skips a whole day (Apia).
TURNS = {
    "UTC": "2026-01-01",
    "America/New_York": "2026-03-07",
    "Europe/Berlin": "2026-10-24",
    "Australia/Lord_Howe": "2026-04-04",
    "America/Sao_Paulo": "2018-02-16",
    "Asia/Kathmandu": "1969-12-30",
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
    local = [oracle.local_day_and_second(moment, case.zone) for moment in time]
    code = {name: i for i, name in enumerate(case.names)} | {None: -1}
    rows = Touchpoints(
        user=np.array([int(name[1:]) for name in user]),
        time=np.array(time),
        day=np.array([day for day, _ in local]),
        second=np.array([second for _, second in local]),
        channel=np.array([code[name] for name in channel]),
        conversion=np.array(conversion) == 1,
        value=np.array(value, dtype=float),
    )
    arranged, dropped = arrange(rows)
    return Journeys(arranged, 3, case.conversion_row_is_touch), dropped


def grid_of(case: Case) -> Grid:
    return Grid(case.lookback, len(case.names))


def counted(found: Examples, case: Case, kinds: list[int]) -> Counter:
    """td_mta's examples in the oracle's terms: counts by (label, set of cells)."""
    counts: Counter = Counter()
    sets, offsets = found.patterns.cells.tolist(), found.patterns.offsets.tolist()
    for i, row in enumerate(found.counts.sum(axis=2).tolist()):
        cells = (divmod(cell, len(case.names)) for cell in sets[offsets[i] : offsets[i + 1]])
        pattern = frozenset((day, case.names[channel]) for day, channel in cells)
        for kind in kinds:
            counts[int(kind == POSITIVE), pattern] += row[kind]
    return +counts


NOBODY = np.zeros(3, bool)
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
    cut = Cut(None if visits else drawn, np.arange(3, dtype=np.uint64) + np.uint64(seed))
    last_day = int(journeys.rows.day.max())
    found = examples.person_days(journeys, NOBODY, grid_of(case), cut, last_day)
    expected = oracle.person_days(
        case.rows,
        lookback=case.lookback,
        cut_of=lambda user, day: int(cut.second(np.array([int(user[1:])]), np.array([day]))[0]),
        day_timezone=case.zone,
        conversion_row_is_touch=case.conversion_row_is_touch,
    )
    assert counted(found, case, [NEGATIVE, POSITIVE]) == expected


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
    cut = Cut(np.array([23 * 3600 + 900]), np.zeros(3, np.uint64))
    last_day = int(journeys.rows.day.max())
    found = examples.person_days(journeys, NOBODY, grid_of(case), cut, last_day)
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
    every, untouched = examples.moments(journeys, case.lookback)
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
    patterns, which = seen(journeys, journeys.conversion_windows, grid_of(case))
    counts = np.zeros((len(patterns.keys), 3, 1), np.int64)
    np.add.at(counts, (which, POSITIVE), 1)
    expected = oracle.conversion_patterns(
        case.rows,
        lookback=case.lookback,
        day_timezone=case.zone,
        conversion_row_is_touch=case.conversion_row_is_touch,
    )
    found = counted(Examples(patterns, counts), case, [POSITIVE])
    assert found == {(1, pattern): count for pattern, count in expected.items()}


@nasty
@given(cases(), st.lists(st.booleans(), min_size=3, max_size=3))
def test_pages_of_users_add_up_to_the_whole(case: Case, on_page: list[bool]) -> None:
    journeys, _ = journeys_of(case)
    last_day = int(journeys.rows.day.max())
    cut = Cut(np.array([1, 9_000]), np.arange(3, dtype=np.uint64))
    grid = grid_of(case)

    def both_ways(page: Journeys) -> list[Examples]:
        return [
            examples.touch_days(page, NOBODY, grid, augment=True),
            examples.person_days(page, NOBODY, grid, cut, last_day),
        ]

    chosen = np.array(on_page)[journeys.rows.user]
    pages = [
        both_ways(Journeys(journeys.rows.take(part), 3, case.conversion_row_is_touch))
        for part in (chosen, ~chosen)
    ]
    kinds = [NEGATIVE, POSITIVE, AUGMENTED]
    for whole, one, other in zip(both_ways(journeys), *pages, strict=True):
        merged = examples.merge([one, other])
        assert counted(merged, case, kinds) == counted(whole, case, kinds)


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
    found = examples.touch_days(journeys, np.array(held), grid_of(case), augment=False)
    for side in (0, 1):
        rows = [row for row in case.rows if held[int(row[0][1:])] == bool(side)]
        expected = oracle.touch_days(
            rows,
            lookback=case.lookback,
            day_timezone=case.zone,
            conversion_row_is_touch=case.conversion_row_is_touch,
        )
        part = Examples(found.patterns, found.counts[:, :, side : side + 1])
        assert counted(part, case, [NEGATIVE, POSITIVE]) == expected.examples
