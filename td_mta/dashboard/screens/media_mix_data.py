"""Opening spend and sales: a file with its columns to choose, a finished run, a simulated world."""

import os
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from td_mta.dashboard import progress, show, state, uploads
from td_mta.dashboard.data import jobs, media_mix
from td_mta.dashboard.screens import other_settings
from td_mta.dashboard.screens.other_settings import OF_MEDIA
from td_mta.simulate.media_mix.worlds import MEDIA_WORLDS

KEY, PARAMETER, FITTING = "mix_key", "mix", "mix_fitting"
KINDS = ("File", "Finished run", "Simulated world")
FOUND = "(found by name)"
EXPERIMENTS = (
    "A row per test: channel, first_day, last_day, spend_multiplier (0: off, 1.5: half more), "
    "incremental_revenue, standard_error."
)
ONE = {"date_column": "Date", "kpi_column": "Sales"}
MANY = {"spend_columns": "Spend (wide table)", "control_columns": "What else moves sales"}


def offered() -> str | None:
    """Widgets to open data; the key of the run to show."""
    shown = _current()
    with st.expander("Data and settings", expanded=shown is None):
        kind = st.segmented_control("Open", KINDS, default=KINDS[0], required=True, key="mix_kind")
        if kind == KINDS[0]:
            _file()
        elif kind == KINDS[1]:
            _run()
        else:
            _world()
    key = st.session_state.get(FITTING)
    if key and progress.follow(jobs.workspace() / key, "fitting").status == "done":
        st.session_state.pop(FITTING)
        _use(key)
        st.rerun()
    return shown


def is_fitting() -> bool:
    """Whether a fit of this session runs."""
    key = st.session_state.get(FITTING)
    return bool(key) and jobs.state(jobs.workspace() / key).status == "running"


def _current() -> str | None:
    """This session's run, its link's, or the command line's."""
    key = st.session_state.get(KEY) or st.query_params.get(PARAMETER) or _of_command_line()
    if not key:
        return None
    if media_mix.folder_of(str(key)) is None:
        st.session_state.pop(KEY, None)
        st.query_params.pop(PARAMETER, None)
        st.warning("The run of this link is no longer held: fit it again, or open its folder.")
        return None
    _use(str(key))
    return str(key)


def _of_command_line() -> str | None:
    named = Path(os.environ.get(jobs.OPEN, ""))
    if not os.environ.get(jobs.OPEN) or not named.is_dir() or not media_mix.is_run(named):
        return None
    return _opened(named)


def _use(key: str) -> None:
    st.session_state[KEY] = key
    if st.query_params.get(PARAMETER) != key:
        st.query_params[PARAMETER] = key


def _opened(path: Path) -> str | None:
    """The key of a run's folder; why it cannot be opened is shown."""
    try:
        return media_mix.open_run(path)
    except Exception as error:
        st.error(show.plain(state.sentence(error)))
        return None


def _fit(tables: Mapping[str, Path], sets: Mapping[str, str], text: str) -> None:
    st.session_state[FITTING] = media_mix.start(tables, sets, text)


def _file() -> None:
    """A table of spend and sales, with two more tables where there are some."""
    st.caption(
        "A row per day, week or month with its date, sales and a column of spend for each channel; "
        "or a row per day and channel with its spend, and sales in a table of their own."
    )
    file = st.file_uploader(
        "Spend and sales", type=uploads.TYPES, key="mix_file", help="CSV, Parquet or Excel."
    )
    left, right = st.columns(2)
    with left:
        revenue = st.file_uploader(
            "Sales, where they are in a table of their own", type=uploads.TYPES, key="mix_revenue"
        )
    with right:
        tests = st.file_uploader(
            "Experiments", type=uploads.TYPES, key="mix_experiments", help=EXPERIMENTS
        )
    given = {media_mix.TABLE: file, media_mix.REVENUE: revenue, media_mix.EXPERIMENTS: tests}
    if file is None:
        return
    try:
        tables = {name: uploads.kept(upload, name).path for name, upload in given.items() if upload}
    except Exception as error:
        st.error(show.plain(state.sentence(error)))
        return
    names = []
    try:
        names = media_mix.columns(tables[media_mix.TABLE])
    except Exception as error:  # which a setting may mend, such as the encoding
        st.error(show.plain(state.sentence(error)))
    sets = _settings(names)
    if sets is not None:
        _fit(tables, sets, file.name)


def _settings(names: list[str]) -> dict[str, str] | None:
    """What the form sets, once it is sent."""
    chosen: dict[str, str] = {}
    with st.form("mix_form", border=False):
        for column, (name, label) in zip(st.columns(len(ONE)), ONE.items(), strict=True):
            with column:
                taken = st.selectbox(label, [FOUND, *names], key=f"mix_{name}")
            chosen[name] = "" if taken == FOUND else str(taken)
        for name, label in MANY.items():
            several = st.multiselect(label, names, placeholder=FOUND, key=f"mix_{name}")
            chosen[name] = ", ".join(several)
        budget = st.number_input(
            "Budget per period to split", min_value=0.0, value=None, placeholder="as spent so far",
            key="mix_budget",
        )  # fmt: skip
        chosen["budget"] = f"{budget:.10g}" if budget else ""
        text = other_settings.field(OF_MEDIA, "mix_settings", {})
        if not st.form_submit_button("Fit", type="primary"):
            return None
    try:
        others = other_settings.parsed(text, OF_MEDIA)
    except ValueError as error:
        st.error(show.plain(error))
        return None
    return others | {name: value for name, value in chosen.items() if value}


def _run() -> None:
    with st.form("mix_run_form", border=False):
        path = st.text_input("The folder that --out named", "out", key="mix_run_path")
        if not st.form_submit_button("Open the run"):
            return
    key = _opened(Path(path))
    if key:
        _use(key)
        st.rerun()


def _world() -> None:
    """Data whose truth is known, to see what a model finds of it."""
    left, right = st.columns(2)
    with left:
        world = st.selectbox(
            "World", list(MEDIA_WORLDS), format_func=lambda name: str(name).replace("_", " "),
            key="mix_world",
        )  # fmt: skip
    with right:
        seed = st.number_input("Seed", 0, 2**31 - 1, 42, key="mix_seed")
    if st.button("Simulate and fit", type="primary", key="mix_simulate"):
        tables = media_mix.simulated(str(world), int(seed))
        text = f"Simulated: {str(world).replace('_', ' ')} world, seed {seed}"
        _fit(tables, {"spend_before": "zero"}, text)
