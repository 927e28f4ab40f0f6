"""The page's parts, in reading order: what a reader must know first stands first."""

import math
from collections.abc import Callable, Sequence

import pandas as pd

from td_mta.html_report import figures
from td_mta.html_report.elements import (
    bullets,
    folded,
    number,
    paragraphs,
    percent,
    picture,
    table,
    text,
)
from td_mta.html_report.facts import BASELINE, RIVALS, Run

TABLE_ROWS = 2_000
CHANNEL_ROWS = 25
DOUBTED = 5
RAW_TABLES = {
    "detail": "_detail",
    "channel": "_channel",
    "shapley": "",
    "models": "_models",
    "intervals": "_intervals",
    "metrics": None,
    "run_info": "_run_info",
}


def findings(run: Run) -> str:
    """How far to trust the model, warnings, and then the result in one line."""
    warnings, notes = run.sentences("warnings"), run.sentences("notes")
    said = bullets(warnings) if warnings else "<p>None.</p>"
    box = f'<div class="{"warnings" if warnings else "calm"}"><h2>Warnings</h2>\n{said}</div>'
    kept = folded(f"Notes about the input and the run ({len(notes)})", bullets(notes))
    return "\n".join([_verdict(run), box, kept if notes else "", _conservation(run)])


def _verdict(run: Run) -> str:
    """Whether the credits rest on a model that predicts better than simpler ones."""
    ours = run.number("holdout", "lstm_log_loss")
    losses = {name: run.number("holdout", f"{name}_log_loss") for name in RIVALS}
    told = {
        name: f"{RIVALS[name]} ({loss:.5f})" for name, loss in losses.items() if math.isfinite(loss)
    }
    if not told or not math.isfinite(ours):
        return ""
    apart = {name: _standard_errors(run, name, losses[name] - ours) for name in told}
    start = f"On examples that it never saw, the model (log loss {ours:.5f}) predicts"
    if lost := [told[name] for name in told if apart[name] < -1]:
        return (
            f'<p class="verdict broken">{start} worse than {" and ".join(lost)}: '
            "do not lean on the credits below before this is mended.</p>"
        )
    won = [told[name] for name in told if apart[name] > 1]
    even = [told[name] for name in told if name in apart and abs(apart[name]) <= 1]
    said = [f"better than {' and '.join(won)}"] if won else []
    said += [f"as well as {' and '.join(even)}, within a standard error"] if even else []
    return f'<p class="verdict">{start} {", and ".join(said)}.</p>'


def _standard_errors(run: Run, rival: str, better: float) -> float:
    """By how many the model beats the rival; without an error any difference counts."""
    error = run.number("comparison", f"lstm_minus_{rival}_error")
    if math.isfinite(error) and error > 0:
        return better / error
    return math.copysign(math.inf, better) if better else 0.0


def _conservation(run: Run) -> str:
    baseline, channels, conversions = run.balance
    whole = abs(baseline + channels - conversions) <= 1e-6 * max(abs(conversions), 1.0)
    decimals = 0 if all(abs(x - round(x)) < 1e-6 for x in (baseline, channels)) else 2
    equation = (
        f"baseline {number(baseline, decimals)} + channels {number(channels, decimals)} = "
        f"{number(baseline + channels, 0 if whole else decimals)} conversions"
    )
    if whole:
        return f'<p class="balance">{equation}</p>'
    return (
        f'<p class="balance broken">{equation}, but {number(conversions)} were observed: '
        "the credits do not add up.</p>"
    )


def key_numbers(run: Run) -> str:
    baseline, _, conversions = run.balance
    days = run.frames["detail"]["days_before_conversion"].nunique()
    facts = {
        "conversions": number(conversions),
        "baseline share": percent(baseline / conversions if conversions else 0.0),
        "touchpoints": number(run.number("counts", "touchpoints")),
        "users": number(run.number("counts", "users")),
        "channels": number(len(run.ranking)),
        "days in the window": number(days),
    }
    if run.has_value:
        facts["value"] = number(float(run.frames["detail"]["value"].sum()))
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts.items())
    return f'<dl class="key-numbers">{items}</dl>'


def channels(run: Run) -> str:
    said = (
        "What each channel contributed, by the model (the bar in the channel's colour) and by the "
        "models beside it (the points). Shares are of all "
        f"{number(run.balance[2])} observed conversions, so each model's sum to 100 %."
    )
    return "\n".join(
        [
            "<h2>Channels</h2>",
            paragraphs(said, *_left_out(run)),
            picture(figures.model_shares(run), "model-shares", "Share by channel and model"),
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
    """The first channels and the baseline, then the other channels, folded away."""
    first = pd.concat([rows[:-1][:CHANNEL_ROWS], rows[-1:]])
    more = rows[:-1][CHANNEL_ROWS:]
    rest = folded(f"{len(more)} more channels", table(more, shares)) if len(more) else ""
    return table(first, shares) + rest


def _left_out(run: Run) -> list[str]:
    if not run.rest:
        return []
    return [
        f"Pictures show the {len(run.drawn)} channels with the most credit and the other "
        f"{run.rest} as one sum; the tables hold all."
    ]


def _by_channel(run: Run) -> pd.DataFrame:
    """One row per channel, the baseline last: our conversions, share and value."""
    shown = ["conversions", "share", *(["value"] if run.has_value else [])]
    ours = run.frames["detail"].groupby("channel")[shown].sum()
    return ours.reindex([*run.ranking, BASELINE]).rename_axis("channel").reset_index()


def _by_model(run: Run) -> pd.DataFrame:
    """One row per channel, the baseline last: conversions by every model, ours first."""
    wide = run.frames["models"].pivot_table(
        index="channel", columns="model", values="conversions", aggfunc="sum"
    )
    wide = wide.reindex([*run.ranking, BASELINE])[run.models]
    wide.columns = pd.Index([name.replace("_", " ") for name in wide.columns])
    return wide.rename_axis("channel").reset_index()


def certainty(run: Run) -> str:
    """Intervals of each kind that there is, and what each kind is about."""
    kinds = run.intervals
    if not kinds:
        return ""
    level = f"{100 * float(run.parameter('interval_level') or 0.9):g} %"
    first, more = _bounds(run)[: CHANNEL_ROWS + 1], _bounds(run)[CHANNEL_ROWS + 1 :]
    return "\n".join(
        [
            "<h2>How sure the credits are</h2>",
            paragraphs(*(KINDS[kind].format(level=level) for kind in kinds)),
            "" if "full" in kinds else paragraphs(NO_REFITS),
            picture(figures.whiskers(run), "intervals", "Credit and its intervals by channel"),
            table(first),
            folded(f"{len(more)} more channels", table(more)) if len(more) else "",
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


def _bounds(run: Run) -> pd.DataFrame:
    """The baseline, then channels, with the bounds of each kind."""
    order = [BASELINE, *run.ranking]
    frames = [rows.set_index("channel").reindex(order) for rows in run.intervals.values()]
    found = pd.DataFrame({"channel": order, "conversions": frames[0]["conversions"].array})
    for kind, rows in zip(run.intervals, frames, strict=True):
        for bound in ("lower", "upper"):
            found[f"{kind}, {bound}"] = rows[bound].array
    return found


def days(run: Run) -> str:
    by_day = _by_day(run)
    shaded = list(by_day.columns[1:])
    more = by_day[CHANNEL_ROWS:]
    return "\n".join(
        [
            "<h2>Days before the conversion</h2>",
            paragraphs(
                "How many conversions a touch on that day is credited with. Day 0, at the right, "
                "is the day of the conversion. A line that stays up far to the left belongs to a "
                "channel that opens journeys; one that rises only at the right gives the last push."
            ),
            picture(figures.day_curves(run), "day-curves", "Credit per day and channel"),
            paragraphs(
                "The same as numbers, a column per day, the day of the conversion first. Blue adds "
                "conversions, orange takes some away; the stronger the colour, the more."
            ),
            table(by_day[:CHANNEL_ROWS], shaded=shaded),
            folded(f"{len(more)} more channels", table(more, shaded=shaded)) if len(more) else "",
        ]
    )


def _by_day(run: Run) -> pd.DataFrame:
    """Conversions: a row per channel, a column per day, the day of conversion first."""
    wide = run.credits.pivot_table(
        index="channel", columns="days_before_conversion", values="conversions", aggfunc="sum"
    )
    wide = wide.reindex(run.ranking)
    wide.columns = pd.Index(
        [f"day {day:.0f}" if day == 0 else f"{day:.0f}" for day in wide.columns]
    )
    return wide.rename_axis("channel").reset_index()


def quality(run: Run) -> str:
    metrics = run.frames["metrics"]
    curves = [
        picture(figures.training_curve(metrics, name), f"training-{name}", f"{name} per epoch")
        for name in ("loss", "auc")
    ]
    return "\n".join(
        [
            "<h2>How well the model predicts</h2>",
            paragraphs(
                "Measured on examples that it never saw. Log loss: lower is better. AUC: the "
                "chance that a conversion gets the higher of two probabilities; 0.5 is guessing. "
                "The credits are worth no more than these figures."
            ),
            table(_holdout(run)),
            paragraphs(*_differences(run)),
            *_calibration(run),
            *_misses(run),
            f'<div class="pair">{"".join(curves)}</div>',
            paragraphs(*_convergence(run)),
        ]
    )


def _differences(run: Run) -> list[str]:
    """How sure the difference to each rival is, in words."""
    said = []
    for rival, named in RIVALS.items():
        mean = run.number("comparison", f"lstm_minus_{rival}")
        error = run.number("comparison", f"lstm_minus_{rival}_error")
        if math.isfinite(mean) and math.isfinite(error):
            said.append(
                f"Its log loss is {abs(mean):.6f} {'below' if mean < 0 else 'above'} that of "
                f"{named}, with a standard error of {error:.6f} for the difference over the same "
                "days of the same users."
            )
    return said


def _calibration(run: Run) -> list[str]:
    bins = run.calibration
    if not bins:
        return []
    rows = pd.concat([frame.assign(model=name.replace("_", " ")) for name, frame in bins.items()])
    rows = rows[["model", "predicted", "observed", "examples", "conversions"]]
    return [
        "<h3>Are its chances true?</h3>",
        paragraphs(
            "Held-out days in bins of about as many, by the predicted chance. On the dotted line "
            "as many converted as predicted; the bars are two standard errors either way, the "
            "figures the model's conversions in the bin."
        ),
        picture(figures.calibration(run), "calibration", "Observed by predicted rates"),
        folded("The bins as numbers", table(rows, ("predicted", "observed"))),
    ]


def _misses(run: Run) -> list[str]:
    found = run.sentences("misses")
    if not found:
        return []
    patterns, by_chance = found[:-1], found[-1]
    listed = bullets(patterns)
    return ["<h3>What it misses most</h3>", listed, paragraphs(text(by_chance))]


def _convergence(run: Run) -> list[str]:
    moved = run.section("convergence")
    if not moved:
        return []
    epoch, change = list(moved.items())[-1]
    points, _, channel = change.partition(" ")
    return [
        f"From the epoch before to epoch {text(epoch.rpartition('_')[2])}, the last, no channel's "
        f"share of the channels' credit moved by more than {percent(abs(float(points)))} "
        f"({text(channel)})."
    ]


def _holdout(run: Run) -> pd.DataFrame:
    """A row per model, a column per measure, from names like `lstm_log_loss`."""
    measures = ("log_loss", "auc", "rmse", "calibration_error")
    found: dict[str, dict[str, str | float]] = {}
    for name in run.section("holdout"):
        measure = next((m for m in measures if name.endswith("_" + m)), "")
        model = name.removesuffix("_" + measure).replace("_", " ")
        row = found.setdefault(model, {"model": model})
        row[measure.replace("_", " ") or "figure"] = run.number("holdout", name)
    return pd.DataFrame(found.values())


def reading(run: Run) -> str:
    return "\n".join(["<h2>How to read this</h2>", paragraphs(*_advice(run))])


def _advice(run: Run) -> list[str]:
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


def _riders(run: Run) -> list[str]:
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


def _baseline_caveat(run: Run) -> list[str]:
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


def _cost_advice(run: Run) -> str:
    return (
        "<b>Cost.</b> A channel's spend in this period divided by its conversions is its CPA; its "
        "value divided by its spend is its ROAS. Compare channels by these, not by share."
    )


def tables(run: Run) -> str:
    prefix = run.parameter("shapley_table") or "shapley"
    parts = ["<h2>The tables</h2>"]
    for name, suffix in RAW_TABLES.items():
        full = run.parameter("metrics_table") or name if suffix is None else prefix + suffix
        parts.append(folded(full, _raw(run.frames[name], full)))
    return "\n".join(parts)


def _raw(frame: pd.DataFrame, name: str) -> str:
    if len(frame) == 1 and frame.shape[1] > 12:
        frame = pd.DataFrame({"column": frame.columns, "value": frame.iloc[0].array})
    left = len(frame) - TABLE_ROWS
    cut = f"<p>{number(left)} more rows are in the table {text(name)}.</p>" if left > 0 else ""
    return table(frame[:TABLE_ROWS]) + cut


SECTIONS: tuple[Callable[[Run], str], ...] = (
    findings,
    key_numbers,
    channels,
    certainty,
    days,
    quality,
    reading,
    tables,
)
