"""A real Trino behind the emulator: fetched by Maven, started on loopback, with TD's functions.

artifacts, java -> server (guard) -> functions.sql; engine speaks to it through Trino's own client.
"""

from td_emulator.engines.real_trino.engine import TrinoEngine
from td_emulator.engines.real_trino.server import RealTrino

__all__ = ["RealTrino", "TrinoEngine"]
