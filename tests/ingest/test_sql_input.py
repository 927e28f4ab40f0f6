"""What the workflow's SQL took times and amounts for is said after it, by the tables it read."""

from pathlib import Path

import pytest

from td_mta.config import attribution as configuration
from td_mta.ingest import sql_input
from td_mta.warehouse.local import LocalWarehouse

HEADER = "time,user_id,channel,conversion,value"


def notes(folder: Path, rows: list[str], **parameters: str) -> list[str]:
    (folder / "touchpoints.csv").write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    given = {"union_query": "union_touchpoints", "touchpoints_value_column": "value"} | parameters
    config = configuration.from_params(given, "test", out=folder)
    return sql_input.notes(config, LocalWarehouse(folder, folder / "out", now=0))


def test_seconds_and_plain_amounts_need_no_word(tmp_path: Path) -> None:
    assert notes(tmp_path, ["1700000000,u,Email,1,2.50", "1700000001,u,Email,1,3"]) == []


@pytest.mark.parametrize(
    ("time", "zone", "said"),
    [
        ("1700000000000", "UTC", "milliseconds"),
        (
            "2024-03-04 09:00:00",
            "Asia/Tokyo",
            "times without an offset, as local times of Asia/Tokyo",
        ),
        ("31/12/2024", "UTC", "dates with the day first"),
    ],
)
def test_units_forms_and_zones_are_said(tmp_path: Path, time: str, zone: str, said: str) -> None:
    (sentence,) = notes(tmp_path, [f"{time},u,Email,1,"], day_timezone=zone)
    assert sentence.startswith("The SQL read table touchpoints, column time: ")
    assert said in sentence


def test_the_decimal_mark_and_the_currency_are_said(tmp_path: Path) -> None:
    rows = ['1700000000,u,Email,1,"1,50 €"', '1700000001,u,Email,1,"1.234 €"']
    (sentence,) = notes(tmp_path, rows)
    assert sentence.startswith("The SQL read table touchpoints, column value: ")
    assert "decimal commas in column value" in sentence
    assert "€ in column value" in sentence


def test_other_inputs_are_not_looked_at(tmp_path: Path) -> None:
    assert notes(tmp_path, ["1700000000000,u,Email,1,"], table="other") == []
    assert notes(tmp_path, ["1700000000000,u,Email,1,"], union_query="union") == []


def test_a_table_dropped_since_has_no_notes(tmp_path: Path) -> None:
    assert notes(tmp_path, ["1700000000,u,Email,1,"], touchpoints_table="gone") == []
