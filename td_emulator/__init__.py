"""Treasure Data on the loopback: its REST API and Trino's HTTP protocol over tables of one's own.

    with Emulator(EmbeddedEngine(folder)) as td:
        client = pytd.Client(apikey=API_KEY, endpoint=td.url, database="mta")

A request goes down this stair, its answer up:

    emulator.py          one object: starts and stops all below
    api/                 what a client sees
      server.py            HTTP on a socket: faults strike here, keys are checked
      routes.py            which handler answers which request
      databases.py         databases and tables; jobs.py, other_jobs.py, bulk_imports.py,
      trino_protocol.py    and what they answer
      work.py              SQL in a thread; results.py, records.py, values.py: rows in and out
    engines/             what runs the SQL and keeps the tables
      protocol.py          the seam, `Engine`
      embedded.py          the project's own SQL engine over files
      real_trino/          a real Trino

What was not verified on the real service is marked [not verified] where it is done.
"""

from td_emulator.api.faults import Fault
from td_emulator.api.keys import API_KEY, READ_ONLY_KEY
from td_emulator.api.messages import Request
from td_emulator.emulator import Emulator
from td_emulator.engines.embedded import EmbeddedEngine
from td_emulator.engines.protocol import Engine, EngineError, QueryResult

__all__ = [
    "API_KEY",
    "READ_ONLY_KEY",
    "EmbeddedEngine",
    "Emulator",
    "Engine",
    "EngineError",
    "Fault",
    "QueryResult",
    "Request",
]
