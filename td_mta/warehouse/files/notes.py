"""What was guessed to read files, kept in a folder for the processes of a run that come later."""

import json
from pathlib import Path
from typing import NamedTuple

from td_mta.atomic_files import replacing

FILE = ".files_read.json"


class _Note(NamedTuple):
    file: str
    changed: int | None  # when the file was, in nanoseconds
    sentence: str


def remember(folder: Path, file: Path, sentence: str) -> None:
    """Add what was guessed to read a file."""
    note = _Note(str(file.resolve()), _changed(file), sentence)
    notes = [other for other in _read(folder) if other != note]
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / FILE) as temporary:
        temporary.write_text(json.dumps([*notes, note], indent=1), "utf-8")


def recall(folder: Path, data: Path) -> list[str]:
    """Sentences about the files of the folder `data` that are as they were."""
    return [
        note.sentence
        for note in _read(folder)
        if Path(note.file).parent == data.resolve() and _changed(Path(note.file)) == note.changed
    ]


def _read(folder: Path) -> list[_Note]:
    try:
        return [_Note(*note) for note in json.loads((folder / FILE).read_text("utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def _changed(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return None
