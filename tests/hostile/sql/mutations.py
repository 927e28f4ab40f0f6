"""The project's own queries, and those that found a fault once, with a part or two changed."""

import csv
import random
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sqlglot import exp

from td_mta.config import attribution as configuration
from td_mta.config import placeholders
from td_mta.errors import Refused
from td_mta.trino_on_datafusion.parse import parse

TESTS = Path(__file__).parents[2]
QUERIES = TESTS.parent / "queries"
_LITERALS = ("''", "'a'", "0", "-1", "9223372036854775807", "0.5", "1e308", "null", "'2026-03-01'")
_CLAUSES = ("where", "group", "having", "order", "limit", "offset", "distinct", "joins", "with_")


class Mutant(NamedTuple):
    """A query over the tables of a folder; None: it needs none."""

    sql: str
    data: Path | None


@cache
def _originals() -> list[tuple[str, Path | None]]:
    recorded = (TESTS / "conformance" / "trino").glob("*.csv")
    small = [case["sql"] for file in sorted(recorded) for case in _cases(file)]
    found: list[tuple[str, Path | None]] = [(sql, None) for sql in small]
    for case in sorted(path.parent for path in (TESTS / "queries").glob("*/*/expected.csv")):
        settings = configuration.load(case / "params.yml")
        file = QUERIES / f"{case.parent.name}.sql"
        found += [(placeholders.statement(file, settings), case)] * 2
    return found


def _cases(file: Path) -> list[dict[str, str]]:
    csv.field_size_limit(100_000_000)
    with file.open(encoding="utf-8", newline="") as lines:
        return [case for case in csv.DictReader(lines) if len(case["sql"]) < 5000]


def mutant(source: random.Random) -> Mutant:
    """One of the queries with one to three changes."""
    sql, data = source.choice(_originals())
    try:
        tree = parse(sql)
    except Refused:
        return Mutant(sql, data)
    for _ in range(source.randint(1, 3)):
        _change(tree, source)
    try:
        return Mutant(tree.sql("trino"), data)
    except AssertionError:  # a tree that sqlglot cannot write
        return Mutant(sql, data)


def _change(tree: exp.Expression, source: random.Random) -> None:
    nodes = [node for node in tree.walk() if node.parent is not None]
    if not nodes:
        return
    node = source.choice(nodes)
    match source.randrange(6):
        case 0:  # another part of the same kind: a column, a literal, a call, a query
            others = [other for other in nodes if type(other) is type(node)]
            node.replace(source.choice(others).copy())
        case 1:
            values = [node for node in nodes if isinstance(node, exp.Literal | exp.Column)]
            if values:
                source.choice(values).replace(
                    parse(f"select {source.choice(_LITERALS)}").expressions[0]
                )
        case 2:
            calls = [node for node in nodes if isinstance(node, exp.Anonymous)]
            if calls:
                source.choice(calls).set("this", source.choice(calls).name)
        case 3:
            _without_or_doubled(tree, source)
        case 4:
            operators = [node for node in nodes if isinstance(node, exp.Binary)]
            if operators:
                old, like = source.choice(operators), source.choice(operators)
                old.replace(type(like)(this=old.args["this"], expression=old.args["expression"]))
        case _:  # what stands inside instead of what is around it
            inside = [child for child in node.iter_expressions() if type(child) is not type(node)]
            if inside:
                node.replace(source.choice(inside).copy())


def _without_or_doubled(tree: exp.Expression, source: random.Random) -> None:
    """A clause is dropped, or an item of SELECT or an argument stands twice or not at all."""
    selects = list(tree.find_all(exp.Select))
    if selects and source.random() < 0.5:
        select = source.choice(selects)
        present = [clause for clause in _CLAUSES if select.args.get(clause)]
        if present:
            select.set(source.choice(present), None)
        return
    lists = [node for node in tree.walk() if node.expressions]
    if lists:
        node = source.choice(lists)
        items = list(node.expressions)
        place = source.randrange(len(items))
        items[place : place + 1] = source.choice([[], [items[place], items[place].copy()]])
        node.set("expressions", items)
