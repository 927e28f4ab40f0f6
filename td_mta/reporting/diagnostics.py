"""Warnings and notes of a run: what its reader must know before using the credits.

One function per topic; each takes what it needs and returns sentences, none where all is well.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.model.holdout import BASE_RATE, LOGISTIC, HeldOut
from td_mta.reporting.run_facts import Evaluation
from td_mta.reporting.run_tables import model_name
from td_mta.reporting.wording import counted
from td_mta.shapley.convergence import CreditChange
from td_mta.shapley.credit import Credit, Values
from td_mta.shapley.shifts import Shift

FEW_CONVERSIONS = 20
MOST_NAMED = 20  # channels in warnings
LARGE_BASELINE = 0.8  # share of the conversions
MANY_LOWERED = 0.01  # share of the conversions whose touches lower the probability
UNSETTLED = 0.02  # change of a channel's share from a rung to the next
MOVED = 0.01  # of a share of the conversions, were a control left out
CONFOUNDERS = {
    "calendar_day": "Touches and conversions follow one calendar",
    "user_activity": "Users who are touched more convert more, whatever touches them",
    "user_activity_past": "Users who were touched more convert more, whatever touches them",
    "since_conversion": "Conversions, and touches, depend on the days since the last conversion",
}
SLOPE_OFF, SLOPE_ERRORS = 0.1, 3  # of the calibration slope: both are passed before it is told
OVERFITTING = 0.05  # held-out above training loss, each relative to the base rate's


def model_warnings(evaluation: Evaluation, held_out: str) -> list[str]:
    """Simpler models that predict better; `held_out` is what was held out: users or days.

    By more than noise: a difference of a few held-out conversions says nothing.
    """
    qualities, model = evaluation.qualities, model_name(evaluation.model)
    loss = qualities[evaluation.model].log_loss
    base_rate = qualities[BASE_RATE].log_loss
    sentences = []
    difference = evaluation.differences.get(LOGISTIC)
    if difference is not None and evaluation.is_worse_than(LOGISTIC):
        sentences.append(
            f"The {model} does not beat logistic regression on held-out {held_out}: its log loss "
            f"is {loss:.5f}, that of logistic regression {qualities[LOGISTIC].log_loss:.5f}; the "
            f"difference is {difference.mean:.6f} with a standard error of {difference.error:.6f}."
        )
    if evaluation.is_worse_than(BASE_RATE):
        sentences.append(
            f"The {model} does not beat the base rate on held-out {held_out}: its log loss is "
            f"{loss:.5f}, that of the base rate {base_rate:.5f}."
        )
    return sentences


def slope_warnings(evaluation: Evaluation, held_out: str) -> list[str]:
    """Predicted log-odds that differ too much, or too little, from each other."""
    line = evaluation.line
    off = abs(line.slope - 1)
    known = max(SLOPE_ERRORS, evaluation.errors_beyond_noise) * line.slope_error
    if math.isnan(off) or off <= max(SLOPE_OFF, known):
        return []
    how, why = (
        ("too far apart", "it overfits, or behaviour changed")
        if line.slope < 1
        else ("too near each other", "it has learned less than there is")
    )
    return [
        f"The calibration slope on held-out {held_out} is {line.slope:.2f} with a standard error "
        f"of {line.slope_error:.2f}, and should be 1: predictions of the "
        f"{model_name(evaluation.model)} are {how} ({why}), and so may credits be."
    ]


def confounding_warnings(
    shifts: Sequence[Shift], channels: Sequence[str], conversions: int
) -> list[str]:
    """Controls without which a share would be another one by more than a point.

    And by more than what the number of conversions leaves open in any case.
    """
    least = max(MOVED, 1 / math.sqrt(conversions))
    names = [*channels, "the baseline"]
    sentences = []
    for shift in shifts:
        largest = np.argsort(-np.abs(shift.change), kind="stable")[:2]
        if abs(shift.change[largest[0]]) <= least:
            continue
        moved = " and ".join(
            f"{names[i]} {shift.without_it[i]:.1%} of the conversions instead of "
            f"{shift.with_it[i]:.1%}"
            for i in largest
        )
        what = CONFOUNDERS.get(
            shift.control, f"Touches and conversions both depend on the column {shift.control}"
        )
        sentences.append(
            f"{what}: without the control {shift.control} credit would go "
            f"wrong, for {moved} by logistic regression. It is taken into account here; keep it."
        )
    return sentences


def nothing_held_out(what: str) -> str:
    """That nothing was held out, which is known before training; `what` is users or days."""
    return (
        f"No {what} could be held out of so few: how well the model predicts is not known. "
        "Take more users, or a larger validation_fraction."
    )


def holdout_warnings(held_out: HeldOut, what: str) -> list[str]:
    """Too little held out to measure the model by; `what` was held out: users or days."""
    if not len(held_out.negatives):
        return [nothing_held_out(what)]
    if held_out.positives.sum() and held_out.negatives.sum():
        return []
    seen = "only conversions" if held_out.positives.sum() else "no conversion"
    return [
        f"The held-out {what} have {seen}: how well the model predicts conversions is not known. "
        "Take more users, or a larger validation_fraction."
    ]


def credit_warnings(
    values: Values, credit: Credit, conversions: Floats, *, visits: bool
) -> list[str]:
    """A large baseline, and touches that lower the predicted probability.

    `conversions` counts them by game, `(games,)`. With `visits` nobody converts without a
    touch, so the baseline is 0.
    """
    observed = conversions.sum()
    baseline_share = credit.baseline[0] / observed
    sentences = []
    if baseline_share > LARGE_BASELINE and not visits:
        sentences.append(
            f"The baseline receives {baseline_share:.0%} of the conversions: touches in the window "
            "explain only a small part of them."
        )
    lowered = _lowered(values, conversions)
    if lowered > MANY_LOWERED * observed:
        sentences.append(
            f"For {counted(lowered, 'conversion')} the model predicts a lower probability with the "
            "user's touches than without any: the baseline receives more than one conversion for "
            "each of them, and the channels a negative credit."
        )
    return sentences


def _lowered(values: Values, conversions: Floats) -> float:
    """Conversions of the games whose touches lower the predicted probability."""
    has_touch = values.games.sizes > 0  # (games,)
    lowers = (values.value_full < values.value_empty) & has_touch
    return float(conversions[lowers].sum())


def rung_warnings(
    changes: Sequence[CreditChange], chosen: str, channels: Sequence[str]
) -> list[str]:
    """Credits that still changed on the way to the used rung, or would above it."""
    by_rung = {change.label: change for change in changes}
    rungs = list(by_rung)
    after = rungs[rungs.index(chosen) + 1 :] if chosen in rungs else rungs
    sentences = []
    for rung in after:
        change = by_rung[rung]
        if abs(change.change) > UNSETTLED:
            sentences.append(
                f"The credits depend on the model: with network: {rung} the share of "
                f"{channels[change.channel]} would change by {100 * change.change:+.1f} percentage "
                f"points. {model_name(chosen).capitalize()} is used, since held-out data do not "
                "tell that more is needed."
            )
            break
    return sentences


def overfitting_warnings(
    train_loss: float,
    held_out_loss: float,
    *,
    prevalence: float,
    base_rate: float,
    noise: float,
    forward: bool,
) -> list[str]:
    """Held-out loss above training loss, each relative to the base rate's on the same examples.

    `prevalence` is the share of positives among the training examples, `base_rate` the base rate's
    log loss on the held-out ones, which are the last days where `forward`. By chance the held-out
    loss may be up to `noise` off.
    """
    train_ratio = train_loss / _entropy(prevalence)
    held_out_ratio = held_out_loss / base_rate
    excess = held_out_ratio / train_ratio - 1
    least = max(OVERFITTING, noise / base_rate / train_ratio)
    if math.isnan(excess) or excess <= least:
        return []
    drift = "behaviour changed in the held-out days, or " if forward else ""
    return [
        f"Relative to the base rate's, held-out loss is {excess:.0%} above training loss: {drift}"
        "the model overfits; take fewer channels or a shorter window."
    ]


def channel_warnings(channels: Sequence[str], touching: Ints) -> list[str]:
    """A single channel, and channels that touched few conversions, the fewest first.

    `touching` counts the conversions with a touch of each channel in their window, `(channels,)`.
    """
    sentences = []
    if len(channels) == 1:
        sentences.append(f"{channels[0]} is the only channel: it receives all channel credit.")
    rare = np.flatnonzero(touching < FEW_CONVERSIONS)
    if not len(rare):
        return sentences
    rarest_first = rare[np.argsort(touching[rare], kind="stable")]
    named = [f"{channels[i]} ({touching[i]})" for i in rarest_first[:MOST_NAMED]]
    more = len(rare) - len(named)
    listed = ", ".join(named) + (f" and {counted(more, 'more channel')}" if more else "")
    return [
        *sentences,
        f"Fewer than {FEW_CONVERSIONS} conversions have a touch of {listed} before them: "
        f"{'the credit of each' if len(rare) > 1 else 'its credit'} is unreliable.",
    ]


def input_notes(converted: Mapping[str, int], held_out_day: int | None) -> list[str]:
    """Conversions of types, with their rows, and the first held-out day where days are held out.

    The day counts from 1970-01-01.
    """
    sentences = [f"Converted: {what} ({counted(rows, 'row')})." for what, rows in converted.items()]
    if held_out_day is not None:
        first = np.datetime64(held_out_day, "D")
        sentences.append(f"Held out: the days from {first} on, of all users (holdout: forward).")
    return sentences


def history_notes(first_credited_day: int, history_days: int) -> list[str]:
    """From which day on conversions are credited, where some days are only looked back on.

    The day counts from 1970-01-01.
    """
    if not history_days:
        return []
    first = np.datetime64(first_credited_day, "D")
    return [
        f"Conversions are credited from {first} on: the {counted(history_days, 'day')} before "
        "are history, which windows look back on (history_days)."
    ]


def baseline_notes(examples: str, *, visits: bool) -> list[str]:
    """What the baseline means where it was not measured."""
    if visits:
        return [
            "Every conversion row has a channel and counts as a touch, so nobody converts without "
            "a touch: the baseline is 0 by construction."
        ]
    if examples == "touch_days":
        return [
            "With examples: touch_days the baseline is an extrapolation: no training example is "
            "without a touch, and its rate is per selected example, not per day."
        ]
    return []


def calibration_notes(ratio: float, *, refitted: bool) -> list[str]:
    """Whether the intercept was refitted; `ratio` is predicted over observed conversions."""
    if not refitted:
        return []
    return [
        f"The model predicted {ratio:.3f} times the observed conversions of the training users; "
        "its intercept was refitted so that both agree."
    ]


def shapley_notes(values: Values, error: float, *, exact_cells: int, budget: int) -> list[str]:
    """What was sampled, and whether the limit of exact values was lowered.

    `error` is the largest standard error of a cell's credit; `exact_cells` and `budget` are the
    limits that the parameters set.
    """
    sentences = []
    if values.sampled:
        sentences.append(
            f"Shapley values of {counted(values.sampled, 'pattern')} with more than "
            f"{values.largest_exact} cells were estimated by sampling; the standard error of a "
            f"cell's credit is at most {error:.2g} conversions."
        )
    if values.largest_exact < exact_cells:
        sentences.append(
            f"shapley_exact_cells was lowered to {values.largest_exact}: more would need over "
            f"{budget:,} distinct coalitions (shapley_budget)."
        )
    return sentences


def _entropy(share: float) -> float:
    """Log loss of a base rate on its own examples.

    >>> round(_entropy(0.5), 4)
    0.6931
    """
    of_positives = -share * math.log(share)
    of_negatives = (1 - share) * math.log1p(-share)
    return of_positives - of_negatives
