"""One run in stages, for all tests that start from the tables before a stage."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end import faults


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Snapshots of the tables before each stage and at the end, and all requests of the run."""

    folder: Path
    requests: list[faults.RequestPosition]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared")
    return Prepared(folder=folder, requests=faults.prepare(folder))
