"""Sections: credit by channel and model, its confidence intervals, and by day."""

from collections.abc import Sequence

import pandas as pd

from td_mta.model.holdout import LSTM, MLP
from td_mta.reporting import charts
from td_mta.reporting.html.elements import chart, folded, number, paragraphs, table
from td_mta.reporting.run_tables import RunTables, model_name
from td_mta.tables import BASELINE, DAYS_BEFORE_CONVERSION

MOST_CHANNELS = 25  # rows of a table before the others are folded away

SHARES = (
    "The chart shows each channel's share of all {conversions} observed conversions: bars are the "
    "credit by Shapley values, points the credit by the other models. Each model's shares, the "
    "baseline included, sum to 100%."
)
COMPARED = (
    "Conversions credited by each model. The baseline of the other models is the conversions "
    "without a touch in their window.{windows} Where the models agree, the choice between them "
    "matters little; where they differ, the section on model quality shows how far to trust the "
    "Shapley values."
)
RETURNING = (
    "Returning customers are users who had converted before in this table. It knows nothing of the "
    "time before it begins, so in a short table some of the new customers are returning ones."
)
BY_DAY = (
    "Conversions credited to touches on each day before the conversion; day 0, at the right, is "
    "the day of the conversion itself. A channel with most of its credit on early days starts "
    "journeys; one with most of its credit on day 0 completes them."
)
BY_DAY_TABLE = (
    "The same figures as a table, day 0 first. Blue marks positive credit, orange negative credit; "
    "stronger colours mean larger amounts."
)
INTERVALS = {
    "sampling": (
        "<b>Sampling interval</b> (grey, {level}): how much the credit varies between bootstrap "
        "samples of the users, with the model unchanged. It leaves out the model's own error, so a "
        "wrong model can have narrow intervals too."
    ),
    "full": (
        "<b>Full interval</b> (black, {level}): a confidence interval for the credit that these "
        "conversions would get from the true conversion probabilities. It follows by the delta "
        "method from the covariance of the model's parameters over 40 groups of users, so it "
        "includes the model's own error, but not what no model can see, such as users who were "
        "about to buy anyway."
    ),
}
COSTS = (
    "Costs on the days of the touchpoints beside what they bought. CPM is the cost of a thousand "
    "impressions, CPC of a click, CPA of a credited conversion; ROAS is the credited value for "
    "each unit of spend, ROMS what is left of it after the spend."
)
NETWORK = (
    "The {network} is used, and a network has no such covariance: full intervals take that of the "
    "logistic regression beside it."
)


def channels(run: RunTables) -> str:
    """What each channel contributed, by our model and by all others."""
    shares = charts.model_shares(run.frames["models"], run.charted, run.models)
    return "\n".join(
        [
            "<h2>Credit by channel</h2>",
            paragraphs(SHARES.format(conversions=number(run.conservation.conversions))),
            summed_channels(run),
            chart(shares, "model-shares", "Share of conversions by channel and model"),
            channel_table(_by_channel(run), percents=["share"]),
            *([paragraphs(RETURNING)] if run.returning.sum() else []),
            "<h3>Attribution models compared</h3>",
            paragraphs(COMPARED.format(windows=_windows(run))),
            channel_table(conversions_by_model(run)),
        ]
    )


def _windows(run: RunTables) -> str:
    """Which window which method has, where the run says so."""
    rules, model = run.parameter("rules_window_days"), run.parameter("lookback_window_days")
    if not (rules and model):
        return ""
    return (
        f" The rules and the Markov chain count touches of the last {rules} days before a "
        f"conversion (<code>rules_window_days</code>), the Shapley values those of the last "
        f"{model} (<code>lookback_window_days</code>)."
    )


def summed_channels(run: RunTables) -> str:
    """Which channels charts do not show one by one."""
    others = len(run.ranking) - len(run.charted)
    if not others:
        return ""
    return paragraphs(
        f"Charts show the {len(run.charted)} channels with the most credit and the sum of the "
        f"other {others}; the tables list all channels."
    )


def _by_channel(run: RunTables) -> pd.DataFrame:
    """One row per channel, the baseline last: our conversions, share and value."""
    columns = ["conversions", "share"]
    if run.has_value:
        columns.append("value")
    sums = run.frames["detail"].groupby("channel")[columns].sum()
    ordered = sums.reindex([*run.ranking, BASELINE])
    returning = run.returning
    if returning.sum():
        of_rows = returning.reindex(ordered.index)
        ordered["of new customers"] = ordered["conversions"] - of_rows
        ordered["of returning ones"] = of_rows
    return ordered.rename_axis("channel").reset_index()


def conversions_by_model(run: RunTables) -> pd.DataFrame:
    """One row per channel, the baseline last: conversions by every model, ours first."""
    conversions = run.frames["models"].pivot_table(
        index="channel", columns="model", values="conversions", aggfunc="sum"
    )
    rows = [*run.ranking, BASELINE]
    ordered = conversions.reindex(rows)[run.models]
    ordered.columns = pd.Index([model_name(model) for model in ordered.columns])
    return ordered.rename_axis("channel").reset_index()


def channel_table(rows: pd.DataFrame, percents: Sequence[str] = ()) -> str:
    """The first channels and the baseline, which is the last row; then the others, folded away."""
    channels, baseline = rows[:-1], rows[-1:]
    ordered = pd.concat([channels[:MOST_CHANNELS], baseline, channels[MOST_CHANNELS:]])
    return _folded_table(ordered, MOST_CHANNELS + 1, percents=percents)


def _folded_table(
    rows: pd.DataFrame, most: int, percents: Sequence[str] = (), shaded: Sequence[str] = ()
) -> str:
    """At most so many rows, then the others, folded away."""
    first, others = rows[:most], rows[most:]
    shown = table(first, percents, shaded)
    if others.empty:
        return shown
    return shown + folded(f"{len(others)} more channels", table(others, percents, shaded))


def costs(run: RunTables) -> str:
    """Each channel's credit beside its costs, the dearest first; empty where no costs are known."""
    report = run.frames["report"]
    if report["spend"].isna().all():
        return ""
    dearest_first = report.sort_values("spend", ascending=False, kind="stable")
    of_others = ["lower", "upper", "conversions_new", "conversions_returning"]
    rows = dearest_first.drop(columns=of_others).dropna(axis="columns", how="all")
    return "\n".join(
        ["<h2>Credit and cost</h2>", paragraphs(COSTS), _folded_table(rows, MOST_CHANNELS)]
    )


def confidence_intervals(run: RunTables) -> str:
    """Intervals of each kind that the run has, and what each kind includes."""
    kinds = run.intervals
    if not kinds:
        return ""
    level = float(run.parameter("interval_level") or 0.9)
    percent = f"{100 * level:g}%"
    explanations = [INTERVALS[kind].format(level=percent) for kind in kinds]
    network = run.section("model").get("network", "")
    if "full" in kinds and network in (MLP, LSTM):
        explanations.append(NETWORK.format(network=model_name(network)))
    whiskers = charts.interval_whiskers(kinds, run.charted)
    return "\n".join(
        [
            "<h2>Confidence intervals</h2>",
            paragraphs(*explanations),
            chart(whiskers, "intervals", "Credited conversions and their intervals by channel"),
            _folded_table(_bounds(run), MOST_CHANNELS + 1),
        ]
    )


def _bounds(run: RunTables) -> pd.DataFrame:
    """The baseline, then the channels, with the bounds of each kind."""
    order = [BASELINE, *run.ranking]
    bounds = pd.DataFrame({"channel": order})
    for kind, rows in run.intervals.items():
        by_channel = rows.set_index("channel").reindex(order)
        bounds["conversions"] = by_channel["conversions"].array  # the same for each kind
        bounds[f"{kind}, lower"] = by_channel["lower"].array
        bounds[f"{kind}, upper"] = by_channel["upper"].array
    return bounds


def days(run: RunTables) -> str:
    """How long before the conversion each channel's touches get their credit."""
    curves = charts.day_curves(run.credits, run.charted)
    by_day = _by_day(run)
    day_columns = list(by_day.columns[1:])
    return "\n".join(
        [
            "<h2>Credit by day before the conversion</h2>",
            paragraphs(BY_DAY),
            chart(curves, "day-curves", "Credited conversions by day and channel"),
            paragraphs(BY_DAY_TABLE),
            _folded_table(by_day, MOST_CHANNELS, shaded=day_columns),
        ]
    )


def _by_day(run: RunTables) -> pd.DataFrame:
    """Conversions: a row per channel, a column per day, the day of conversion first."""
    conversions = run.credits.pivot_table(
        index="channel", columns=DAYS_BEFORE_CONVERSION, values="conversions", aggfunc="sum"
    )
    ordered = conversions.reindex(run.ranking)
    ordered.columns = pd.Index([f"day {day:.0f}" for day in ordered.columns])
    return ordered.rename_axis("channel").reset_index()
