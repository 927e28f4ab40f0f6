"""What a library of C++ writes to standard error while it is imported, kept off the screen.

TensorFlow says there which instructions it uses, whatever its settings of logging. Errors of Python
pass through; where the process dies, faulthandler says so on the real standard error.
"""

import faulthandler
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2  # the file descriptor, which C++ writes to


@contextmanager
def imports() -> Iterator[None]:
    """Standard error to nowhere for the body; does nothing where there is no standard error."""
    try:
        screen = os.dup(STDERR)
    except OSError:
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    fatal = not faulthandler.is_enabled()
    if fatal:
        faulthandler.enable(screen)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDERR)
    try:
        yield
    finally:
        os.dup2(screen, STDERR)
        if fatal:
            faulthandler.disable()
        os.close(nowhere)
        os.close(screen)
