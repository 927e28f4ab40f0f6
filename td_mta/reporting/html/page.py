"""The whole page: styles, scripts and data inside; its own policy forbids to load anything else."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from td_mta.reporting.chart_style import DARK
from td_mta.reporting.html.elements import text
from td_mta.reporting.html.sections import PATH_SECTIONS, SECTIONS
from td_mta.reporting.run_tables import RunTables

BUNDLE = "plotly-basic.min.js"  # bundle.py fetches it
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{styles}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{sections}
</main>
<script>{plotly}</script>
<script>
const dark = {dark};
{script}</script>
</body>
</html>
"""


def render(frames: Mapping[str, pd.DataFrame], title: str) -> str:
    """The page of one run, from its output tables alone; the same tables give the same text.

    `frames` holds metrics, shapley, channel, detail, models, intervals, report and run_info, with
    the columns of `tables.py`, rows of one run only; of a table of paths models and run_info alone.
    """
    run = RunTables(frames)
    reading_order = PATH_SECTIONS if run.is_of_paths else SECTIONS
    contents = [section(run) for section in reading_order]
    sections = [f"<section>\n{content}\n</section>" for content in contents if content]
    return page(title, sections)


def page(title: str, sections: Sequence[str], styles: str = "") -> str:
    """A page of sections, whose charts it draws by itself; `title` is escaped here.

    `styles` are of its own, beside those of every page.
    """
    return PAGE.format(
        policy=POLICY,
        title=text(title),
        styles=_file("page.css") + styles,
        sections="\n".join(sections),
        dark=json.dumps(DARK),
        plotly=_drawing_library(),
        script=_file("page.js"),
    )


def _drawing_library() -> str:
    """The part of plotly.js; all of it where a push to Treasure Data left the part out."""
    if Path(__file__).with_name(BUNDLE).exists():
        return _file(BUNDLE)
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
