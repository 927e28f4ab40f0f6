"""Words of 62 bits name the cells of a pattern; pairs name counts."""

import pyarrow as pa
import pytest

from td_mta.dataset.pattern_words import pairs_of, patterns_of
from td_mta.journeys.patterns import Grid


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("", []),
        ("0:1", [0]),
        ("0:5", [0, 2]),
        (f"0:{1 << 61}", [61]),
        (f"0:{(1 << 62) - 1},1:1", list(range(63))),
        ("1:2,40:3", [63, 2480, 2481]),
    ],
)
def test_a_word_is_62_cells(text: str, cells: list[int]) -> None:
    texts = pa.array(["0:3", text, ""])
    patterns = patterns_of(texts, Grid(100, 25))
    assert patterns.sizes.tolist() == [2, len(cells), 0]
    assert patterns.cells[2 : 2 + len(cells)].tolist() == cells


def test_texts_without_any_pair_have_none() -> None:
    assert [column.tolist() for column in pairs_of(pa.array(["", ""]))] == [[], [], []]
    assert patterns_of(pa.array([], pa.string()), Grid(3, 2)).offsets.tolist() == [0]
