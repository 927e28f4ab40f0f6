"""Files that are complete or not there: written under a temporary name, then renamed."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(target: Path, temporary_name: str | None = None) -> Iterator[Path]:
    """A temporary path beside `target`, which replaces `target` when the block ends.

    After an error in the block `target` is as it was, and the temporary file is removed. The
    default of `temporary_name` is a name of this process's own, so that two processes which write
    the same file do not mix their bytes: the last one to finish wins.
    """
    # The suffix .part hides the file from those who list tables by .csv or .parquet.
    name = temporary_name or f".{target.name}.{os.getpid()}.part"
    temporary = target.with_name(name)
    try:
        yield temporary
        os.replace(temporary, target)  # atomic, since both are in one folder
    finally:
        temporary.unlink(missing_ok=True)
