"""Temporary folders that a run makes, and those that it left when it was killed."""

import contextlib
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from td_mta.errors import ConfigError
from td_mta.publishing import run_lock

log = logging.getLogger(__name__)

PREFIX = "td_mta_run_"
GONE = "td_mta_gone_"  # what is being removed, whoever does it
YOUNG = 3600  # seconds in which a folder may still be without its lock


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder until the block ends, however it ends; a kill leaves it to the next run."""
    path, remove = make()
    try:
        yield path
    finally:
        remove()


@contextlib.contextmanager
def of_libraries(folder: Path) -> Iterator[None]:
    """What libraries put into temporary files lies in `folder` until the block ends."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def make() -> tuple[Path, Callable[[], None]]:
    """A folder, and what removes it. Those of processes that are no more are removed first."""
    _sweep(Path(tempfile.gettempdir()))
    path, lock = _locked()

    def remove() -> None:
        with lock:
            _remove(path)

    return path, remove


def _locked() -> tuple[Path, TextIO]:
    """A new folder and its lock; another process that sweeps just then may take it away before."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        with contextlib.suppress(FileNotFoundError):
            lock = run_lock.take(path)
            if lock is not None:
                return path, lock


def _sweep(parent: Path) -> None:
    for path in sorted(parent.glob(f"{PREFIX}*")):
        with contextlib.suppress(OSError, ConfigError):
            is_young = time.time() - path.lstat().st_mtime < YOUNG
            if not _is_ours(path):
                continue
            if not (path / run_lock.FILE).exists() and is_young:
                continue
            lock = run_lock.take(path)
            if lock is not None:
                with lock:
                    log.info("removing %s, which a run that was killed left", path)
                    _remove(path)
    for path in sorted(parent.glob(f"{GONE}*")):
        with contextlib.suppress(OSError):  # another run may remove it, too
            if _is_ours(path):
                shutil.rmtree(path, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    """Whether it is a folder of this user."""
    status = path.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def _remove(path: Path) -> None:
    """Remove a folder under a name by which the next run knows what a kill leaves of it."""
    gone = path.with_name(GONE + path.name.removeprefix(PREFIX))
    with contextlib.suppress(OSError):  # some systems move no folder with an open file
        path = path.rename(gone)
    shutil.rmtree(path, ignore_errors=True)
