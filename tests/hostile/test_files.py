"""Files that are damaged, or hold what no touchpoint is: one sentence, or read as they are."""

import random
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from td_mta import check
from tests.hostile import touchpoints
from tests.hostile.touchpoints import ROWS, converts


def bytes_as_text(values: list[bytes]) -> pa.Array:
    """A column of text whose bytes nobody has checked."""
    column = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(column), column.buffers())


def ends(first: int, kind: pa.DataType) -> pa.Array:
    """Times of which the first one is at the end of its type's range."""
    return pa.array([first, *range(1, ROWS)], kind)


LISTS = pa.array([["A"]] * ROWS)
STRUCTS = pa.array([{"a": "A"}] * ROWS)
MAPS = pa.array([[("a", "A")]] * ROWS, pa.map_(pa.string(), pa.string()))
LATIN = [b"caf\xe9"] * ROWS
IDS = [f"u{row % touchpoints.USERS}" for row in range(ROWS)]
COLUMNS = {
    "pq_ch_list": ({"channel": LISTS}, "column channel must hold one value in each row, got list"),
    "pq_ch_struct": ({"channel": STRUCTS}, "column channel must hold one value in each row, got s"),
    "pq_ch_map": ({"channel": MAPS}, "column channel must hold one value in each row, got map"),
    "pq_ch_binbad": ({"channel": pa.array(LATIN)}, "column channel holds bytes that are no UTF-8"),
    "pq_badutf8": ({"channel": bytes_as_text(LATIN)}, "column channel holds bytes that are no UTF"),
    "pq_user_struct": ({"user_id": STRUCTS}, "column user_id must hold one value in each row, got"),
    "pq_user_list": ({"user_id": LISTS}, "column user_id must hold one value in each row, got lis"),
    "pq_user_badutf8": ({"user_id": bytes_as_text(LATIN)}, "column user_id holds bytes that are n"),
    "pq_cv_list": ({"conversion": LISTS}, "column conversion must hold one value in each row, got"),
    "pq_date_max": ({"time": ends(2**31 - 1, pa.date32())}, "from 1970-01-02 to the year 5137"),
    "pq_date_min": ({"time": ends(-(2**31), pa.date32())}, "from 1970-01-02 to the year 5137"),
    "pq_ts_max": ({"time": ends(2**63 - 1, pa.timestamp("us"))}, "from 1970-01-02 to the year"),
    "pq_ts_min": ({"time": ends(-(2**63), pa.timestamp("ms"))}, "from 1970-01-02 to the year 5137"),
}
NAMED = ("user_column=user_id", "action_column=channel", "conversion_column=conversion")


@pytest.mark.parametrize(("columns", "says"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_that_cannot_be_read_is_one_sentence(
    columns: dict[str, pa.Array], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = touchpoints.parquet(tmp_path, **columns)
    sets = [part for pair in (*NAMED, "time_column=time") for part in ("--set", pair)]
    assert touchpoints.run(file, *sets) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert len(errors) == 1 and says in errors[0]


@pytest.mark.parametrize(
    "users",
    [
        pa.array(IDS, pa.string_view()),
        pa.array(IDS, pa.large_string()),
        pa.array(IDS).cast(pa.binary()),
        pa.array(IDS).dictionary_encode(),
    ],
    ids=["pq_string_view", "pq_large_string", "pq_binary", "pq_dictionary"],
)
def test_text_of_another_type_is_read(
    users: pa.Array, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    channels = pa.array([None if converts(row) else "AB"[row % 2] for row in range(ROWS)])
    file = touchpoints.parquet(tmp_path, user_id=users, channel=channels.cast(users.type))
    assert check.main([str(file), "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert re.search(rf"^users +{touchpoints.USERS}, ", printed, re.MULTILINE)
    assert "A 133 (" in printed and "B 133 (" in printed


def test_two_columns_of_one_name_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = [pa.array(["u"]), pa.array([1767225600]), pa.array(["A"])]
    table = pa.Table.from_arrays(columns, names=["user_id", "time", "time"])
    pq.write_table(table, tmp_path / "t.parquet")
    assert check.main([str(tmp_path / "t.parquet"), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].endswith("several columns are called 'time': rename or leave out one")


@pytest.mark.parametrize("seed", range(8))
def test_a_parquet_file_with_flipped_bytes_is_read_or_refused(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = touchpoints.parquet(tmp_path)
    file.write_bytes(flipped(file.read_bytes(), random.Random(seed)))
    assert check.main([str(file), "--out", str(tmp_path / "out")]) in (0, 2)
    assert "a fault of the program" not in capsys.readouterr().err


def flipped(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(5):
        changed[rng.randrange(4, len(changed) - 4)] = rng.randrange(256)
    return bytes(changed)


def replaced(old: bytes, new: bytes) -> bytes:
    return touchpoints.csv_bytes().replace(old, new, 1)


TEXTS = {
    "csv_nul": (replaced(b"A", b"A\0"), "holds a zero byte: the file is damaged"),
    "csv2_ch_1e6": (replaced(b",A,", b"," + b"c" * 10**6 + b","), "at most 1,000 characters, got"),
    "csv_is_a_header_alone": (b"user_id,time,channel,conversion\n", "has no rows"),
    "csv_no_encoding": (replaced(b",A,", b",\x81\x8d\xe9,"), "is no UTF-8, and the file is no"),
}


@pytest.mark.parametrize(("content", "says"), TEXTS.values(), ids=TEXTS)
def test_a_text_that_cannot_be_read_is_one_sentence(
    content: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "touchpoints.csv"
    file.write_bytes(content)
    assert touchpoints.run(file) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ") and says in last and len(last) < 600


@pytest.mark.parametrize(
    "content",
    [
        replaced(b"conversion\n", "conversion,Größe\n".encode("latin-1")).replace(b"1\n", b"1,\n"),
        replaced(b"channel", b"chan\xb6nel"),
    ],
    ids=["latin1_header", "fuzz_183"],
)
def test_a_header_in_latin_1_is_read(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    file = tmp_path / "touchpoints.csv"
    file.write_bytes(content)
    assert check.main([str(file), "--out", str(tmp_path)]) == 0
    assert "encoding cp1252" in caplog.text
