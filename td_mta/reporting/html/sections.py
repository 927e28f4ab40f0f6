"""The page's parts, in reading order: what a reader must know first stands first."""

from collections.abc import Callable

import pandas as pd

from td_mta.reporting.html.advice import reading
from td_mta.reporting.html.credit import certainty, channels, days
from td_mta.reporting.html.elements import bullets, folded, number, percent, table, text
from td_mta.reporting.html.quality import quality, verdict
from td_mta.reporting.run_tables import RunTables

TABLE_ROWS = 2_000
RAW_TABLES = {
    "detail": "_detail",
    "channel": "_channel",
    "shapley": "",
    "models": "_models",
    "intervals": "_intervals",
    "metrics": None,
    "run_info": "_run_info",
}


def findings(run: RunTables) -> str:
    """How far to trust the model, warnings, and then the result in one line."""
    warnings, notes = run.sentences("warnings"), run.sentences("notes")
    said = bullets(warnings) if warnings else "<p>None.</p>"
    box = f'<div class="{"warnings" if warnings else "calm"}"><h2>Warnings</h2>\n{said}</div>'
    kept = folded(f"Notes about the input and the run ({len(notes)})", bullets(notes))
    return "\n".join([verdict(run), box, kept if notes else "", _conservation(run)])


def _conservation(run: RunTables) -> str:
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


def key_numbers(run: RunTables) -> str:
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


def tables(run: RunTables) -> str:
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


SECTIONS: tuple[Callable[[RunTables], str], ...] = (
    findings,
    key_numbers,
    channels,
    certainty,
    days,
    quality,
    reading,
    tables,
)
