"""Whole runs: a public table, small tables, bad input; what they write and print."""

import contextlib
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
import pytest

from td_mta import main, tables
from td_mta.baselines.methods import METHODS
from td_mta.config import attribution as configuration
from td_mta.dataset.build import extract, folders_of
from td_mta.dataset.extracted import Extracted
from td_mta.errors import DataError
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.model.holdout import RUNGS
from td_mta.model.predictor import Predictor
from td_mta.model.settings import TrainingSettings
from td_mta.pipelines import attribution
from td_mta.shapley.credit import shapley_values
from td_mta.shapley.games import without_offsets
from td_mta.warehouse.local import LocalWarehouse
from tests.pipelines import public_table

pytestmark = pytest.mark.slow
SMALL = {"network": "pairs"}
OF_REAL = {
    "model_width": "4",
    "train_epochs": "1",
    "train_batch_size": "1000",
    "table": public_table.NAME,
    "user_column": "customer_id",
    "action_column": "channel",
    "value_column": "conversion_value",
    "history_days": "2",
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a whole run of the public table."""
    folder = tmp_path_factory.mktemp("real")
    public_table.unpack(folder)
    assert run(folder, folder / "out", OF_REAL) == 0
    yield folder


def run(data: Path, out: Path, settings: dict[str, str]) -> int:
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    return main.main(["--warehouse", "local", "--data", str(data), "--out", str(out), *sets])


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv")


def credited(real: Path) -> pd.DataFrame:
    """The public table's conversions from its third day on: two days are history."""
    given = pd.read_csv(real / f"{public_table.NAME}.csv")
    conversions = given[given["conversion"] == 1]
    assert len(conversions) == 1838
    return conversions[conversions["time"].str[:10] >= "2018-07-03"]


def test_every_conversion_of_the_credited_days_is_credited(real: Path) -> None:
    detail, conversions = read(real / "out", "shapley_detail"), credited(real)
    assert detail["conversions"].sum() == pytest.approx(len(conversions), rel=1e-9)
    assert detail["share"].sum() == pytest.approx(1, rel=1e-9)
    value = conversions["conversion_value"].sum()
    assert detail["value"].sum() == pytest.approx(value, rel=1e-9)


def test_every_table_has_the_columns_that_others_read(real: Path) -> None:
    out, channels = real / "out", ["Facebook", "Instagram", "Online Display", "Online Video"]
    channels.append("Paid Search")
    names = {"metrics": tables.METRICS, "shapley": tables.SHAPLEY}
    names |= {f"shapley_{t.name.removeprefix('shapley_table_')}": t for t in tables.TABLES[2:6]}
    for name, table in (names | {"shapley_run_info": tables.RUN_INFO}).items():
        wanted = [
            column
            for each in table.columns
            for column in (channels if each == tables.CHANNELS else [each])
        ]
        assert list(read(out, name).columns) == wanted
    assert read(out, "shapley")[channels].to_numpy().sum() == pytest.approx(1)
    assert read(out, "shapley_channel").sum(axis=1)[0] == pytest.approx(1)
    assert "plotly" in (out / "report.html").read_text(encoding="utf-8")


def test_run_info_counts_what_was_read(real: Path) -> None:
    info = read(real / "out", "shapley_run_info")
    counts = info[info["section"] == "counts"].set_index("name")["value"].astype(int)
    assert counts[["touchpoints", "users"]].tolist() == [62483, 7896]
    assert counts["conversions"] == len(credited(real))
    assert counts["conversions"] + counts["conversions_in_history"] == 1838


def test_run_info_says_how_good_every_rung_is(real: Path) -> None:
    info = read(real / "out", "shapley_run_info")
    facts = {name: rows.set_index("name")["value"] for name, rows in info.groupby("section")}
    used = facts["model"]["network"]
    assert used in RUNGS
    holdout, comparison = (facts[name].astype(float) for name in ("holdout", "comparison"))
    for other in {*RUNGS, "base_rate"} - {used}:
        less = holdout[f"{used}_log_loss"] - holdout[f"{other}_log_loss"]
        assert comparison[f"{used}_minus_{other}"] == pytest.approx(less, abs=1e-15)
    assert comparison[f"{used}_minus_base_rate_error"] > 0
    bins = [json.loads(text) for name, text in facts["calibration"].items() if used in name]
    rated = sum(row["examples"] * abs(row["observed"] - row["predicted"]) for row in bins)
    assert rated / sum(row["examples"] for row in bins) == pytest.approx(
        holdout[f"{used}_calibration_error"]
    )
    assert re.search(r"on day 0: \d+ conversions, [\d.]+ predicted", facts["misses"]["1"])
    assert facts["convergence"].index.tolist() == list(RUNGS[1:])


def test_the_metrics_have_a_row_for_each_rung(real: Path) -> None:
    metrics = read(real / "out", "metrics")
    assert metrics["epoch"].tolist() == [1, 2, 3, 4]
    info = read(real / "out", "shapley_run_info").set_index(["section", "name"])["value"]
    held_out = [float(info["holdout", f"{rung}_log_loss"]) for rung in RUNGS]
    assert metrics["val_loss"].tolist() == pytest.approx(held_out, rel=1e-9)


def test_every_model_credits_every_conversion(real: Path) -> None:
    models = read(real / "out", "shapley_models").groupby("model")["conversions"].sum()
    assert set(models.index) == {"shapley", *METHODS}
    assert models.to_numpy() == pytest.approx(len(credited(real)), rel=1e-9)


def test_every_pattern_of_the_real_run_is_efficient(real: Path, tmp_path: Path) -> None:
    config = configuration.from_params(OF_REAL, "test", out=tmp_path)
    touchpoints = TouchpointTable(
        TableSettings.of(config), LocalWarehouse(real, tmp_path, now=0), tmp_path
    )
    extracted = extract(touchpoints, config, folders_of(config))
    values = shapley_values(
        without_offsets(extracted.credited.patterns),
        extracted.schema.grid,
        Predictor.load(real / "out" / "model").log_odds,
        exact_cells=12,
        budget=10**6,
        permutations=4,
        rng=np.random.default_rng(0),
    )
    total = np.bincount(values.games.owner, values.phi, len(values.value_full))
    assert (
        np.abs(total - (values.value_full - values.value_empty)).max()
        <= 1e-9 * values.value_full.min()
    )


def write_shop(folder: Path) -> None:
    """300 users, conversions as events of their own."""
    rng = np.random.default_rng(1)
    n = 3000
    frame = pd.DataFrame(
        {
            "canonical_id": rng.integers(0, 300, n).astype(str),
            "time": 1_700_000_000 + rng.integers(0, 20 * 86400, n),
            "channels": rng.choice(["Email", "Social", "Direct"], n),
            "conversion": (rng.random(n) < 0.1).astype(int),
        }
    )
    frame.loc[frame["conversion"] == 1, "channels"] = None
    frame.to_csv(folder / "mta_user_rnd.csv", index=False)


def credited_in_shop(folder: Path, history: int) -> int:
    """Conversions after the first days, which are looked back on."""
    table = read(folder, "mta_user_rnd")
    day = table["time"] // 86400
    return int(table.loc[day >= day.min() + history, "conversion"].sum())


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_shop(tmp_path)
    return tmp_path


@pytest.fixture(scope="module", params=["person_days", "touch_days"])
def ran(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str], str]:
    """A shop after one appending run, the run's settings and what it printed."""
    folder = tmp_path_factory.mktemp("ran")
    write_shop(folder)
    settings = SMALL | {"examples": request.param, "conversion_row_is_touch": "false"}
    settings |= {"if_exists": "append", "history_days": "2"}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert run(folder, folder / "out", settings) == 0
    return folder, settings, printed.getvalue()


def test_baseline_and_channels_are_the_conversions(ran: tuple[Path, dict[str, str], str]) -> None:
    folder, settings, printed = ran
    detail = read(folder / "out", "shapley_detail")
    conversions = credited_in_shop(
        folder, history=2 if settings["examples"] == "person_days" else 0
    )
    assert detail["conversions"].sum() == pytest.approx(conversions, rel=1e-9)
    assert detail["channel"].iloc[-1] == "(baseline)"
    assert detail["conversions"].iloc[-1] > 0
    assert f"= conversions {conversions:.1f}" in printed


@pytest.mark.parametrize("ran", ["person_days"], indirect=True, scope="module")
def test_a_second_run_can_append(ran: tuple[Path, dict[str, str], str], tmp_path: Path) -> None:
    folder, settings, _ = ran
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    assert run(tmp_path, tmp_path / "out", settings) == 0
    detail = read(tmp_path / "out", "shapley_detail")
    assert detail["run_id"].nunique() == 2
    assert detail.groupby("run_id")["share"].sum().tolist() == pytest.approx([1, 1])


def test_a_failed_run_leaves_the_old_tables(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "out").mkdir()
    (shop / "out" / "shapley.csv").write_text("old\n")
    assert run(shop, shop / "out", SMALL | {"conversion_column": "convertion"}) == 2
    error = capsys.readouterr().err
    assert "convertion" in error
    assert "conversion" in error
    assert (shop / "out" / "shapley.csv").read_text() == "old\n"


@pytest.mark.parametrize(
    ("if_exists", "told"),
    [("append", "cannot append to .*metrics.*differ in .*run_id"), ("error", "is already there")],
)
def test_tables_that_cannot_be_written_are_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], if_exists: str, told: str
) -> None:
    (tmp_path / "mta_user_rnd.csv").write_text("canonical_id,time,channels,conversion\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "metrics.csv").write_text(",".join(tables.METRICS.columns) + "\n")
    assert run(tmp_path, tmp_path / "out", {"if_exists": if_exists}) == 2
    assert re.search(told, capsys.readouterr().err)


def no_training(*_: object) -> NoReturn:
    raise AssertionError("there is no need to train")


def test_a_fit_that_is_given_credits_as_one_that_the_run_makes(shop: Path) -> None:
    from td_mta.model import ladder

    config = configuration.from_params(
        SMALL | {"conversion_row_is_touch": "false"}, "test", out=shop / "out"
    )

    def run_with(fit: attribution.Fit | None) -> attribution.Summary:
        return attribution.run(config, LocalWarehouse(shop, shop / "out", now=0), None, fit=fit)

    given = run_with(None)
    kept: list[ladder.Fitted] = []

    def fit(extracted: Extracted, settings: TrainingSettings) -> ladder.Fitted:
        examples, strata, grid = extracted.examples, extracted.strata, extracted.schema.grid
        kept.append(ladder.climb(examples, strata, grid, settings))
        return kept[0]

    again = run_with(fit)
    assert [rung.name for rung in kept[0].rungs] == ["logistic", "pairs"]
    assert again.quality == given.quality
    pd.testing.assert_frame_equal(again.models, given.models)
    loaded, cells = Predictor.load(shop / "out" / "model"), np.eye(9, dtype=np.float32)
    cells = cells.reshape(9, 3, 3)
    assert loaded(cells) == pytest.approx(kept[0].predictor(cells), rel=1e-5)


def test_the_last_days_can_be_held_out(shop: Path) -> None:
    settings = SMALL | {"conversion_row_is_touch": "false", "holdout": "forward"}
    assert run(shop, shop / "out", settings) == 0
    info = read(shop / "out", "shapley_run_info").set_index(["section", "name"])["value"]
    days = pd.to_datetime(read(shop, "mta_user_rnd")["time"], unit="s").dt.floor("D")
    first = sorted(days.unique())[-2]  # a tenth of 20 days
    assert f"Held out: the days from {first:%Y-%m-%d} on" in " ".join(info["notes"])
    assert 0 < float(info["holdout", "pairs_log_loss"]) < 1


def test_one_day_of_data_leaves_none_to_hold_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["u1,1700000000,Email,0", "u1,1700000060,Email,1", "u2,1700000005,Email,0"]
    text = "\n".join(["canonical_id,time,channels,conversion", *rows, ""])
    (tmp_path / "mta_user_rnd.csv").write_text(text)
    assert run(tmp_path, tmp_path / "out", SMALL | {"holdout": "forward"}) == 2
    assert (
        "touchpoints of at least 2 days, got 1 day; set holdout: users" in capsys.readouterr().err
    )


def test_other_channels_than_those_of_an_appended_table_are_refused_before_training(
    shop: Path,
) -> None:
    (shop / "out").mkdir()
    (shop / "out" / "shapley_channel.csv").write_text("Direct,Email,run_id\n0.5,0.5,x\n")
    settings = SMALL | {"conversion_row_is_touch": "false", "if_exists": "append"}
    config = configuration.from_params(settings, "test", out=shop / "out")
    with pytest.raises(DataError, match=r"shapley_channel\.csv: columns differ in Social"):
        attribution.run(config, LocalWarehouse(shop, shop / "out", now=0), None, fit=no_training)


def test_users_who_all_convert_every_day_teach_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = 1_700_000_000
    rows = [f"u{user},{start + day * 86400},Email,1" for user in range(40) for day in range(3)]
    text = "\n".join(["canonical_id,time,channels,conversion", *rows])
    (tmp_path / "mta_user_rnd.csv").write_text(text + "\n")
    assert run(tmp_path, tmp_path / "out", SMALL) == 2
    assert "every training example converts: the model needs user-days" in capsys.readouterr().err


def test_the_warnings_of_a_thin_table_are_in_the_log_the_table_and_the_report(
    shop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = SMALL | {"conversion_row_is_touch": "false"}
    frame = read(shop, "mta_user_rnd")
    frame.loc[frame.index[:3], "canonical_id"] = None
    frame.loc[frame.index[-1], "channels"] = "Podcast"
    frame.loc[frame.index[-1], "conversion"] = 0
    pd.concat([frame, frame.tail(1)]).to_csv(shop / "mta_user_rnd.csv", index=False)
    assert run(shop, shop / "out", settings) == 0
    info = read(shop / "out", "shapley_run_info")
    said = " ".join(info.loc[info["section"] == "warnings", "value"])
    for sentence in ("Dropped 3 of 3,001 rows", "Dropped 1 row: rows equal in", "of Podcast (0)"):
        assert sentence in said
        assert sentence in caplog.text
        assert sentence in (shop / "out" / "report.html").read_text(encoding="utf-8")
