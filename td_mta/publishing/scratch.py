"""Temporary folders that a run makes, and those that it left when it was killed."""

import contextlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from td_mta.errors import ConfigError
from td_mta.publishing import run_lock

log = logging.getLogger(__name__)

PREFIX = "td_mta_run_"
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
        shutil.rmtree(path, ignore_errors=True)
        lock.close()

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
            status = path.lstat()
            is_young = time.time() - status.st_mtime < YOUNG
            if status.st_uid != os.getuid() or not path.is_dir() or path.is_symlink():
                continue
            if not (path / run_lock.FILE).exists() and is_young:
                continue
            lock = run_lock.take(path)
            if lock is not None:
                with lock:
                    log.info("removing %s, which a run that was killed left", path)
                    shutil.rmtree(path, ignore_errors=True)
