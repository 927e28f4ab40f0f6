"""A finished run's folder as its output tables, whatever prefix their names have."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from td_mta.errors import DataError
from td_mta.reporting import output_tables
from td_mta.reporting.media_mix.frames import MEDIA_MIX_TABLES
from td_mta.reporting.run_tables import RunTables
from td_mta.tables import CHANNELS
from td_mta.warehouse.files import folder as table_files
from td_mta.warehouse.local import LocalWarehouse

INFO = "_run_info"
NEEDED = ("models", "run_info")  # what a run of paths has too
OPTIONAL = ("credit",)  # written where it is asked for, and of every conversion
REMEDY = "Run it again with this version: python -m td_mta.main FILE --out FOLDER."


def is_run(folder: Path) -> bool:
    """Whether a run has written its tables to this folder."""
    return bool(_prefixes(folder))


def _prefixes(folder: Path) -> list[str]:
    """What the names of a run's tables begin with; a media mix run beside it is another thing."""
    names = [name for name in table_files.tables(folder) if name.endswith(INFO)]
    return [name.removesuffix(INFO) for name in names if name not in MEDIA_MIX_TABLES]


def read(folder: Path) -> RunTables:
    """The tables of the newest run; raises `DataError`, saying what is missing and what to do."""
    check_there(folder)
    prefixes = _prefixes(folder)
    if not prefixes:
        raise DataError(
            f"{folder} has no tables of a run (none ends in {INFO}): name the folder that --out "
            "named, such as out."
        )
    warehouse = LocalWarehouse(None, folder, now=0)
    info = table(warehouse, f"{prefixes[0]}{INFO}", folder, REMEDY)
    if not {"section", "name", "value"} <= set(info.columns):
        raise DataError(f"{folder}: {prefixes[0]}{INFO} is of another version. {REMEDY}")
    parameters = info[info["section"] == "parameters"]
    named = dict(zip(parameters["name"], parameters["value"], strict=True))
    names = output_tables.names(str(named.get("metrics_table", "metrics")), prefixes[0])
    is_of_paths = not table_files.find(folder, names["detail"])
    keys = NEEDED if is_of_paths else [key for key in names if key not in OPTIONAL]
    frames = {key: table(warehouse, names[key], folder, REMEDY) for key in keys}
    return RunTables({key: _checked(key, frame, folder) for key, frame in frames.items()})


def check_there(folder: Path) -> None:
    """Raise `DataError` where there is no such folder."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder: name the one that --out named, such as out.")


def table(warehouse: LocalWarehouse, name: str, folder: Path, remedy: str) -> pd.DataFrame:
    """A table of the newest run; raises `DataError`, with the remedy, where it is missing."""
    if not table_files.find(folder, name):
        raise DataError(f"{folder} lacks the table {name} of its run. {remedy}")
    frame = pq.read_table(warehouse.typed_file(name)).to_pandas()
    if output_tables.RUN_ID in frame and len(frame):
        newest = frame[output_tables.RUN_ID].iloc[-1]
        frame = frame[frame[output_tables.RUN_ID] == newest]
    return frame.drop(columns=output_tables.RUN_ID, errors="ignore").reset_index(drop=True)


def _checked(key: str, frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The table with the columns and types of this version."""
    wanted = output_tables.OUTPUTS[key].columns
    check_columns(frame, [name for name in wanted if name != CHANNELS], key, folder, REMEDY)
    if key == "run_info":
        return frame.fillna("").astype(str)
    texts = {n: frame[n].fillna("").astype(str) for n in ("model", "channel", "kind") if n in frame}
    frame = frame.assign(**texts)
    numbers = [n for n in wanted if n in NUMBERS and n in frame]
    return frame.assign(**{n: pd.to_numeric(frame[n], errors="coerce") for n in numbers})


def check_columns(
    frame: pd.DataFrame, wanted: Sequence[str], name: str, folder: Path, remedy: str
) -> None:
    """Raise `DataError`, with the remedy, where the table of that name lacks a column."""
    missing = [column for column in wanted if column not in frame]
    if missing:
        raise DataError(
            f"{folder}: table {name} is of another version, it lacks {', '.join(missing)}. {remedy}"
        )


NUMBERS = (
    *("conversions", "value", "share", "lower", "upper", "touches", "users", "impressions"),
    *("spend", "cpm", "cpc", "cpa", "roas", "roms", "conversions_new", "conversions_returning"),
)
