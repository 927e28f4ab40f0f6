"""Section: journeys, as far as a run's counts tell them; of touches and of paths alike."""

import pandas as pd

from td_mta.reporting import journey_charts
from td_mta.reporting.html.elements import chart, folded, paragraphs, table
from td_mta.reporting.journeys import CUT
from td_mta.reporting.run_tables import RunTables

PERCENTS = ("conversion rate", "share", "cumulative share")
READ = (
    "Paths reach back as far as those of the rules and the Markov chain. A ribbon is as wide as "
    "the journeys that go from the left to the right."
)
ENDS = (
    "Of a path with as many touches as the Markov chain remembers, or more, the last ones are "
    "shown, after …."
)
WINDOW = (
    "Days from the first touch in the model's window to the conversion; conversions without a "
    "touch in it are not shown."
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
        chart(
            journey_charts.flows(tables["moves"], charted),
            *("transitions", "From one touch to the next, or to the end"),
        ),
        chart(
            journey_charts.roles(tables["roles"], charted),
            *("roles", "Touches in converting paths: first, between, last or alone"),
        ),
        chart(
            journey_charts.lengths(tables["lengths"]),
            *("journey-lengths", "Converting journeys by number of touches"),
        ),
    ]
    if "days" in tables:
        days = journey_charts.days_to_conversion(tables["days"])
        parts += [paragraphs(WINDOW), chart(days, "days-to-conversion", "Days to conversion")]
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


def _paths(tables: dict[str, pd.DataFrame], key: str) -> list[str]:
    return list(tables[key]["path"]) if key in tables else []
