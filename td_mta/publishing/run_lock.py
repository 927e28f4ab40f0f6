"""One run at a time writes to a folder: a lock that says who holds it, and ends with its owner.

The operating system holds it, so that a run that was killed holds nothing; the file only says who
it was.
"""

import contextlib
import errno
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from td_mta.errors import ConfigError

log = logging.getLogger(__name__)

FILE = ".run_lock"
OF_WORKFLOW = ".workflow_lock"  # of a whole workflow, whose tasks take the other one
_NOT_KNOWN_HERE = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)  # of some network drives


@contextlib.contextmanager
def held(folder: Path, name: str = FILE) -> Iterator[None]:
    """The lock of a folder, which is made where there is none; `name` is its file.

    Raises `ConfigError` where another run holds it; what a run that was killed left is taken over,
    which the log says.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ConfigError(f"{folder} is no folder: set another one with --out") from None
    file = take(folder, name)
    if file is None:
        raise ConfigError(
            f"another run writes to {folder} ({_owner(folder / name)}): wait until it has ended, "
            "or set another folder with --out"
        )
    try:
        before = _owner(folder / name)
        if before:
            log.warning(
                "A run that wrote to %s was killed (%s): its lock is taken over, and what it left "
                "is removed or completed.",
                folder,
                before,
            )
        _sign(file)
        yield
    finally:
        give_back(folder, file, name)


def take(folder: Path, name: str = FILE) -> TextIO | None:
    """The lock as an open file; None where another run holds it.

    Raises `ConfigError` for what is no file of the folder: it would be emptied, or never be read.
    """
    path = folder / name
    while True:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise ConfigError(f"{path} is a link or no file, so no run of ours made it: remove it")
        file = os.fdopen(_opened(path), "a+", encoding="utf-8")
        if not _lock(file):
            file.close()
            return None
        # Its last owner may have removed the file between our opening and our locking it.
        with contextlib.suppress(FileNotFoundError):
            if _is(file, path):
                return file
        file.close()


def give_back(folder: Path, file: TextIO, name: str = FILE) -> None:
    """Give back the lock that `take` gave."""
    (folder / name).unlink(missing_ok=True)  # while it is still ours
    file.close()


def _opened(path: Path) -> int:
    through_no_link = getattr(os, "O_NOFOLLOW", 0)
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | through_no_link, 0o666)


def _lock(file: TextIO) -> bool:
    if sys.platform == "win32":  # which has no such lock
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NOT_KNOWN_HERE:
            raise
        log.warning("%s cannot be locked (%s): start one run at a time there", file.name, error)
    return True


def _is(file: TextIO, path: Path) -> bool:
    return os.path.samestat(os.fstat(file.fileno()), path.stat())


def _sign(file: TextIO) -> None:
    file.truncate(0)
    owner = {"process": os.getpid(), "machine": socket.gethostname(), "since": int(time.time())}
    file.write(json.dumps(owner))
    file.flush()


def _owner(path: Path) -> str:
    """Who wrote the file, and how long ago; empty where nobody did."""
    try:
        owner = json.loads(path.read_text("utf-8"))
        since = int(owner["since"])
        begun = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since))
        minutes = max(0, int(time.time()) - since) / 60
        who = f"process {int(owner['process'])} on {owner['machine']}"
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return ""
    return f"{who}, since {begun}, {minutes:.0f} minutes ago"
