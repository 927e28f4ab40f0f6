"""A table beside the touchpoints, as its reader finds it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from td_mta.config import attribution as configuration
from td_mta.config.attribution import Config
from td_mta.warehouse import Warehouse
from td_mta.warehouse.local import LocalWarehouse

MARCH = 19_783  # 2024-03-01, in days since 1970
TEN_DAYS = (MARCH, MARCH + 9)
CHANNELS = ("Email", "Social")

Found = TypeVar("Found")
Reader = Callable[[Config, Warehouse], Found | None]


def found_by(reader: Reader[Found], folder: Path, **settings: str) -> Found | None:
    """What is found in the CSV tables of a folder with these parameters."""
    config = configuration.from_params({"action_column": "channel"} | settings, "test", out=folder)
    return reader(config, LocalWarehouse(folder, folder / "out", now=0))


def read_by(
    reader: Reader[Found], parameter: str, folder: Path, text: str, **settings: str
) -> Found:
    """What is found in a table of this text, which the parameter names `given`."""
    (folder / "given.csv").write_text(text, encoding="utf-8")
    found = found_by(reader, folder, **{parameter: "given"}, **settings)
    assert found is not None
    return found
