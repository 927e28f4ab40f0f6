"""How long to wait for Treasure Data, for both of its clients: the warehouse's and the runner's."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for what, in seconds, and how often to try."""

    connect: float = 5  # until the server accepts a connection
    answer: float = 60  # until the next bytes of an answer come
    tries: int = 9  # of one request
    tries_before_first_answer: int = 3  # while it may be the wrong address
    pause: float = 1  # before the second try; doubles from try to try
    longest_pause: float = 30
    poll: float = 1  # before a job is looked at again; grows each time
    longest_poll: float = 10
    job: float = 24 * 3600  # until a job is stopped; Digdag never stops one
    commit: float = 3600  # until the rows of a bulk import are in the table
    interval_unit: float = 1  # of an `interval:` that a Digdag task states; tests shorten it
