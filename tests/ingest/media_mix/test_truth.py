from pathlib import Path

import pandas as pd
import pytest

from td_mta.config import mmm as configuration
from td_mta.errors import DataError
from td_mta.ingest.media_mix import truth
from td_mta.warehouse.local import LocalWarehouse


def read(folder: Path, names: list[str], channels: list[str]) -> dict[tuple[str, str], float]:
    frame = pd.DataFrame({"channel": names, "parameter": "roi"})
    frame["true_value"] = range(len(names))
    frame.to_csv(folder / "truth.csv", index=False)
    config = configuration.load(None, {"truth_table": "truth"})
    return truth.read(config, LocalWarehouse(folder, folder / "out", now=0), channels)


@pytest.mark.parametrize(
    ("names", "channels", "joined"),
    [
        (["TikTok", "Paid Search"], ["tiktok", "paid_search"], {"tiktok": 0, "paid_search": 1}),
        (["TikTok"], ["TikTok", "tiktok"], {"TikTok": 0}),
        (["TIKTOK"], ["TikTok", "tiktok"], {}),
        (["TikTok", "tiktok"], ["TikTok"], {"TikTok": 0}),
        (["TikTok", "TIKTOK"], ["tiktok"], {}),
        (["Radio"], ["TV"], {}),
    ],
    ids=["letters of TD", "exact", "two channels", "exact of two", "two names", "none"],
)
def test_true_values_join_where_one_channel_alone_is_meant(
    tmp_path: Path, names: list[str], channels: list[str], joined: dict[str, int]
) -> None:
    assert read(tmp_path, names, channels) == {(name, "roi"): n for name, n in joined.items()}


def test_a_table_without_true_values_is_refused(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("channel,value\nTV,1\n", "utf-8")
    config = configuration.load(None, {"truth_table": "truth"})
    with pytest.raises(DataError, match="truth_table truth needs the columns channel, parameter"):
        truth.read(config, LocalWarehouse(tmp_path, tmp_path / "out", now=0), ["TV"])
