"""The credits in pictures and tables: by channel and model, with their intervals, and by day."""

from collections.abc import Sequence

import pandas as pd

from td_mta.reporting import charts
from td_mta.reporting.html.elements import folded, number, paragraphs, picture, table
from td_mta.reporting.run_tables import RunTables
from td_mta.tables import BASELINE

CHANNEL_ROWS = 25


def channels(run: RunTables) -> str:
    said = (
        "What each channel contributed, by the model (the bar in the channel's colour) and by the "
        "models beside it (the points). Shares are of all "
        f"{number(run.balance[2])} observed conversions, so each model's sum to 100 %."
    )
    return "\n".join(
        [
            "<h2>Channels</h2>",
            paragraphs(said, *_left_out(run)),
            picture(charts.model_shares(run), "model-shares", "Share by channel and model"),
            _channel_table(_by_channel(run), ["share"]),
            "<h3>All models side by side</h3>",
            paragraphs(
                "Conversions by every model. Where they agree, the choice hardly matters; where "
                "they part, the held-out figures below say how far to trust ours."
            ),
            _channel_table(_by_model(run)),
        ]
    )


def _channel_table(rows: pd.DataFrame, shares: Sequence[str] = ()) -> str:
    """The first channels and the baseline, which is last, then the other channels, folded away."""
    channels, baseline = rows[:-1], rows[-1:]
    ordered = pd.concat([channels[:CHANNEL_ROWS], baseline, channels[CHANNEL_ROWS:]])
    return _cut(ordered, CHANNEL_ROWS + 1, percents=shares)


def _cut(
    rows: pd.DataFrame, first: int, percents: Sequence[str] = (), shaded: Sequence[str] = ()
) -> str:
    """The first rows, then the others, folded away."""
    more = rows[first:]
    kept = table(rows[:first], percents, shaded)
    if more.empty:
        return kept
    return kept + folded(f"{len(more)} more channels", table(more, percents, shaded))


def _left_out(run: RunTables) -> list[str]:
    if not run.rest:
        return []
    return [
        f"Pictures show the {len(run.drawn)} channels with the most credit and the other "
        f"{run.rest} as one sum; the tables hold all."
    ]


def _by_channel(run: RunTables) -> pd.DataFrame:
    """One row per channel, the baseline last: our conversions, share and value."""
    shown = ["conversions", "share", *(["value"] if run.has_value else [])]
    ours = run.frames["detail"].groupby("channel")[shown].sum()
    return ours.reindex([*run.ranking, BASELINE]).rename_axis("channel").reset_index()


def _by_model(run: RunTables) -> pd.DataFrame:
    """One row per channel, the baseline last: conversions by every model, ours first."""
    wide = run.frames["models"].pivot_table(
        index="channel", columns="model", values="conversions", aggfunc="sum"
    )
    wide = wide.reindex([*run.ranking, BASELINE])[run.models]
    wide.columns = pd.Index([name.replace("_", " ") for name in wide.columns])
    return wide.rename_axis("channel").reset_index()


def certainty(run: RunTables) -> str:
    """Intervals of each kind that there is, and what each kind is about."""
    kinds = run.intervals
    if not kinds:
        return ""
    level = f"{100 * float(run.parameter('interval_level') or 0.9):g} %"
    return "\n".join(
        [
            "<h2>How sure the credits are</h2>",
            paragraphs(*(KINDS[kind].format(level=level) for kind in kinds)),
            "" if "full" in kinds else paragraphs(NO_REFITS),
            picture(charts.whiskers(run), "intervals", "Credit and its intervals by channel"),
            _cut(_bounds(run), CHANNEL_ROWS + 1),
        ]
    )


KINDS = {
    "sampling": (
        "<b>Sampling interval</b> (grey): where the credit would lie in {level} of cases had other "
        "users like these come, the model staying as it is. It says how much the counted journeys "
        "vary and <b>nothing about the truth</b>: a wrong model has narrow ones too."
    ),
    "full": (
        "<b>Full interval</b> (black): the model was fitted again and again to users drawn again; "
        "with a certainty of {level} it holds what these very conversions owe by the true chances "
        "of converting. It carries the model's own error, not what no model can see: who was "
        "about to buy anyway."
    ),
}
NO_REFITS = (
    "How far the model itself may be off is not in it: <code>interval_refits: 20</code> or more "
    "makes full intervals; 20 take about twice as long as the training does."
)


def _bounds(run: RunTables) -> pd.DataFrame:
    """The baseline, then channels, with the bounds of each kind."""
    order = [BASELINE, *run.ranking]
    frames = [rows.set_index("channel").reindex(order) for rows in run.intervals.values()]
    found = pd.DataFrame({"channel": order, "conversions": frames[0]["conversions"].array})
    for kind, rows in zip(run.intervals, frames, strict=True):
        for bound in ("lower", "upper"):
            found[f"{kind}, {bound}"] = rows[bound].array
    return found


def days(run: RunTables) -> str:
    by_day = _by_day(run)
    return "\n".join(
        [
            "<h2>Days before the conversion</h2>",
            paragraphs(
                "How many conversions a touch on that day is credited with. Day 0, at the right, "
                "is the day of the conversion. A line that stays up far to the left belongs to a "
                "channel that opens journeys; one that rises only at the right gives the last push."
            ),
            picture(charts.day_curves(run), "day-curves", "Credit per day and channel"),
            paragraphs(
                "The same as numbers, a column per day, the day of the conversion first. Blue adds "
                "conversions, orange takes some away; the stronger the colour, the more."
            ),
            _cut(by_day, CHANNEL_ROWS, shaded=list(by_day.columns[1:])),
        ]
    )


def _by_day(run: RunTables) -> pd.DataFrame:
    """Conversions: a row per channel, a column per day, the day of conversion first."""
    wide = run.credits.pivot_table(
        index="channel", columns="days_before_conversion", values="conversions", aggfunc="sum"
    )
    wide = wide.reindex(run.ranking)
    wide.columns = pd.Index(
        [f"day {day:.0f}" if day == 0 else f"{day:.0f}" for day in wide.columns]
    )
    return wide.rename_axis("channel").reset_index()
