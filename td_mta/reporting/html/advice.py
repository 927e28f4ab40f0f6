"""Section: what a reader could get wrong, in general and by what this run did."""

from td_mta.reporting.html.elements import number, paragraphs, percent, text
from td_mta.reporting.run_tables import RunTables

MOST_NAMED = 5  # channels that follow intent
BY_CONSTRUCTION = 1e-9  # of the conversions: the baseline where nobody converts without a touch

NOT_CAUSAL = (
    "<b>Credits are not causal by themselves.</b> They measure how much the predicted probability "
    "of a conversion depends on each touch. Users who are about to buy also search and open "
    "emails; only an experiment can tell this apart from an effect of the channel."
)
NEGATIVE = (
    "<b>A credit can be negative.</b> Then users with that touch convert less often than the model "
    "predicts for the same users without it, for example after accidental clicks or with "
    "unqualified traffic. Negative credits are shown as they are, not cut off at 0."
)
BASELINE_MEANS = (
    "<b>The baseline</b> is the part of the conversions that the model predicts without any touch "
    "in the window."
)
COST = (
    "<b>Cost.</b> CPA (cost per acquisition) is a channel's spend in this period divided by its "
    "conversions; ROAS (return on ad spend) is its value divided by its spend. Compare channels by "
    "these, not by their share of the credit."
)


def reading(run: RunTables) -> str:
    """How to read the report, with the caveats that apply to this run."""
    advice = (NOT_CAUSAL, *_intent(run), NEGATIVE, BASELINE_MEANS, *_baseline_caveat(run), COST)
    return "\n".join(["<h2>How to read this report</h2>", paragraphs(*advice)])


def _intent(run: RunTables) -> list[str]:
    """Which credit is likely to be too high, by the channels' names."""
    channels = run.intent_channels
    if not channels:
        return []
    listed = ", ".join(f"<b>{text(channel)}</b>" for channel in channels[:MOST_NAMED])
    unnamed = len(channels) - MOST_NAMED
    more = f", and {unnamed} more" if unnamed > 0 else ""
    is_listed = run.credits["channel"].isin(channels)
    credit = float(run.credits.loc[is_listed, "conversions"].sum())
    observed = run.conservation.conversions
    share = credit / observed if observed else 0.0
    return [
        f"<b>Channels that follow intent:</b> {listed}{more}. People often use such channels when "
        "they already want to buy. No attribution model can tell from these data how many of the "
        f"{number(round(credit))} conversions ({percent(share)}) credited to them would have "
        "happened anyway. Expect the credit to be too high rather than too low until an experiment "
        "has paused the channel and measured its effect."
    ]


def _baseline_caveat(run: RunTables) -> list[str]:
    """Where the baseline was not measured."""
    baseline, _, conversions = run.conservation
    is_zero = abs(baseline) <= BY_CONSTRUCTION * abs(conversions)
    if run.parameter("conversion_row_is_touch").lower() == "true" and is_zero:
        return [
            "In this run every conversion row is itself a touch, so nobody converts without a "
            "touch: the baseline is 0 by construction, not by measurement."
        ]
    if run.parameter("examples") == "touch_days":
        return [
            "With <code>examples: touch_days</code> every example has a touch, so the baseline is "
            "an extrapolation, of a rate per selected example, and not a measurement; "
            "<code>examples: person_days</code> measures it."
        ]
    return []
