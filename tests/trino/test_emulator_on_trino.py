"""The emulator's own tests with the real clients, with the real Trino behind it."""

from collections.abc import Iterator

import pytest
import suites
import test_td_emulator

from td_emulator import Emulator
from td_emulator.trino import TrinoEngine

quick_clients = test_td_emulator.quick_clients
client, api = test_td_emulator.client, test_td_emulator.api


@pytest.fixture
def td(empty: TrinoEngine) -> Iterator[Emulator]:
    with Emulator(empty, poll_again=0) as emulator:
        emulator.create_database("mta")
        yield emulator


globals().update(suites.tests_with(test_td_emulator, "td"))
globals().update(suites.tests_with(test_td_emulator, "client"))
globals().update(suites.tests_with(test_td_emulator, "api"))
