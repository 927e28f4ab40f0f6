"""Warnings of what users who come back say of ids, windows, purchases and orders.

One function per topic; each takes what it needs and returns sentences, none where all is well or
the parameter is set already.
"""

from collections.abc import Sequence

import numpy as np

from td_mta.journeys.returns.counts import Returns
from td_mta.journeys.returns.statistics import (
    Estimate,
    affected_share,
    lasting_effect,
    lost_share,
    one_day_share,
    second_order_share,
    touches_after_buying,
    usual_gap,
)
from td_mta.reporting.wording import listed

MANY_LOST, SURELY_LOST = 0.1, 5  # share of the ids, standard errors
LASTING, SURELY_LASTING, MANY_AFFECTED = 0.2, 3, 0.01  # log odds, errors, share of the conversions
MORE_TOUCHES, SURELY_MORE = np.log(1.5), 4  # log ratio, errors
MANY_SECOND_ORDERS, FEWEST_SECOND_ORDERS = 0.05, 20
MOST_NAMED = 5  # channels
KNOWN = 2  # usual times between conversions that make a good history
USES_FUTURE, RECENCY = "user_activity", "since_conversion"
PAST_CONTROLS = ("calendar_day", "user_activity_past", RECENCY)


def lost_id_warnings(returns: Returns, days_at_risk: str) -> list[str]:
    """Ids that are lost after their first day, whose days ahead show nothing."""
    lost = lost_share(returns)
    if days_at_risk == "returning" or not lost.is_above(MANY_LOST, SURELY_LOST):
        return []
    return [
        f"{one_day_share(returns):.0%} of the ids are seen on one day only, and about "
        f"{lost.value:.0%} are lost after their first day with a touch, as ids of a second day "
        "come back far more often: their later days count as days without a conversion though "
        "nobody could have seen one. Set days_at_risk: returning."
    ]


def lasting_warnings(returns: Returns, window_after_conversion: str) -> list[str]:
    """Touches that a conversion does not use up."""
    effect, share = lasting_effect(returns), affected_share(returns)
    if (
        window_after_conversion == "keep"
        or not effect.is_above(LASTING, SURELY_LASTING)
        or share < MANY_AFFECTED
    ):
        return []
    return [
        f"Touches seem to outlive a conversion: in the days after one, the odds of a further "
        f"conversion are {np.exp(effect.value):.1f} times as high (standard error "
        f"{effect.error:.0%}) where touches came before it, for users of like activity; "
        f"{share:.0%} of the conversions are of such days and their windows are cut off. Set "
        "window_after_conversion: keep."
    ]


def buying_warnings(
    returns: Returns, channels: Sequence[str], controls: Sequence[str], history_days: int
) -> list[str]:
    """Channels that touch users more often because they bought."""
    ratios = touches_after_buying(returns)
    more = [
        number
        for number, estimate in enumerate(map(Estimate, ratios.log_ratio, ratios.error))
        if estimate.is_above(MORE_TOUCHES, SURELY_MORE)
    ]
    to_set = _for_buying(controls, history_days, KNOWN * usual_gap(returns))
    if not more or not to_set:
        return []
    named = [
        f"{channels[i]} ({ratios.after[i]:.2f} a day, {ratios.before[i]:.2f} before)" for i in more
    ]
    return [
        "After their first conversion users have more touches of "
        f"{listed(named, MOST_NAMED)}: buying causes touches, so that all touches of a user tell "
        f"of conversions before them, and touches coincide with purchases that come again. Set "
        f"{' and '.join(to_set)}."
    ]


def _for_buying(controls: Sequence[str], history_days: int, wanted: int) -> list[str]:
    """The parameters to set where buying causes touches; none where they are."""
    to_set = []
    if USES_FUTURE in controls or RECENCY not in controls:
        to_set.append(f"controls: {', '.join(PAST_CONTROLS)}")
    if history_days < wanted:
        to_set.append(
            f"history_days: {wanted} ({KNOWN} times the usual time between two conversions of a "
            "user, so that the last one is known)"
        )
    return to_set


def second_order_warnings(returns: Returns, *, order_id: bool) -> list[str]:
    """Many conversions within an hour after another; `order_id`: orders are told apart."""
    share = second_order_share(returns)
    if share <= MANY_SECOND_ORDERS or returns.conversions[1] < FEWEST_SECOND_ORDERS:
        return []
    what = (
        "further orders, by order_id. Set repeat_orders_within: 1h, and they count with it"
        if order_id
        else "rows of one order, or repeat orders? Set order_id to a column that tells orders "
        "apart, and the rows of one count once; or set repeat_orders_within: 1h, and orders that "
        "follow within an hour count with the first"
    )
    return [
        f"{share:.0%} of the conversions come within an hour after the same user's previous one: "
        f"{what}. With window_after_conversion: cut a second order sees only the touches since the "
        "first, mostly none, and goes to the baseline; max_conversions_per_user leaves out users "
        "with many."
    ]
