"""Which rung is used: the simplest that none above beats, on users whom the fit has not seen.

All of them are training users, so that held-out ones only report how good the chosen rung is. With
products against without: each group of users is predicted by fits to the other groups. A network
against the linear rung beside which it stands: by the groups that choose its epoch, each at the
epoch that the others would choose.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from scipy.special import expit

from td_mta import metrics
from td_mta.journeys.touchpoints import Floats
from td_mta.metrics import Difference
from td_mta.model import covariance
from td_mta.model.counted import Counted, sums
from td_mta.model.glm import Problem, Solution

MATERIAL = 1 / 500  # of what the lower rung gains over the base rate

Comparison = tuple[str, str]  # a rung and one below it
Comparisons = Mapping[Comparison, Difference]
"""Log loss of a rung minus that of one below it: below 0 the upper one is better."""


def left_out_probability(
    problem: Problem, solution: Solution, scores: Floats, train: Counted
) -> Floats:
    """Of each row of examples, by a fit without its group of users, `(rows,)`."""
    return expit(covariance.left_out_log_odds(problem, solution, scores, train))


def of_linear(lower: Floats, upper: Floats, train: Counted) -> Difference:
    """From left-out probabilities `(rows,)` of two rungs."""
    rows = train.rows
    return metrics.loss_difference(upper, lower, rows.negatives, rows.positives, rows.group)


def of_networks(base: str, changes: Mapping[str, Floats], train: Counted) -> Comparisons:
    """Of every two among the linear rung `base` and the networks beside it, in their order.

    `changes` are those of the loss of each stopping group by each network, `(groups,)`.
    """
    by_name = {base: np.zeros(1), **changes}
    rows = train.rows
    examples = sums(rows.group, rows.negatives + rows.positives, int(rows.group.max()) + 1)
    return {
        (upper, lower): metrics.clustered(
            by_name[upper] - by_name[lower], examples[: len(by_name[upper])]
        )
        for lower, upper in combinations(by_name, 2)
    }


def beats(difference: Difference, gain: float) -> bool:
    """Whether the upper rung does, by more than one standard error and by what matters.

    `gain` is how far the lower one's log loss is below the base rate's. Two that are nearly one
    model differ by less than matters, yet by standard errors.
    """
    return -difference.mean > max(difference.error, MATERIAL * abs(gain))


def simplest(names: Sequence[str], comparisons: Comparisons, gain: float) -> str:
    """The first of `names` that none after it beats.

    >>> better, same = Difference(-0.2, 0.1), Difference(-0.01, 0.1)
    >>> beside = {("mlp", "pairs"): better, ("lstm", "pairs"): better, ("lstm", "mlp"): same}
    >>> simplest(["pairs", "mlp", "lstm"], beside, gain=1.0)
    'mlp'
    """
    for number, name in enumerate(names):
        above = names[number + 1 :]
        if not any(beats(comparisons[upper, name], gain) for upper in above):
            return name
    raise AssertionError("no rung is above the last one")
