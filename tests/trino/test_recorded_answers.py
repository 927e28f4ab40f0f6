"""This Trino answers as recorded: what the local engine is judged by is still what Trino says."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from td_emulator.engines.real_trino import RealTrino
from tests.trino import recording
from tests.trino_on_datafusion import trino_conformance

FOLDER = Path(__file__).parents[1] / "conformance" / "trino"
CASES = {
    case["sql"]: case for path in sorted(FOLDER.glob("*.csv")) for case in recording.read(path)
}


BATCH = 50
BATCHES = [list(CASES)[start : start + BATCH] for start in range(0, len(CASES), BATCH)]


@pytest.mark.parametrize("texts", BATCHES, ids=lambda texts: texts[0][:40])
def test_the_answers_are_those_on_record(texts: list[str], trino: RealTrino) -> None:
    with ThreadPoolExecutor(4) as workers:
        answers = list(workers.map(lambda sql: recording.answer(trino.url, sql), texts))
    differ = {}
    for sql, answer in zip(texts, answers, strict=True):
        came, case = recording.written(answer), CASES[sql]
        alike = came["error"] == case["error"] and came["types"] == case["types"]
        if not alike or not trino_conformance.same(_json(came["rows"]), _json(case["rows"])):
            differ[sql] = came
    assert differ == {}


def _json(text: str) -> object:
    return json.loads(text) if text else None
