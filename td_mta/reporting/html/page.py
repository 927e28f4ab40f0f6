"""The whole page: styles, scripts and data inside; its own policy forbids to load anything else."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from plotly.offline import get_plotlyjs

from td_mta.reporting.html.elements import text
from td_mta.reporting.html.sections import SECTIONS
from td_mta.reporting.run_tables import RunTables

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
)


def render(frames: Mapping[str, pd.DataFrame], title: str) -> str:
    """The page of one run, from its output tables alone; the same tables give the same text.

    `frames` holds metrics, shapley, channel, detail, models, intervals and run_info, with the
    columns of `tables.py`, rows of one run only.
    """
    run = RunTables(frames)
    body = "\n".join(f"<section>\n{section(run)}\n</section>" for section in SECTIONS)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text(title)}</title>
<style>
{_beside("page.css")}</style>
</head>
<body>
<main>
<h1>{text(title)}</h1>
{body}
</main>
<script>{get_plotlyjs()}</script>
<script>
{_beside("page.js")}</script>
</body>
</html>
"""


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
