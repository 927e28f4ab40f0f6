"""One run's output tables as one HTML file that opens offline, from a disk or a mail.

facts.py      what the tables say: the run's numbers, its warnings, the channels to draw
figures.py    frames in, plotly figures out
elements.py   numbers, tables and pictures as HTML; here and only here data is escaped
credit.py     sections: the credits by channel, model and day, with their intervals
quality.py    section: what held-out examples say of the model, and the verdict
advice.py     section: how to read this run
sections.py   the short ones, and all in reading order
page.py       the sections as one file, with page.css and page.js
"""

from td_mta.reporting.html.page import render

__all__ = ["render"]
