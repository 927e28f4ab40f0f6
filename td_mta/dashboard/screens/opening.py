"""Opening data: a file with its columns shown and changeable, a run's folder, a table on TD."""

import json
from pathlib import Path

import streamlit as st

from td_mta.dashboard import progress, show, state, uploads
from td_mta.dashboard.data import jobs
from td_mta.dashboard.data.source import Source
from td_mta.dashboard.screens import other_settings
from td_mta.dashboard.screens.other_settings import OF_TOUCHES

READING, UPLOAD = "reading", "upload"
KINDS = ("File", "Finished run", "Treasure Data")
ROLES = {
    "user_column": "User",
    "time_column": "Time",
    "action_column": "Channel or path",
    "conversion_column": "Conversion",
    "value_column": "Value",
}
FOUND = "(found by name and content)"


def opened(source: Source | None) -> None:
    """Widgets to open other data, and the columns of what is open."""
    title = "Data" if source is None else f"Data: {show.plain(source.title)}"
    with st.expander(title, expanded=source is None):
        kind = st.segmented_control("Open", KINDS, default=KINDS[0], required=True, key="kind")
        if kind == KINDS[0]:
            _file()
        elif kind == KINDS[1]:
            _run()
        else:
            _treasure_data()
        _columns(source)
    key = st.session_state.get(READING)
    if not key:
        return
    now = progress.follow(jobs.workspace() / key, "reading")
    if now.status == "done":
        st.session_state.pop(READING)
        state.use(key)
        st.rerun()


def _file() -> None:
    """A table of touches or of paths; each upload is read once."""
    file = st.file_uploader(
        "A table of touches (user, time, channel, conversion, value) or of paths (a > b > c)",
        type=uploads.TYPES,
        key="file",
        help="CSV, Parquet or Excel. Larger files: python -m td_mta.dashboard FILE.",
    )
    if file is None:
        return
    try:
        path, digest = uploads.kept(file)
    except ValueError as error:
        st.error(show.plain(error))
        return
    if st.session_state.get(UPLOAD) == digest:
        return
    st.session_state[UPLOAD] = digest
    st.session_state[READING] = state.start_reading(path, file.name, {})


def _run() -> None:
    with st.form("run_form", border=False):
        path = st.text_input("The folder that --out named", "out", key="run_path")
        if not st.form_submit_button("Open the run"):
            return
    try:
        key = state.open_run(Path(path))
    except Exception as error:
        st.error(show.plain(state.sentence(error)))
        return
    state.use(key)
    st.rerun()


def _treasure_data() -> None:
    with st.form("td_form", border=False):
        database = st.text_input("Database", "mta", key="td_database")
        table = st.text_input("Table", "mta_user_rnd", key="td_table")
        st.caption("The key is read from TD_API_KEY of the app's environment, never typed here.")
        if not st.form_submit_button("Read the table"):
            return
    job = {"what": "read", "table": table, "title": table, "sets": {"db": database}}
    st.session_state[READING] = jobs.start(job)


def _columns(source: Source | None) -> None:
    """Which column was taken for what, and others to choose."""
    key = st.session_state.get(READING)
    names, found, job = _of_source(source) if not key else _of_failed(key)
    if job is None:
        return
    sets, of_data = job.get("sets", {}), key or (source.key if source else "")
    st.markdown("**Columns**")
    with st.form("columns_form", border=False):
        chosen = {}
        for column, (parameter, label) in zip(st.columns(len(ROLES)), ROLES.items(), strict=True):
            with column:
                taken = found.get(parameter)
                options = list(dict.fromkeys([FOUND, *names, *filter(None, [taken])]))
                chosen[parameter] = st.selectbox(
                    label,
                    options,
                    options.index(taken) if taken else 0,
                    key=f"column_{parameter}_{of_data}",
                )
        text = other_settings.field(OF_TOUCHES, f"settings_{of_data}", sets)
        if not st.form_submit_button("Read with these columns"):
            return
    try:
        others = other_settings.parsed(text, OF_TOUCHES)
    except ValueError as error:
        st.error(show.plain(error))
        return
    kept = {name: value for name, value in sets.items() if name not in OF_TOUCHES}
    of_columns = {name: value for name, value in chosen.items() if value != FOUND}
    st.session_state[READING] = jobs.start(job | {"sets": kept | others | of_columns})
    st.rerun()


def _of_source(source: Source | None) -> tuple[list[str], dict[str, str], dict | None]:
    if source is None or "columns" not in source.facts:
        return [], {}, None
    return source.facts["columns"], source.facts.get("found", {}), _job(source.key)


def _of_failed(key: str) -> tuple[list[str], dict[str, str], dict | None]:
    """The columns of a table that could not be read, so that one can say what they are."""
    file = jobs.workspace() / key / "columns.json"
    if jobs.state(jobs.workspace() / key).status != "failed":
        return [], {}, None
    job = _job(key)
    names = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    return names, (job or {}).get("sets", {}), job


def _job(key: str) -> dict | None:
    file = jobs.workspace() / key / "job.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
