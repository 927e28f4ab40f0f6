"""Which rung is used: limits of a comparison, and users that the compared fits have not seen."""

import numpy as np
import pytest

from td_mta.metrics import Difference
from td_mta.model import choice, counted
from tests.model.small_world import draw


@pytest.mark.parametrize(
    ("mean", "error", "gain", "beaten"),
    [
        (-0.011, 0.010, 1.0, True),
        (-0.009, 0.010, 1.0, False),  # less than a standard error
        (-0.0019, 0.0001, 1.0, False),  # less than a 500th of what the lower rung gains
        (-0.0021, 0.0001, 1.0, True),
        (0.011, 0.010, 1.0, False),
        (float("nan"), float("nan"), 1.0, False),
        (-0.011, float("nan"), 1.0, False),
    ],
)
def test_a_rung_is_beaten_by_more_than_an_error_and_by_what_matters(
    mean: float, error: float, gain: float, beaten: bool
) -> None:
    assert choice.beats(Difference(mean, error), gain) == beaten


def test_every_rung_is_compared_with_those_below() -> None:
    train = counted.training(draw(np.random.default_rng(0), each=1).examples)
    examples = 64 * 3  # of each group
    changes = {"mlp": np.array([-2.0, -4.0]), "lstm": np.array([-3.0, -3.0])}
    comparisons = choice.compared({"pairs": np.zeros(2), **changes}, train)
    assert list(comparisons) == [("mlp", "pairs"), ("lstm", "pairs"), ("lstm", "mlp")]
    assert comparisons["mlp", "pairs"] == pytest.approx((-3 / examples, 1 / examples))
    assert comparisons["lstm", "pairs"] == pytest.approx((-3 / examples, 0))
    assert comparisons["lstm", "mlp"] == pytest.approx((0, 1 / examples))


def test_groups_without_users_choose_nothing() -> None:
    """As in a table of a few users, none of whom is among those that stop a network."""
    examples = draw(np.random.default_rng(0), each=1).examples
    rows = examples.group >= choice.STOPPING_GROUPS
    some = [column[rows] for column in examples[1:]]
    train = counted.training(
        examples._replace(**dict(zip(examples._fields[1:], some, strict=True)))
    )
    losses = {"pairs": np.zeros(choice.STOPPING_GROUPS), "mlp": np.zeros(choice.STOPPING_GROUPS)}
    comparisons = choice.compared(losses, train)
    assert np.isnan(comparisons["mlp", "pairs"]).all()
    assert choice.simplest(["pairs", "mlp"], comparisons, gain=1.0) == "pairs"


def test_without_networks_there_is_nothing_to_compare() -> None:
    train = counted.training(draw(np.random.default_rng(0), each=1).examples)
    assert choice.compared({"pairs": np.zeros(2)}, train) == {}
    assert choice.simplest(["pairs"], {}, gain=1.0) == "pairs"
