"""The functions that are known to mean the same: a name, what it takes, what it gives.

A parameter is a kind of type ("varchar", "bigint", ...), with `!` when it must be a constant, which
the function then gets as a Python value before the query runs, and with `=` where no other type
turns into it by itself, since Trino has a form of its own for that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts
from td_mta.trino_on_datafusion.kernels import conversions
from td_mta.trino_on_datafusion.program import Bound, Program, Run, literal
from td_mta.trino_on_datafusion.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    UNKNOWN,
    VARBINARY,
    VARCHAR,
    Type,
    arrow,
    coerces,
    varchar,
)

Returns = Type | Callable[..., Type]


@dataclass(frozen=True)
class Overload:
    """One form of a function. `make` gets the constants, the types and gives the vectorised run."""

    params: tuple[str, ...]
    returns: Returns
    make: Callable[..., Run]
    fails: bool = False


_PLAIN = {kind.kind: kind for kind in (VARCHAR, BIGINT, INTEGER, DOUBLE, BOOLEAN, DATE, VARBINARY)}
# Which argument's type says which of Trino's functions of that name is meant.
_OF_SEVERAL_TYPES = {"reverse": 0, "substr": 0, "sequence": 0, "date_trunc": 1, "date_add": 2}
AGGREGATES: set[str] = set()


def is_aggregate(node: Any) -> bool:
    """Whether an expression is an aggregate function's call, with or without FILTER."""
    inner = node.this if node.key == "filter" else node
    return inner.key == "anonymous" and inner.name.lower() in AGGREGATES


def known(name: str) -> bool:
    return name in _functions() or name in _specials()


def call(name: str, args: Sequence[Bound], program: Program) -> Bound:
    """The call of an allowed function with arguments of allowed types."""
    place = _OF_SEVERAL_TYPES.get(name, len(args))
    if place < len(args) and args[place].type == UNKNOWN:
        raise Refused(f"function {name} of NULL, where Trino cannot tell the type")
    special = _specials().get(name)
    if special is not None:
        return special(list(args), program)
    for overload in _functions().get(name, ()):
        cast = _matched(overload, args, program)
        if cast is not None:
            return _applied(name, overload, cast, program)
    types = ", ".join(str(arg.type) for arg in args)
    raise Refused(f"function {name.lstrip('$')}({types}) in this form")


def _matched(overload: Overload, args: Sequence[Bound], program: Program) -> list[Bound] | None:
    if len(args) != len(overload.params):
        return None
    cast = [
        _argument(arg, param, program) for arg, param in zip(args, overload.params, strict=True)
    ]
    return None if None in cast else [arg for arg in cast if arg is not None]


def _argument(arg: Bound, param: str, program: Program) -> Bound | None:
    kind = param.rstrip("!=")
    if param.endswith("!") and (not arg.constant or arg.value is None):
        return None
    if arg.type.kind == kind:
        return arg
    if kind == "varchar" and arg.type == UNKNOWN and not param.endswith("="):
        return literal(None, varchar(0))
    if (
        kind in _PLAIN
        and not param.endswith("=")
        and (coerces(arg.type, _PLAIN[kind]) or arg.type == UNKNOWN)
    ):
        return casts.coerce(arg, _PLAIN[kind], program)
    return None


def _applied(name: str, overload: Overload, args: list[Bound], program: Program) -> Bound:
    fixed = [param.endswith("!") for param in overload.params]
    constants = [arg.value for arg, is_fixed in zip(args, fixed, strict=True) if is_fixed]
    rest = [arg for arg, is_fixed in zip(args, fixed, strict=True) if not is_fixed]
    types = [arg.type for arg in args]
    returns = overload.returns
    kind = returns if isinstance(returns, Type) else returns(types, args)
    run = overload.make(program, types, *constants)
    key = (name, tuple(types), tuple(map(repr, constants)))
    if not rest:
        raise Refused(f"function {name} of constants alone")
    return program.call(run, rest, kind, fails=overload.fails, key=key)


def _functions() -> dict[str, tuple[Overload, ...]]:
    from td_mta.trino_on_datafusion.functions import registry

    return registry.FUNCTIONS


def _specials() -> dict[str, Callable[[list[Bound], Program], Bound]]:
    from td_mta.trino_on_datafusion.functions import special_forms

    return special_forms.SPECIALS


# --- for the catalogs ---


def first(types: list[Type], args: list[Bound]) -> Type:
    return types[0]


def plain(run: Run) -> Callable[..., Run]:
    return lambda program, types: run


def with_constants(make: Callable[..., Run]) -> Callable[..., Run]:
    """From the constants alone."""
    return lambda program, types, *constants: make(*constants)


def each(function: Callable[[Any], Any], output: Type) -> Callable[..., Run]:
    """One value at a time, each distinct one once."""
    return lambda program, types: conversions.per_value(function, arrow(output))
