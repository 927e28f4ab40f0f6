"""A file that exists is complete."""

from pathlib import Path

import pytest

from td_mta.atomic_files import replacing


def test_a_file_takes_its_name_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "shapley.csv"
    target.write_text("old")
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
        assert temporary.parent == tmp_path  # a rename to another disk would copy
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "shapley.csv"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(target) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_temporary_name_may_be_chosen(tmp_path: Path) -> None:
    with replacing(tmp_path / "network.keras", "part-network.keras") as temporary:
        assert temporary == tmp_path / "part-network.keras"
        temporary.touch()


def test_an_unfinished_table_is_no_table(tmp_path: Path) -> None:
    """Tables are listed by the suffixes .csv and .parquet."""
    with replacing(tmp_path / "shapley.csv") as temporary:
        temporary.touch()
        assert list(tmp_path.glob("*.csv")) == []
