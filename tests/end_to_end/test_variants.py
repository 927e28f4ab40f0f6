"""Other ways through the workflow on Treasure Data: append, error, and the model elsewhere."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from td_emulator import API_KEY, Emulator
from td_mta import main
from td_mta.dataset.count_tables import COLUMNS
from tests.end_to_end import compare, runs, shop, stages
from tests.end_to_end.conftest import Prepared
from tests.end_to_end.faults import END
from tests.end_to_end.runs import tables_in
from tests.end_to_end.stages import PYTHON

pytestmark = pytest.mark.slow
BY_PYTHON = {"count_in": "python"}  # at the end of a run its counts are gone


def drop_outputs(td: Emulator) -> None:
    for name in shop.MADE_BY_PYTHON:
        td.engine.drop_table(shop.DATABASE, name)


def timeless(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The tables without the time of the run that wrote them: a session's, or now."""
    return {
        name: table.drop_columns(["time"]) if name in shop.MADE_BY_PYTHON else table
        for name, table in tables.items()
    }


def test_runs_are_appended_each_under_its_id(prepared: Prepared, tmp_path: Path) -> None:
    with stages.emulator(stages.snapshot(prepared.folder / END, tmp_path / "td")) as td:
        whole = tables_in(td)
        drop_outputs(td)
        for _ in range(2):
            assert (
                stages.run(
                    PYTHON, td, tmp_path / "out", if_exists="append", count_in="python"
                ).messages
                == ()
            )
        appended = tables_in(td)
    # one row a channel, whoever reads it: the newest run's
    assert compare.differing_tables(appended, whole, ["shapley_report"]) == []
    for name in set(shop.MADE_BY_PYTHON) - {"shapley_report"}:
        ids = pc.unique(appended[name]["run_id"]).to_pylist()
        assert len(ids) == 2
        for run_id in ids:
            of_run = appended[name].filter(pc.equal(appended[name]["run_id"], run_id))
            of_run = of_run.drop_columns(["run_id"])
            if name != "shapley_run_info":  # which tells of append and of the warning against it
                assert compare.differing_tables({name: of_run}, whole, [name]) == []


def test_rows_are_not_appended_to_tables_of_other_columns(
    prepared: Prepared, tmp_path: Path
) -> None:
    with stages.emulator(stages.snapshot(prepared.folder / END, tmp_path / "td")) as td:
        before = tables_in(td)
        ended = stages.run(PYTHON, td, tmp_path / "out", **BY_PYTHON, if_exists="append")
        assert len(ended.messages) == 1
        assert "run_id" in ended.messages[0]
        assert "/job/issue/" not in " ".join(request.path for request in td.requests)
        assert compare.differing_tables(tables_in(td), before, before) == []


def test_tables_that_exist_are_an_error_before_any_work(prepared: Prepared, tmp_path: Path) -> None:
    with stages.emulator(stages.snapshot(prepared.folder / END, tmp_path / "td")) as td:
        before = tables_in(td)
        ended = stages.run(PYTHON, td, tmp_path / "out", **BY_PYTHON, if_exists="error")
        assert len(ended.messages) == 1
        assert "is already there, drop it first" in ended.messages[0]
        assert "/job/issue/" not in " ".join(request.path for request in td.requests)
        assert compare.differing_tables(tables_in(td), before, before) == []
        drop_outputs(td)
        assert (
            stages.run(PYTHON, td, tmp_path / "out", **BY_PYTHON, if_exists="error").messages == ()
        )
        assert sorted(tables_in(td)) == sorted(before)


def test_with_the_model_elsewhere_the_tables_are_the_same(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = stages.snapshot(prepared.folder / stages.STAGES[0], tmp_path / "td")
    wanted = stages.tables_in(prepared.folder / END)
    out = tmp_path / "out"
    with stages.emulator(start) as td:
        monkeypatch.setenv("TD_API_KEY", API_KEY)
        monkeypatch.setenv("TD_API_SERVER", td.url)
        secrets = {"td.apikey": API_KEY, "td.apiserver": td.url}
        settings = shop.SETTINGS | {"td_api_server": td.url, "count_in": "warehouse"}
        ended = stages.workflow(None, out, settings | {"run_model": "false"}, secrets)
        assert ended.messages == ()
        counts = [name for name in tables_in(td) if name.startswith("mta_counts_")]
        assert sorted(counts) == sorted(f"mta_counts_{name}" for name in COLUMNS)
        old = {name: wanted[name] for name in ("mta_user_rnd", "channel_source_stats")}
        assert compare.differing_tables(tables_in(td), old, old) == []
        assert td.engine.read(shop.DATABASE, "shapley")["of"].to_pylist() == [
            "the last run's shapley"
        ]
        assert main.main(["--out", str(out), *runs.sets(settings)]) == 0
        ended = stages.workflow(None, out, settings, secrets, "mta_report.dig")
        assert ended.messages == ()
        left = tables_in(td)
    assert sorted(left) == sorted(wanted)
    assert compare.differing_tables(timeless(left), timeless(wanted), wanted) == []
