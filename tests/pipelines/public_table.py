"""A table that was made by others (CC0), as the tests keep it: compressed."""

import gzip
import shutil
from pathlib import Path

NAME = "touchpoints_2018_07"
_PACKED = Path(__file__).parents[1] / "data" / f"{NAME}.csv.gz"


def unpack(folder: Path) -> Path:
    """The table as a CSV file in `folder`."""
    file = folder / f"{NAME}.csv"
    with gzip.open(_PACKED) as packed, file.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    return file
