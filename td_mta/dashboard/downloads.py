"""What is downloaded: tables as CSV, simulated touches as CSV, Parquet and pickle."""

import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from td_mta.warehouse import csv_tables

MOST_ROWS = 5_000_000  # that a browser is sent
PICKLE = "synthetic_touchpoints.pkl"


def csv(frame: pd.DataFrame) -> bytes:
    """A table as CSV with all digits; no cell of it is a formula."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return "".join(csv_tables.lines(table)).encode("utf-8")


def touches_as_csv(parquet: Path) -> bytes:
    """Simulated touches as CSV, whose cells are numbers and names of ours or guarded ones."""
    return "".join(csv_tables.lines(pq.read_table(parquet))).encode("utf-8")


def touches_as_pickle(parquet: Path) -> bytes:
    """Simulated touches as a pickled frame of pandas; no pickle is ever read here."""
    file = io.BytesIO()
    pq.read_table(parquet).to_pandas().to_pickle(file)
    return file.getvalue()


def write_pickle(parquet: Path, folder: Path) -> Path:
    """`synthetic_touchpoints.pkl` in a folder."""
    path = folder / PICKLE
    path.write_bytes(touches_as_pickle(parquet))
    return path


def rows_of(parquet: Path) -> int:
    """How many rows a Parquet file has."""
    return int(pq.read_metadata(parquet).num_rows)


def preview(parquet: Path, rows: int) -> pd.DataFrame:
    """Its first rows, times as dates."""
    with pq.ParquetFile(parquet) as file:
        batch = next(file.iter_batches(batch_size=rows))
    frame = batch.to_pandas()
    return frame.assign(time=pd.to_datetime(frame["time"], unit="s"))
