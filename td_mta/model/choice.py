"""Which rung is used: the simplest that none above beats, on users whom the fit has not seen.

All of them are training users, so that held-out ones only report how good the chosen rung is. With
products against without: each group of users is predicted by fits to the other groups. A network
against the linear rung beside which it stands: by the groups that choose its epoch, each at the
epoch that the others would choose.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

from td_mta import metrics
from td_mta.journeys.examples import GROUPS
from td_mta.journeys.touchpoints import Floats
from td_mta.metrics import Difference
from td_mta.model.counted import Counted, sums

MATERIAL = 1 / 500  # of what the lower rung gains over the base rate
STOPPING_GROUPS = 6  # of the training users, the first: their loss chooses a network's epoch

Comparison = tuple[str, str]  # a rung and one below it
Comparisons = Mapping[Comparison, Difference]
"""Log loss of a rung minus that of one below it: below 0 the upper one is better."""


def compared(losses: Mapping[str, Floats], train: Counted) -> dict[Comparison, Difference]:
    """Every two rungs, the simpler first in `losses`: of the first groups of users, `(groups,)`."""
    rows = train.rows
    examples = sums(rows.group, rows.negatives + rows.positives, GROUPS)
    return {
        (upper, lower): metrics.clustered(
            losses[upper] - losses[lower], examples[: len(losses[upper])]
        )
        for lower, upper in combinations(losses, 2)
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
