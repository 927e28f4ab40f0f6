"""The channels of a run as a few lines for the terminal."""

import unicodedata

import pandas as pd

from td_mta.tables import BASELINE
from td_mta.visible_text import visible

MOST_PRINTED = 20
MODELS = {
    "shapley": "Shapley",
    "markov": "Markov chain",
    "last_touch": "last touch",
    "first_touch": "first touch",
}
LONGEST_NAME = 40


def channel_table(models: pd.DataFrame) -> str:
    """Share and conversions by channel and model, the largest first, the baseline last.

    `models` has the columns of `tables.MODELS`.
    """
    by_model = models.pivot(index="channel", columns="model", values="conversions")
    # Of a table of paths, which has no Shapley values, the Markov chain leads.
    lead, other = ("shapley", "markov") if "shapley" in by_model else ("markov", "shapley")
    credit = by_model[[name for name in MODELS if name != other]].fillna(0.0)
    conversions = credit[lead].sum()
    channels = credit.drop(index=BASELINE, errors="ignore").sort_values(
        lead, ascending=False, kind="stable"
    )
    shown = pd.concat([channels[:MOST_PRINTED], credit[credit.index == BASELINE]])
    lines = [["channel", "share", *(MODELS[name] for name in credit)]]
    for name, row in zip(shown.index, shown.itertuples(index=False), strict=True):
        share = row[0] / conversions if conversions else 0.0
        lines.append([_short(str(name)), f"{share:.1%}", *(f"{amount:,.1f}" for amount in row)])
    more = len(channels) - MOST_PRINTED
    rest = [f"{more:,} more channels are in the tables"] if more > 0 else []
    return "\n".join([*_aligned(lines), *rest])


def _aligned(lines: list[list[str]]) -> list[str]:
    """The first column to the left, numbers to the right."""
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    aligned = []
    for first, *others in lines:
        cells = [first + " " * (widths[0] - _width(first))]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        aligned.append("  ".join(cells))
    return aligned


def _short(name: str) -> str:
    name = visible(name)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _width(text: str) -> int:
    """Columns of a terminal: two for a Chinese character, none for a combining one.

    >>> _width("Email"), _width("邮件")
    (5, 4)
    """
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(bool(unicodedata.combining(character)) for character in text)
