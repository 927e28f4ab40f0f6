"""`truth.json`: what is known about a simulated world, as plain values under these keys.

| key | what it holds |
| --- | --- |
| world, about, seed, users, days, first_day, moment | what was simulated; `moment` is the time of day at which a user converts or not: `day_end`, `any_time`, or `last_touch` in the classic world |
| channels, window | names, in the order of every list below; days before a conversion that have an effect, the value for `lookback_window_days` |
| conversion_row_is_touch | the value for the parameter of that name |
| conversions, value | number of conversions, and their value in money |
| baseline_conversions, baseline_value, baseline_share | the credit of no touch; the share is of all conversions |
| channel_conversions, channel_value, channel_share | credit by channel name; the shares are of all channel credit and sum to 1 |
| conversions_by_day_and_channel, value_by_day_and_channel | the same credit, a list for each day before the conversion (0 first) with one number per channel |
| dates | the same credit of the conversions on each day of the record, the first day first: `baseline_conversions`, a number for each; `conversions_by_day_and_channel`, a list of lists for each. `from_date` takes those of a later beginning |
| switched_off | by channel name, and `(all)`: conversions and value that disappear without its touches, under the same random draws; `standard_error` of the conversions |
| worth | parameters of the value function v(S): `base`, `relative_risks`, `decay`, `interactions` (one, other, risk), `saturation`, `peaks`, `second_risks`, as in `Hazard`; of the classic world `rates`, which add up, to 1 at most |
| intent | null, or the latent intent that drives some channels and conversions: `chance` is the probability of intent on a day, `drives` and `risk` are factors |
| drivers | what else drives touches and conversions, by class of `drivers.py`, with its fields; held fixed in v(S) and v(∅) |
| window_after_conversion, burn_in_days | whether a conversion uses up the touches before it, `cut` or `keep`; days that ran before the first one of the record |
| predicted | null without intent. Else `dates`, `baseline_conversions`, `baseline_share`, `channel_conversions`, `channel_share`, `conversions_by_day_and_channel` as a perfect predictor would credit them, which does not see the intent; the keys above are the causal truth |
| expected_conversions, capped_conversions | classic world: credit by channel in closed form; conversions with a probability cut to 1, whose credit is by convention |

Credit is the Shapley value: v(∅)/v(N) of each conversion to the baseline, φ/v(N) to its cells, so
baseline and channels sum to the conversions. It need not equal what disappears: a conversion that
two channels made possible is lost without either.
"""  # noqa: E501

from typing import Any

import numpy as np

from td_mta.simulate.classic.plan import ClassicPlan
from td_mta.simulate.classic.truth import ClassicTruth
from td_mta.simulate.credit import TrueCredit
from td_mta.simulate.drivers import Intent
from td_mta.simulate.hazard import Hazard
from td_mta.simulate.plan import WorldPlan
from td_mta.simulate.rows import START
from td_mta.simulate.truth import SwitchedOff, Truth

Facts = dict[str, Any]  # JSON


def world_facts(name: str, plan: WorldPlan, truth: Truth, *, seed: int, users: int) -> Facts:
    """The content of `truth.json` for a world of `engine.py`."""
    names, hazard, intent = plan.channels, plan.hazard, plan.intent
    return {
        **_what_was_simulated(name, plan, seed, users),
        "moment": plan.trial_time,
        "window": hazard.window,
        "conversion_row_is_touch": False,
        "window_after_conversion": plan.window_after_conversion,
        "burn_in_days": plan.burn_in_days,
        **_credit_of_conversions_and_value(truth.conversions, truth.value, names),
        "dates": _dates(truth.by_date),
        "switched_off": _switched_off(truth.switched_off, names),
        "worth": _value_function(hazard),
        "intent": None if intent is None else _intent(intent, names),
        "drivers": {type(driver).__name__: dict(vars(driver)) for driver in plan.drivers},
        "predicted": _predicted(truth.predicted_by_date, names),
    }


def from_date(facts: Facts, first: int) -> Facts:
    """The facts with the credit of the conversions on day `first` of the record and later.

    0 is the record's first day. Value, `switched_off` and what has no `dates` stay those of all.
    """
    if "dates" not in facts:
        return facts
    dates = {key: values[first:] for key, values in facts["dates"].items()}
    cells = np.sum(dates["conversions_by_day_and_channel"], axis=0)
    credit = TrueCredit(cells, sum(dates["baseline_conversions"]))
    predicted = facts.get("predicted")
    return {
        **facts,
        **_credit(credit, tuple(facts["channel_share"])),
        "conversions": round(credit.total),
        "dates": dates,
        "predicted": predicted and from_date(predicted, first),
    }


def classic_facts(
    name: str, plan: ClassicPlan, truth: ClassicTruth, *, seed: int, users: int
) -> Facts:
    """The content of `truth.json` for a classic world."""
    names = plan.channels
    return {
        **_what_was_simulated(name, plan, seed, users),
        "moment": "last_touch",
        "window": plan.days,
        "conversion_row_is_touch": True,
        **_credit_of_conversions_and_value(truth.conversions, truth.value, names),
        "switched_off": _classic_switched_off(truth, names),
        "worth": {"rates": _by(names, plan.rates)},
        "intent": None,
        "predicted": None,
        "expected_conversions": _by(names, truth.expected.tolist()),
        "capped_conversions": truth.capped,
    }


def _what_was_simulated(name: str, plan: WorldPlan | ClassicPlan, seed: int, users: int) -> Facts:
    return {
        "world": name,
        "about": plan.about,
        "seed": seed,
        "users": users,
        "days": plan.days,
        "first_day": str(np.datetime64(START, "s").astype("datetime64[D]")),
        "channels": list(plan.channels),
    }


def _credit_of_conversions_and_value(
    conversions: TrueCredit, value: TrueCredit, names: tuple[str, ...]
) -> Facts:
    return {
        "conversions": round(conversions.total),
        "value": round(value.total, 2),
        **_credit(conversions, names),
        "baseline_value": value.baseline,
        "channel_value": _by(names, value.cells.sum(axis=0).tolist()),
        "value_by_day_and_channel": value.cells.tolist(),
    }


def _credit(conversions: TrueCredit, names: tuple[str, ...]) -> Facts:
    by_channel = conversions.cells.sum(axis=0)
    shares = [_share(credit, by_channel.sum()) for credit in by_channel]
    return {
        "baseline_conversions": conversions.baseline,
        "baseline_share": _share(conversions.baseline, conversions.total),
        "channel_conversions": _by(names, by_channel.tolist()),
        "channel_share": _by(names, shares),
        "conversions_by_day_and_channel": conversions.cells.tolist(),
    }


def _dates(by_date: tuple[TrueCredit, ...]) -> Facts:
    return {
        "baseline_conversions": [credit.baseline for credit in by_date],
        "conversions_by_day_and_channel": [credit.cells.tolist() for credit in by_date],
    }


def _predicted(by_date: tuple[TrueCredit, ...] | None, names: tuple[str, ...]) -> Facts | None:
    if by_date is None:
        return None
    return {**_credit(TrueCredit.sum(by_date), names), "dates": _dates(by_date)}


def _switched_off(switched_off: SwitchedOff, names: tuple[str, ...]) -> Facts:
    columns = (switched_off.conversions, switched_off.value, switched_off.error)
    lists = (column.tolist() for column in columns)
    lost = zip((*names, "(all)"), *lists, strict=True)
    return {
        name: {"conversions": round(conversions), "value": value, "standard_error": error}
        for name, conversions, value, error in lost
    }


def _classic_switched_off(truth: ClassicTruth, names: tuple[str, ...]) -> Facts:
    # nothing converts without a touch, so all is lost without any
    conversions = [*truth.lost.tolist(), round(truth.conversions.cells.sum())]
    values = [*truth.lost_value.tolist(), truth.value.cells.sum()]
    lost = zip((*names, "(all)"), conversions, values, strict=True)
    return {
        name: {"conversions": count, "value": value, "standard_error": None}
        for name, count, value in lost
    }


def _value_function(hazard: Hazard) -> Facts:
    names = hazard.channels
    return {
        "base": hazard.base,
        "relative_risks": _by(names, hazard.relative_risks),
        "decay": _by(names, hazard.decays),
        "saturation": hazard.saturation,
        "peaks": None if hazard.peaks is None else _by(names, hazard.peaks),
        "second_risks": None if hazard.second_risks is None else _by(names, hazard.second_risks),
        "interactions": [[names[a], names[b], risk] for a, b, risk in hazard.interactions],
    }


def _intent(intent: Intent, names: tuple[str, ...]) -> Facts:
    return {
        "chance": intent.probability,
        "drives": _by(names, intent.drives),
        "risk": intent.risk,
    }


def _share(part: float, total: float) -> float:
    return float(part / total) if total else 0.0


def _by(names: tuple[str, ...], values: tuple[float, ...] | list[float]) -> dict[str, float]:
    return dict(zip(names, values, strict=True))
