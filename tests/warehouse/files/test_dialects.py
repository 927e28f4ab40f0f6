"""A table in any dialect of CSV reads back as the same table, and what was guessed is said."""

import csv
import gzip
import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_mta.errors import DataError
from td_mta.warehouse.file_options import FileOptions
from td_mta.warehouse.files import plain
from td_mta.warehouse.files.typed_files import TypedFiles
from td_mta.warehouse.local import LocalWarehouse

ROWS = [
    ("u1", 1709542800, "Email", 20.5),
    ("u2", 1709542801, "Büro", None),
    ("u1", 1709542802, "Paid Search", 3.0),
]
NAMES = ["user_id", "time", "channel", "value"]
PLAIN = """user_id,time,channel,value
u1,1709542800,Email,20.50
u2,1709542801,Büro,
u1,1709542802,Paid Search,3
"""


class Found(NamedTuple):
    """A table as it came back."""

    names: list[str]
    rows: list[tuple[object, ...]]
    said: list[str]


def read(folder: Path, content: bytes | str, file: str = "t.csv", **options: object) -> Found:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    (data / file).write_bytes(content.encode() if isinstance(content, str) else content)
    files = FileOptions(**options)  # type: ignore[arg-type]
    warehouse = LocalWarehouse(data, folder / "out", now=0, files=files)
    names = warehouse.columns("t")
    table = pq.read_table(warehouse.typed_file("t"))
    assert table.column_names == names
    return Found(names, [tuple(row.values()) for row in table.to_pylist()], warehouse.notes())


# --- one departure from plain CSV each, and what is said of it -------------------------------

SEMICOLONS = PLAIN.replace(",", ";")
CRLF = PLAIN.replace("\n", "\r\n")
DIALECTS: dict[str, tuple[bytes | str, str | None]] = {
    "plain": (PLAIN, None),
    "semicolons": (SEMICOLONS, "columns separated by ; (set file_separator to override)"),
    "tabs": (PLAIN.replace(",", "\t"), "columns separated by tabs"),
    "bars": (PLAIN.replace(",", "|"), "columns separated by |"),
    "a line that says the separator": (f"sep=;\r\n{SEMICOLONS}", "columns separated by ;"),
    "that line in quotes": (f'"sep=;"\n{SEMICOLONS}', "columns separated by ;"),
    "a byte order mark": (PLAIN.encode("utf-8-sig"), None),
    "a mark and quotes": (('"user_id"' + PLAIN[7:]).encode("utf-8-sig"), None),
    "utf-16": (PLAIN.encode("utf-16"), "encoding utf-16"),
    "utf-16, the high byte first": (b"\xfe\xff" + PLAIN.encode("utf-16-be"), "encoding utf-16"),
    "utf-16 without a mark": (PLAIN.encode("utf-16-le"), "encoding utf-16-le"),
    "utf-16-be without a mark": (PLAIN.encode("utf-16-be"), "encoding utf-16-be"),
    "utf-32": (PLAIN.encode("utf-32"), "encoding utf-32"),
    "latin-1": (PLAIN.encode("latin-1"), "encoding cp1252 (set file_encoding to override)"),
    "lines end as on Windows": (CRLF, None),
    "lines end as on old Macs": (PLAIN.replace("\n", "\r"), None),
    "lines end twice": (PLAIN.replace("\n", "\r\r\n"), None),
    "no end of the last line": (PLAIN.rstrip("\n"), None),
    "blank lines": ("\n\n" + PLAIN.replace("u2", "\n \nu2") + "\n  \n\n", None),
    "empty columns": (PLAIN.replace("\n", ",,\n"), None),
    "empty columns of the header alone": (PLAIN.replace("value\n", "value,,\n"), None),
    "empty columns of the rows alone": (PLAIN.replace("\n", ",\n").replace("ue,", "ue"), None),
    "rows of separators": (PLAIN + ",,,\n,,,\n", None),
    "everything in quotes": (
        "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in PLAIN.splitlines()),
        None,
    ),
    "blanks in the header": (PLAIN.replace("channel", " channel\u00a0"), None),
    "a preamble of comments": (
        f"# ----\n# All Data, 2024\n# ----\n\n{PLAIN}",
        "header found in line 5 (set file_header_line to override)",
    ),
    "a preamble as wide as the table": (f"Report,,,\nMarch 2024,,,\n,,,\n{PLAIN}", "in line 4"),
    "a title": (f"Campaign report\n{PLAIN}", "header found in line 2"),
    "two titles": (f"Report: x\nFrom,2024-03-01\n{PLAIN}", "header found in line 3"),
    "a title in quotes": (f'All\n"January 1, 2024"\n{PLAIN}', "header found in line 3"),
    "sums": (f"{PLAIN}Total,,,23.50\n", "1 line of sums or remarks at the end left out"),
    "sums of an advertiser": (
        f"{PLAIN}Total: Campaigns,--,--,9\nTotal: Account,--,--,9\n",
        "2 lines",
    ),
    "sums, then a remark": (
        f"{PLAIN}\nTotal,,,23.50\nMade by a shop,,,\n",
        "2 lines of sums or remarks at the end left out",
    ),
    "a remark of all columns": (f"{PLAIN}\nMade by a shop,,,\n", "1 line of sums or remarks"),
    "German sums": (SEMICOLONS + "Gesamt;;;23,50\n\n", "1 line of sums or remarks"),
    "Spanish sums below other columns": (
        SEMICOLONS + ";;Total general;23,50\n",
        "1 line of sums or remarks",
    ),
    "Russian sums": (f"{PLAIN}Итого:,,,23.50\n", "1 line of sums or remarks"),
    "a second table": (f"{PLAIN}\nDay Index,Sessions\n3/1/24,5\n,5\n", "3 lines below the table"),
    "a remark": (f"{PLAIN}Source: the shop\n", "1 line below the table left out (Source: the"),
    "cells left off": (PLAIN.replace("Büro,", "Büro"), "1 line with too few cells filled up"),
    "gzip under another name": (gzip.compress(PLAIN.encode()), None),
}


@pytest.mark.parametrize("content,said", DIALECTS.values(), ids=DIALECTS)
def test_a_dialect_reads_as_the_same_table(
    tmp_path: Path, content: bytes | str, said: str | None
) -> None:
    found = read(tmp_path, content)
    assert found.names == NAMES
    assert found.rows == ROWS
    assert found.said == [] if said is None else len(found.said) == 1 and said in found.said[0]


ENDINGS = {
    "t.CSV": PLAIN,
    "T.Csv": PLAIN,
    "t.tsv": PLAIN.replace(",", "\t"),
    "t.TSV": PLAIN.replace(",", "\t"),
    "t.txt": PLAIN.replace(",", "|"),
    "t.csv.gz": gzip.compress(PLAIN.encode("utf-16")),
    "t.tsv.gz": gzip.compress(PLAIN.replace(",", "\t").encode()),
}


@pytest.mark.parametrize("file", ENDINGS)
def test_the_ending_may_be_any(tmp_path: Path, file: str) -> None:
    assert read(tmp_path, ENDINGS[file], file).rows == ROWS


def test_parquet_is_seen_by_its_content(tmp_path: Path) -> None:
    columns = [list(column) for column in zip(*ROWS, strict=True)]
    content = io.BytesIO()
    pq.write_table(pa.table(columns, names=NAMES), content)
    for file in ("t.PARQUET", "t.csv"):
        folder = tmp_path / file
        folder.mkdir()
        assert read(folder, content.getvalue(), file).rows == ROWS


@pytest.mark.parametrize(
    "encoding,word",
    {
        "koi8-r": "Поиск",
        "cp1251": "Поиск",
        "shift_jis": "メール",
        "gbk": "电子邮件",
        "cp1250": "Łódź",
        "mac-roman": "Büro",
        "latin-1": "10 €",
        "utf-16": "日本",
        "UTF8": "日本",
    }.items(),
)
def test_an_encoding_may_be_named(tmp_path: Path, encoding: str, word: str) -> None:
    as_written = "cp1252" if encoding == "latin-1" else encoding
    content = f"user_id,channel\nu1,{word}\n".encode(as_written)
    found = read(tmp_path, content, encoding=encoding)
    assert (found.rows, found.said) == ([("u1", word)], [])


def test_signs_that_only_windows_has_are_right(tmp_path: Path) -> None:
    word = "“Sale” 10 € …"
    assert read(tmp_path, f"a,b\n1,{word}\n".encode("cp1252")).rows == [(1, word)]


def test_what_is_said_is_one_line_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    content = f"# all\n# data\n\n{SEMICOLONS}Gesamt;;;1\n".encode("cp1252")
    said = (
        "t.csv: encoding cp1252, columns separated by ;, header found in line 4, 1 line of "
        "sums or remarks at the end left out (set file_encoding, file_separator, file_header_line "
        "to override)"
    )
    assert read(tmp_path, content).said == [said]
    assert [record.getMessage() for record in caplog.records] == [said]


def test_parameters_beat_what_would_be_guessed(tmp_path: Path) -> None:
    found = read(tmp_path, "a,b;c\n1,5;2\n", separator=",")
    assert (found.names, found.rows) == (["a", "b;c"], [(1, "5;2")])
    found = read(tmp_path, "x,y\na,b\n1,2\n", header_line=2)
    assert (found.names, found.rows, found.said) == (["a", "b"], [(1, 2)], [])
    found = read(tmp_path, "u1,5,Email\nu2,6,Email\n", header_line=1)
    assert found.names == ["u1", "5", "Email"]
    assert read(tmp_path, "a b\n1 2\n", separator=" ").rows == [(1, 2)]


ONE_COLUMN = {
    "plain": ("path\nA > B\nC\n", ["A > B", "C"]),
    "with commas": ("path\nA, B\nC\n", ["A, B", "C"]),
    "with as many commas each": ("path\nEmail, Social\nDisplay, Search\n", None),
    "with bars": ("path\nA|B\nC|D\nA|C\n", ["A|B", "C|D", "A|C"]),
    "numbers": ("user\n1\n2\n", [1, 2]),
}


@pytest.mark.parametrize("content,expected", ONE_COLUMN.values(), ids=ONE_COLUMN)
def test_a_header_without_a_separator_is_one_column(
    tmp_path: Path, content: str, expected: list[object] | None
) -> None:
    expected = expected or content.splitlines()[1:]
    assert [row[0] for row in read(tmp_path, content).rows] == expected


SEPARATORS = {
    "a list in a cell": ("user,path\n1,a;b\n2,c;d\n", ["user", "path"]),
    "decimal commas": ("user;time;value\na;1;2,5\nb;2;3,5\n", ["user", "time", "value"]),
    "a comma in the header": ("user;value, EUR\na;2,5\nb;3,5\n", ["user", "value, EUR"]),
    "commas in paths": ("path;conv\nA > B, C;3\nD;4\n", ["path", "conv"]),
    "commas in quotes": ('a;b\n"1,2";x\n"3,4";y\n', ["a", "b"]),
    "bars in a table of commas": ("a,b\nx|y,1\nz|w,2\n", ["a", "b"]),
    "only a header": ("a;b;c\n", ["a", "b", "c"]),
}


@pytest.mark.parametrize("content,names", SEPARATORS.values(), ids=SEPARATORS)
def test_the_separator_is_the_one_that_header_and_rows_share(
    tmp_path: Path, content: str, names: list[str]
) -> None:
    assert read(tmp_path, content).names == names


# --- headers ---------------------------------------------------------------------------------


def test_a_column_without_a_name_is_numbered_where_it_holds_something(tmp_path: Path) -> None:
    found = read(tmp_path, ",user,time,\n0,a,5,\n1,b,6,\n")
    assert found.names == ["column_1", "user", "time"]
    assert found.said == ["t.csv: a column without a name is called column_1"]


def test_a_name_that_stands_twice_is_numbered(tmp_path: Path) -> None:
    found = read(tmp_path, "user,channel,x,channel,channel\nu,a,1,b,c\n")
    assert found.names == ["user", "channel", "x", "channel_2", "channel_3"]
    assert "columns 2 and 4 are both called channel, so the second is channel_2" in found.said[0]


def test_names_lose_line_breaks_and_blanks(tmp_path: Path) -> None:
    found = read(tmp_path, '"User\nid", "time" ,ch\u00a0annel\nu,5,E\n')
    assert found.names[0] == "User id"
    assert found.names[2] == "ch annel"
    assert found.rows == [("u", 5, "E")]


@pytest.mark.parametrize(
    "header",
    ["user,1,2,3", "channel,2024-03-01,2024-03-08", "channel,2022,2023", "Q1 2024,7 days,x"],
)
def test_numbers_may_be_names(tmp_path: Path, header: str) -> None:
    row = ",".join(["5"] * header.count(","))
    assert read(tmp_path, f"{header}\nu,{row}\n").names == header.split(",")


def test_thousands_of_columns_are_refused_at_once(tmp_path: Path) -> None:
    for names in (["a"] * 2001, [""] * 100_000):  # those of one name took minutes
        with pytest.raises(DataError, match=f"a table of {len(names):,} columns, and 2,000 are"):
            read(tmp_path, ",".join(names) + "\n")
    table = pa.table({f"c{number}": [1] for number in range(2001)})
    pq.write_table(table, tmp_path / "wide.parquet")
    with pytest.raises(DataError, match=r"wide\.parquet: a table of 2,001 columns"):
        TypedFiles(lambda: tmp_path).columns(tmp_path / "wide.parquet", FileOptions())


# --- what cannot be read ---------------------------------------------------------------------

FIVE = "a,b,c,d,e\n1,2,3,4,5\n"
REMEDY = "save it as CSV UTF-8"
BROKEN: dict[str, tuple[bytes | str, str]] = {
    "nothing": ("", "it is empty"),
    "blanks": ("\n \n\n", "it is empty"),
    "no header": ("u1,1709542800,Email\nu2,1709542801,Email\n", "line 1 holds values .1709542800."),
    "no header but dates": ("2024-03-01 10:00,a\n2024-03-02 11:00,b\n", "line 1 holds values"),
    "an unquoted decimal comma": ("a,b\n1,2\n1,20,50\n", "line 3: Expected 2 columns, got 3"),
    "a torn row": (FIVE + "1,2,Em\nail,4,5\n1,2,3,4,5\n", "line 3: Expected 5 columns, got 3"),
    "a lone cell in the middle": (FIVE + "x\n1,2,3,4,5\n", "line 3: Expected 5 .* got 1: 'x'"),
    "an open quote": (
        'a,b,c\n1,"2,3\n1,2,3\n3,4,5\n',
        "line 2: .*a quote is opened and not closed",
    ),
    "two open quotes": ('a,b,c\n1,2,3\n1,"2,3\n1,2,3\n3,"4,5\n1,1,1\n', "line 3 opens a quote"),
    "russian": ("a,b\n1,Поиск\n".encode("koi8-r"), f"line 2 is no UTF-8.*file_encoding.*{REMEDY}"),
    "russian of Windows": ("a,b\n1,Поиск\n".encode("cp1251"), "line 2 is no UTF-8"),
    "japanese": ("a,b\n1,x\n2,メール\n".encode("shift_jis"), f"line 3 is no UTF-8.*{REMEDY}"),
    "chinese": ("a,b\n1,电子邮件\n".encode("gbk"), f"line 2 is no UTF-8.*{REMEDY}"),
    "damaged": ("a,b\n1,Büro\n2,Büro\n".encode() + b"3,\xff\n", f"line 4 is no UTF-8.*{REMEDY}"),
    "a zero byte": ("a,b\n1,2\n1,\0\n", "line 3 holds a zero byte"),
    "a zip archive": (b"PK\x03\x04 and more", "not a table but a zip archive: unpack it"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1", r"an old Excel file \(.xls\): save it as"),
    "a web page": ("\n<!DOCTYPE html><html>", "not a table but a web page"),
    "JSON": ('{"user": 1}\n', "not a table but a JSON file"),
    "half of a gzip file": (gzip.compress(PLAIN.encode())[:-9], "not a readable gzip file"),
    "no Parquet": (b"PAR1 but no more", "not a readable Parquet file"),
}


def test_a_gzip_bomb_is_refused_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "MOST_ANYWAY", 1 << 22)
    with pytest.raises(DataError, match=r"more than 4 MB, 100 times its size, .* unpack it before"):
        read(tmp_path, gzip.compress(bytes(20_000_000)), "t.csv.gz")
    scratch = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "t.csv.gz"]
    assert all(path.stat().st_size < 1 << 24 for path in scratch)


@pytest.mark.parametrize("content,message", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_right_is_named_with_its_line(
    tmp_path: Path, content: bytes | str, message: str
) -> None:
    with pytest.raises(DataError, match=rf"data/t\.csv: .*{message}"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    "content,options,message",
    [
        (PLAIN.encode("latin-1"), {"encoding": "utf-8"}, f"line 3 is no UTF-8.*{REMEDY}"),
        (PLAIN.encode("latin-1"), {"encoding": "ascii"}, f"line 3 is no ascii.*{REMEDY}"),
        (PLAIN, {"header_line": 9}, "line 9 is empty or missing"),
        ("\n\n" + PLAIN, {"header_line": 2}, "line 2 is empty or missing"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(
    tmp_path: Path, content: bytes | str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, content, **options)


# --- all together ----------------------------------------------------------------------------

# No blanks around a word, which is never empty; few letters beyond ASCII, as in Western Europe.
WORD = st.from_regex(r"w[aZ,;|\t\"' ]{0,4}(é?[aZ,;|\t\"' ]){0,2}w", fullmatch=True)


class Dialect(NamedTuple):
    """How a table is written."""

    separator: str
    encoding: str
    line_end: str
    preamble: Sequence[str]
    empty_columns: int
    says_separator: bool
    quoting: int
    compressed: bool


DIALECT = st.builds(
    Dialect,
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    preamble=st.sampled_from([[], ["# ---", "# All", ""], ["Report: all", "", ""], [""]]),
    empty_columns=st.integers(0, 2),
    says_separator=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    compressed=st.booleans(),
)
TABLE = st.lists(st.tuples(WORD, st.integers(10**9, 2 * 10**9), st.none() | WORD), min_size=2)


@given(TABLE, DIALECT)
def test_any_table_in_any_dialect_reads_back(
    tmp_path_factory: pytest.TempPathFactory,
    table: list[tuple[str, int, str | None]],
    dialect: Dialect,
) -> None:
    found = read(tmp_path_factory.mktemp("dialect"), written(table, dialect))
    assert found.names == ["user id", "time", "channel"]
    assert found.rows == table


def test_a_cell_may_have_line_breaks(tmp_path: Path) -> None:
    found = read(tmp_path, 'a;b\r\n"x\r\ny";1\r\n"Hello,\nyou";2\r\n')
    assert found.rows == [("x\r\ny", 1), ("Hello,\nyou", 2)]


def written(table: list[tuple[str, int, str | None]], dialect: Dialect) -> bytes:
    text = io.StringIO(newline="")
    if dialect.says_separator:
        text.write(f"sep={dialect.separator}{dialect.line_end}")
    text.writelines(f"{line}{dialect.line_end}" for line in dialect.preamble)
    writer = csv.writer(
        text,
        delimiter=dialect.separator,
        lineterminator=dialect.line_end,
        quoting=dialect.quoting,
    )
    for row in [("user id", "time", "channel"), *table]:
        writer.writerow([*row, *[""] * dialect.empty_columns])
    content = text.getvalue().encode(dialect.encoding)
    return gzip.compress(content) if dialect.compressed else content
