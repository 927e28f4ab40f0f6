"""A real Trino behind the emulator, with Treasure Data's functions.

artifacts.py, java.py    fetch Trino by Maven, find a JDK for it
server.py, guard.py      start it on the loopback, end it in any case
functions.py, .sql       TD's functions as Trino's routines; job_text.py: calls that need the
                         job's time
engine.py                the emulator's engine, by Trino's own client (connection.py, values.py)
"""

from td_emulator.engines.real_trino.engine import TrinoEngine
from td_emulator.engines.real_trino.server import RealTrino

__all__ = ["RealTrino", "TrinoEngine"]
