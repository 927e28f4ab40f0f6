"""A background job on the screen: a bar that moves, a button that cancels."""

from pathlib import Path

import streamlit as st

from td_mta.dashboard.data import jobs
from td_mta.dashboard.data.jobs import State
from td_mta.dashboard.show import plain

EVERY = 0.5  # seconds


def follow(folder: Path, name: str) -> State:
    """How the job of a folder is; while it runs, its bar is shown."""
    now = jobs.state(folder)
    if now.status == "running":
        _bar(folder, name)
        return now
    if now.status == "failed":
        st.error(plain(now.what))
    elif now.status == "cancelled":
        st.info(plain(now.what))
    return now


@st.fragment(run_every=EVERY)
def _bar(folder: Path, name: str) -> None:
    now = jobs.state(folder)
    if now.status != "running":
        st.rerun()
    st.progress(min(max(now.share, 0.0), 1.0), text=plain(f"{now.share:.0%}: {now.what}"))
    if st.button("Cancel", key=f"cancel_{name}"):
        jobs.cancel(folder)
        st.rerun()
