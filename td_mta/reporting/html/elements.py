"""Numbers, sentences, tables and pictures as HTML. Whatever comes from data is escaped here."""

import math
from collections.abc import Collection, Iterable, Sequence
from html import escape

import pandas as pd
import plotly.graph_objects as go

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
LISTED = 10
UNCUT = 25


def text(value: object) -> str:
    """Any text, its tags harmless."""
    return escape(str(value))


def number(value: float, decimals: int | None = None) -> str:
    """A number for readers.

    >>> number(1234567), number(0.12345), number(12.345, 1)
    ('1,234,567', '0.1235', '12.3')
    """
    if not math.isfinite(value):
        return NOTHING
    decimals = decimals_for([value]) if decimals is None else decimals
    written = f"{value:,.{decimals}f}"
    if not any(digit in written for digit in "123456789"):
        written = written.lstrip("-")
    return written.replace("-", MINUS)


def percent(share: float) -> str:
    """A share for readers.

    >>> percent(0.1234), percent(0.0004), percent(0.0)
    ('12.3 %', '0.04 %', '0.0 %')
    """
    if not math.isfinite(share):
        return NOTHING
    return number(100 * share, 2 if 0 < abs(share) < 0.001 else 1) + " %"


def decimals_for(values: Iterable[float]) -> int:
    """Decimals that leave the largest of the values some four digits; none where all are whole."""
    sizes = [abs(value) for value in values if math.isfinite(value)]
    if all(size == int(size) for size in sizes):
        return 0
    scales = ((1000, 0), (100, 1), (10, 2), (1, 3))
    return next((decimals for scale, decimals in scales if max(sizes) >= scale), 4)


def paragraphs(*sentences: str) -> str:
    """Sentences of ours, which may hold tags."""
    return "\n".join(f"<p>{sentence}</p>" for sentence in sentences)


def bullets(sentences: Sequence[str]) -> str:
    """Sentences from data as a list, those past the tenth folded away."""
    first, more = sentences[:LISTED], sentences[LISTED:]
    written = f"<ul>{''.join(f'<li>{text(sentence)}</li>' for sentence in first)}</ul>"
    if not more:
        return written
    rest = f"<ul>{''.join(f'<li>{text(sentence)}</li>' for sentence in more)}</ul>"
    return written + folded(f"{len(more)} more", rest)


def folded(title: str, content: str) -> str:
    """Content behind a line to click on."""
    return f"<details><summary>{text(title)}</summary>\n{content}\n</details>"


def table(frame: pd.DataFrame, percents: Collection[str] = (), shaded: Collection[str] = ()) -> str:
    """A frame as a table, numbers at the right and alike within a column.

    Long names are cut by the page's style, whole when pointed at or in a folded table.
    The columns `percents` hold shares; the columns `shaded` are coloured on one common scale.
    """
    scale = float(frame[list(shaded)].abs().max(axis=None)) if len(shaded) else 0.0
    columns = [
        _percents(frame[name]) if name in percents else _cells(frame[name], scale, name in shaded)
        for name in frame.columns
    ]
    sides = (' class="number"' if _is_numeric(frame[name]) else "" for name in frame.columns)
    head = "".join(
        f"<th{side}>{text(name)}</th>" for side, name in zip(sides, frame.columns, strict=True)
    )
    rows = "\n".join(f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True))
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def picture(figure: go.Figure, name: str, described: str) -> str:
    """A plotly figure: its data here, drawn by `page.js`. JSON may write `<` as its number."""
    data = str(figure.to_json()).replace("<", "\\u003c")
    return (
        f'<div class="picture" id="{name}" role="img" aria-label="{text(described)}" '
        f'style="min-height:{figure.layout.height}px">'
        f'<script type="application/json">{data}</script></div>'
    )


def _percents(shares: pd.Series) -> list[str]:
    return [f'<td class="number">{percent(share)}</td>' for share in _floats(shares)]


def _cells(values: pd.Series, scale: float, shaded: bool) -> list[str]:
    if not _is_numeric(values):
        return [_named(NOTHING if pd.isna(value) else text(value)) for value in values]
    numbers = _floats(values)
    decimals = decimals_for([scale] if shaded else numbers)
    return [
        f'<td class="number"{_shade(x / scale) if shaded and scale else ""}>'
        f"{number(x, decimals)}</td>"
        for x in numbers
    ]


def _named(name: str) -> str:
    title = f' title="{name}"' if len(name) > UNCUT else ""
    return f"<td{title}>{name}</td>"


def _shade(part: float) -> str:
    """Blue for what adds, orange for what takes away; its strength is the size, up to 1."""
    if not math.isfinite(part) or abs(part) < 0.005:
        return ""
    colour = "0 114 178" if part > 0 else "213 94 0"
    return f' style="background:rgb({colour} / {0.6 * abs(part):.2f})"'


def _floats(values: pd.Series) -> list[float]:
    return [float(x) for x in values.to_numpy("float64", na_value=float("nan"))]


def _is_numeric(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values.dtype))
