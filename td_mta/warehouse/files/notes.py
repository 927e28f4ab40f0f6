"""What was guessed to read files, kept in a folder for the processes of a run that come later."""

import json
from pathlib import Path

from td_mta.atomic_files import replacing

FILE = ".files_read.json"  # path of a file -> its time of change and what was guessed


def remember(folder: Path, file: Path, sentence: str) -> None:
    """Add what was guessed to read a file."""
    notes = {**_read(folder), str(file.resolve()): [file.stat().st_mtime_ns, sentence]}
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / FILE) as temporary:
        temporary.write_text(json.dumps(notes, indent=1), "utf-8")


def recall(folder: Path, data: Path) -> list[str]:
    """Sentences about the files of the folder `data` that are as they were."""
    return [
        sentence
        for name, (changed, sentence) in sorted(_read(folder).items())
        if Path(name).parent == data.resolve() and _changed(Path(name)) == changed
    ]


def _read(folder: Path) -> dict[str, tuple[int, str]]:
    try:
        notes: dict[str, tuple[int, str]] = json.loads((folder / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return notes


def _changed(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return None
