"""The plan that the parameters ask for, with what it gains and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from td_mta.config.mmm import MediaMixConfig, amounts, listed
from td_mta.errors import ConfigError
from td_mta.ingest.media_mix.tables import MediaTable
from td_mta.mmm import budget, effects
from td_mta.mmm.budget import Curves, Limits, NoPlanError
from td_mta.mmm.effects import Interval
from td_mta.mmm.model import Model
from td_mta.mmm.transforms import Floats
from td_mta.pipelines.media_mix.fitting import Answered

ROOM = 1.5  # times the largest spend so far, where most_spend says nothing


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan per period beside today's; arrays are `(c,)`."""

    today: Floats  # mean spend
    spend: Floats
    sales_today: Floats  # by held spend
    sales: Floats
    gain: Interval  # sales of the plan less those of today
    probability: float  # that the gain is above 0
    warnings: Sequence[str]


def check(table: MediaTable, config: MediaMixConfig) -> None:
    """Raise `ConfigError` where no plan is within the limits, before anything is fitted."""
    limits = _limits(table, config)
    total = config.budget or float(table.spend.mean(axis=0).sum())
    to_split = config.target_marginal_roi is None and config.sales_goal is None
    try:
        budget.check(total if to_split else float(limits.most.sum()), limits)
    except NoPlanError as error:
        raise _no_plan(error) from None


def plan(answered: Answered, config: MediaMixConfig) -> Planned:
    """Raises `ConfigError` where no plan reaches `sales_goal`; `check` was called before."""
    data, own = answered.data, answered.curves_from
    today = data.spend.mean(axis=0)
    limits = _limits(answered.table, config)
    total = config.budget or float(today.sum())
    to_split = config.target_marginal_roi is None and config.sales_goal is None
    levels = budget.grid(total if to_split else float(limits.most.sum()))
    unit = np.where(data.usual_spend > 0, data.usual_spend, 1.0)
    rows = [
        own.model.held(own.p, c, levels / unit[c]) * data.sales_scale for c in range(len(today))
    ]
    curves = Curves(levels, np.stack(rows))
    try:
        if config.target_marginal_roi is not None:
            spend = budget.up_to_marginal(curves, config.target_marginal_roi, limits).spend
        elif config.sales_goal is not None:
            spend = budget.least_spend(curves, config.sales_goal, limits).spend
        else:
            spend = budget.best_split(curves, total, limits, today).spend
    except NoPlanError as error:
        raise _no_plan(error) from None
    sold = np.array([_held(answered, c, np.array([today[c], spend[c]])) for c in range(len(today))])
    # By its own figures a plan of today's total is never worse than today's.
    is_todays = to_split and abs(total - today.sum()) < 1e-6 * total and _inside(today, limits)
    if is_todays and sold[:, 1].sum() < sold[:, 0].sum():
        spend, sold[:, 1] = today, sold[:, 0]
    gains = np.concatenate([_gains(d.model, d.p, today, spend) for d in answered.draws])
    best = np.array(sold[:, 1].sum() - sold[:, 0].sum())
    return Planned(
        today=today,
        spend=spend,
        sales_today=sold[:, 0],
        sales=sold[:, 1],
        gain=effects.interval(best, gains),
        probability=float((gains > 0).mean()),
        warnings=_warnings(answered, spend),
    )


def _held(answered: Answered, channel: int, spend: Floats) -> Floats:
    own, unit = answered.curves_from, answered.data.usual_spend[channel] or 1.0
    return own.model.held(own.p, channel, spend / unit) * answered.data.sales_scale


def _gains(model: Model, p: Floats, today: Floats, spend: Floats) -> Floats:
    gains = np.zeros(len(p))
    for c, unit in enumerate(model.data.usual_spend):
        sold = effects.held(model, p, c, np.array([today[c], spend[c]]) / (unit or 1.0))
        gains += sold[:, 1] - sold[:, 0]
    return gains


def _no_plan(error: NoPlanError) -> ConfigError:
    return ConfigError(
        f"{error}; change budget or sales_goal, least_spend, most_spend or frozen_channels"
    )


def _limits(table: MediaTable, config: MediaMixConfig) -> Limits:
    channels, today = list(table.channels), table.spend.mean(axis=0)
    least, most = np.zeros(len(channels)), ROOM * table.spend.max(axis=0)
    for name, bound in (("least_spend", least), ("most_spend", most)):
        for channel, amount in amounts(getattr(config, name), name).items():
            bound[_index(channel, channels, name)] = amount
    for channel in listed(config.frozen_channels):
        position = _index(channel, channels, "frozen_channels")
        least[position] = most[position] = today[position]
    return Limits(least, most)


def _index(channel: str, channels: Sequence[str], name: str) -> int:
    if channel not in channels:
        raise ConfigError(f"{name}: no channel {channel}; there are {', '.join(channels)}")
    return channels.index(channel)


def _inside(spend: Floats, limits: Limits) -> bool:
    return bool(((spend >= limits.least - 1e-9) & (spend <= limits.most + 1e-9)).all())


def _warnings(answered: Answered, spend: Floats) -> list[str]:
    largest = answered.data.spend.max(axis=0)
    return [
        f"{channel}: {amount:,.0f} is beyond the largest spend so far, {top:,.0f}; what it brings "
        "there is a guess"
        for channel, amount, top in zip(answered.table.channels, spend, largest, strict=True)
        if amount > top * (1 + 1e-9)
    ]
