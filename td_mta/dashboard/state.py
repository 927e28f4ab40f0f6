"""What a browser's session shows, and the link that restores it.

A link names its source by a key, never by a path. Sources are kept while the app runs, for every
tab alike; what a page's widgets are set to stands in the address too.
"""

import os
from pathlib import Path

import streamlit as st

from td_mta import failures
from td_mta.dashboard.data import jobs, media_mix, run_folder, source
from td_mta.dashboard.data.source import Source
from td_mta.dashboard.show import plain
from td_mta.errors import ConfigError

KEY, PARAMETER = "source_key", "data"


def current() -> Source | None:
    """The source of this session, of its link, or of the command line; errors are shown."""
    key = st.session_state.get(KEY) or st.query_params.get(PARAMETER) or _of_command_line()
    if not key:
        return None
    try:
        found = _source(str(key))
    except Exception as error:
        st.error(plain(sentence(error)))
        return None
    if found is None:
        st.session_state.pop(KEY, None)
        st.query_params.pop(PARAMETER, None)
        st.warning(
            "The data of this link is no longer held: simulate it again with the same settings, "
            "or open its file again."
        )
        return None
    use(str(key))
    return found


def use(key: str) -> None:
    """Show this source from now on."""
    st.session_state[KEY] = key
    if st.query_params.get(PARAMETER) != key:
        st.query_params[PARAMETER] = key


def open_run(path: Path) -> str:
    """The key of a finished run's folder; raises `DataError` where it is none."""
    source.of_run(path.resolve())
    return jobs.hold("run", path.resolve())


def start_reading(file: Path, title: str, sets: dict[str, str]) -> str:
    """Start reading a file; the key of what it will be."""
    facts = file.stat()
    return jobs.start(
        {
            "what": "read",
            "file": str(file),
            "title": title,
            "sets": sets,
            "size": facts.st_size,
            "time": facts.st_mtime_ns,
        }
    )


def sentence(error: Exception) -> str:
    """What a user is told; a fault of the program leaves its traceback in a file."""
    expected = failures.expected(error)
    if expected is None and isinstance(error, ValueError):
        expected = str(error)
    return expected if expected is not None else failures.report(error, jobs.workspace())[0]


def training_folder(key: str) -> Path:
    """Where the run of a source is."""
    return jobs.workspace() / key / "run"


def _source(key: str) -> Source | None:
    folder = jobs.folder_of(key)
    if folder is None or not folder.is_dir():
        return None
    if (run := jobs.held("run", folder)) is not None:
        return source.of_run(run)
    if jobs.state(folder).status != "done":
        return None
    trained = jobs.state(folder / "run").status == "done"
    return source.of_folder(folder, trained)


def _of_command_line() -> str | None:
    """What `python -m td_mta.dashboard PATH` names, opened once a session."""
    named = os.environ.get(jobs.OPEN)
    if not named or st.session_state.get("opened"):
        return None
    path = Path(named)
    try:
        if path.is_dir():
            if media_mix.is_run(path) and not run_folder.is_run(path):
                return None  # the page Media mix opens it
            if not run_folder.is_run(path):
                raise ConfigError(f"{path} has no tables of a run: name a run's folder or a file")
            key = open_run(path)
        else:
            key = start_reading(path.resolve(), path.name, {})
            if not _waited(key):
                return None
    except Exception as error:
        st.session_state["opened"] = True
        st.error(plain(sentence(error)))
        return None
    st.session_state["opened"] = True
    return key


def _waited(key: str) -> bool:
    """Whether the file was read; its error is shown, and its progress until then."""
    folder = jobs.workspace() / key
    with st.spinner("Reading the file …"):
        now = jobs.wait(folder, seconds=3600)
    st.session_state["opened"] = True
    if now.status == "failed":
        st.error(plain(now.what))
    return now.status == "done"
