"""One world split over data partners: each has users of its own and another mix of channels.

Users convert by the same law everywhere, so what the partners learn together has one truth.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from td_mta.simulate.classic import Classic
from td_mta.simulate.draws import Draws
from td_mta.simulate.world import Plan


class Partner(NamedTuple):
    """A partner's users, by their number in the pooled world, and what befalls them."""

    name: str
    users: range
    world: Plan | Classic


def partners(world: Plan | Classic, count: int, *, seed: int, spread: float = 0.7) -> list[Partner]:
    """So many partners with the same number of users, give or take one.

    A partner's channel rates are the world's, each times a lognormal factor whose logarithm has
    standard deviation `spread`, scaled so that their sum is the world's. Raises ValueError.
    """
    if not 1 <= count <= world.users:
        raise ValueError(f"partners must be 1 to {world.users}, a user each, got {count}")
    if spread < 0:
        raise ValueError(f"spread must not be negative, got {spread}")
    edges = [world.users * p // count for p in range(count + 1)]
    found = []
    for p in range(count):
        place = Draws.of(seed).at("partner").at(p).at(np.arange(len(world.channels)))
        factor = np.exp(spread * ndtri(np.maximum(place.uniform(), 2.0**-54)))
        mixed = _mixed(world, factor)
        found.append(Partner(f"partner_{p + 1}", range(edges[p], edges[p + 1]), mixed))
    return found


def _mixed(world: Plan | Classic, factor: np.ndarray) -> Plan | Classic:
    if isinstance(world, Classic):
        return replace(world, frequencies=_scaled(world.frequencies, factor))
    touching = replace(world.touching, rates=_scaled(world.touching.rates, factor))
    return replace(world, touching=touching)


def _scaled(rates: tuple[float, ...], factor: np.ndarray) -> tuple[float, ...]:
    mixed = np.array(rates) * factor
    return tuple((mixed * (sum(rates) / mixed.sum())).tolist())
