"""The call of an allowed function: the first form whose parameters take the arguments is applied.

A form of the registry becomes a vectorised function; a special form writes its own DataFusion text.
"""

from collections.abc import Sequence

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts
from td_mta.trino_on_datafusion.functions.overloads import Overload
from td_mta.trino_on_datafusion.functions.registry import FUNCTIONS
from td_mta.trino_on_datafusion.functions.special_forms import SPECIAL_FORMS
from td_mta.trino_on_datafusion.program import Bound, Program, literal
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
    coerces,
    varchar,
)

# The types without parameters, to which an argument of another type may be converted.
_COERCION_TARGETS = {
    kind.kind: kind for kind in (VARCHAR, BIGINT, INTEGER, DOUBLE, BOOLEAN, DATE, VARBINARY)
}
# Trino has functions of these names for several types; the type of the argument at this index
# chooses among them, and an untyped NULL there is ambiguous.
_DECIDING_ARGUMENT = {"reverse": 0, "substr": 0, "sequence": 0, "date_trunc": 1, "date_add": 2}


def known(name: str) -> bool:
    """Whether a scalar function of this name, in lower case, runs here in any form."""
    return name in FUNCTIONS or name in SPECIAL_FORMS


def call(name: str, args: Sequence[Bound], program: Program) -> Bound:
    """The call of an allowed function; `Refused` where no form takes arguments of these types."""
    deciding = _DECIDING_ARGUMENT.get(name, len(args))
    if deciding < len(args) and args[deciding].type == UNKNOWN:
        raise Refused(f"function {name} of NULL, where Trino cannot tell the type")
    special_form = SPECIAL_FORMS.get(name)
    if special_form is not None:
        return special_form(list(args), program)
    for overload in FUNCTIONS.get(name, ()):
        converted = _converted_arguments(overload, args, program)
        if converted is not None:
            return _applied(name, overload, converted, program)
    types = ", ".join(str(arg.type) for arg in args)
    raise Refused(f"function {name.lstrip('$')}({types}): it takes {_forms(name)}")


def _forms(name: str) -> str:
    """What a function takes, for the user: (varchar, constant bigint) or ..."""
    forms = []
    for overload in FUNCTIONS.get(name, ()):
        params = [
            f"constant {param[:-1]}" if param.endswith("!") else param.rstrip("=")
            for param in overload.params
        ]
        forms.append(f"({', '.join(params)})")
    return " or ".join(forms)


def _converted_arguments(
    overload: Overload, args: Sequence[Bound], program: Program
) -> list[Bound] | None:
    """The arguments as the form takes them; None where it does not take one of them."""
    if len(args) != len(overload.params):
        return None
    converted: list[Bound] = []
    for arg, param in zip(args, overload.params, strict=True):
        argument = _argument(arg, param, program)
        if argument is None:
            return None
        converted.append(argument)
    return converted


def _argument(arg: Bound, param: str, program: Program) -> Bound | None:
    kind = param.rstrip("!=")
    must_be_constant, exact = param.endswith("!"), param.endswith("=")
    if must_be_constant and (not arg.constant or arg.value is None):
        return None
    if arg.type.kind == kind:
        return arg
    if exact:
        return None
    if kind == "varchar" and arg.type == UNKNOWN:
        return literal(None, varchar(0))  # Trino gives an untyped NULL the length 0
    target = _COERCION_TARGETS.get(kind)
    if target is not None and (coerces(arg.type, target) or arg.type == UNKNOWN):
        return casts.coerce(arg, target, program)
    return None


def _applied(name: str, overload: Overload, args: list[Bound], program: Program) -> Bound:
    """The constants go to the maker of the kernel, the other arguments to the kernel."""
    constants, columns = [], []
    for arg, param in zip(args, overload.params, strict=True):
        if param.endswith("!"):
            constants.append(arg.value)
        else:
            columns.append(arg)
    types = [arg.type for arg in args]
    returns = overload.returns
    kind = returns if isinstance(returns, Type) else returns(types, args)
    kernel = overload.make(program, types, *constants)
    if not columns:
        raise Refused(f"function {name} of constants alone")
    key = (name, tuple(types), tuple(map(repr, constants)))
    return program.call(kernel, columns, kind, fails=overload.fails, once=overload.once, key=key)
