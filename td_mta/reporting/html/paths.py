"""Sections of a run on a table of paths, which has rules and the Markov chain alone."""

from td_mta.reporting import charts
from td_mta.reporting.html.credit import channel_table, conversions_by_model, summed_channels
from td_mta.reporting.html.elements import chart, figures, number, paragraphs, percent
from td_mta.reporting.run_tables import RunTables

COMPARED = (
    "The chart shows each channel's share of all {conversions} observed conversions: bars are the "
    "credit by the Markov chain, points the credit by the rules. Conversions whose path has no "
    "touch are the baseline. Where the models agree, the choice between them matters little."
)
READING = (
    "<b>Credits are not causal by themselves.</b> Rules and Markov chain give away every "
    "conversion that has a touch before it, including those that would have happened anyway. How "
    "many these are, and how credit fades from day to day, only a table of touches with times can "
    "show."
)


def path_numbers(run: RunTables) -> str:
    """The run's size and result in a few figures."""
    baseline, _, conversions = run.conservation
    shown = {
        "conversions": number(conversions),
        "baseline share": percent(baseline / conversions if conversions else 0.0),
        "journeys": number(run.number("counts", "journeys")),
        "paths": number(run.number("counts", "paths")),
        "channels": number(len(run.ranking)),
    }
    if run.has_value:
        shown["value"] = number(float(run.detail["value"].sum()))
    return figures(shown)


def path_channels(run: RunTables) -> str:
    """What each channel contributed, by every model."""
    shares = charts.model_shares(run.frames["models"], run.charted, run.models)
    return "\n".join(
        [
            "<h2>Credit by channel</h2>",
            paragraphs(COMPARED.format(conversions=number(run.conservation.conversions))),
            summed_channels(run),
            chart(shares, "model-shares", "Share of conversions by channel and model"),
            channel_table(conversions_by_model(run)),
            "<h2>How to read this report</h2>",
            paragraphs(READING),
        ]
    )
