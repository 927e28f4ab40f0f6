"""A query's batches within some seconds, however long one of them takes.

A query that met its limit ends with its next batch; a join of all with all may go on in its thread
as long as the process, since DataFusion asks only between batches whether anyone still waits.
`leave` then ends the process, where Python's own end could meet that thread and abort.
"""

import asyncio
import atexit
import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from td_mta.errors import WarehouseError

if TYPE_CHECKING:
    import datafusion

_goes_on = threading.Event()  # a query that met its limit may still be at work


class TimeLimit(NamedTuple):
    """What a query may take, and how a user raises that, for the end of a message."""

    seconds: float
    how_to_raise: str


class QueryTookTooLong(WarehouseError):  # noqa: N818
    """A query met its limit."""


def batches(
    streams: Iterable["datafusion.RecordBatchStream"], limit: TimeLimit
) -> Iterator["datafusion.RecordBatch"]:
    """The streams' batches, one stream after the other; raises `QueryTookTooLong`."""
    last = time.monotonic() + limit.seconds
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        for stream in streams:
            while batch := loop.run_until_complete(_next(stream, last, limit)):
                yield batch


def leave(code: int) -> NoReturn:
    """End the process with this exit code, whatever a query that met its limit still does."""
    if not _goes_on.is_set():
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


async def _next(
    stream: "datafusion.RecordBatchStream", last: float, limit: TimeLimit
) -> "datafusion.RecordBatch | None":
    try:
        return await asyncio.wait_for(anext(stream, None), last - time.monotonic())
    except asyncio.TimeoutError:
        _goes_on.set()
        raise QueryTookTooLong(
            f"a query that takes longer than {limit.seconds:g} s ({limit.how_to_raise})"
        ) from None
