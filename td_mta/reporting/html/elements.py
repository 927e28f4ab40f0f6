"""Numbers, sentences, tables and charts as HTML. Whatever comes from data is escaped here."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape

import pandas as pd
import plotly.graph_objects as go

from td_mta.visible_text import visible

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
MOST_LISTED = 10  # sentences of a list before the others are folded away
SHORT_NAME = 25  # characters that a column has room for
INVISIBLE = 0.005  # part of the darkest shade below which none is seen


def text(value: object) -> str:
    """Any text, its tags harmless and what would turn its direction shown."""
    return escape(visible(str(value)))


def number(value: float, decimals: int | None = None) -> str:
    """A number for readers.

    >>> number(1234567), number(0.12345), number(12.345, 1)
    ('1,234,567', '0.1235', '12.3')
    """
    if not math.isfinite(value):
        return MISSING
    decimals = decimals_for([value]) if decimals is None else decimals
    written = f"{value:,.{decimals}f}"
    if not any(digit in written for digit in "123456789"):
        written = written.lstrip("-")
    return written.replace("-", MINUS)


def percent(share: float) -> str:
    """A share for readers.

    >>> percent(0.1234), percent(0.0004), percent(0.0)
    ('12.3%', '0.04%', '0.0%')
    """
    return MISSING if not math.isfinite(share) else f"{_hundredths(share)}%"


def percentage_points(share: float) -> str:
    """A difference of shares for readers.

    >>> percentage_points(0.0123)
    '1.2 percentage points'
    """
    return f"{_hundredths(share)} percentage points"


def _hundredths(share: float) -> str:
    return number(100 * share, 2 if 0 < abs(share) < 0.001 else 1)


def decimals_for(values: Iterable[float]) -> int:
    """Decimals that leave the largest value some four digits; none where all are integers."""
    sizes = [abs(value) for value in values if math.isfinite(value)]
    if all(size == int(size) for size in sizes):
        return 0
    scales = ((1000, 0), (100, 1), (10, 2), (1, 3))
    return next((decimals for scale, decimals in scales if max(sizes) >= scale), 4)


def paragraphs(*sentences: str) -> str:
    """Sentences of ours, which may hold tags."""
    return "\n".join(f"<p>{_glued(sentence)}</p>" for sentence in sentences)


def bullets(sentences: Sequence[str]) -> str:
    """Sentences from data as a list, those past the tenth folded away."""
    first, others = sentences[:MOST_LISTED], sentences[MOST_LISTED:]
    if not others:
        return _list(first)
    return _list(first) + folded(f"{len(others)} more", _list(others))


def _list(sentences: Sequence[str]) -> str:
    items = [f"<li>{_glued(text(sentence))}</li>" for sentence in sentences]
    return f"<ul>{''.join(items)}</ul>"


def _glued(sentence: str) -> str:
    """No line ends between a number and its percent sign."""
    return sentence.replace(" %", "&nbsp;%")


def figures(by_name: Mapping[str, str]) -> str:
    """A few key numbers below their names, which are ours; what is empty is left out."""
    items = [
        f"<div><dt>{name}</dt><dd>{text(figure)}</dd></div>"
        for name, figure in by_name.items()
        if figure
    ]
    return f'<dl class="key-numbers">{"".join(items)}</dl>'


def folded(title: str, content: str) -> str:
    """Content behind a line to click on."""
    return f"<details><summary>{text(title)}</summary>\n{content}\n</details>"


def table(frame: pd.DataFrame, percents: Collection[str] = (), shaded: Collection[str] = ()) -> str:
    """A frame as a table, numbers at the right and alike within a column.

    Long names are cut by the page's style, and complete when pointed at or in a folded table.
    The columns `percents` hold shares; the columns `shaded` are coloured on one common scale.
    """
    sizes = frame[list(shaded)].abs()
    scale = float(sizes.max(axis=None)) if len(shaded) else 0.0
    headings = [_heading(frame[name], str(name)) for name in frame.columns]
    columns = []
    for name in frame.columns:
        if name in percents:
            columns.append(_percents(frame[name]))
        else:
            columns.append(_cells(frame[name], scale, name in shaded))
    rows = [f"<tr>{''.join(cells)}</tr>" for cells in zip(*columns, strict=True)]
    body = "\n".join(rows)
    return (
        f'<div class="wide"><table>\n<thead><tr>{"".join(headings)}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def chart(figure: go.Figure, name: str, description: str) -> str:
    """A plotly figure: its data here, drawn by `page.js`.

    `name` is the element's id, `description` what a screen reader reads.
    """
    # JSON may write `<` as its number, and then no channel's name can end the script.
    data = str(figure.to_json()).replace("<", "\\u003c")
    return (
        f'<div class="chart" id="{name}" role="img" aria-label="{text(description)}" '
        f'style="min-height:{figure.layout.height}px">'
        f'<script type="application/json">{data}</script></div>'
    )


def _heading(values: pd.Series, name: str) -> str:
    side = ' class="number"' if _is_numeric(values) else ""
    return f"<th{side}>{text(name)}</th>"


def _percents(shares: pd.Series) -> list[str]:
    return [f'<td class="number">{percent(share)}</td>' for share in _floats(shares)]


def _cells(values: pd.Series, scale: float, shaded: bool) -> list[str]:
    """Numbers with the decimals of their column, or of the common `scale` where shaded."""
    if not _is_numeric(values):
        return [_name_cell(MISSING if pd.isna(value) else text(value)) for value in values]
    numbers = _floats(values)
    decimals = decimals_for([scale] if shaded else numbers)
    shades = [_shade(x / scale) if shaded and scale else "" for x in numbers]
    return [
        f'<td class="number"{shade}>{number(x, decimals)}</td>'
        for x, shade in zip(numbers, shades, strict=True)
    ]


def _name_cell(name: str) -> str:
    title = f' title="{name}"' if len(name) > SHORT_NAME else ""
    return f"<td{title}>{name}</td>"


def _shade(part: float) -> str:
    """Blue for positive, orange for negative numbers; `part` of the strongest shade, up to 1."""
    if not math.isfinite(part) or abs(part) < INVISIBLE:
        return ""
    colour = "0 114 178" if part > 0 else "213 94 0"
    opacity = 0.6 * abs(part)
    return f' style="background:rgb({colour} / {opacity:.2f})"'


def _floats(values: pd.Series) -> list[float]:
    return [float(x) for x in values.to_numpy("float64", na_value=float("nan"))]


def _is_numeric(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values.dtype))
