"""The page's parts, in reading order: what a reader must know first stands first."""

import math
from collections.abc import Callable

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
from td_mta.html_report.facts import BASELINE, Run

TABLE_ROWS = 2_000
CHANNEL_ROWS = 25
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
    rivals = {"logistic": "a logistic regression", "base_rate": "the base rate alone"}
    losses = {said: run.number("holdout", f"{name}_log_loss") for name, said in rivals.items()}
    told = {said: f"{said} ({loss:.5f})" for said, loss in losses.items() if math.isfinite(loss)}
    if not told or not math.isfinite(ours):
        return ""
    lost = [told[said] for said in told if losses[said] < ours]
    start = f"On users that it never saw, the model (log loss {ours:.5f}) predicts"
    if lost:
        return (
            f'<p class="verdict broken">{start} worse than {" and ".join(lost)}: '
            "do not lean on the credits below before this is mended.</p>"
        )
    return f'<p class="verdict">{start} better than {" and ".join(told.values())}.</p>'


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
        "What each channel contributed, by the model (in the channel's colour) and by the rules "
        f"beside it (grey). Shares are of all {number(run.balance[2])} observed conversions, so "
        "each model's bars sum to 100 %."
    )
    rows = _by_channel(run)
    shares = [name for name in rows.columns if name.endswith("share")]
    first = pd.concat([rows[:-1][:CHANNEL_ROWS], rows[-1:]])
    more = rows[:-1][CHANNEL_ROWS:]
    return "\n".join(
        [
            "<h2>Channels</h2>",
            paragraphs(said, *_left_out(run)),
            picture(figures.model_shares(run), "model-shares", "Share by channel and model"),
            table(first, shares),
            folded(f"{len(more)} more channels", table(more, shares)) if len(more) else "",
        ]
    )


def _left_out(run: Run) -> list[str]:
    if not run.rest:
        return []
    return [
        f"Pictures show the {len(run.drawn)} channels with the most credit and the other "
        f"{run.rest} as one sum; the tables hold all."
    ]


def _by_channel(run: Run) -> pd.DataFrame:
    """One row per channel, the baseline last: conversions by every model, our share and value."""
    models = run.frames["models"]
    wide = models.pivot_table(
        index="channel", columns="model", values="conversions", aggfunc="sum"
    ).reindex([*run.ranking, BASELINE])
    ours = run.frames["detail"].groupby("channel")[["conversions", "share", "value"]].sum()
    rows = pd.DataFrame({"channel": wide.index, "share": ours["share"].reindex(wide.index).array})
    rows.insert(1, "conversions", ours["conversions"].reindex(wide.index).array)
    if run.has_value:
        rows["value"] = ours["value"].reindex(wide.index).array
    for model in run.models[1:]:
        rows[model.replace("_", " ")] = wide[model].array
    return rows


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
                "Measured on users that it never saw. Log loss: lower is better. AUC: the chance "
                "that a conversion gets the higher of two probabilities; 0.5 is guessing. The "
                "credits are worth no more than these figures."
            ),
            table(_holdout(run)),
            f'<div class="pair">{"".join(curves)}</div>',
        ]
    )


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
        "<b>A value can be negative.</b> Then users with that touch convert less than the same "
        "users without it would: accidental clicks and unqualified traffic look like this. It "
        "is a finding about whom the channel reaches, and nothing is cut off at zero.",
        "<b>The baseline</b> is what the model expects without any touch in the window.",
    ]
    return [*advice, *_baseline_caveat(run), _cost_advice(run)]


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
