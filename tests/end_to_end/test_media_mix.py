"""mmm.dig on Treasure Data's protocols beside the run on local files, and the command on both."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from td_emulator import API_KEY, EmbeddedEngine, Emulator
from td_mta.config import mmm as configuration
from td_mta.mmm.__main__ import main
from td_mta.pipelines.media_mix.run import run as fit
from td_mta.warehouse.treasure_data import TreasureDataWarehouse
from tests.end_to_end import compare, media, runs, secret, shop, stages
from tests.end_to_end.both import Both

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("media_mix")
    inputs = media.tables()
    shop.write(folder / "data", inputs)
    local = runs.locally(folder / "local", media.SETTINGS, folder / "data", "mmm.dig")
    with Emulator(EmbeddedEngine(folder / "td"), poll_again=0) as td:
        runs.fill(td, inputs)
        ended = runs.on_treasure_data(folder / "on_td", media.SETTINGS, td, workflow="mmm.dig")
        assert ended.code == 0, ended.log
        return Both(local=local, td=runs.tables_in(td), folder=folder)


@pytest.mark.parametrize("table", media.OUTPUTS)
def test_a_table_is_that_of_the_local_run_in_every_digit(table: str, both: Both) -> None:
    assert both.td[table].num_rows > 0
    assert compare.printed_rows(both.td[table]) == compare.printed_rows(both.local[table])


def test_another_last_digit_would_be_seen() -> None:
    one, other = (pa.table({"a": [0.1 + 0.2]}), pa.table({"a": [0.3], "time": [1]}))
    assert compare.differing_tables({"t": one}, {"t": other}, ["t"]) == []
    assert compare.printed_rows(one) != compare.printed_rows(other)


def test_nothing_else_is_made_and_no_file_holds_the_key(both: Both) -> None:
    assert sorted(both.td) == sorted([*media.OUTPUTS, *media.tables()])
    assert (both.folder / "local" / "out" / "mmm_report.html").is_file()
    assert secret.files_with(both.folder, API_KEY) == []


def test_the_sql_sums_whole_weeks(both: Both) -> None:
    """By pandas, beside it: the last two days are missing, so the last week is."""
    inputs = {name: table.to_pandas() for name, table in media.tables().items()}
    orders = inputs["orders"].assign(day=pd.to_datetime(inputs["orders"]["ordered_at"], unit="s"))
    weeks = orders.resample("W-SUN", on="day")["amount"].sum().iloc[:-1]
    made = both.local["media_sales"].to_pandas().sort_values("week")
    assert made["amount"].to_numpy() == pytest.approx(weeks.to_numpy(), rel=1e-12)
    assert made["week"].iloc[0] == "2024-01-01" and len(made) == 103
    costs = inputs["costs"].assign(day=pd.to_datetime(inputs["costs"]["day"]))
    spent = costs.groupby(["channel", pd.Grouper(key="day", freq="W-SUN")])["spend"].sum()
    table = both.local["media"].to_pandas().sort_values(["channel", "week"])
    assert table["spend"].to_numpy() == pytest.approx(spent[spent > 0].to_numpy(), rel=1e-12)


def test_the_command_gives_the_same_figures_from_treasure_data(tmp_path: Path, both: Both) -> None:
    """From the tables that the workflow's SQL made, their rows in another order."""
    read = {"revenue_table": "media_sales", "kpi_column": "amount"}
    config = configuration.load(
        None, {name: media.SETTINGS[name] for name in media.OF_MODEL} | read
    )
    inputs = {name: both.local[name] for name in media.MADE_BY_SQL}
    inputs |= {name: media.tables()[name] for name in ("truth", "experiments")}
    with stages.emulator(tmp_path) as td:
        runs.fill(td, {name: backwards(table) for name, table in inputs.items()})
        warehouse = TreasureDataWarehouse(
            API_KEY, td.url, config.db, now=stages.NOW, patience=stages.PATIENCE
        )
        assert fit(config, warehouse, None).report is None
        made = runs.tables_in(td)
    for table in media.MEDIA_MIX_TABLES:
        assert compare.printed_rows(made[table]) == compare.printed_rows(both.local[table])


def backwards(table: pa.Table) -> pa.Table:
    return table.take(list(reversed(range(table.num_rows))))


def test_the_command_looks_for_its_table_on_treasure_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with stages.emulator(tmp_path) as td:
        td.create_database("brand")
        for name, value in runs.account(td).items():
            monkeypatch.setenv(name, value)
        words = ["--warehouse", "td", "--set", "db=brand", "--out", str(tmp_path / "out")]
        assert main(["fit", *words]) == 2
    told = capsys.readouterr().err
    assert "no table 'media' in database brand; this database holds no table" in told
