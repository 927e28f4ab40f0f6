"""Users and channels as their owners write them: what they mean."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_mta.errors import DataError
from td_mta.ingest import coercion
from td_mta.ingest.columns import BLANKS

NAN = float("nan")
WORDS = ("na", "null", "undefined", "(not set)")


def test_spaces_around_names_are_taken_off_and_counted_by_row() -> None:
    column = pa.array([" Email", "Email", "Email\t", "", "  ", None, "\u3000é", " Email"])
    result = coercion.names(column)
    names = [result.names[code] for code in result.codes]
    assert names == ["Email", "Email", "Email", None, None, None, "é", "Email"]
    assert result.trimmed == 5


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (pa.array([7, None]), ["7", None]),
        (pa.array([7.0, NAN]), ["7", None]),
        (pa.array([None, None], pa.null()), [None, None]),
        (pa.array([], pa.string()), []),
    ],
    ids=["whole", "float", "nothing", "empty"],
)
def test_names_may_be_numbers_or_missing(column: pa.Array, names: list[str | None]) -> None:
    result = coercion.names(column)
    assert [result.names[code] for code in result.codes] == names
    assert result.trimmed == 0


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        (pa.array(["a", "", None, "日本"]), ["a", None, None, "日本"]),
        (pa.array([7, None]), ["7", None]),
        (pa.array([7.0, NAN]), ["7", None]),
        (pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (pa.array([None], pa.null()), [None]),
    ],
    ids=["text", "whole", "float", "dictionary", "nothing"],
)
def test_a_user_is_a_text_and_an_empty_one_is_missing(
    column: pa.Array, ids: list[str | None]
) -> None:
    assert coercion.users(column).ids.to_pylist() == ids


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        (
            pa.array(["c1 ", " c1", "c1\xa0", "\ufeffc1", "c1\u202f", "\u200bc1", "\tc1\r\n"]),
            ["c1"] * 7,
        ),
        (pa.array([" ", "\xa0", "\u200b"]), [None] * 3),
        (pa.array(["a b", "a\xa0b"]), ["a b", "a\xa0b"]),
        (pa.array([12.0, 2.0**53, -3.0, np.nan]), ["12", str(2**53), "-3", None]),
        (pa.array([1e18, 1e15]), [str(10**18), str(10**15)]),
        (pa.array([2**63 - 1, 2**53 + 1]), [str(2**63 - 1), str(2**53 + 1)]),
        (pa.array(["007", "12.10", "1e5", "12.0"]), ["007", "12.10", "1e5", "12.0"]),
        (
            pa.array(["0", "-1", "00000000-0000-0000-0000-000000000000"]),
            ["0", "-1", "00000000-0000-0000-0000-000000000000"],
        ),
    ],
    ids=["blanks", "only blanks", "inner", "float", "large float", "long", "text", "no missing"],
)
def test_a_user_is_the_same_however_it_was_stored(column: pa.Array, ids: list[str | None]) -> None:
    assert coercion.users(column).ids.to_pylist() == ids


@pytest.mark.parametrize("number", [12.5, 0.1, 1e19, np.inf])
def test_a_user_that_is_no_whole_number_is_refused(number: float) -> None:
    with pytest.raises(DataError, match=r"table t, column u must hold ids, got .* write the ids"):
        coercion.users(pa.array([1.0, number]), location="table t, column u")


def test_words_for_a_missing_user_are_counted_by_the_word() -> None:
    column = pa.array(["undefined", "u", " UNDEFINED ", "undefined", "(not set)", "nullify", None])
    ids, words = coercion.users(column, WORDS)
    assert ids.to_pylist() == [None, "u", None, None, None, "nullify", None]
    assert words == {"undefined": 2, "UNDEFINED": 1, "(not set)": 1}


def test_words_beyond_ascii_are_found_in_any_letter_case() -> None:
    ids, words = coercion.users(pa.array(["ÜBRIGE", "u"]), ("übrige",))
    assert (ids.to_pylist(), words) == ([None, "u"], {"ÜBRIGE": 1})


def test_words_for_a_missing_channel_are_counted_by_the_word() -> None:
    result = coercion.names(pa.array(["NA", "Email", "NA ", "Null", None]), WORDS)
    assert [result.names[code] for code in result.codes] == [None, "Email", None, None, None]
    assert result.null_words == {"NA": 2, "Null": 1}
    assert coercion.names(pa.array(["NA"]), ()).null_words == {}


@given(st.lists(st.text(f"ab\u00e9{BLANKS}", max_size=4)))
def test_blanks_are_those_of_python_and_of_no_width(values: list[str]) -> None:
    trimmed = [value.strip(BLANKS) or None for value in values]
    assert coercion.users(pa.array(values, pa.string())).ids.to_pylist() == trimmed
    assert all(value is None or value == value.strip() for value in trimmed)
