"""The comparisons themselves: what they let through, and what they find."""

import gzip
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.end_to_end import compare, requests, secret

KEY = "1/" + "ab12" * 10
TABLE = pa.table({"Paid Search": [0.1 + 0.2, 2.0], "day": [0, 1], "who": ["007", None]})


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (pa.table({"paid_search": [2, 0.3], "day": [1, 0], "who": [None, "007"]}), ""),
        (TABLE.append_column("time", pa.array([1, 1])), ""),
        (TABLE.set_column(0, "Paid Search", pa.array([0.3000001, 2.0])), "0.3000001"),
        (TABLE.set_column(2, "who", pa.array(["7", None])), "'007'"),
        (TABLE.slice(1), "2 rows and 1"),
        (TABLE.drop_columns(["day"]), "columns"),
    ],
    ids=["order and print", "time", "a value", "a text", "a row", "a column"],
)
def test_tables_differ_by_more_than_order_and_print(other: pa.Table, says: str) -> None:
    found = compare.differing_tables({"t": TABLE}, {"t": other}, ["t"])
    assert (says in found[0]) if says else not found


def test_a_missing_table_is_a_difference() -> None:
    assert compare.differing_tables({"t": TABLE}, {}, ["t"]) == [
        "t: not among the second run's tables"
    ]


def test_seconds_and_folders_may_differ_in_run_info_and_nothing_else() -> None:
    def info(seconds: str, users: str) -> dict[str, pa.Table]:
        rows = [("seconds", "train", seconds), ("counts", "users", users)]
        names = ("section", "name", "value")
        return {"i": pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))}

    assert compare.differing_tables(info("1.5", "9"), info("2.5", "9"), ["i"]) == []
    assert compare.differing_tables(info("1.5", "9"), info("1.5", "8"), ["i"]) != []


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    parameters: dict[str, str]
    status: int = 200


ISSUED = Asked(
    "POST", "/v3/job/issue/presto/mta", {"query": "-- session_id: 3\nselect 1", "domain_key": "a"}
)
RUN = [ISSUED, *[Asked("GET", "/v3/job/status/17", {})] * 3, Asked("GET", "/v3/job/show/17", {})]


def renumbered(run: list[Asked]) -> list[Asked]:
    """The same run of another day."""
    return [
        replace(
            asked,
            path=asked.path.replace("17", "4"),
            parameters={
                key: value.replace("session_id: 3", "session_id: 1") if key == "query" else "b"
                for key, value in asked.parameters.items()
            },
        )
        for asked in run
    ]


def test_numbers_keys_and_polls_of_a_run_are_its_own() -> None:
    assert requests.differing(RUN, [*renumbered(RUN)[:2], *renumbered(RUN)[4:]]) == []


@pytest.mark.parametrize(
    "other",
    [
        RUN[:-1],
        [replace(ISSUED, parameters=ISSUED.parameters | {"query": "select 2"}), *RUN[1:]],
        [replace(ISSUED, status=409), *RUN[1:]],
        [replace(ISSUED, path="/v3/job/issue/hive/mta"), *RUN[1:]],
        [*RUN[:-1], replace(RUN[-1], path="/v3/job/show/18")],
    ],
    ids=["one less", "query", "status", "path", "another job"],
)
def test_another_request_is_a_difference(other: list[Asked]) -> None:
    assert requests.differing(RUN, other) != []


def test_a_key_is_found_wherever_it_is_packed(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(f"key: {KEY[2:]}")
    (tmp_path / "part.gz").write_bytes(gzip.compress(KEY.encode()))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(KEY.encode())[:-4])
    pq.write_table(pa.table({"c": [KEY]}), tmp_path / "t.parquet", compression="zstd")
    (tmp_path / "other.txt").write_text("1/cd34")
    found = {place.split()[0] for place in secret.files_with(tmp_path, KEY)}
    assert found == {"log.txt", "part.gz", "cut.gz", "t.parquet"}
