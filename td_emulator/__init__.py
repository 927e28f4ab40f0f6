"""Treasure Data on the loopback: its REST API and Trino's HTTP protocol over tables of one's own.

    with Emulator(EmbeddedEngine(folder)) as td:
        client = pytd.Client(apikey=API_KEY, endpoint=td.url, database="mta")

What it cannot know of the real service is marked [not verified] where it is done.
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
