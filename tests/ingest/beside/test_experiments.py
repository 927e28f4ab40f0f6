"""Experiments are read from tables as people have them, and set against the touchpoints."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from td_mta.errors import DataError
from td_mta.ingest.beside import experiments
from td_mta.ingest.beside.experiments import RecordExperiments
from tests.ingest.beside.given import CHANNELS, MARCH, TEN_DAYS, found_by, read_by

HEADER = "channel,first_day,last_day,incremental_conversions,standard_error\n"
ROW = "Email,2024-03-02,2024-03-05,120,12\n"
PLAIN = HEADER + ROW


read = partial(read_by, experiments.read, "experiments_table")


def matched(
    folder: Path,
    text: str,
    channels: tuple[str, ...] = CHANNELS,
    days: tuple[int, int] = TEN_DAYS,
    first_credited: int = MARCH,
) -> RecordExperiments:
    return experiments.of_record(read(folder, text), channels, days, first_credited)


def test_no_table_of_experiments_is_none(tmp_path: Path) -> None:
    assert found_by(experiments.read, tmp_path) is None


def test_a_plain_table_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, PLAIN)
    assert found.channel == ["Email"]
    assert (found.first_day.tolist(), found.last_day.tolist()) == ([MARCH + 1], [MARCH + 4])
    assert (found.effect.tolist(), found.error.tolist()) == ([120], [12])
    assert not found.is_lift


@pytest.mark.parametrize(
    "header",
    [
        "Channel,Start date,End date,Incremental conversions,Std. error",
        "utm_source,start,end,incremental,se",
        "Kanal,von,bis,incremental orders,Standardfehler",
        "platform,from,to,additional_conversions,stderr",
        "渠道,开始日期,结束日期,incremental,标准误",
    ],
)
def test_columns_are_found_by_usual_names(header: str, tmp_path: Path) -> None:
    found = read(tmp_path, f"{header}\n{ROW}")
    assert list(found.columns.values()) == header.split(",")
    assert found.effect.tolist() == [120]


def test_parameters_name_the_columns(tmp_path: Path) -> None:
    text = "who,a,b,c,d\nEmail,2024-03-02,2024-03-05,120,12\n"
    named = {
        "experiments_channel_column": "who",
        "experiments_first_day_column": "a",
        "experiments_last_day_column": "b",
        "experiments_incremental_column": "c",
        "experiments_error_column": "d",
    }
    assert read(tmp_path, text, **named).error.tolist() == [12]


def test_bounds_stand_for_a_standard_error_at_their_level(tmp_path: Path) -> None:
    text = "channel,start,end,incremental,lower,upper\nEmail,2024-03-02,2024-03-05,120,100,140\n"
    assert read(tmp_path, text).error == pytest.approx([20 / 1.6448536])
    at_95 = read(tmp_path, text, experiments_level="0.95")
    assert at_95.error == pytest.approx([20 / 1.9599640])


@pytest.mark.parametrize("cells", ["0.25,0.05", "25 %,5%", '"25,0%","5,0%"'])
def test_a_lift_is_a_share_or_in_hundredths(cells: str, tmp_path: Path) -> None:
    text = f"channel,start,end,lift,standard_error\nEmail,2024-03-02,2024-03-05,{cells}\n"
    found = read(tmp_path, text)
    assert found.is_lift
    assert (found.effect, found.error) == (pytest.approx([0.25]), pytest.approx([0.05]))


@pytest.mark.parametrize("day", ["2024-03-02", "1709337600", "20240302", "45353", "2 Mar 2024"])
def test_days_are_read_however_they_are_written(day: str, tmp_path: Path) -> None:
    assert read(tmp_path, f"{HEADER}Email,{day},{day},120,12\n").first_day.tolist() == [MARCH + 1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("start,end,incremental,se\n", "no column for the channel: .* in experiments_channel_col"),
        ("channel,end,incremental,se\n", "no column for the first day: it has .*first_day_column"),
        ("channel,start,incremental,se\n", "no column for the last day: .*experiments_last_day_c"),
        ("channel,start,end,se\n", "no column for what a channel brought: .*experiments_lift_colu"),
        ("channel,start,end,lift\n", "no column for the standard error: .*experiments_error_colu"),
        ("channel,start,end,lift,lower\n", "no column for the standard error: .*_upper_column"),
        (f"{HEADER},2024-03-02,2024-03-05,120,12\n", "column channel: row 1 is empty"),
        (f"{PLAIN}Email,2024-03-02,,120,12\n", "column last_day: row 2 is empty"),
        (f"{HEADER}Email,2024-03-02,2024-03-05,120,\n", "column standard_error: row 1 is empty"),
        (f"{HEADER}Email,2024-03-05,2024-03-02,120,12\n", "Email ends on 2024-03-02, before 2024"),
        (f"{HEADER}Email,2024-03-02,2024-03-05,120,0\n", "a standard error above 0, got 0"),
        (
            "channel,start,end,lift,se\nEmail,2024-03-02,2024-03-05,-1,0.1\n",
            "column lift: a lift is above -1, got -1",
        ),
    ],
)
def test_what_is_missing_is_named(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"experiments_table given.*{told}"):
        read(tmp_path, text)


def test_channels_are_those_of_the_touchpoints_whatever_their_letter_case(tmp_path: Path) -> None:
    found = matched(tmp_path, f"{HEADER}SOCIAL,2024-03-01,2024-03-10,5,1\n{ROW}")
    assert found.channel.tolist() == [1, 0]
    assert found.joined == {"SOCIAL": "Social"}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("Fax,2024-03-02,2024-03-05,1,1", "the touchpoints have no channel 'Fax', they have 'Ema"),
        (
            "Email,2024-02-20,2024-03-05,1,1",
            "the experiment on Email from 2024-02-20 to 2024-03-05 has days that the touchpoints "
            "lack, which are from 2024-03-01 to 2024-03-10",
        ),
        ("Email,2024-03-05,2024-03-11,1,1", "to 2024-03-11 has days that the touchpoints lack"),
    ],
)
def test_what_the_touchpoints_lack_is_an_error_that_says_which(
    row: str, told: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=told):
        matched(tmp_path, f"{HEADER}{row}\n")


def test_an_experiment_on_days_of_history_alone_is_refused(tmp_path: Path) -> None:
    assert len(matched(tmp_path, PLAIN, first_credited=MARCH + 4).channel) == 1
    with pytest.raises(DataError, match=r"Email .*ends before 2024-03-06, from which on convers"):
        matched(tmp_path, PLAIN, first_credited=MARCH + 5)


def test_a_table_without_rows_has_no_experiment(tmp_path: Path) -> None:
    found = read(tmp_path, HEADER)
    assert len(found.channel) == 0 and found.effect.dtype == np.float64
