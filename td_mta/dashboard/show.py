"""A view on the screen: title, figures, charts, tables, and a download for each.

Streamlit reads Markdown in its titles, messages and labels, so that what comes from data goes
through `plain`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from td_mta.dashboard import downloads, report_file
from td_mta.dashboard.view import Block, Chart, Sentences, Table, View
from td_mta.reporting import chart_style
from td_mta.reporting.html import elements
from td_mta.visible_text import visible

MOST_ROWS = 5_000  # on the screen; a download has all
ROW_HEIGHT, MOST_HEIGHT = 35, 420  # pixels
LINE_HEIGHT, WRAPPED_WIDTH, LINE_LETTERS, MOST_LINES = 18, 270, 40, 5  # of a wrapped column
FORMATS = ("PNG", "SVG")


def plain(text: object) -> str:
    """Text as Markdown that shows it as it is, whatever characters it has.

    >>> plain("a*b <i>")
    'a\\\\*b \\\\<i\\\\>'
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", visible(str(text)))


def view(shown: View) -> None:
    """The whole page below its settings."""
    st.subheader(plain(shown.finding), anchor=False)
    st.caption(plain(shown.source))
    if shown.figures:
        figures(shown.figures)
    for block in shown.blocks:
        _block(block)
    st.divider()
    st.download_button(
        "Download this view as a report (HTML)",
        data=lambda: report_file.html(shown),
        file_name=f"{shown.page}.html",
        mime="text/html",
        key=f"export_{shown.page}",
        on_click="ignore",
    )


def figures(by_name: Mapping[str, str]) -> None:
    """A few key numbers, as many in a row as there is room for."""
    with st.container(horizontal=True, gap="medium"):
        for name, figure in by_name.items():
            if figure:
                st.metric(name, figure, width="content")


def is_dark() -> bool:
    """Whether the browser shows a dark page."""
    return bool(st.context.theme.type == "dark")


def _block(block: Block) -> None:
    if isinstance(block, Chart):
        chart(block)
    elif isinstance(block, Table):
        table(block)
    else:
        sentences(block)


def chart(block: Chart) -> None:
    """A picture, with a button in its corner that saves it."""
    st.markdown(f"**{plain(block.title)}**")
    figure = chart_style.in_dark(block.figure) if is_dark() else block.figure
    chosen = str(st.session_state.get("picture", FORMATS[0])).lower()
    picture = {"format": chosen, "filename": block.name, "scale": 2 if chosen == "png" else 1}
    st.plotly_chart(
        figure,
        theme=None,
        key=f"chart_{block.name}",
        config={
            "displaylogo": False,
            "displayModeBar": True,
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": picture,
        },
    )
    if block.caption:
        st.caption(plain(block.caption))


def table(block: Table) -> None:
    """Rows with thousands separators, and their download."""
    st.markdown(f"**{plain(block.title)}**")
    if not len(block.rows):
        st.caption("No rows.")
        return
    rows = block.rows[:MOST_ROWS].reset_index(drop=True)
    row_height = ROW_HEIGHT + LINE_HEIGHT * (_lines(rows, block.wrapped) - 1)
    most = MOST_HEIGHT * 3 // 2 if block.wrapped else MOST_HEIGHT
    height = min(most, ROW_HEIGHT + row_height * len(rows) + 3)
    wide = {block.wrapped: st.column_config.TextColumn(width=WRAPPED_WIDTH)}
    st.dataframe(
        _styled(rows, block),
        hide_index=True,
        height=height,
        row_height=row_height,
        column_config=wide if block.wrapped else None,
        key=f"table_{block.name}",
        placeholder=elements.MISSING,
    )
    if block.caption:
        st.caption(plain(block.caption))
    st.download_button(
        f"{block.name}.csv",
        data=lambda: downloads.csv(block.rows),
        file_name=f"{block.name}.csv",
        mime="text/csv",
        key=f"csv_{block.name}",
        on_click="ignore",
    )


def _lines(rows: pd.DataFrame, wrapped: str) -> int:
    """Lines that the longest text of the wrapped column needs; a double click shows all of more."""
    if not wrapped:
        return 1
    longest = max(len(str(text)) for text in rows[wrapped])
    return min(MOST_LINES, -(-longest // LINE_LETTERS))


def sentences(block: Sentences) -> None:
    """Text, or a warning."""
    if not block.lines:
        return
    if block.title:
        st.markdown(f"**{plain(block.title)}**")
    if block.is_warning:
        st.warning("\n".join(f"- {plain(line)}" for line in block.lines))
    elif len(block.lines) == 1:
        st.markdown(plain(block.lines[0]))
    else:
        st.markdown("\n".join(f"- {plain(line)}" for line in block.lines))


def _styled(rows: pd.DataFrame, block: Table) -> Styler:
    """Each column of numbers with one number of decimals, as the report has them."""
    formats: dict[Any, str | Callable[[object], str] | None] = {}
    for name in rows.columns:
        column = rows[name]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            continue
        if name in block.percents:
            formats[name] = _percent
        else:
            values = [float(x) for x in column.to_numpy("float64", na_value=float("nan"))]
            decimals = block.decimals.get(str(name), elements.decimals_for(values))
            formats[name] = _number(decimals)
    return rows.style.format(formats, na_rep=elements.MISSING)


def _percent(share: object) -> str:
    return elements.percent(float(str(share)))


def _number(decimals: int) -> Callable[[object], str]:
    def write(value: object) -> str:
        return elements.number(float(str(value)), decimals)

    return write
