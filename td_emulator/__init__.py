"""Treasure Data on the loopback: its REST API and Trino's HTTP protocol over tables of one's own.

    with Emulator(EmbeddedEngine(folder)) as td:
        client = pytd.Client(apikey=API_KEY, endpoint=td.url, database="mta")

What it cannot know of the real service is marked [not verified] where it is done.
"""

from td_emulator.embedded import EmbeddedEngine
from td_emulator.emulator import Emulator
from td_emulator.engine import Engine, EngineError, Rows
from td_emulator.faults import Fault
from td_emulator.keys import API_KEY, READ_ONLY_KEY
from td_emulator.messages import Request

__all__ = [
    "API_KEY",
    "READ_ONLY_KEY",
    "EmbeddedEngine",
    "Emulator",
    "Engine",
    "EngineError",
    "Fault",
    "Request",
    "Rows",
]
