"""The synthesizer's settings: what is wrong with them is said at once, in a sentence each."""

import itertools

import numpy as np
import pandas as pd
import pytest

from td_mta.dashboard.data import plans
from td_mta.simulate import ClassicPlan


def changed(row: int, column: str, value: object) -> pd.DataFrame:
    table = plans.default_channels().astype(object)
    table.loc[row, column] = value
    return table


def test_the_documents_defaults_are_the_defaults() -> None:
    table = plans.default_channels()
    assert plans.errors(table) == []
    assert table["Channel"].tolist() == [
        *("Paid Social", "Paid Search", "Display Network", "Affiliate", "Email"),
    ]
    assert table["Channel CVR (%)"].tolist() == [2, 2, 2.5, 4, 5]
    assert table["Relative Frequency (%)"].tolist() == [20, 10, 30, 30, 10]
    assert table["AOV"].tolist() == [95, 90, 100, 120, 130]
    job = plans.job_of("classic", 1_000, 10.0, 18, table, 30)
    assert plans.plan_of(job) == ClassicPlan()


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (
            changed(0, plans.FREQUENCY, 25),
            "Relative frequencies must total 100 %, they total 105 %: change them, or press "
            "Normalise.",
        ),
        (
            changed(1, plans.RATE, -2),
            "Channel CVR (%) of Paid Search must not be negative, it is -2.",
        ),
        (
            changed(1, plans.RATE, 101),
            "Channel CVR (%) of Paid Search must be at most 100, it is 101.",
        ),
        (
            changed(2, plans.FREQUENCY, -30),
            "Relative Frequency (%) of Display Network must not be negative, it is -30.",
        ),
        (changed(3, plans.VALUE, np.nan), "AOV of Affiliate is empty: type a number."),
        (changed(4, plans.CHANNEL, None), "Row 5 has no channel: name it or remove the row."),
        (
            changed(4, plans.CHANNEL, "Affiliate "),
            "Affiliate stands in two rows: rename or remove one.",
        ),
        (plans.default_channels()[:0], "Add at least one channel."),
    ],
    ids=["total", "rate", "rate over 100", "frequency", "NaN", "name", "twice", "none"],
)
def test_what_is_wrong_is_one_sentence(table: pd.DataFrame, sentence: str) -> None:
    assert plans.errors(table) == [sentence]


def test_one_click_makes_them_total_100() -> None:
    table = plans.normalised(changed(0, plans.FREQUENCY, 40))
    assert plans.errors(table) == []
    assert table[plans.FREQUENCY].iloc[0] == pytest.approx(100 / 3)


def test_frequencies_that_are_all_empty_become_equal() -> None:
    table = plans.default_channels()
    table[plans.FREQUENCY] = np.nan
    assert plans.normalised(table)[plans.FREQUENCY].tolist() == [20.0] * 5


def test_users_go_from_50_to_10_million_on_a_logarithmic_scale() -> None:
    steps = plans.user_steps()
    assert (steps[0], steps[-1]) == (50, 10_000_000)
    assert max(b / a for a, b in itertools.pairwise(steps)) <= 2


@pytest.mark.parametrize("world", plans.worlds())
def test_every_world_has_a_plan_and_an_estimate(world: str) -> None:
    plan = plans.plan_of(plans.job_of(world, 500, 10.0, 1, plans.default_channels(), 30))
    assert plan.users == 500
    small, large = (plans.estimate(world, users, 10.0) for users in (500, 500_000))
    assert 0 < small.seconds < large.seconds and small.megabytes < large.megabytes
    assert plans.about(world)
