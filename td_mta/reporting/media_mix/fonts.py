"""Fonts for names in any script: those of the machine that have what the usual font lacks.

A character that no font has stands in a picture by its number, such as \\u6296, instead of as a box
that looks like any other.
"""

from collections.abc import Mapping
from functools import lru_cache

from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, findfont, fontManager, get_font
from matplotlib.text import Text

from td_mta.reporting.chart_style import short

USUAL = "DejaVu Sans"  # comes with matplotlib
NO_LETTERS = "Last Resort"  # shows every character as a box


def choose(figure: Figure) -> str:
    """Give each text of a figure the fonts that it needs; the characters that no font has."""
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    families = _families(frozenset("".join(text.get_text() for text in texts)))
    missing = "".join(c for c, family in families.items() if not family)
    for text in texts:
        own = {families[c] for c in text.get_text() if families.get(c)}
        if own:
            text.set_fontfamily([USUAL, *sorted(own)])
        if set(text.get_text()) & set(missing):
            text.set_text(short(readable(text.get_text(), missing)))
    return missing


def readable(name: str, missing: str) -> str:
    r"""A name with the numbers of the characters that are missing.

    >>> readable("TV \u6296", "\u6296")
    'TV \\u6296'
    """
    return "".join(c.encode("unicode_escape").decode() if c in missing else c for c in name)


@lru_cache(maxsize=8)
def _families(characters: frozenset[str]) -> Mapping[str, str]:
    """The family of each character that the usual font lacks, "" where no font has it."""
    usual = get_font(findfont(USUAL)).get_charmap()
    lacking = {c for c in characters if ord(c) not in usual and c.isprintable()}
    found = dict.fromkeys(sorted(lacking), "")
    for font in sorted(fontManager.ttflist, key=_order):
        if not lacking:
            break
        if font.name.startswith(NO_LETTERS) or font.name == USUAL:
            continue
        has = get_font(font.fname).get_charmap()
        own = {c for c in lacking if ord(c) in has}
        found |= dict.fromkeys(own, font.name)
        lacking -= own
    return found


def _order(font: FontEntry) -> tuple[bool, bool, str, str]:
    """Upright ones of usual weight first."""
    return font.style != "normal", font.weight not in (400, "normal"), font.name, font.fname
