"""A view as one HTML file, with the report's own elements: it opens offline and loads nothing."""

from td_mta.dashboard.view import Block, Chart, Sentences, Table, View
from td_mta.reporting.html import elements
from td_mta.reporting.html.page import page

MOST_ROWS = 2_000


def html(view: View) -> str:
    """The file's content; the same view gives the same text."""
    head = [elements.paragraphs(elements.text(view.source))]
    if view.figures:
        head.append(elements.figures(view.figures))
    return page(view.finding, ["\n".join(head), *map(_section, view.blocks)])


def _section(block: Block) -> str:
    heading = f"<h2>{elements.text(block.title)}</h2>" if block.title else ""
    if isinstance(block, Chart):
        body = _chart(block)
    else:
        body = _table(block) if isinstance(block, Table) else _sentences(block)
    return f"<section>\n{heading}\n{body}\n</section>"


def _chart(block: Chart) -> str:
    caption = elements.paragraphs(elements.text(block.caption)) if block.caption else ""
    return caption + elements.chart(block.figure, block.name, block.title)


def _table(block: Table) -> str:
    caption = elements.paragraphs(elements.text(block.caption)) if block.caption else ""
    rows = elements.table(block.rows[:MOST_ROWS], percents=block.percents)
    cut = len(block.rows) - MOST_ROWS
    more = elements.paragraphs(f"{elements.number(cut)} more rows.") if cut > 0 else ""
    return caption + rows + more


def _sentences(block: Sentences) -> str:
    if block.is_warning:
        return f'<div class="warnings">{elements.bullets(block.lines)}</div>'
    return elements.paragraphs(*map(elements.text, block.lines))
