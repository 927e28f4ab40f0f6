"""Rules and Markov chains: worked by hand, held to laws, and to what peers answer."""

import csv
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from td_mta.baselines import markov, rules
from td_mta.baselines.methods import (
    METHODS,
    RULES,
    ByRule,
    ModelTotals,
    markov_chain,
    shares_by_rule,
)
from td_mta.baselines.rules import RuleSettings
from td_mta.journeys.paths import Paths
from td_mta.journeys.touchpoints import SECONDS_PER_DAY
from td_mta.reporting import charts, frames

RECORDED = Path(__file__).parents[1] / "conformance" / "attribution"
DIRECT = 2


def paths_of(
    *sequences: str, conversions: list[float] | None = None, value: list[float] | None = None
) -> Paths:
    """Paths such as "abc", a day between touches; the last touch is at the conversion."""
    sizes = [len(path) for path in sequences]
    done = np.ones(len(sequences)) if conversions is None else np.array(conversions, float)
    age = np.concatenate([np.arange(size)[::-1] for size in sizes]) * float(SECONDS_PER_DAY)
    channel = np.array([ord(c) - ord("a") for path in sequences for c in path], np.int64)
    return Paths(
        channel,
        np.concatenate([[0], np.cumsum(sizes)]),
        done,
        10 * done if value is None else np.array(value, float),
        (done == 0).astype(float),
        age,
    )


SETTINGS = RuleSettings(direct=(DIRECT,), half_life_days=1)
BY_HAND = {
    "first_touch": [1, 0, 0, 0],
    "last_touch": [0, 0, 0, 1],
    "last_non_direct": [0, 1, 0, 0],
    "linear": [1 / 4, 1 / 4, 1 / 4, 1 / 4],
    "linear_unique": [1 / 3, 1 / 3, 1 / 6, 1 / 6],
    "position_based": [0.4, 0.1, 0.1, 0.4],
    "time_decay": [1 / 15, 2 / 15, 4 / 15, 8 / 15],
}


@pytest.mark.parametrize("name", RULES)
def test_a_path_of_four_touches_by_hand(name: str) -> None:
    shares = RULES[name](paths_of("abcc"), SETTINGS)
    assert shares == pytest.approx(BY_HAND[name], rel=1e-12)


@pytest.mark.parametrize(
    "path,wanted", [("a", [1.0]), ("ab", [0.75, 0.25]), ("aba", [0.6, 0.2, 0.2])]
)
def test_position_based_with_one_two_and_three_touches(path: str, wanted: list[float]) -> None:
    shares = RULES["position_based"](paths_of(path), RuleSettings(first=0.6, last=0.2))
    assert shares == pytest.approx(wanted)


def test_last_non_direct_of_direct_visits_alone_is_the_last_touch() -> None:
    assert RULES["last_non_direct"](paths_of("cc"), SETTINGS).tolist() == [0, 1]


def test_time_decay_halves_in_a_week_by_default_and_survives_years() -> None:
    path = paths_of("ab")._replace(age=np.array([7.0, 0.0]) * SECONDS_PER_DAY)
    assert RULES["time_decay"](path, RuleSettings()) == pytest.approx([1 / 3, 2 / 3])
    old = path._replace(age=np.array([80_000.0, 80_000.0]) * SECONDS_PER_DAY)
    assert RULES["time_decay"](old, RuleSettings()) == pytest.approx([0.5, 0.5])


def test_removing_a_channel_by_hand() -> None:
    """Half of the journeys see a alone and convert; a then b converts at half; b alone never."""
    paths = paths_of("a", "ab", "ab", "b", conversions=[1, 1, 0, 0])
    effects = markov.removal_effects(markov.count(paths, 2, 1))
    # a: from the start 3/4, then 1/3 converts and 2/3 go on to b; of three b's one converts.
    with_all = 3 / 4 * (1 / 3 + 2 / 3 * 1 / 3) + 1 / 4 * 1 / 3
    without_a, without_b = 1 / 4 * 1 / 3, 3 / 4 * 1 / 3
    assert effects[0] == pytest.approx([1 - without_a / with_all, 1 - without_b / with_all])


def test_an_order_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="order must be 1 to 4, got 5"):
        markov.count(paths_of("ab"), 2, 5)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_chain_that_remembers_is_found_on_held_out_users(order: int) -> None:
    """The touch `order` steps back decides the next one nine times out of ten."""
    rng = np.random.default_rng(1)
    sequences = []
    for _ in range(6000):
        path = list(rng.choice(["a", "b"], order))
        while rng.random() < 0.8:
            path.append(path[-order] if rng.random() < 0.9 else str(rng.choice(["a", "b"])))
        sequences.append("".join(path))
    grams = [markov.count(paths_of(*part), 2, 4) for part in (sequences[:5000], sequences[5000:])]
    assert markov.best_order(*grams) == order


# --- laws ------------------------------------------------------------------------------------


SEQUENCES = st.lists(
    st.tuples(
        st.text("abcd", max_size=6),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(-5, 50),
    ),
    min_size=1,
    max_size=12,
).filter(lambda rows: any(path and conversions for path, conversions, _, _ in rows))
Rows = list[tuple[str, int, int, int]]


def counted(rows: Rows) -> Paths:
    conversions = [float(row[1]) for row in rows]
    value = [float(row[3]) if row[1] else 0.0 for row in rows]
    paths = paths_of(*(row[0] for row in rows), conversions=conversions, value=value)
    return paths._replace(nulls=np.array([float(row[2]) for row in rows]))


@settings(deadline=None)
@given(SEQUENCES)
def test_credit_and_baseline_sum_to_conversions_by_every_method(rows: Rows) -> None:
    paths = counted(rows)
    for method in METHODS.values():
        credit = method(paths, 4, SETTINGS)
        assert credit[0].sum() == pytest.approx(paths.conversions.sum(), rel=1e-9)
        untouched = paths.sizes == 0
        assert credit[:, 4] == pytest.approx(
            [x[untouched].sum() for x in (paths.conversions, paths.value)]
        )


@settings(deadline=None)
@given(SEQUENCES)
def test_every_rule_shares_out_all_of_the_value(rows: Rows) -> None:
    paths = counted(rows)
    for name in RULES:
        assert METHODS[name](paths, 4, SETTINGS)[1].sum() == pytest.approx(
            paths.value.sum(), abs=1e-9
        )


@settings(deadline=None)
@given(SEQUENCES, st.integers(1, 4), st.randoms(use_true_random=False))
def test_the_order_of_paths_never_matters(rows: Rows, order: int, random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    for method in [*METHODS.values(), lambda *a: markov_chain(*a, order=order)]:
        one, other = (method(counted(each), 4, SETTINGS) for each in (rows, shuffled))
        assert one == pytest.approx(other, abs=1e-9)


@settings(deadline=None)
@given(SEQUENCES)
def test_repeats_of_a_channel_in_a_row_change_no_removal_effect_of_order_1(rows: Rows) -> None:
    looped = [("".join(c * 3 for c in path), *rest) for path, *rest in rows]
    once = ["".join(c for i, c in enumerate(path) if path[i - 1 : i] != c) for path, *_ in rows]
    plain = [(path, *row[1:]) for path, row in zip(once, rows, strict=True)]
    effects = [
        markov.removal_effects(markov.count(counted(each), 4, 1))[0] for each in (looped, plain)
    ]
    assert effects[0] == pytest.approx(effects[1], abs=1e-9)


@settings(deadline=None)
@given(SEQUENCES)
def test_both_ways_to_solve_a_chain_agree(rows: Rows) -> None:
    states, chain, reward = markov._chain(markov.count(counted(rows), 4, 1))
    newest, start = states % 7, 0
    one = markov._left_by_inverse(chain.toarray(), reward, start, newest, 4)
    other = markov._left_by_series(chain, reward, start, newest, 4)
    assert one == pytest.approx(other, abs=1e-9)


@settings(deadline=None)
@given(SEQUENCES, st.integers(1, 4))
def test_a_chain_of_any_order_is_what_walking_it_gives(rows: Rows, order: int) -> None:
    """Brute force: follow the counted transitions until next to no probability is left."""
    paths = counted(rows)
    effects = markov.removal_effects(markov.count(paths, 4, order))[0]
    walked = [walk(rows, order, without) for without in ("", "a", "b", "c", "d")]
    assert effects == pytest.approx([1 - each / walked[0] for each in walked[1:]], abs=1e-6)


def walk(rows: Rows, order: int, without: str) -> float:
    steps: dict[str, dict[str, float]] = {}
    for path, conversions, nulls, _ in rows:
        state = ""
        for symbol in path:
            step = steps.setdefault(state, {})
            step[symbol] = step.get(symbol, 0) + conversions + nulls
            state = (state + symbol)[-order:]
        if path:
            for end, weight in (("!", conversions), ("?", nulls)):
                step = steps.setdefault(state, {})
                step[end] = step.get(end, 0) + weight
    reached, mass = 0.0, {"": 1.0}
    while sum(mass.values()) > 1e-9:
        ahead: dict[str, float] = {}
        for state, weight in mass.items():
            total = sum(steps[state].values())
            for symbol, times in steps[state].items():
                if symbol == "!":
                    reached += weight * times / total
                elif symbol not in ("?", without) and times:
                    after = (state + symbol)[-order:]
                    ahead[after] = ahead.get(after, 0) + weight * times / total
        mass = ahead
    return reached


@settings(deadline=None)
@given(SEQUENCES, st.integers(1, 11))
def test_credits_of_parts_add_up_to_that_of_all_paths(rows: Rows, cut: int) -> None:
    totals = ModelTotals(4, SETTINGS, order=2, nulls=True)
    for part in (rows[:cut], rows[cut:]):
        if part:
            totals.add(counted(part), held_out=False)
    of_all = {name: method(counted(rows), 4, SETTINGS) for name, method in METHODS.items()}
    of_all["markov"] = markov_chain(counted(rows), 4, SETTINGS, order=2)
    for name, credit in totals.credits().items():
        assert credit == pytest.approx(of_all[name], abs=1e-9)


@settings(deadline=None)
@given(SEQUENCES, st.integers(1, 11))
def test_however_paths_are_parted_the_rules_give_the_same_to_the_last_bit(
    rows: Rows, cut: int
) -> None:
    one, other = (ModelTotals(4, SETTINGS, order=1, nulls=True) for _ in range(2))
    one.add(counted(rows), held_out=False)
    for part in (rows[cut:], rows[:cut]):
        if part:
            other.add(counted(part), held_out=False)
    credits = other.credits()
    for name, credit in one.credits().items():
        if name in RULES and name != "time_decay":  # whose shares are as many as the touches
            assert (credit == credits[name]).all()


@settings(deadline=None)
@given(SEQUENCES)
def test_rules_that_see_sizes_give_by_place_what_they_give_touch_by_touch(rows: Rows) -> None:
    paths = counted(rows)
    of_sizes = {name: of for name, of in METHODS.items() if getattr(of, "sees", "") == "sizes"}
    assert set(of_sizes) == {"first_touch", "last_touch", "linear", "position_based"}
    for name, by_place in shares_by_rule(of_sizes, paths, 4, SETTINGS).items():
        by_touch = rules.shares_of(RULES[name], paths, 4, SETTINGS)
        for one, other in zip(by_place, by_touch, strict=True):
            assert np.array_equal(one, other)


@given(st.lists(st.sampled_from([1.0, 1 / 3, 1 / 97, 0.4, 0.2 / 7, 2.0**-30]), max_size=9))
def test_shares_are_numbered_as_sorting_numbers_them(shares: list[float]) -> None:
    distinct, which = rules._numbered_shares(np.array(shares))
    assert distinct.tolist() == sorted(set(shares))
    assert distinct[which].tolist() == shares


@pytest.mark.parametrize("largest", [5, 10**9])
def test_whole_numbers_are_numbered_whether_small_or_large(largest: int) -> None:
    distinct, which = rules._numbered(np.array([2, largest, 0, 2]))
    assert (distinct.tolist(), which.tolist()) == ([0, 2, largest], [1, 2, 0, 1])


def second_touch(paths: Paths, settings: RuleSettings) -> np.ndarray:
    """A rule that nobody knows yet: all to the second touch, or to the only one."""
    shares = np.zeros(len(paths.channel))
    shares[paths.offsets[:-1] + np.minimum(paths.sizes - 1, 1)] = 1
    return shares


def test_a_rule_is_in_the_models_table_and_in_the_chart_by_its_line_in_methods(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(METHODS, "second_touch", ByRule(second_touch))
    totals = ModelTotals(3, SETTINGS, order=None, nulls=True)
    for part in (paths_of("abc", "cb"), paths_of("b")):
        totals.add(part, held_out=False)
    table = frames.models(totals.credits(), ["a", "b", "c"], has_value=True)
    credit = table[table["model"] == "second_touch"].set_index("channel")["conversions"]
    assert credit.to_dict() == {"a": 0, "b": 3, "c": 0, "(baseline)": 0}
    models = list(dict.fromkeys(table["model"]))
    assert models == list(METHODS)
    figure = charts.model_shares(table, ["a", "b", "c"], models)
    assert "second touch" in {trace.name for trace in figure.data}


def test_joined_paths_stand_one_after_the_other() -> None:
    both = Paths.join([paths_of("ab", ""), paths_of("c")])
    assert both.channel.tolist() == [0, 1, 2]
    assert both.offsets.tolist() == [0, 2, 2, 3]


# --- what peers answer -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def public() -> tuple[Paths, list[str]]:
    """The 10,000 public paths that the package mta ships."""
    rows = pd.read_csv(str(files("mta") / "data" / "data.csv.gz"))
    split = rows["path"].str.split(" > ")
    names = sorted({name for path in split for name in path})
    codes = {name: code for code, name in enumerate(names)}
    channel = np.array([codes[name] for path in split for name in path])
    offsets = np.concatenate([[0], np.cumsum(split.str.len())])
    amounts = [
        rows[column].to_numpy(float)
        for column in ("total_conversions", "total_conversion_value", "total_null")
    ]
    return Paths(channel, offsets, *amounts, np.zeros(len(channel))), names


def recorded(file: str) -> Iterator[dict[str, str]]:
    with (RECORDED / file).open(encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)


COLUMNS = {
    "first_touch": ("rules.csv", "first_{}"),
    "last_touch": ("rules.csv", "last_{}"),
    "linear": ("rules.csv", "linear_{}"),
    "position_based": ("rules.csv", "position_40_20_40_{}"),
    "linear_unique": ("linear_over_unique_channels.csv", "shapley_set_{}"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_rules_on_the_public_paths_are_those_of_peers(public, name: str) -> None:
    paths, names = public
    file, column = COLUMNS[name]
    rows = list(recorded(file))
    assert [row["channel"] for row in rows] == names
    wanted = [[float(row[column.format(of)]) for row in rows] for of in ("conversions", "value")]
    assert METHODS[name](paths, len(names), RuleSettings())[:, :-1] == pytest.approx(
        np.array(wanted), rel=1e-9
    )


@pytest.mark.parametrize("nulls,file", [(True, "with"), (False, "without")])
def test_markov_on_the_public_paths_is_that_of_peers(public, nulls: bool, file: str) -> None:
    paths, names = public
    rows = list(recorded(f"markov_order1_{file}_nulls.csv"))
    assert [row["channel_name"] for row in rows] == names
    effects = markov.removal_effects(markov.count(paths, len(names), 1, nulls=nulls))[0]
    assert effects == pytest.approx([float(row["removal_effect"]) for row in rows], rel=1e-9)
    credit = markov_chain(paths, len(names), RuleSettings(), nulls=nulls)[0, :-1]
    assert credit == pytest.approx([float(row["total_conversions"]) for row in rows], rel=1e-9)


def test_the_ngrams_of_the_public_paths_count_every_journey_and_conversion_once(public) -> None:
    paths, names = public
    ngrams = markov.count(paths, len(names), 1)
    symbol, state = ngrams.keys % ngrams.base, ngrams.keys // ngrams.base
    assert ngrams.counts[state == 0].sum() == 88387
    assert ngrams.counts[symbol == ngrams.conversion].sum() == 19785


@pytest.mark.parametrize("seed", range(3))
def test_parts_of_the_paths_in_any_order_give_the_same_bits(seed: int) -> None:
    """As pages of other sizes do: users_per_tfrecord."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 6, 300)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    paths = Paths(
        channel=rng.integers(0, 3, offsets[-1]),
        offsets=offsets,
        conversions=rng.integers(0, 2, 300).astype(float),
        value=np.floor(rng.gamma(2, 30, 300) * 2**20) / 2**20,  # as journeys have them
        nulls=np.ones(300),
        age=np.concatenate([-np.sort(-rng.random(size)) * 1e6 for size in sizes]),
    )
    whole = totals_of([paths])
    order = rng.permutation(300)
    parts = np.split(order, np.sort(rng.choice(299, 20, replace=False)) + 1)
    in_parts = totals_of([chosen(paths, np.sort(part)) for part in parts])
    for name, credit in whole.items():
        assert (in_parts[name] == credit).all(), name


def totals_of(parts: list[Paths]) -> dict[str, np.ndarray]:
    totals = ModelTotals(3, RuleSettings(), 1, True)
    for part in parts:
        totals.add(part, held_out=False)
    return totals.credits()


def chosen(paths: Paths, rows: np.ndarray) -> Paths:
    """Some of the paths."""
    touches = [np.arange(*paths.offsets[row : row + 2]) for row in rows]
    every = np.concatenate(touches).astype(np.int64)
    return Paths(
        channel=paths.channel[every],
        offsets=np.concatenate([[0], np.cumsum(paths.sizes[rows])]),
        conversions=paths.conversions[rows],
        value=paths.value[rows],
        nulls=paths.nulls[rows],
        age=paths.age[every],
    )
