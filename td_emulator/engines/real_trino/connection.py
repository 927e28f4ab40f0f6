"""Statements to a Trino through its own client, in the session of Treasure Data's jobs."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests
import trino
from trino.dbapi import Connection, Cursor

CATALOG = "td-presto"
DISK = "disk"  # another catalog, of tables in a folder, where a server has one
USER = "td_emulator"
# While a server starts: it takes no query, or takes it before its own node has registered itself.
_STARTING = {"SERVER_STARTING_UP", "NO_NODES_AVAILABLE"}
_PATIENCE = 60.0  # seconds that a server may still answer with these errors

Execute = Callable[[str], list[list[Any]]]


def connect(url: str, schema: str | None = None, catalog: str = CATALOG) -> Connection:
    """A connection to the catalog of TD's databases; its time zone is UTC, as it is there."""
    session = requests.Session()
    session.trust_env = False  # no proxy stands before a server on loopback
    return trino.dbapi.connect(
        host=url, user=USER, catalog=catalog, schema=schema, source=USER, timezone="UTC",
        http_session=session,
    )  # fmt: skip


@contextlib.contextmanager
def connected(url: str, schema: str | None = None) -> Iterator[Execute]:
    """A function that runs a statement to its end and returns its rows."""
    with contextlib.closing(connect(url, schema)) as connection:

        def run(sql: str) -> list[list[Any]]:
            with executed(connection, sql) as cursor:
                return list(cursor.fetchall())

        yield run


@contextlib.contextmanager
def executed(connection: Connection, sql: str) -> Iterator[Cursor]:
    """A statement that has begun, after a wait where the server still starts up."""
    deadline = time.monotonic() + _PATIENCE
    with contextlib.closing(connection.cursor()) as cursor:
        while not _began(cursor, sql, deadline):
            time.sleep(0.1)
        yield cursor


def _began(cursor: Cursor, sql: str, deadline: float) -> bool:
    """Whether the server took the statement; False while it starts up."""
    try:
        cursor.execute(sql)
    except trino.exceptions.TrinoQueryError as error:
        if error.error_name not in _STARTING or time.monotonic() > deadline:
            raise
        return False
    return True
