"""Section: what the controls take, by the credit that there would be without each of them."""

import pandas as pd

from td_mta.reporting.html.credit import channel_table
from td_mta.reporting.html.elements import bullets, paragraphs, percent
from td_mta.reporting.html.elements import percentage_points as points
from td_mta.reporting.run_tables import ALL_CONTROLS, RunTables
from td_mta.tables import BASELINE

SMALL = 0.001  # change of a share
MEANS = {
    "calendar_day": "the calendar day, such as weekday, season and special days",
    "user_activity": "how often the user is touched in all",
    "user_activity_past": "how often the user was touched before the window",
    "since_conversion": "the days since the user's last conversion",
}
CONTROLS = (
    "A control is what may drive touches and conversions alike. It is learned with the touches and "
    "held fixed, so no channel is credited with it: conversions that would have come on such a "
    "day, or of such a user, without any touch are the baseline's."
)
COMPARED = (
    "Shares of all conversions by logistic regression, with all controls and without each of them. "
    "Where two columns differ much, the control takes what a channel did not bring: keep it. Where "
    "they agree, it changes nothing."
)


def controls(run: RunTables) -> str:
    """Shares with all controls and without each; empty for a run without controls."""
    shares = run.control_shares
    if ALL_CONTROLS not in shares:
        return ""
    rows = shares.reindex([*run.ranking, BASELINE]).rename_axis("channel").reset_index()
    return "\n".join(
        [
            "<h2>What the controls take</h2>",
            paragraphs(CONTROLS),
            bullets(_sentences(run)),
            paragraphs(COMPARED),
            channel_table(rows, percents=list(shares.columns)),
        ]
    )


def _sentences(run: RunTables) -> list[str]:
    """For each control what it is, and what it changes most."""
    shares = run.control_shares
    left_out = shares.columns.drop(ALL_CONTROLS)
    return [_sentence(str(column), shares[column], shares[ALL_CONTROLS]) for column in left_out]


def _sentence(column: str, without: pd.Series, with_all: pd.Series) -> str:
    control = column.removeprefix("without ")
    start = f"Without {control} ({MEANS.get(control, 'a column of the table')})"
    changes = (without - with_all).abs()
    if changes.max() < SMALL:
        return f"{start} no share of the conversions changes by more than {points(SMALL)}."
    most = changes.drop(BASELINE).idxmax()
    sentence = (
        f"{start} the channels would get {percent(1 - without[BASELINE])} of the conversions "
        f"instead of {percent(1 - with_all[BASELINE])}"
    )
    if changes[most] < SMALL:
        return f"{sentence}, no channel more than {points(SMALL)} of it."
    return (
        f"{sentence}; most changed is {most}, from {percent(with_all[most])} to "
        f"{percent(without[most])}."
    )
