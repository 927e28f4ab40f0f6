"""Media mix runs of the app: started, found by their key, read from their folder."""

import shutil
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pandas as pd

from td_mta.dashboard.data import jobs, run_folder
from td_mta.errors import DataError
from td_mta.reporting.media_mix.frames import MEDIA_MIX_TABLES
from td_mta.simulate.media_mix import output
from td_mta.warehouse.files import folder as table_files
from td_mta.warehouse.local import LocalWarehouse

INFO = "mmm_run_info"
OPTIONAL = ("mmm_experiments", "mmm_coverage")
TITLE = "title.txt"
TABLE, REVENUE, EXPERIMENTS, TRUTH = "media", "revenue", "media_experiments", "media_truth"
REMEDY = "Run it again with this version: python -m td_mta.mmm fit FILE --out FOLDER."


def is_run(folder: Path) -> bool:
    """Whether a media mix run has written its tables to this folder."""
    return bool(table_files.find(folder, INFO))


def start(tables: Mapping[str, Path], sets: Mapping[str, str], title: str) -> str:
    """Start a fit; `tables` has the media table and others by their names. The key of the run."""
    named = {"revenue_table": REVENUE, "experiments_table": EXPERIMENTS, "truth_table": TRUTH}
    chosen = dict(sets) | {key: name for key, name in named.items() if name in tables}
    files = {name: str(path) for name, path in tables.items()}
    key = jobs.key_of({"what": "media mix", "files": files, "sets": chosen})
    folder = jobs.workspace() / key
    data = folder / "data"
    if jobs.state(folder).status not in ("running", "done"):
        data.mkdir(parents=True, exist_ok=True)
        for path in tables.values():
            shutil.copyfile(path, data / path.name)
        (folder / TITLE).write_text(title, encoding="utf-8", errors="backslashreplace")
    words = ("td_mta.mmm", "fit", str(data / tables[TABLE].name))
    jobs.start_run(folder, words, chosen)
    return key


def simulated(world: str, seed: int) -> dict[str, Path]:
    """The tables of a world whose truth is known."""
    folder = jobs.workspace() / f"media_{world}_{seed}"
    output.write(world, folder, seed=seed)
    return {name: folder / f"{name}.csv" for name in (TABLE, TRUTH)}


def columns(file: Path) -> list[str]:
    """The columns of an upload; raises what reading it raises."""
    warehouse = LocalWarehouse(file.parent, file.parent / "out", now=0)
    return warehouse.columns(file.name.split(".")[0])


def open_run(path: Path) -> str:
    """The key of a finished run's folder; raises `DataError` where it is none."""
    path = path.resolve()
    read(path)
    key = jobs.hold("media_mix", path)
    title = f"The run in {path.name or path}"
    (jobs.workspace() / key / TITLE).write_text(title, encoding="utf-8", errors="backslashreplace")
    return key


def title_of(key: str) -> str:
    """What the run of a key was made of."""
    return (jobs.workspace() / key / TITLE).read_text(encoding="utf-8")


def folder_of(key: str) -> Path | None:
    """The folder of a run's tables; None where nothing is held under this key."""
    folder = jobs.folder_of(key)
    if folder is None or not folder.is_dir():
        return None
    own = folder / "run" if jobs.state(folder).status == "done" else None
    return jobs.held("media_mix", folder) or own


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables of a run; raises `DataError`, saying what is missing and what to do."""
    run_folder.check_there(folder)
    if not is_run(folder):
        raise DataError(
            f"{folder} has no tables of a media mix run ({INFO}): name the folder that --out of "
            "python -m td_mta.mmm fit named, such as out."
        )
    written = max(path.stat().st_mtime_ns for path in folder.glob(f"{INFO}.*"))
    return _read(folder, written)


@lru_cache(maxsize=4)
def _read(folder: Path, written: int) -> dict[str, pd.DataFrame]:
    warehouse = LocalWarehouse(None, folder, now=0)
    frames = {}
    for name, table in MEDIA_MIX_TABLES.items():
        if name in OPTIONAL and not table_files.find(folder, name):
            continue
        frame = run_folder.table(warehouse, name, folder, REMEDY)
        wanted = [column for column in table.columns if not column.startswith("one column per")]
        run_folder.check_columns(frame, wanted, name, folder, REMEDY)
        frames[name] = _typed(frame, is_text=name == INFO)
    return frames


def _typed(frame: pd.DataFrame, *, is_text: bool) -> pd.DataFrame:
    """Names as text, whatever a file's reader took them for."""
    names = ("channel", "parameter", "flag")
    texts = [str(name) for name in frame.columns if is_text or name in names]
    return frame.assign(**{name: frame[name].fillna("").astype(str) for name in texts})
