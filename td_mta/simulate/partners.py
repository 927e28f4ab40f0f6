"""One world split over data partners: each has its own users and its own mix of channels.

Users convert by the same law everywhere, so what the partners learn together has one truth.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from td_mta.journeys.touchpoints import Floats
from td_mta.simulate.classic.plan import ClassicPlan
from td_mta.simulate.plan import WorldPlan
from td_mta.simulate.random_streams import RandomStreams


class Partner(NamedTuple):
    """A partner's users and the plan by which they are touched and convert."""

    name: str
    users: range  # numbers of the users in the pooled world
    plan: WorldPlan | ClassicPlan


def partners(
    plan: WorldPlan | ClassicPlan, count: int, *, seed: int, spread: float = 0.7
) -> list[Partner]:
    """Partners with the same number of users, give or take one.

    A partner's channel rates are the world's, each times a lognormal factor whose logarithm has
    standard deviation `spread`, scaled so that their sum is the world's. Raises ValueError for a
    count without a user for each, and for a negative spread.
    """
    if not 1 <= count <= plan.users:
        wanted = f"1 to {plan.users}, so that each has a user"
        raise ValueError(f"the number of partners must be {wanted}, got {count}")
    if spread < 0:
        raise ValueError(f"spread must not be negative, got {spread}")
    edges = [plan.users * partner // count for partner in range(count + 1)]
    streams = RandomStreams.of_seed(seed).fold_in("partner")
    channels = np.arange(len(plan.channels))
    split = []
    for partner in range(count):
        log_factors = spread * streams.fold_in(partner).fold_in(channels).normal()
        users = range(edges[partner], edges[partner + 1])
        remixed = _remixed(plan, np.exp(log_factors))
        split.append(Partner(f"partner_{partner + 1}", users, remixed))
    return split


def _remixed(plan: WorldPlan | ClassicPlan, factors: Floats) -> WorldPlan | ClassicPlan:
    """The plan with another mix of channels."""
    if isinstance(plan, ClassicPlan):
        return replace(plan, frequencies=_scaled(plan.frequencies, factors))
    touching = replace(plan.touching, rates=_scaled(plan.touching.rates, factors))
    return replace(plan, touching=touching)


def _scaled(rates: tuple[float, ...], factors: Floats) -> tuple[float, ...]:
    """Rates times factors, with the sum that the rates had."""
    products = np.array(rates) * factors
    scaled = products * (sum(rates) / products.sum())
    return tuple(scaled.tolist())
