"""What channels cost, typed as CPC, spend or CPM, or from a table of costs."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from td_mta.dashboard import show, state
from td_mta.dashboard.data import jobs, spend
from td_mta.dashboard.data.source import Source
from td_mta.dashboard.data.spend import By

FORMATS = {spend.CPC: "%.4f", spend.CPM: "%.2f"}
PARAMETER, GIVEN = "costs", "given_costs"


class Costs(NamedTuple):
    """The table as it is edited, and the column that counts."""

    table: pd.DataFrame
    by: By


def edited(source: Source, *, open_at_first: bool = True) -> Costs:
    """The costs by channel, of this session or its link; a wrong amount is said at once."""
    with st.expander("What the channels cost", expanded=open_at_first):
        by: By = st.segmented_control(
            "Costs by", list(spend.EDITABLE), default="CPC", required=True, key="cost_by",
            bind="query-params",
        )  # fmt: skip
        _upload(source)
        fixed = [spend.CHANNEL, spend.CLICKS]
        columns = [*fixed, *spend.EDITABLE[by]]
        version = st.session_state.get(f"{GIVEN}_version", 0)
        editor = f"costs_{source.key}_{by}_{version}"
        table = _before_edits(source, by, editor)
        changed = st.data_editor(
            table[columns],
            hide_index=True,
            disabled=fixed,
            key=editor,
            column_config={
                name: st.column_config.NumberColumn(name, format=FORMATS.get(name, "localized"))
                for name in columns[1:]
            },
        )
        faults = spend.errors(changed, by)
        for fault in faults:
            st.error(show.plain(fault))
    full = table.assign(**{name: changed[name] for name in spend.EDITABLE[by]})
    if faults:
        full = full.assign(
            **{name: full[name].where(~(full[name] < 0)) for name in spend.EDITABLE[by]}
        )
    _put_in_link(full, table, by)
    st.session_state[f"{editor}_edited"] = full
    _remember(source, full, by)
    return Costs(full, by)


def _before_edits(source: Source, by: By, editor: str) -> pd.DataFrame:
    """The table that the editor's changes are made to: the last one where the page is new."""
    base = f"{editor}_base"
    if editor not in st.session_state or base not in st.session_state:
        last = st.session_state.get(f"{editor}_edited")
        if last is None:
            given = _given(source)
            last = spend.table_of(source.channels, source.facts["touches"], given)
            last = _with_link(last, by)
        st.session_state[base] = last
    before: pd.DataFrame = st.session_state[base]
    return before


def spend_now(source: Source) -> dict[str, float]:
    """Each channel's spend, as it was typed on any page, or as it is known."""
    remembered = st.session_state.get(f"{GIVEN}_spend", {}).get(source.key)
    if remembered is not None:
        return dict(remembered)
    given = _given(source)
    return {name: given.get(name, {}).get("spend", float("nan")) for name in source.channels}


def _remember(source: Source, table: pd.DataFrame, by: By) -> None:
    every = st.session_state.setdefault(f"{GIVEN}_spend", {})
    every[source.key] = spend.spend_of(table, by).to_dict()


def _given(source: Source) -> dict[str, dict[str, float]]:
    """What is known of the costs: an upload's, the simulator's, or the run's."""
    uploaded = st.session_state.get(GIVEN, {}).get(source.key)
    if uploaded is not None:
        return uploaded
    if "costs" in source.facts:
        return source.facts["costs"]
    if source.run is None or source.run.is_of_paths:
        return {}
    rows = source.run.frames["report"].set_index("channel")[["spend", "impressions"]]
    return {
        str(name): {key: float(row[key]) for key in row.index if pd.notna(row[key])}
        for name, row in rows.iterrows()
    }


def _upload(source: Source) -> None:
    """A table of costs by day and channel, or by channel."""
    file = st.file_uploader(
        "Or a table of costs (day, channel, spend, impressions)",
        type=["csv", "tsv", "parquet", "xlsx"],
        key="costs_file",
    )
    if file is None:
        return
    content = file.getvalue()
    mark = (source.key, file.name, len(content))
    if st.session_state.get(f"{GIVEN}_mark") == mark:
        return
    st.session_state[f"{GIVEN}_mark"] = mark
    folder = jobs.workspace() / "costs"
    folder.mkdir(exist_ok=True)
    path = folder / f"costs{Path(file.name).suffix.lower()}"
    for other in folder.glob("costs.*"):
        other.unlink()
    path.write_bytes(content)
    try:
        found = spend.read(path, source.channels, _span(source))
    except Exception as error:
        st.error(show.plain(state.sentence(error)))
        return
    st.session_state.setdefault(GIVEN, {})[source.key] = found
    st.session_state[f"{GIVEN}_version"] = st.session_state.get(f"{GIVEN}_version", 0) + 1
    st.query_params.pop(PARAMETER, None)


def _span(source: Source) -> tuple[int, int] | None:
    if not source.facts.get("first_day"):
        return None
    first, last = (
        int(np.datetime64(source.facts[name], "D").astype(int))
        for name in ("first_day", "last_day")
    )
    return first, last


def _with_link(table: pd.DataFrame, by: By) -> pd.DataFrame:
    """The table with the amounts of a link, a list for each column, as its rows are ordered."""
    key = f"link_{PARAMETER}"
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(PARAMETER, "")
    try:
        given = json.loads(st.session_state[key] or "{}")
        lists = {name: given[name] for name in spend.EDITABLE[by] if name in given}
        numbers = {
            name: pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").to_numpy(float)
            for name, values in lists.items()
            if len(values) == len(table)
        }
    except (ValueError, TypeError, AttributeError):
        return table
    return table.assign(**numbers)


def _put_in_link(now: pd.DataFrame, before: pd.DataFrame, by: By) -> None:
    names = list(spend.EDITABLE[by])
    if now[names].equals(before[names]) and PARAMETER not in st.query_params:
        return
    lists = {name: [None if pd.isna(x) else float(x) for x in now[name]] for name in names}
    st.query_params[PARAMETER] = json.dumps(lists, separators=(",", ":"))
