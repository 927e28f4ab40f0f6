"""How a command ends when something fails: a sentence on stderr, an exit code, never a traceback.

An error of ours carries an `exit_code`, and its message is for the user. Any other exception is a
fault of the program: its traceback goes to a file, and the user reads what happened and what to
report.
"""

import contextlib
import errno
import importlib.metadata
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

VERSION = "0.1.0"  # as in pyproject.toml
PACKAGES = ("numpy", "pyarrow", "pandas", "datafusion", "keras", "tensorflow", "tensorflow-cpu")
LONGEST_LINE = 2000  # characters: a value of a table may be of any length
READER_LEFT = 141  # as a shell reports it
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OF_DRIVES = (errno.EIO, errno.ESTALE, errno.EROFS, errno.ENXIO, errno.ENODEV)
_TOO_MANY = (errno.EMFILE, errno.ENFILE)


def exit_code(work: Callable[[], int | None], folder: Path | None = None) -> int:
    """The exit code of a command: 0 done, 2 wrong input, 1 any other error, 130 interrupted.

    `work` may return a code of its own. An error is one line on stderr. A fault of the program is
    three: what happened, the versions, and what to report; its traceback is a file in `folder`, or
    in the temporary folder.
    """
    try:
        return work() or 0
    except (SystemExit, GeneratorExit):
        raise
    except KeyboardInterrupt:
        return _say(130, "interrupted; the tables of the last complete run are unchanged")
    except BrokenPipeError:  # whoever reads our output has enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_LEFT
    except BaseException as error:  # DataFusion's panics are no Exception
        code = int(getattr(error, "exit_code", 1))
        message = expected(error)
        if message is not None:
            return _say(code, message)
        return _say(code, *report(error, folder))


def expected(error: BaseException) -> str | None:
    """The sentence for an error that the user can do something about; None for any other."""
    if hasattr(error, "exit_code"):
        return str(error)
    if isinstance(error, ImportError):
        return missing_package(error)
    if isinstance(error, MemoryError):
        return (
            "out of memory: lower users_per_tfrecord or lookback_window_days, "
            "group channels, or use a larger machine"
        )
    if isinstance(error, OSError) and is_full(error):
        return (
            f"the disk is full ({error}): free some space, or set another folder with "
            "--out, and with TMPDIR for temporary files"
        )
    if isinstance(error, OSError) and error.errno in _OF_DRIVES:
        return (
            f"a file cannot be read or written ({error}): see whether the drives of the tables, of "
            "--out and of the temporary folder are there and in order"
        )
    if isinstance(error, OSError) and error.errno in _TOO_MANY:
        return f"too many files are open ({error}): raise the limit with ulimit -n"
    if isinstance(error, OSError) and error.filename is not None:
        return str(error)
    return None


def report(error: BaseException, folder: Path | None = None) -> tuple[str, str, str]:
    """What happened, the versions, and what to report; writes the traceback to a file."""
    traceback_file = _keep(error, folder)
    return (
        f"a fault of the program: {describe(error)}; the tables of the last complete run are "
        "unchanged",
        f"versions: {versions()}",
        f"report it to whoever maintains td_mta for you, with these lines and {traceback_file} "
        "(read it first: it may quote values of your tables)",
    )


def describe(error: BaseException) -> str:
    """Type and message of an error in one line.

    >>> describe(ValueError("two\\nlines")), describe(KeyError())
    ('ValueError: two lines', 'KeyError')
    """
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def versions() -> str:
    """Versions of td_mta, Python and the packages that shape the figures, in one line."""
    parts = [f"td_mta {VERSION}", f"Python {platform.python_version()}"]
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            parts.append(f"{package} {importlib.metadata.version(package)}")
    return ", ".join([*parts, platform.platform()])


def missing_package(error: ImportError) -> str:
    """The message for a package that is not installed."""
    return (
        f"the package {error.name or error} cannot be imported ({error}): "
        "run pip install -r td_mta/requirements.txt"
    )


def is_full(error: OSError) -> bool:
    """Whether the disk or its quota is full; some libraries set no error number."""
    return error.errno in _FULL or "No space left" in str(error)


def _keep(error: BaseException, folder: Path | None) -> str:
    """Where the traceback was written: `folder`, else the temporary folder."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    name = f"failure_{time.strftime('%Y%m%dT%H%M%S')}_{time.time_ns() % 10**6:06}.log"
    text = f"{versions()}\n\n{''.join(lines)}"
    for place in (folder, Path(tempfile.gettempdir())):
        if place is None:
            continue
        try:
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return str(place / name)
    return "the traceback, which could not be written to a file"


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


def _say(code: int, *lines: str) -> int:
    first, *more = (_short(" ".join(line.split())) for line in lines)
    print(f"error: {first}", *more, sep="\n", file=sys.stderr)
    return code
