"""One run's output tables as one HTML file that opens offline, from a disk or a mail.

elements.py       numbers, tables and charts as HTML; here and only here data is escaped
findings.py       first section: the model's verdict, warnings, notes, what the credits add up to
credit.py         sections: credit by channel and model, by day, and its confidence intervals
journeys.py       section: transitions, roles, lengths, frequent paths
controls.py       section: what the controls take
model_quality.py  section: the models on held-out examples
advice.py         section: how to read this report
sections.py       the short sections, and `SECTIONS`: all in reading order
page.py           the sections as one file, with page.css, page.js and the drawing library
bundle.py         fetches that library

To add a section, write one function `(RunTables) -> str` that returns its HTML, empty where the run
has nothing to show, and add one line to `SECTIONS`. A chart for it is a function in charts.py.
"""

from td_mta.reporting.html.page import render

__all__ = ["render"]
