"""`truth.json`: what is known of a simulated world, as plain values under these keys.

| key | what it holds |
| --- | --- |
| world, about, seed, users, days, first_day, moment | what was simulated; `moment` of the trial is `day_end`, `any_time`, or `last_touch` in the classic world |
| channels, window | names, in the order of every list below; days that count, to set as `lookback_window_days` |
| conversion_row_is_touch | how the table is to be read, to set as the parameter of that name |
| conversions, value | how many conversions, and their value |
| baseline_conversions, baseline_value, baseline_share | what they owe to no touch; the share is of all conversions |
| channel_conversions, channel_value, channel_share | by channel name; shares of all channel credit, which sum to 1 |
| conversions_by_day_and_channel, value_by_day_and_channel | the same credit, a list for each day before the conversion (0 first), in it one number a channel |
| switched_off | by channel name, and `(all)`: conversions and value that disappear without its touches, with the same luck; `standard_error` of the conversions |
| worth | v(S) in its parameters. `base`, `relative_risks`, `decay`, `interactions` (one, other, risk), to be put into `Hazard`; of the classic world `rates`, which add up, to 1 at most |
| intent | null, or what drives some channels and conversions unseen: `chance` of a day in the mood, `drives`, `risk` |
| predicted | null without intent. Else `baseline_conversions`, `baseline_share`, `channel_conversions`, `channel_share`, `conversions_by_day_and_channel` as a perfect predictor finds them, who sees no intent; the keys above are the causal truth |
| expected_conversions, capped_conversions | classic world: credit by channel in closed form; conversions with a chance cut to 1, whose credit is by convention |

Credit is the Shapley value: v(∅)/v(N) of each conversion to the baseline, φ/v(N) to its cells, so
baseline and channels sum to the conversions. It need not equal what disappears: a conversion that
two channels made possible is lost without either.
"""  # noqa: E501

from typing import Any

import numpy as np

from td_mta.simulate.classic import Classic, ClassicTruth
from td_mta.simulate.credit import Credit
from td_mta.simulate.rows import START
from td_mta.simulate.truth import Truth
from td_mta.simulate.world import Plan

Facts = dict[str, Any]  # JSON


def world_facts(name: str, plan: Plan, truth: Truth, *, seed: int, users: int) -> Facts:
    """What `truth.json` says of a world of the engine."""
    names = plan.channels
    off = truth.switched_off
    lost = zip(off.conversions.tolist(), off.value.tolist(), off.error.tolist(), strict=True)
    return {
        **_settings(name, plan, seed, users),
        "moment": plan.moment,
        "window": plan.hazard.window,
        "conversion_row_is_touch": False,
        **_credits(truth.conversions, truth.value, names),
        "switched_off": {
            channel: {"conversions": round(conversions), "value": value, "standard_error": error}
            for channel, (conversions, value, error) in zip((*names, "(all)"), lost, strict=True)
        },
        "worth": {
            "base": plan.hazard.base,
            "relative_risks": _by(names, plan.hazard.relative_risks),
            "decay": _by(names, plan.hazard.decays),
            "interactions": [[names[a], names[b], r] for a, b, r in plan.hazard.interactions],
        },
        "intent": plan.intent
        and {
            "chance": plan.intent.chance,
            "drives": _by(names, plan.intent.drives),
            "risk": plan.intent.risk,
        },
        "predicted": truth.predicted and _credit(truth.predicted, names),
    }


def classic_facts(
    name: str, world: Classic, truth: ClassicTruth, *, seed: int, users: int
) -> Facts:
    """What `truth.json` says of the classic world."""
    names = world.channels
    lost = zip(names, truth.lost.tolist(), truth.lost_value.tolist(), strict=True)
    every = truth.conversions.cells.sum(), truth.value.cells.sum()
    return {
        **_settings(name, world, seed, users),
        "moment": "last_touch",
        "window": world.days,
        "conversion_row_is_touch": True,
        **_credits(truth.conversions, truth.value, names),
        "switched_off": {
            channel: {"conversions": conversions, "value": value, "standard_error": None}
            for channel, conversions, value in [*lost, ("(all)", round(every[0]), every[1])]
        },
        "worth": {"rates": _by(names, world.rates)},
        "intent": None,
        "predicted": None,
        "expected_conversions": _by(names, truth.expected.tolist()),
        "capped_conversions": truth.capped,
    }


def _settings(name: str, world: Plan | Classic, seed: int, users: int) -> Facts:
    return {
        "world": name,
        "about": world.about,
        "seed": seed,
        "users": users,
        "days": world.days,
        "first_day": str(np.datetime64(START, "s").astype("datetime64[D]")),
        "channels": list(world.channels),
    }


def _credits(conversions: Credit, value: Credit, names: tuple[str, ...]) -> Facts:
    return {
        "conversions": round(conversions.total),
        "value": round(value.total, 2),
        **_credit(conversions, names),
        "baseline_value": value.baseline,
        "channel_value": _by(names, value.cells.sum(axis=0).tolist()),
        "value_by_day_and_channel": value.cells.tolist(),
    }


def _credit(conversions: Credit, names: tuple[str, ...]) -> Facts:
    by_channel = conversions.cells.sum(axis=0)
    return {
        "baseline_conversions": conversions.baseline,
        "baseline_share": _share(conversions.baseline, conversions.total),
        "channel_conversions": _by(names, by_channel.tolist()),
        "channel_share": _by(names, [_share(one, by_channel.sum()) for one in by_channel]),
        "conversions_by_day_and_channel": conversions.cells.tolist(),
    }


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _by(names: tuple[str, ...], values: tuple[float, ...] | list[float]) -> dict[str, float]:
    return dict(zip(names, values, strict=True))
