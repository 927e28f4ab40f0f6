"""`${...}` in parameters and SQL files: one pass in document order, results are strings.

`$$` is a dollar, `${word:...}` is left alone (secrets), an unclosed `${` stays as it is. A key sees
what stands before it evaluated, and any other parameter as its raw text.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from local_runner import javascript, javascript_values
from local_runner.javascript import Expression, ScriptError, UnsupportedError
from local_runner.yaml_types import Value

LAZY = frozenset({"_do", "_else_do"})  # the parent leaves them to its subtasks
SECRET = re.compile(r"\$\{secret:([A-Za-z0-9_.-]+)\}")
_LEFT_ALONE = re.compile(r"[a-z]+:")


class TemplateError(Exception):
    """A template that Digdag fails on too, at run time."""


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[str | Expression, ...]:
    """Literal pieces and expressions; raises `UnsupportedError`."""
    pieces: list[str | Expression] = []
    at = 0
    while (start := text.find("${", at)) >= 0:
        end = _closing(text, start + 2)
        if end is None:
            if text.count("${") > 1 or "$$" in text:
                raise UnsupportedError("an unclosed `${` beside other templates")
            return (text,)
        if text.endswith("$$", at, start):
            raise UnsupportedError("`$$$` before a brace")
        pieces.append(text[at:start].replace("$$", "$"))
        at = end + 1
        try:
            pieces.append(_piece(text[start:at]))
        except UnsupportedError as error:
            error.at = start
            raise
    return (*pieces, text[at:].replace("$$", "$"))


def _closing(text: str, at: int) -> int | None:
    """Where the braces are even again; Digdag counts them without regard to quotes."""
    depth = 1
    for brace in re.compile(r"[{}]").finditer(text, at):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return None


def _piece(whole: str) -> str | Expression:
    code = whole[2:-1]
    if not code or _LEFT_ALONE.match(code):
        return whole if code else ""
    return javascript.parse(code)


def fill(text: str, scope: Mapping[str, Value], where: str = "") -> str:
    """The text with every template replaced; raises `TemplateError`."""
    try:
        return "".join(
            piece if isinstance(piece, str) else javascript_values.result_text(piece.value(scope))
            for piece in parse(text)
        )
    except (ScriptError, UnsupportedError) as error:
        raise TemplateError(
            f"Failed to evaluate a variable {text} ({error}){where} (config)"
        ) from None


def evaluate(
    config: Mapping[str, Value], params: Mapping[str, Value], *, lenient: bool = False
) -> dict[str, Value]:
    """Every string of a mapping filled, in document order; `params` are the raw values.

    `lenient` leaves out what cannot be evaluated: before the run some values are not known yet.
    """
    built: dict[str, Value] = {}
    scope = dict(params)
    for key, value in config.items():
        try:
            built[key] = value if key in LAZY else _evaluate(value, scope, params)
            scope[key] = built[key]
        except TemplateError:
            if not lenient:
                raise
            scope.pop(key, None)
    return built


def _evaluate(value: Value, scope: Mapping[str, Value], params: Mapping[str, Value]) -> Value:
    if isinstance(value, str):
        return fill(value, scope)
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
    """The names that a template reads; raises `UnsupportedError`."""
    return frozenset[str]().union(
        *(piece.names for piece in parse(text) if not isinstance(piece, str))
    )


def in_doubt(
    config: Mapping[str, Value], raw: Mapping[str, Value], local: frozenset[str]
) -> str | None:
    """A nested template whose meaning depends on what nested values see, which was not observed.

    Nested values see earlier siblings. Whether they see other keys of the task evaluated or raw is
    not known, so a name must mean the same both ways: no parameter of the task's own (`local`),
    no exported value that is a template itself.
    """
    for key, value in config.items():
        if key not in LAZY and isinstance(value, dict | list):
            for name, enclosed in _outer_names(value, frozenset(), frozenset()):
                if (
                    enclosed
                    or name in local
                    or any("${" in text for text in strings(raw.get(name)))
                ):
                    return name
    return None


def _outer_names(
    value: Value, siblings: frozenset[str], enclosing: frozenset[str]
) -> Iterator[tuple[str, bool]]:
    """Names that are no earlier sibling, and whether a map around holds them."""
    if isinstance(value, str):
        yield from ((name, name in enclosing) for name in names(value) - siblings)
    elif isinstance(value, list):
        for item in value:
            yield from _outer_names(item, siblings, enclosing)
    elif isinstance(value, dict):
        seen = frozenset[str]()
        for key, item in value.items():
            if key not in LAZY:
                later = value.keys() - seen
                yield from _outer_names(item, seen, enclosing | siblings | later)
            seen |= {key}
