import json
import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from td_mta.privacy.bounding import bounded_sums
from td_mta.privacy.ledger import Ledger, LedgerError
from td_mta.privacy.noise import SeededForTests, SystemRandom, add_noise, discrete_laplace

PERIODS = 6
orders = st.lists(
    st.tuples(st.sampled_from("abcde"), st.integers(0, PERIODS - 1), st.integers(-300, 900)),
    min_size=1,
    max_size=40,
)


def sums_of(rows: list[tuple[str, int, int]], most: int, cap: int) -> np.ndarray:
    users, period, cents = (
        (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 3
    )
    found = bounded_sums(
        users,
        np.array(period, np.int64),
        np.array(cents, np.int64),
        periods=PERIODS,
        most=most,
        cap=cap,
        secret=b"secret",
    )
    return np.array([*found.sums, found.kept, found.pairs])


@pytest.mark.slow  # a thousand tables
@settings(deadline=None, max_examples=1000)
@given(rows=orders, most=st.integers(1, 4), cap=st.integers(1, 500))
def test_a_user_changes_sums_by_no_more_than_the_bound(
    rows: list[tuple[str, int, int]], most: int, cap: int
) -> None:
    without = [row for row in rows if row[0] != "a"]
    change = np.abs(sums_of(rows, most, cap) - sums_of(without, most, cap))
    assert change[:PERIODS].sum() <= most * cap
    assert change[PERIODS] <= most
    assert change[PERIODS + 1] <= PERIODS


def test_sums_worked_by_hand() -> None:
    rows = [("a", 0, 300), ("a", 0, 300), ("b", 0, 50), ("b", 2, -20)]
    assert sums_of(rows, 4, 500).tolist() == [550, 0, 0, 0, 0, 0, 3, 3]


def test_which_periods_count_is_drawn_and_not_the_first_ones() -> None:
    rows = [(f"user {number}", period, 1) for number in range(600) for period in range(PERIODS)]
    found = sums_of(rows, 1, 10)
    assert found[:PERIODS].sum() == 600
    assert found[:PERIODS].min() > 60  # 100 expected, standard deviation 9


@pytest.mark.parametrize("scale", [Fraction(1, 2), Fraction(3, 2), Fraction(7)])
def test_noise_has_its_exact_probabilities(scale: Fraction) -> None:
    source = SeededForTests(11)
    number = 20_000
    found = np.array([discrete_laplace(scale, source) for _ in range(number)])
    q = math.exp(-1 / float(scale))
    for value in (0, 1, -1, 2, -3):
        expected = (1 - q) / (1 + q) * q ** abs(value)
        error = math.sqrt(expected * (1 - expected) / number)
        assert abs((found == value).mean() - expected) < 4.5 * error


def test_the_systems_noise_differs_each_time_and_has_the_scale_of_the_bound() -> None:
    noisy = add_noise([0] * 400, 200, Fraction(1, 2), SystemRandom())
    assert len(set(noisy)) > 200
    assert np.std(noisy) == pytest.approx(math.sqrt(2) * 400, rel=0.3)
    assert min(noisy) < 0


@pytest.mark.parametrize(("bound", "epsilon"), [(0, Fraction(1)), (5, Fraction(0))])
def test_noise_without_a_bound_or_epsilon_is_refused(bound: int, epsilon: Fraction) -> None:
    with pytest.raises(ValueError, match="at least 1 and epsilon above 0"):
        add_noise([1], bound, epsilon, SystemRandom())


def ledger(folder: Path) -> Ledger:
    return Ledger(folder / "ledger.jsonl", folder / "witness" / "orders")


def test_a_release_that_would_overspend_is_refused_and_charges_nothing(tmp_path: Path) -> None:
    book, budget = ledger(tmp_path), Fraction(1)
    assert book.charge(Fraction(3, 10), budget, "first") == Fraction(7, 10)
    assert book.charge(Fraction(7, 10), budget, "second") == 0  # exact, where floats are not
    with pytest.raises(LedgerError, match=r"epsilon 1 of 1 is spent, 0\.01 more would be too much"):
        book.charge(Fraction(1, 100), budget, "third")
    assert book.spent() == 1


def test_the_budget_is_that_of_the_first_release(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.charge(Fraction(1), Fraction(1), "first")
    with pytest.raises(LedgerError, match="is 1 since its first release, got 5"):
        book.charge(Fraction(1), Fraction(5), "second")


@pytest.mark.parametrize("tampering", ["deleted", "rolled back", "changed"])
def test_a_ledger_that_is_not_what_it_was_is_noticed(tmp_path: Path, tampering: str) -> None:
    book, budget = ledger(tmp_path), Fraction(2)
    book.charge(Fraction(1), budget, "first")
    before = book.path.read_bytes()
    book.charge(Fraction(1, 2), budget, "second")
    if tampering == "deleted":
        book.path.unlink()
    elif tampering == "rolled back":
        book.path.write_bytes(before)
    else:
        entry = json.loads(before)
        rest = book.path.read_bytes()[len(before) :]
        book.path.write_bytes(json.dumps({**entry, "epsilon": "1/100"}).encode() + b"\n" + rest)
    with pytest.raises(LedgerError, match=r"deleted or rolled back|was changed"):
        book.charge(Fraction(1, 4), budget, "third")


def test_half_a_line_was_never_released(tmp_path: Path) -> None:
    book, budget = ledger(tmp_path), Fraction(2)
    book.charge(Fraction(1), budget, "first")
    with book.path.open("ab") as file:
        file.write(b'{"epsilon": "1", "bud')
    assert book.charge(Fraction(1), budget, "second") == 0
    assert len(book.path.read_text("utf-8").splitlines()) == 2


STEPS = ("open", "ftruncate", "write", "fsync", "replace")
KILLED = """
import os, signal, sys
from fractions import Fraction
from pathlib import Path
from td_mta.privacy import ledger
step, when, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
real, kill = getattr(os, step), lambda: os.kill(os.getpid(), signal.SIGKILL)
def dying(*arguments, **named):
    if when == "before":
        kill()
    result = real(*arguments, **named)
    kill()
    return result
setattr(os, step, dying)
ledger.Ledger(folder / "ledger.jsonl", folder / "witness" / "orders").charge(
    Fraction(1), Fraction(2), "killed"
)
"""


@pytest.mark.slow  # a process for each step
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_ledger_survives_a_kill_at_every_step(tmp_path: Path, step: str, when: str) -> None:
    book = ledger(tmp_path)
    book.charge(Fraction(1, 2), Fraction(2), "before")
    command = [sys.executable, "-c", KILLED, step, when, str(tmp_path)]
    died = subprocess.run(command, cwd=os.getcwd())
    assert died.returncode == -9
    assert book.spent() in (Fraction(1, 2), Fraction(3, 2))
    left = Fraction(2) - book.spent()
    assert book.charge(left, Fraction(2), "after") == 0
    with pytest.raises(LedgerError, match="would be too much"):
        book.charge(Fraction(1), Fraction(2), "too much")
