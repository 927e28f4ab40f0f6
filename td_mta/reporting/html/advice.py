"""What a reader would otherwise get wrong, by what this run did."""

from td_mta.reporting.html.elements import number, paragraphs, percent, text
from td_mta.reporting.run_tables import RunTables

DOUBTED = 5


def reading(run: RunTables) -> str:
    return "\n".join(["<h2>How to read this</h2>", paragraphs(*_advice(run))])


def _advice(run: RunTables) -> list[str]:
    """What a reader would otherwise get wrong, by what this run did."""
    advice = [
        "<b>Credits are not causal by themselves.</b> They say how much the predicted chance of a "
        "conversion rests on a touch, among users like these. Whoever was about to buy also "
        "searches and opens mails; only an experiment can tell the two apart.",
        *_riders(run),
        "<b>A value can be negative.</b> Then users with that touch convert less than the same "
        "users without it would: accidental clicks and unqualified traffic look like this. It "
        "is a finding about whom the channel reaches, and nothing is cut off at zero.",
        "<b>The baseline</b> is what the model expects without any touch in the window.",
    ]
    return [*advice, *_baseline_caveat(run), _cost_advice(run)]


def _riders(run: RunTables) -> list[str]:
    """Which credit is least to be trusted, by the channels' names."""
    if not run.riders:
        return []
    named = run.riders[:DOUBTED]
    more = len(run.riders) - len(named)
    listed = ", ".join(f"<b>{text(channel)}</b>" for channel in named)
    listed += f" and {more} more like them" if more else ""
    credit = run.credits.loc[run.credits["channel"].isin(run.riders), "conversions"].sum()
    share = credit / run.balance[2] if run.balance[2] else 0.0
    return [
        f"<b>What this report cannot know.</b> {listed} usually ride on a wish to buy that is "
        "there already: people go there because of it. How many of the "
        f"{number(round(float(credit)))} conversions ({percent(float(share))}) that are credited "
        "to them would have come anyway is not in this table, whichever model reads it: take "
        "the credit for too high rather than too low until a test has switched one off."
    ]


def _baseline_caveat(run: RunTables) -> list[str]:
    baseline, _, conversions = run.balance
    if run.parameter("conversion_row_is_touch").lower() == "true" and abs(baseline) <= (
        1e-9 * abs(conversions)
    ):
        return [
            "Here every conversion row is itself a touch, so nobody converts without one: the "
            "baseline is 0 by construction, not by measurement."
        ]
    if run.parameter("examples") == "touch_days":
        return [
            "With <code>examples: touch_days</code> no example is without a touch, so the "
            "baseline is an extrapolation of a rate per selected example, not a measurement; "
            "<code>person_days</code> measures it."
        ]
    return []


def _cost_advice(run: RunTables) -> str:
    return (
        "<b>Cost.</b> A channel's spend in this period divided by its conversions is its CPA; its "
        "value divided by its spend is its ROAS. Compare channels by these, not by share."
    )
