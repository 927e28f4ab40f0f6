"""Section: experiments beside the model's credit, before and after it was corrected by them."""

import pandas as pd

from td_mta.reporting.html.elements import paragraphs, table
from td_mta.reporting.run_tables import RunTables

EXPERIMENTS = (
    "An experiment measures what a channel brings, which no model of these data can. Each is set "
    "beside the model's credit of the conversions on its own days, then the credit is corrected: "
    "the more precise of the two counts for more, the sum of all credit stays. <i>z</i> is their "
    "difference in standard errors."
)
CONFLICT = (
    "Beyond 1.96 they are <b>in conflict</b>: the model has an error that it does not know of, "
    "such as a wish to buy that drives the touches. Then the experiment counts for nearly all, "
    "what it takes from its channel goes to the baseline or comes from there, and the full "
    "intervals of all channels are wider by an error as large as that."
)
WITHOUT = (
    "The table of models has the credit without experiments as <i>shapley without experiments</i>."
)


def experiments(run: RunTables) -> str:
    """A row per experiment; empty for a run without any."""
    rows = run.experiments
    if rows.empty:
        return ""
    return "\n".join(
        [
            "<h2>Experiments</h2>",
            paragraphs(EXPERIMENTS, CONFLICT),
            table(_shown(rows)),
            paragraphs(WITHOUT),
        ]
    )


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "channel": rows["channel"],
            "first day": rows["first_day"],
            "last day": rows["last_day"],
            "experiment": rows["incremental"].astype(float),
            "standard error": rows["error"].astype(float),
            "model before": rows["before"].astype(float),
            "model after": rows["after"].astype(float),
            "z": rows["z"].astype(float),
            "verdict": ["in conflict" if of == "true" else "agrees" for of in rows["conflict"]],
        }
    )
