"""Names from data that mean harm: formulas of spreadsheets, commands of terminals, turned text."""

import csv
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_mta import check, main
from td_mta.reporting.chart_style import label
from td_mta.reporting.html import elements
from td_mta.visible_text import visible
from td_mta.warehouse.files import formulas
from td_mta.warehouse.local import LocalWarehouse
from tests.hostile import touchpoints

FORMULAS = ["=HYPERLINK(1)", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "'=1", "''@"]
PLAIN = ["-0.5", "+3", "1e-9", "-1e5", "a=b", "'tis", "", "Email", "(baseline)"]
TURNED = "Email \u202egnp.exe\x1b[2J"


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert formulas.prefixed(text) == f"'{text}"


@pytest.mark.parametrize("text", PLAIN)
def test_other_text_stays(text: str) -> None:
    assert formulas.prefixed(text) == text


@given(st.text(st.sampled_from("'=+-@\t\r1.eA "), max_size=8))
def test_reading_gives_back_what_was_written(text: str) -> None:
    written = formulas.prefixed(text)
    assert formulas.taken_off(pa.array([written])).to_pylist() == [text]


def test_our_tables_keep_names_and_hold_no_formula(tmp_path: Path) -> None:
    names = [*FORMULAS, *filter(None, PLAIN)]
    warehouse = LocalWarehouse(None, tmp_path, now=0)
    given_table = pa.table({"channel": names, "=x": range(len(names))})
    warehouse.write_all({"tab": given_table}, "overwrite")
    with (tmp_path / "tab.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["channel", "'=x"]
    assert [row[0] for row in rows] == [formulas.prefixed(name) for name in names]
    again = LocalWarehouse(None, tmp_path, now=0)
    assert again.columns("tab") == ["channel", "=x"]
    assert pa.Table.from_batches(again.read("tab", ["channel", "=x"])) == given_table
    again.write_all({"tab": given_table}, "append")
    assert again.query("select count(distinct channel) as n from tab")["n"].to_pylist() == [
        len(names)
    ]


def test_text_that_turns_is_shown_by_its_number() -> None:
    shown = "Email [U+202E]gnp.exe[U+001B][2J"
    assert visible(TURNED) == shown
    assert elements.text(TURNED) == shown
    assert label(TURNED).startswith("Email [U+202E]gnp")


def test_a_terminal_gets_no_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "touchpoints.csv"
    file.write_bytes(touchpoints.csv_bytes().replace(b",A,", f",{TURNED},".encode()))
    assert check.main([str(file), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err and "[U+202E]gnp.exe" in printed.out


def test_the_report_and_the_screen_of_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "paths.csv").write_text(
        f"path,conversions,nulls\n=1+1 > {TURNED},3,5\n{TURNED} > <script>x</script>,3,5\n"
    )
    assert main.main([str(tmp_path / "paths.csv"), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed and "\u202e" not in printed
    page = (tmp_path / "out" / "report.html").read_text("utf-8").split("<script>/**")[0]
    assert "Content-Security-Policy" in page
    assert "\u202e" not in page and "\x1b" not in page and "<script>x" not in page
    models = (tmp_path / "out" / "shapley_models.csv").read_text("utf-8")
    assert ",'=1+1," in models and ",=1+1," not in models
