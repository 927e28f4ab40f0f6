"""`${...}` in parameters and SQL files: one pass in document order, results are strings.

`$$` is a dollar, `${word:...}` is left alone (secrets), an unclosed `${` stays as it is. A key sees
what stands before it evaluated, and any other parameter as its raw text.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from local_runner.javascript import engine
from local_runner.javascript.engine import LeakedNameError, ScriptError
from local_runner.javascript.names import GLOBALS
from local_runner.javascript.syntax import Expression, recognise
from local_runner.javascript.tokens import UnsupportedError
from local_runner.workflow import session
from local_runner.workflow.yaml_types import Value

_SHOWN = 200  # characters of a text that is refused
_BRACE = re.compile(r"[{}]")
LAZY = frozenset({"_do", "_else_do"})  # the parent leaves them to its subtasks
SECRET = re.compile(r"\$\{secret:([A-Za-z0-9_.-]+)\}")
# Errors whose message is the same on Digdag's engine.
_SAME_MESSAGE = re.compile(r"ReferenceError: \w+ is not defined|TypeError: Cannot read property ")
_TEMPLATE = re.compile(r"\$\{(?![a-z]+:)(?=.)", re.DOTALL)


class TemplateError(Exception):
    """A template that fails on Digdag too, in the run; `same_message` if with the same message.

    `is_leaked` where a later task may have a parameter of the name, and Digdag's script has it too.
    """

    same_message = True
    is_leaked = False


class UnknownTemplateError(TemplateError):
    """A template whose value on Digdag is not known."""


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[str | Expression, ...]:
    """Literal pieces and expressions; raises `UnsupportedError`."""
    pieces: list[str | Expression] = []
    position = 0  # everything before is among the pieces
    while start := _TEMPLATE.search(text, position):
        end = _closing_brace(text, start.end())
        if end is None:
            break
        literal, code = text[position : start.start()], text[start.end() : end]
        pieces.append(literal.replace("$$", "$"))
        position = end + 1
        try:
            if code:  # `${}` is nothing
                pieces.append(recognise(code))
        except UnsupportedError as error:
            error.position = start.start()
            raise
    return (*pieces, text[position:].replace("$$", "$"))


def _closing_brace(text: str, start: int) -> int | None:
    """Where the braces are even again; Digdag counts them without regard to quotes."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return None


@lru_cache(maxsize=4096)
def _script(text: str) -> engine.Script:
    return engine.script(parse(text))


def fill(text: str, scope: Mapping[str, Value], where: str = "", zone: Value | None = None) -> str:
    """The text with every template replaced; raises `TemplateError`.

    Local times are of the zone, or else of the scope's parameter `timezone`.
    """
    try:
        pieces = parse(text)
        if all(isinstance(piece, str) for piece in pieces):
            return "".join(map(str, pieces))
        return engine.run(_script(text), scope, _zone_name(zone or scope.get("timezone", "UTC")))
    except (ScriptError, UnsupportedError) as error:
        is_known = isinstance(error, ScriptError)  # then Digdag has the whole text in its message
        shown = text if is_known or len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."
        error_class = TemplateError if is_known else UnknownTemplateError
        failure = error_class(f"Failed to evaluate a variable {shown} ({error}){where} (config)")
        failure.is_leaked = isinstance(error, LeakedNameError)
        failure.same_message = bool(_SAME_MESSAGE.match(str(error)))
        raise failure from None


def _zone_name(zone: Value) -> str:
    try:
        return session.zone(zone).key
    except ValueError as error:
        raise UnsupportedError(str(error)) from None


def evaluate(
    config: Mapping[str, Value],
    params: Mapping[str, Value],
    *,
    failed: list[TemplateError] | None = None,
) -> dict[str, Value]:
    """Every string of a mapping filled, in document order; `params` are the raw values.

    A template within a map sees earlier keys of that map alone, and otherwise raw values, as on
    Digdag: never the task's own keys. One in a list directly in the task sees what the task sees.

    With the list `failed`, what cannot be evaluated is left out and its error is appended: before
    the run some values are not known yet.
    """
    evaluated: dict[str, Value] = {}
    scope = dict(params)  # keys still to come are seen raw
    for key, value in config.items():
        try:
            evaluated[key] = value if key in LAZY else _evaluate(value, scope, params)
            scope[key] = evaluated[key]
        except TemplateError as error:
            if failed is None or isinstance(error, UnknownTemplateError):
                raise
            failed.append(error)
            scope.pop(key, None)
    return evaluated


def _evaluate(value: Value, scope: Mapping[str, Value], params: Mapping[str, Value]) -> Value:
    if isinstance(value, str):
        return fill(value, scope, zone=params.get("timezone"))
    if isinstance(value, list):
        return [_evaluate(item, scope, params) for item in value]
    return evaluate(value, params) if isinstance(value, dict) else value


def strings(value: Value) -> Iterator[str]:
    """Every string value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def names(text: str) -> frozenset[str]:
    """The names of parameters that a template reads; raises `UnsupportedError`."""
    return _script(text).names - GLOBALS
