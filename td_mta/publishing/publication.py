"""Files that appear together or not at all, whatever fails and whenever the process is killed.

Each is written beside its target under a name of the run. When all are complete, a marker lists
them, and they are renamed one after the other. A failure on the way brings the old ones back. After
a kill the marker is still there, and whoever opens the folder next goes on where the run ended.
"""

import contextlib
import filecmp
import json
import logging
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from td_mta.errors import WarehouseError
from td_mta.publishing import run_lock

log = logging.getLogger(__name__)

FORWARD, BACK = ".publishing.json", ".publishing_back.json"  # the marker, by where it leads
_RUN_ID = r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}"
_LEFT = re.compile(rf"\..+\.{_RUN_ID}\.(?:part|old)")
_OF_PROCESS = re.compile(r"\..+\.([0-9]+)\.part")  # as `atomic_files` names them


@contextlib.contextmanager
def alone(folder: Path) -> "Iterator[Publication]":
    """A run that alone writes to `folder`; its files appear together as the block ends.

    Raises `ConfigError` where another run writes there. What one that was killed left is completed
    or removed first.
    """
    with run_lock.held(folder):
        recover(folder, is_locked=True)
        with Publication(folder, new_run_id()) as files:
            yield files


class _Step(NamedTuple):
    """One target: replaced by what is staged, or only removed."""

    target: Path
    staged: Path
    backup: Path
    is_new: bool  # whether there was none before
    is_removed: bool


class Publication:
    """Files of one run; a marker in `folder` while they take their names, as the block ends.

    An error in the block, or while they take their names, leaves every target as it was and removes
    what was staged.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self._folder, self.run_id = folder, run_id
        self._targets: list[Path] = []
        self._removed: list[Path] = []
        self._folders: dict[Path, re.Pattern[str]] = {}

    def __enter__(self) -> "Publication":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            if not (self._folder / FORWARD).exists():  # else whoever comes next needs them
                for target in (*self._targets, *self._folders):
                    _remove(self._staged(target))

    def file(self, target: Path) -> Path:
        """Where to write what becomes `target`; raises `WarehouseError` where nothing can."""
        staged = self._staged(target)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                raise IsADirectoryError(f"{target} is a folder: move it away")
            staged.touch()
        except OSError as error:
            raise WarehouseError(f"could not write {target}: {error}") from error
        if target not in self._targets:
            self._targets.append(target)
        return staged

    def remove(self, target: Path) -> None:
        """Remove a file, if there is one, when the others appear."""
        self._removed.append(target)

    def replace_in(self, folder: Path, own: re.Pattern[str]) -> Path:
        """A folder to write to, whose files replace those of `folder` whose names are `own`."""
        staged = self._staged(folder)
        try:
            staged.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WarehouseError(f"could not write {folder}: {error}") from error
        before = self._folders.get(folder)
        pattern = f"{before.pattern}|{own.pattern}" if before else own.pattern
        self._folders[folder] = re.compile(pattern)
        return staged

    def _staged(self, target: Path) -> Path:
        return target.with_name(f".{target.name}.{self.run_id}.part")

    def _commit(self) -> None:
        try:
            self._stage_folders()
            steps = self._steps()
            if not steps:
                return
            for step in steps:
                _prepare(step)
            marker = _mark(self._folder, self.run_id, steps)
        except OSError as error:
            raise WarehouseError(f"could not write the results: {error}") from error
        finally:
            if not (self._folder / FORWARD).exists():
                for target in (*self._targets, *self._removed):
                    _remove(self._step(target, is_removed=False).backup)
        _carry_out(marker, steps)

    def _steps(self) -> list[_Step]:
        there = [target for target in self._removed if target.exists()]
        return [
            *(self._step(target, is_removed=False) for target in self._targets),
            *(self._step(target, is_removed=True) for target in there),
        ]

    def _stage_folders(self) -> None:
        """Each file of a staged folder beside its target, as the other files."""
        for folder, own in self._folders.items():
            folder.mkdir(parents=True, exist_ok=True)
            new = {path.name for path in self._staged(folder).iterdir()}
            for name in sorted(new):
                os.replace(self._staged(folder) / name, self.file(folder / name))
            old = {path.name for path in folder.iterdir() if own.fullmatch(path.name)}
            self._removed += [folder / name for name in sorted(old - new)]

    def _step(self, target: Path, *, is_removed: bool) -> _Step:
        staged = self._staged(target)
        return _Step(target, staged, staged.with_suffix(".old"), not target.exists(), is_removed)


def new_run_id() -> str:
    """When the run began, and something that no other run has."""
    started = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return f"{started}-{uuid.uuid4().hex[:8]}"


def recover(folder: Path, *, is_locked: bool = False) -> None:
    """Complete what a run was about to publish in a folder when it was killed, or take it back.

    `is_locked` says that the caller holds the lock of the folder; else a run that is alive is left
    alone.
    """
    if not any((folder / name).is_file() for name in (FORWARD, BACK)):
        return
    with contextlib.ExitStack() as stack:
        if not is_locked:
            lock = run_lock.take(folder)
            if lock is None:
                return
            stack.callback(run_lock.give_back, folder, lock)
        for name in (BACK, FORWARD):
            marker = folder / name
            if marker.is_file():
                steps = _steps(marker)
                log.warning("The results of a run that was killed in %s are completed.", folder)
                _carry_out(marker, steps)


def sweep(folders: set[Path]) -> None:
    """Remove what runs that were killed left in folders; the caller holds the lock.

    Files that another process is about to replace stay as long as it is alive.
    """
    for folder in sorted(folders):
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            process = _OF_PROCESS.fullmatch(path.name)
            if _LEFT.fullmatch(path.name) or (process and not _is_alive(int(process[1]))):
                _remove(path)


def _prepare(step: _Step) -> None:
    """The staged file on the disk, and the old one kept under another name.

    Of a new target the staged file is kept: by it we know what we may remove later.
    """
    if not step.is_removed:
        with step.staged.open("rb") as file:
            os.fsync(file.fileno())
    kept = step.staged if step.is_new else step.target
    try:
        os.link(kept, step.backup)
    except OSError:  # some file systems have no links
        shutil.copy2(kept, step.backup)


def _mark(folder: Path, run_id: str, steps: list[_Step]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / FORWARD
    written = folder / f".publishing.{run_id}.part"
    rows = [[str(step.target.absolute()), *map(str, step[1:3]), *step[3:]] for step in steps]
    try:
        with written.open("w", encoding="utf-8") as file:
            json.dump(rows, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(written, marker)
    finally:
        written.unlink(missing_ok=True)
    return marker


def _steps(marker: Path) -> list[_Step]:
    """What a marker lists; nothing but renames within a folder from names of ours.

    A marker may be anybody's: what it replaces or removes is only what lies beside a file that a
    run of ours has put there.
    """
    steps = []
    try:
        for target, staged, backup, is_new, is_removed in json.loads(marker.read_text("utf-8")):
            path = Path(target)
            names = [path.with_name(Path(name).name) for name in (staged, backup)]
            if all(_LEFT.fullmatch(name.name) for name in names):
                steps.append(_Step(path, names[0], names[1], bool(is_new), bool(is_removed)))
    except (ValueError, TypeError, RecursionError):
        log.warning("%s cannot be read and is removed", marker)
    return steps


def _carry_out(marker: Path, steps: list[_Step]) -> None:
    """Forward, or back where a rename fails; the marker goes last, then the old files."""
    if marker.name == FORWARD:
        try:
            for step in steps:
                _replace(step)
        except BaseException as error:
            back = marker.with_name(BACK)
            os.replace(marker, back)
            _carry_out(back, steps)
            if not isinstance(error, OSError):
                raise
            raise WarehouseError(
                f"could not replace {step.target}: {error}; all results are as they were"
            ) from error
    else:
        for step in steps:
            _take_back(step)
    marker.unlink()
    for step in steps:
        _remove(step.staged)
        _remove(step.backup)


def _replace(step: _Step) -> None:
    if step.is_removed:
        _remove_kept(step)
    elif step.staged.exists():  # else it was replaced before the run was killed
        os.replace(step.staged, step.target)


def _take_back(step: _Step) -> None:
    if step.is_new:
        _remove_kept(step)
    elif step.backup.exists():
        os.replace(step.backup, step.target)


def _remove_kept(step: _Step) -> None:
    """Remove a target of which the file beside it is a copy or a link."""
    with contextlib.suppress(FileNotFoundError):
        if filecmp.cmp(step.target, step.backup, shallow=False):
            step.target.unlink()


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
