"""One run's output tables as one HTML file that opens offline, from a disk or a mail.

facts.py      what the tables say: the run's numbers, its warnings, the channels to draw
figures.py    frames in, plotly figures out
elements.py   numbers, tables and pictures as HTML; here and only here data is escaped
sections.py   the page's parts in reading order; page.css and page.js beside them
page.py       the parts as one file
"""

from td_mta.html_report.page import render

__all__ = ["render"]
