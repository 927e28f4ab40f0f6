"""What Streamlit runs: the pages, and what they have in common."""

from collections.abc import Callable

import streamlit as st

from td_mta.dashboard import show, state
from td_mta.dashboard.screens import (
    attribution,
    decide,
    journeys,
    media_mix,
    over_time,
    quality,
    synthesizer,
)

# An icon of a page would be fetched from outside.
PAGES: dict[str, Callable[[], None]] = {
    "Synthesizer": synthesizer.page,
    "Attribution": attribution.page,
    "Over time": over_time.page,
    "Journeys": journeys.page,
    "Decide": decide.page,
    "Quality": quality.page,
    "Media mix": media_mix.page,
}


# Streamlit's own download of a table would write what a spreadsheet takes for a formula.
STYLES = """<style>
[data-testid="stElementToolbar"] button[aria-label="Download as CSV"] { display: none; }
</style>"""


def main() -> None:
    """One page; whatever fails on it is a sentence, and the other pages go on."""
    st.set_page_config(page_title="td_mta", layout="wide")
    pages = [
        st.Page(work, title=title, url_path=_address(title), default=title == "Synthesizer")
        for title, work in PAGES.items()
    ]
    chosen = st.navigation(pages)
    st.html(STYLES)
    with st.sidebar:
        st.segmented_control(
            "Pictures as", show.FORMATS, default=show.FORMATS[0], required=True, key="picture",
            bind="query-params", help="What the camera in a chart's corner saves.",
        )  # fmt: skip
        st.caption("The address of a page restores it as it is set, while this app runs.")
    try:
        chosen.run()
    except Exception as error:  # Streamlit's own, which end a page early, are none
        st.error(show.plain(state.sentence(error)))


def _address(title: str) -> str:
    return title.lower().replace(" ", "_")


if __name__ == "__main__":
    main()
