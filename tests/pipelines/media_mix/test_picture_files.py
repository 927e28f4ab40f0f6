"""PNG files appear with the tables, and go where matplotlib is missing."""

import logging
import sys
from pathlib import Path

import pandas as pd
import pytest

from td_mta.mmm.__main__ import main
from td_mta.pipelines.media_mix import picture_files, privacy_utility
from td_mta.privacy.noise import SeededForTests, add_noise
from td_mta.publishing.publication import Publication


def test_without_matplotlib_one_line_says_so_and_pictures_of_an_earlier_run_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    name = "td_mta.reporting.media_mix"
    monkeypatch.delitem(sys.modules, f"{name}.pictures", raising=False)
    monkeypatch.delattr(sys.modules[name], "pictures", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for file in picture_files.OF_RUN:
        (tmp_path / file).write_bytes(b"old")
    with caplog.at_level(logging.INFO), Publication(tmp_path, "20260101T000000Z-00000000") as files:
        picture_files.write_run({}, tmp_path, files)
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "the pictures (response_curves.png"
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_utility_curve_has_a_row_per_epsilon_and_channel_and_a_picture(tmp_path: Path) -> None:
    assert main(["privacy-utility", "--sets", "1", "--out", str(tmp_path)]) == 0
    rows = pd.read_csv(tmp_path / "mmm_privacy_utility.csv", keep_default_na=False)
    assert rows["epsilon"].tolist() == [
        x for x in ("0.1", "0.3", "1", "3", "10", "none") for _ in "STM"
    ]
    assert rows["channel"].tolist() == 6 * ["Shopify", "TikTok", "Meta"]
    tiktok = rows[rows["channel"] == "TikTok"].set_index("epsilon")
    assert tiktok.loc["0.1", "marginal_roi_error"] > 2 * tiktok.loc["none", "marginal_roi_error"]
    assert (tmp_path / "privacy_utility_tradeoff.png").read_bytes().startswith(b"\x89PNG")


def test_the_noise_is_that_of_a_release() -> None:
    noise = privacy_utility.Noise(privacy_utility.EPSILONS[2], 4, 50_000)
    seen = privacy_utility.drawn(noise, 3, seed=5)
    cents = add_noise([0, 0, 0], 200_000, privacy_utility.OF_SUMS, SeededForTests(5))
    assert (100 * seen).tolist() == pytest.approx(cents)
    assert privacy_utility.drawn(noise._replace(epsilon=None), 3, seed=5).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "option", [("--sets", "0"), ("--cap", "0"), ("--max-weeks", "0"), ("--cap", "nan")]
)
def test_a_wrong_option_is_one_sentence_and_nothing_is_written(
    option: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["privacy-utility", *option, "--out", str(tmp_path / "new")]) == 2
    assert option[0] in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
