"""The LSTM with its Shapley values, trained in the background on the data that is open."""

import streamlit as st

from td_mta.dashboard import progress, state
from td_mta.dashboard.data import jobs
from td_mta.dashboard.data.source import Source

CHOICE = {
    "auto": "the model that predicts best (auto)",
    "lstm": "LSTM",
    "logistic": "logistic regression (fast)",
}


def offered(source: Source) -> None:
    """A button that trains, its progress, and what became of it."""
    if source.journeys is None or not source.journeys.has_times or source.run is not None:
        return
    file = source.facts.get("file")
    with st.expander("Shapley values by day, from a trained model"):
        if not file:
            st.caption("Run python -m td_mta.main for a table on Treasure Data.")
            return
        st.caption(
            "Learns the probability of a conversion from the touches before it, and divides each "
            "conversion among them and a baseline. It runs in the background: other pages work."
        )
        folder = state.training_folder(source.key)
        left, right = st.columns(2)
        with left:
            network = st.selectbox("Model", list(CHOICE), format_func=CHOICE.get, key="network")
        with right:
            days = st.number_input("Window (days)", 1, 60, 7, key="train_days")
        if st.button("Train", key="train"):
            sets = {**source.facts["sets"], **_columns(source)}
            sets |= {"network": str(network), "lookback_window_days": str(days)}
            jobs.start_run(folder, ("td_mta.main", str(file)), sets)
        now = progress.follow(folder, "training")
    if now.status == "done":
        st.rerun()


def _columns(source: Source) -> dict[str, str]:
    """The columns that were found, so that the run takes the same ones."""
    return {name: value for name, value in source.facts.get("found", {}).items() if value}
