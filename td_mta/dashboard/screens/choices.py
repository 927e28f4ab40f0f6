"""Choices that several pages have: models, lookback, order; and what they select."""

from typing import NamedTuple

import pandas as pd
import streamlit as st

from td_mta.dashboard import state
from td_mta.dashboard.data.source import SHAPLEY, Source
from td_mta.reporting.run_tables import MOST_CHARTED, model_name
from td_mta.tables import BASELINE

DOCUMENTED = ("first_touch", "last_touch", "linear", "markov")
LOOKBACKS = (1, 3, 7, 14, 30, 60, 90)
AUTO = "auto"
HEADINGS = {
    **{"cpa": "CPA", "roas": "ROAS", "roms": "ROMS", "cpc": "CPC", "value": "revenue"},
    "conversion_rate": "conversion rate",
}
DECIMALS = {"CPA": 2, "ROAS": 3, "ROMS": 3, "CPC": 4, "spend": 2, "revenue": 2, "conversions": 2}


class Chosen(NamedTuple):
    """Credit by the chosen models and window, the leading model first."""

    models: list[str]
    table: pd.DataFrame  # of all models
    days: int | None
    order: int | None

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of the chosen models."""
        return self.table[self.table["model"].isin(self.models)]


def chosen(source: Source) -> Chosen | None:
    """Widgets for models, lookback and order; None where no model is chosen."""
    names = list(dict.fromkeys(source.models()["model"]))
    leading = [name for name in names if name == SHAPLEY]
    default = [*leading, *(name for name in DOCUMENTED if name in names)] or names[:4]
    models = st.pills(
        "Models", names, selection_mode="multi", default=default, format_func=model_name,
        key="models", bind="query-params",
    )  # fmt: skip
    left, right = st.columns(2)
    with left:
        days = _lookback(source)
    with right:
        order = _order(source)
    if not models:
        st.info("Choose at least one model.")
        return None
    ordered = sorted(models, key=lambda name: (not name.startswith(SHAPLEY), names.index(name)))
    with st.spinner("Computing …"):
        table = source.models(days, order)
    return Chosen(ordered, table, days, order)


def _lookback(source: Source) -> int | None:
    shorter = [str(days) for days in LOOKBACKS if days < source.days]
    if not shorter:
        return None
    options = [*shorter, str(source.days)]
    picked = st.selectbox(
        "Lookback (days)", options, len(options) - 1, key="lookback", bind="query-params",
        help="Touches longer before the end of a journey do not count for rules and Markov chain.",
    )  # fmt: skip
    return int(picked)


def _order(source: Source) -> int | None:
    if source.journeys is None:
        return None
    picked = st.selectbox(
        "Markov order", [AUTO, "1", "2", "3", "4"], key="order", bind="query-params",
        help="How many touches the chain remembers; auto takes what predicts held-out users best.",
    )  # fmt: skip
    return None if picked == AUTO else int(picked)


def charted(rows: pd.DataFrame, model: str) -> list[str]:
    """The channels with a colour of their own: those with the most credit by the model."""
    of_model = rows[(rows["model"] == model) & (rows["channel"] != BASELINE)]
    order = of_model.assign(size=of_model["conversions"].abs()).sort_values(
        ["size", "channel"], ascending=[False, True]
    )
    return [str(name) for name in order["channel"]][:MOST_CHARTED]


def described(source: Source) -> str:
    """What the page shows, in one line."""
    facts = source.facts
    parts = [source.title]
    if facts.get("first_day"):
        parts.append(f"{facts['first_day']} to {facts['last_day']}")
    if facts.get("credited_from") and facts["credited_from"] != facts.get("first_day"):
        parts.append(f"conversions credited from {facts['credited_from']}")
    return ", ".join(parts)


def titled(title: str) -> Source | None:
    """The title of a page, and the data that it shows; what to do where there are none."""
    st.title(title, anchor=False)
    source = state.current()
    if source is None:
        nothing_yet()
    return source


def nothing_yet() -> None:
    """What to do where there is no data."""
    st.info(
        "No data yet: generate some on the Synthesizer page, or open a file on the Attribution "
        "page."
    )
