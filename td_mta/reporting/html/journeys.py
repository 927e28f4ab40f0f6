"""Section: journeys, as far as a run's counts tell them; of touches and of paths alike."""

import pandas as pd
import plotly.graph_objects as go

from td_mta.reporting.html.elements import chart, folded, paragraphs, table
from td_mta.reporting.journeys import charts as journey_charts
from td_mta.reporting.journeys.tables import CUT
from td_mta.reporting.run_tables import RunTables

PERCENTS = ("conversion rate", "share", "cumulative share")
FLOWS = "From one touch to the next, or to the end"
ROLES = "Touches in converting paths: first, between, last or alone"
LENGTHS = "Converting journeys by number of touches"
DAYS = "Days from the first touch to the conversion"
READ = (
    "Paths reach back as far as those of the rules and the Markov chain. A ribbon is as wide as "
    "the journeys that go from the left to the right."
)
ENDS = (
    "Of a path with as many touches as the Markov chain remembers, or more, … stands for all but "
    "the last ones."
)
WINDOW = (
    "Days to the conversion are counted from the first touch in the model's window; conversions "
    "without a touch in it are not shown."
)


def journeys(run: RunTables) -> str:
    """Transitions, roles, lengths, days to conversion and frequent paths."""
    tables = run.journeys
    if not tables:
        return ""
    charted = [str(name) for name in tables["roles"]["channel"]]
    parts = [
        "<h2>Journeys</h2>",
        paragraphs(READ),
        _titled(journey_charts.flows(tables["moves"], charted), "transitions", FLOWS),
        _titled(journey_charts.roles(tables["roles"], charted), "roles", ROLES),
        _titled(journey_charts.lengths(tables["lengths"]), "journey-lengths", LENGTHS),
    ]
    if "days" in tables:
        days = journey_charts.days_to_conversion(tables["days"])
        parts += [_titled(days, "days-to-conversion", DAYS), paragraphs(WINDOW)]
    if any(CUT in str(path) for key in ("won", "lost") for path in _paths(tables, key)):
        parts.append(paragraphs(ENDS))
    titles = {
        "won": "Most frequent converting paths",
        "lost": "Most frequent paths without a conversion",
        "moves": "Transitions",
    }
    parts += [
        folded(title, table(tables[key], percents=PERCENTS))
        for key, title in titles.items()
        if key in tables
    ]
    return "\n".join(parts)


def _titled(figure: go.Figure, name: str, title: str) -> str:
    return f"<h3>{title}</h3>\n{chart(figure, name, title)}"


def _paths(tables: dict[str, pd.DataFrame], key: str) -> list[str]:
    return list(tables[key]["path"]) if key in tables else []
