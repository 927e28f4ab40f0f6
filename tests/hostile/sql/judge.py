"""What becomes of the queries that a seed stands for: an answer, a refusal, or a fault."""

import atexit
import json
import random
import shutil
import tempfile
import traceback
from collections import Counter
from functools import cache
from pathlib import Path

from local_runner import sql as local_sql
from tests.hostile.sql import tables
from tests.hostile.sql.grammar import Grammar
from tests.hostile.sql.laws import Law, law
from tests.hostile.sql.mutations import mutant
from tests.hostile.sql.worker import Report

NOW = 1_772_323_200  # 2026-03-01
SECONDS = 200  # of a query, by the clock
ANSWERED, REFUSED, FAILED, ENGINE, LATE = "answered", "refused", "failed", "engine", "late"
_ENGINES = "REFUSED: a query that the local SQL engine cannot run"


@cache
def folders() -> tuple[Path, Path]:
    """The tables, and a folder for what a query leaves, gone with the process."""
    root = Path(tempfile.mkdtemp(prefix="fuzz_sql_"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for name in ("data", "out"):
        (root / name).mkdir()
    tables.write(root / "data")
    return root / "data", root / "out"


def queries(seed: int) -> tuple[Law | None, list[tuple[str, Path | None]]]:
    """What a seed stands for: a law, else queries that only have to end well, with their tables."""
    source = random.Random(seed)
    kind = source.random()
    data = folders()[0]
    if kind < 0.6:
        made = law(source)
        return made, [(sql, data) for sql in (*made.left, *made.right)]
    if kind < 0.8:
        return None, [(Grammar(source).query(2).text, data)]
    made_of = mutant(source)
    return None, [(made_of.sql, made_of.data)]


def judge(seed: int) -> Report:
    """How the queries of a seed ended."""
    made, given = queries(seed)
    report = Report()
    answers = []
    for sql, data in given:
        answer, fault = answered(sql, data)
        report.ends[how(answer)] += 1
        report.fault = report.fault or (fault and f"{sql[:2000]}\n{fault}")
        answers.append(answer)
    if made is not None and all(how(answer) == ANSWERED for answer in answers):
        report.ends[f"law {made.name}"] += 1
        left = rows(answers[: len(made.left)])
        right = rows(answers[len(made.left) :])
        if left != right:
            report.fault = report.fault or _difference(made, left, right)
    return report


def answered(sql: str, data: Path | None) -> tuple[dict[str, object], str | None]:
    """The answer, and what is wrong with how it came."""
    try:
        answer = local_sql.answer(sql, data, folders()[1], NOW, SECONDS)
        json.dumps(answer).encode()
    except KeyboardInterrupt:
        raise
    except BaseException:  # a panic of the engine is no Exception
        return {"error": "fault"}, traceback.format_exc(limit=-4)
    error = answer["error"] or ""
    told = any(word in error for word in ("Traceback", "panic", "Internal error", "bug in Data"))
    return answer, error if told else None


def how(answer: dict[str, object]) -> str:
    """How a query ended."""
    error = str(answer["error"] or "")
    if not error:
        return ANSWERED
    if error.startswith(_ENGINES):
        return ENGINE
    if error.startswith("REFUSED"):
        return REFUSED
    return LATE if "takes longer than" in error else FAILED


def rows(answers: list[dict[str, object]]) -> Counter[str]:
    """All rows of some answers, each as text."""
    return Counter(json.dumps(row) for answer in answers for row in answer["rows"])


def _difference(made: Law, left: Counter[str], right: Counter[str]) -> str:
    only_left, only_right = (list(rows)[:3] for rows in (left - right, right - left))
    return "\n".join(
        [
            f"the law {made.name} does not hold",
            *(f"  left:  {sql}" for sql in made.left),
            *(f"  right: {sql}" for sql in made.right),
            f"  rows of the left only:  {only_left}",
            f"  rows of the right only: {only_right}",
        ]
    )
