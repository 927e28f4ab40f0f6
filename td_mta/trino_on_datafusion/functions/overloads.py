"""What a row of the allow-list says: one form of a function, and helpers that write such rows.

A parameter is a kind of type ("varchar", "bigint", ...). A suffix narrows it:

- `!`: the argument must be a constant; `make` gets it as a Python value before the query runs.
- `=`: no other type is converted to it, since Trino has a form of its own for that type.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from td_mta.trino_on_datafusion.kernels.distinct import per_value
from td_mta.trino_on_datafusion.program import Bound
from td_mta.trino_on_datafusion.types import Kernel, Type, arrow

# A fixed type, or a function of the arguments' types and the arguments.
Returns = Type | Callable[[list[Type], list[Bound]], Type]
MakeKernel = Callable[..., Kernel]  # (program, types of the arguments, *constants) -> kernel


@dataclass(frozen=True)
class Overload:
    """One form of a function.

    `make(program, types, *constants)` gives the kernel, which takes the arguments that are no
    constants. `fails`: the kernel may raise a `TrinoError` for some values. `once`: where a query
    filters by it, it is not computed a second time.
    """

    params: tuple[str, ...]
    returns: Returns
    make: MakeKernel
    fails: bool = False
    once: bool = False


def first(types: list[Type], args: list[Bound]) -> Type:
    """The result has the type of the first argument."""
    return types[0]


def plain(kernel: Kernel) -> MakeKernel:
    """A kernel that depends on neither types nor constants."""
    return lambda program, types: kernel


def with_constants(make: Callable[..., Kernel]) -> MakeKernel:
    """A kernel that is made of the constants alone."""
    return lambda program, types, *constants: make(*constants)


def each(function: Callable[[Any], Any], output: Type) -> MakeKernel:
    """A Python function of one value, called once for each distinct value."""
    return lambda program, types: per_value(function, arrow(output))
