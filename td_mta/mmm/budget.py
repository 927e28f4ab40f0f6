"""The best split of money: exact on a grid of levels, whatever the curves' shape.

Channels are independent given the split, so the best sales of a total are found channel by channel
(dynamic programming over a grid). S-shaped curves have several local best splits, which a method
of slopes cannot tell apart; the grid looks at all of them.
"""

from typing import NamedTuple

import numpy as np

from td_mta.mmm.transforms import Floats

LEVELS = 400  # steps of the grid


class Limits(NamedTuple):
    """Least and most spend of each channel, `(c,)` each; both the same freeze it."""

    least: Floats
    most: Floats


class Plan(NamedTuple):
    """A split of money and what it brings."""

    spend: Floats  # (c,)
    sales: float


class NoPlanError(ValueError):
    """No split is within the limits; the message says why."""


class Curves:
    """What each channel brings per period by held spend, on a grid of its own choice."""

    def __init__(self, grid: Floats, sales: Floats) -> None:
        """`grid` `(points,)` from 0 on ascending, `sales` `(c, points)`."""
        self.grid, self.sales = grid, sales

    def at(self, spend: Floats) -> Floats:
        """Sales of each channel at its spend, `(c,)`, between points by straight lines."""
        values = [np.interp(s, self.grid, row) for s, row in zip(spend, self.sales, strict=True)]
        return np.array(values)


def grid(total: float, levels: int = LEVELS) -> Floats:
    """Levels of spend from nothing to `total`."""
    return np.linspace(0, total, levels + 1)


def best_split(curves: Curves, total: float, limits: Limits, today: Floats | None = None) -> Plan:
    """The split of exactly `total` with most sales; never fewer than today's, where that is one.

    `curves` lie on a grid whose last point is `total`. Raises `NoPlanError`.
    """
    check(total, limits)
    step = curves.grid[1] - curves.grid[0]
    free, base = _free(limits, step)
    values = _from_base(curves, base, step, len(curves.grid))
    left = int(np.floor((total - base.sum()) / step + 1e-9))
    _, choices = _programme(values, free, left)
    # A total that is spent in full: what the grid's steps leave over goes where there is room.
    spend = _filled(base + step * _traced(choices, left), total, limits)
    plan = Plan(spend, float(curves.at(spend).sum()))
    if today is not None and _is_allowed(today, total, limits):
        kept = Plan(today, float(curves.at(today).sum()))
        return max(plan, kept, key=lambda candidate: candidate.sales)
    return plan


def least_spend(curves: Curves, goal: float, limits: Limits) -> Plan:
    """The least total whose best split brings at least `goal` sales; raises `NoPlanError`."""
    step = curves.grid[1] - curves.grid[0]
    most = min(float(limits.most.sum()), float(curves.grid[-1]))
    check(most, limits)
    free, base = _free(limits, step)
    values = _from_base(curves, base, step, len(curves.grid))
    left = int(np.floor((most - base.sum()) / step + 1e-9))
    best, choices = _programme(values, free, left)
    reached = np.flatnonzero(best[: left + 1] >= goal)
    if not len(reached):
        raise NoPlanError(
            f"no plan of at most {most:,.0f} brings {goal:,.0f}; the best brings {best.max():,.0f}"
        )
    spend = base + step * _traced(choices, int(reached[0]))
    return Plan(spend, float(curves.at(spend).sum()))


def up_to_marginal(curves: Curves, marginal_roi: float, limits: Limits) -> Plan:
    """The plan with most sales less `marginal_roi` times its spend: no further unit earns that."""
    worth = curves.sales - marginal_roi * curves.grid
    spend = np.empty(len(worth))
    for c, row in enumerate(worth):
        inside = (curves.grid >= limits.least[c] - 1e-9) & (curves.grid <= limits.most[c] + 1e-9)
        points = np.where(inside, row, -np.inf)
        at_most = np.clip(curves.grid[points.argmax()], limits.least[c], limits.most[c])
        spend[c] = at_most if inside.any() else limits.least[c]
    return Plan(spend, float(curves.at(spend).sum()))


def check(total: float, limits: Limits) -> None:
    """Raise `NoPlanError` for a total that no split within the limits has."""
    if (limits.least > limits.most + 1e-9).any():
        raise NoPlanError("the least spend of a channel is above its most")
    if total < limits.least.sum() - 1e-6 * max(total, 1.0):
        raise NoPlanError(
            f"a budget of {total:,.0f} is below the least spend of all channels, "
            f"{limits.least.sum():,.0f}"
        )
    if total > limits.most.sum() + 1e-6 * max(total, 1.0):
        raise NoPlanError(
            f"a budget of {total:,.0f} is above the most spend of all channels, "
            f"{limits.most.sum():,.0f}"
        )


def _free(limits: Limits, step: float) -> tuple[Floats, Floats]:
    """Whole steps above the least spend that each channel may take, and the least spend."""
    room = np.floor((limits.most - limits.least) / step + 1e-9)
    return room, limits.least


def _from_base(curves: Curves, base: Floats, step: float, points: int) -> Floats:
    """Sales of each channel at 0, 1, 2 … steps above its least spend, `(c, points)`."""
    spend = base[:, None] + step * np.arange(points)
    rows = [np.interp(s, curves.grid, row) for s, row in zip(spend, curves.sales, strict=True)]
    return np.stack(rows)


def _programme(values: Floats, free: Floats, left: int) -> tuple[Floats, list[Floats]]:
    """Best sales by steps spent in all, and each channel's own steps on the way there."""
    best = np.full(left + 1, -np.inf)
    best[0] = 0.0
    choices = []
    for row, room in zip(values, free, strict=True):
        own = int(min(room, left))
        candidates = np.full((own + 1, left + 1), -np.inf)
        for taken in range(own + 1):
            candidates[taken, taken:] = best[: left + 1 - taken] + row[taken]
        choices.append(candidates.argmax(axis=0).astype(np.float64))
        best = candidates.max(axis=0)
    return best, choices


def _traced(choices: list[Floats], left: int) -> Floats:
    steps = np.zeros(len(choices))
    for c in reversed(range(len(choices))):
        steps[c] = choices[c][left]
        left -= int(steps[c])
    return steps


def _filled(spend: Floats, total: float, limits: Limits) -> Floats:
    filled = spend.copy()
    for c in np.argsort(filled - limits.most):
        filled[c] += min(max(total - filled.sum(), 0.0), limits.most[c] - filled[c])
    return np.asarray(filled, np.float64)


def _is_allowed(spend: Floats, total: float, limits: Limits) -> bool:
    slack = 1e-6 * max(total, 1.0)
    inside = (spend >= limits.least - slack) & (spend <= limits.most + slack)
    return bool(inside.all() and abs(spend.sum() - total) <= slack)
