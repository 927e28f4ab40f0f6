"""The suite of every warehouse, on Treasure Data's protocols with the real Trino behind them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from td_emulator import API_KEY
from td_emulator.engines.real_trino import TrinoEngine
from td_mta.warehouse import Warehouse
from td_mta.warehouse.treasure_data import TreasureDataWarehouse
from tests.td_emulator import td_account
from tests.trino import suites
from tests.warehouse import test_warehouse

PATIENCE = replace(td_account.QUICK, answer=60, poll=0.02, longest_poll=0.2)


@pytest.fixture
def warehouse(empty: TrinoEngine, tmp_path: Path) -> Iterator[Warehouse]:
    with td_account.account(tmp_path, empty) as account:
        yield TreasureDataWarehouse(
            API_KEY, account.td.url, "mta", now=td_account.NOW, patience=PATIENCE
        )


globals().update(suites.tests_with(test_warehouse, "warehouse"))
