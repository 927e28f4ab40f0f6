"""The home page: journeys with known parameters, simulated in a process of their own."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from td_mta.dashboard import downloads, progress, show, state
from td_mta.dashboard.data import jobs, plans
from td_mta.dashboard.data.source import Source
from td_mta.dashboard.data.sources import LOOKBACK
from td_mta.dashboard.view import Sentences, Table, View
from td_mta.reporting.html.elements import number
from td_mta.simulate.classic.plan import MOST_TOUCHES

TABLE, LAST, VERSION = "channel_table", "channel_last", "channel_version"
JOB, PARAMETER = "simulation", "channels"
DEFAULT_USERS, DEFAULT_TOUCHES, DEFAULT_SEED = 1_000, 10.0, 18
PREVIEW_ROWS = 20
MANY_MEGABYTES = 6_000


def page() -> None:
    """Settings, what they will take, the simulation, and what it made."""
    st.title("Synthesizer", anchor=False)
    world = st.selectbox(
        "World",
        plans.worlds(),
        format_func=lambda name: str(name).replace("_", " "),
        key="world",
        bind="query-params",
        help="The classic world adds up conversion rates; the others are more like real data.",
    )
    st.caption(show.plain(f"Here {plans.about(world)}."))
    left, middle, right = st.columns(3)
    with left:
        users = st.select_slider(
            "Users",
            plans.user_steps(),
            DEFAULT_USERS,
            format_func=lambda n: f"{n:,}",
            key="users",
            bind="query-params",
        )
    with middle:
        touches = st.number_input(
            "Expected touches per user (Poisson λ)",
            0.1,
            float(MOST_TOUCHES),
            DEFAULT_TOUCHES,
            1.0,
            key="touches",
            bind="query-params",
            disabled=world != plans.CLASSIC,
        )
    with right:
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, DEFAULT_SEED, key="seed", bind="query-params",
            help="The same seed gives the same data.",
        )  # fmt: skip
    table, faults = _channels() if world == plans.CLASSIC else (plans.default_channels(), [])
    _estimate(world, users, touches)
    if st.button("Generate Simulated Data", type="primary", disabled=bool(faults)):
        job = plans.job_of(world, users, touches, int(seed), table, LOOKBACK)
        _start(job)
    _followed()


def _channels() -> tuple[pd.DataFrame, list[str]]:
    """The edited table of channels, and what is wrong with it, said at once."""
    if TABLE not in st.session_state:
        st.session_state[TABLE] = _of_link() if PARAMETER in st.query_params else None
    version = st.session_state.setdefault(VERSION, 0)
    editor = f"channels_{version}"
    if editor not in st.session_state and LAST in st.session_state:
        st.session_state[TABLE] = st.session_state[LAST]  # the page is shown anew
    given = st.session_state[TABLE]
    numbers = {
        name: st.column_config.NumberColumn(name, step=0.01, format="%.6g")
        for name in plans.COLUMNS[1:]
    }
    st.markdown("**Channels**")
    edited = st.data_editor(
        plans.default_channels() if given is None else given,
        num_rows="dynamic",
        hide_index=True,
        key=editor,
        column_config={plans.CHANNEL: st.column_config.TextColumn(max_chars=100), **numbers},
    )
    st.session_state[LAST] = edited
    faults = plans.errors(edited)
    for fault in faults:
        st.error(show.plain(fault))
    if st.button("Normalise to 100 %", help="Scale the relative frequencies to a total of 100 %"):
        st.session_state[TABLE] = st.session_state[LAST] = plans.normalised(edited)
        st.session_state[VERSION] = version + 1
        st.rerun()
    _put_in_link(edited, faults)
    return edited, faults


def _put_in_link(table: pd.DataFrame, faults: list[str]) -> None:
    if faults or table.equals(plans.default_channels()):
        st.query_params.pop(PARAMETER, None)
        return
    rows = table[list(plans.COLUMNS)].to_numpy(object).tolist()
    st.query_params[PARAMETER] = json.dumps(rows, separators=(",", ":"))


def _of_link() -> pd.DataFrame | None:
    """The channels of a link; None where they cannot be read."""
    try:
        rows = json.loads(st.query_params[PARAMETER])
        frame = pd.DataFrame(rows, columns=list(plans.COLUMNS))
        numbers = frame[list(plans.COLUMNS[1:])].apply(pd.to_numeric, errors="coerce")
    except (ValueError, TypeError, KeyError):
        return None
    if not len(frame):
        return None
    return frame.assign(**{plans.CHANNEL: frame[plans.CHANNEL].astype(str)}, **numbers)


def _estimate(world: str, users: int, touches: float) -> None:
    """What the click will cost, before it."""
    needs = plans.estimate(world, users, touches)
    said = f"About {number(needs.seconds, 0)} s and {number(needs.megabytes, 0)} MB of memory."
    if needs.megabytes > MANY_MEGABYTES:
        st.warning(show.plain(f"{said} Is there as much on this machine?"))
    else:
        st.caption(show.plain(said))


def _start(job: dict[str, Any]) -> None:
    try:
        plans.plan_of(job)
    except ValueError as error:
        st.error(show.plain(state.sentence(error)))
        return
    st.session_state[JOB] = jobs.start(job)


def _followed() -> None:
    """The simulation while it runs, and what it made."""
    key = st.session_state.get(JOB)
    if key and progress.follow(jobs.workspace() / key, "simulation").status == "done":
        state.use(key)
        st.session_state.pop(JOB)
    source = state.current()
    if source is None or source.facts["kind"] != "simulated":
        return
    file = Path(source.facts["file"])
    show.view(_made(source, file))
    _downloads(file)


def _made(source: Source, file: Path) -> View:
    models = source.models()
    one = models[models["model"] == models["model"].iloc[0]]
    orders, revenue = float(one["conversions"].sum()), float(one["value"].sum())
    sessions = sum(source.facts["touches"])
    return View(
        page="synthesizer",
        finding=f"{number(source.facts['users'])} users made {number(sessions)} touches and "
        f"{number(orders)} orders",
        source=f"Simulated: {source.title}. The data is on the other pages now.",
        figures={
            "Orders": number(orders),
            "Revenue": number(revenue, 2),
            "AOV": number(revenue / orders, 2) if orders else "",
            "Touches": number(sessions),
            "Users with a touch": number(source.facts["users"]),
        },
        blocks=[
            Sentences(lines=source.facts["notes"]),
            Table(
                name="preview",
                title=f"The first {PREVIEW_ROWS} rows",
                rows=downloads.preview(file, PREVIEW_ROWS),
                decimals={"value": 2},
            ),
        ],
    )


def _downloads(file: Path) -> None:
    """The whole table in three forms; of very many rows its place on this machine."""
    rows = downloads.rows_of(file)
    st.markdown(f"**All {rows:,} touches**")
    if rows > downloads.MOST_ROWS:
        st.info(show.plain(f"Too many rows for a browser. They are in {file}, as Parquet."))
        return
    with st.container(horizontal=True):
        st.download_button(
            "CSV", lambda: downloads.touches_as_csv(file), "synthetic_touchpoints.csv", "text/csv",
            key="touches_csv", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Parquet", file.read_bytes, "synthetic_touchpoints.parquet",
            "application/vnd.apache.parquet", key="touches_parquet", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Pickle", lambda: downloads.touches_as_pickle(file), downloads.PICKLE,
            "application/octet-stream", key="touches_pickle", on_click="ignore",
        )  # fmt: skip
        if st.button(f"Write {show.plain(downloads.PICKLE)} here"):
            path = downloads.write_pickle(file, Path.cwd())
            st.success(show.plain(f"Written: {path}"))
