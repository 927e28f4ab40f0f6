"""Bound expressions: DataFusion text with a Trino type, and the program that collects their parts.

What DataFusion has no equal of becomes a kernel, a vectorised function over Arrow arrays that is
registered under a fresh name. A call whose arguments are all constants is computed while the query
is translated and becomes a literal.
"""

import datetime
import decimal
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pyarrow as pa

from td_mta.errors import MtaError, Refused
from td_mta.trino_on_datafusion.kernels.distinct import each_once
from td_mta.trino_on_datafusion.types import BIGINT, Kernel, TrinoError, Type, arrow

EPOCH = datetime.datetime(1970, 1, 1)
_Shared = TypeVar("_Shared")

MOST_QUERIES = 1000  # within a query, which is one text for the engine


class _NoValue:
    """Stands where a constant would stand."""


NO_VALUE = _NoValue()


@dataclass(frozen=True)
class Bound:
    """An expression: its DataFusion text and its Trino type.

    `value` is that of a constant (None for NULL), else NO_VALUE. `fails`: some rows may raise
    Trino's error. `error`: the name of the error that every row raises.
    """

    sql: str
    type: Type
    value: Any = NO_VALUE
    fails: bool = False
    error: str | None = None
    call: "Call | None" = None

    @property
    def constant(self) -> bool:
        """Whether the value is known before the query runs."""
        return self.value is not NO_VALUE


@dataclass(frozen=True)
class Call:
    """A kernel of one text, and the text: what a call of another function around it joins."""

    kernel: Kernel
    argument: Bound
    key: object


@dataclass(frozen=True)
class Function:
    """A vectorised function to register with the engine."""

    name: str
    kernel: Kernel
    inputs: tuple[pa.DataType, ...]
    output: pa.DataType
    volatile: bool  # whether DataFusion may neither move it nor compute it twice


@dataclass
class Program:
    """What one query needs besides its text, collected while it is translated."""

    now: int  # the session's time, unix seconds
    functions: dict[object, Function] = field(default_factory=dict)
    scans: dict[str, str] = field(default_factory=dict)  # stored table -> its name in the text
    raised: list[MtaError] = field(default_factory=list)  # by kernels while the query runs
    unsure: bool = False  # whether Trino, which skips arguments behind a NULL, may not fail
    _names: int = 0
    _queries: int = 0
    _shared: dict[type, Any] = field(default_factory=dict)

    def fresh(self) -> str:
        """A name that nothing else in the query has."""
        self._names += 1
        return f"x{self._names}"

    def count_query(self) -> None:
        """One more query within this one; each use of WITH counts anew. Raises `Refused`."""
        self._queries += 1
        if self._queries > MOST_QUERIES:
            raise Refused(
                f"more than {MOST_QUERIES} queries in one (each use of one of WITH counts)"
            )

    def shared(self, kind: type[_Shared]) -> _Shared:
        """The one object of a class that the kernels of this query share."""
        return self._shared.setdefault(kind, kind())

    def call(
        self,
        kernel: Kernel,
        args: Sequence[Bound],
        kind: Type,
        *,
        fails: bool = False,
        once: bool = False,
        key: object = None,
    ) -> Bound:
        """Apply a kernel. Calls of equal `key` (or kernel) and types share one registration.

        `fails`: the kernel may raise a `TrinoError`. `once`: a filter of a later step takes its
        result, it is not computed for that filter and again for the rows. Constants give a literal,
        or an expression with Trino's `error`; raises `Refused` where the kernel does.
        """
        self.unsure = self.unsure or any(arg.fails or arg.error for arg in args[1:])
        joined = None if once else self._joined(kernel, args, kind, key)
        if joined is not None and args[0].call is not None:
            fails = fails or args[0].fails
            kernel, args, key = joined.kernel, [joined.argument], joined.key
        applied = self._applied(kernel, args, kind, key, volatile=fails or once)
        error = next((arg.error for arg in args if arg.error), None)
        if error:
            return replace(applied, fails=True, error=error)
        if not all(arg.constant for arg in args):
            return replace(applied, fails=fails or any(arg.fails for arg in args), call=joined)
        try:
            value = _computed(kernel, args)
        except TrinoError as trino_error:
            return replace(applied, fails=True, error=trino_error.name)
        if has_literal(kind):
            return literal(value, kind)
        return replace(applied, fails=fails or any(arg.fails for arg in args))

    def _joined(
        self, kernel: Kernel, args: Sequence[Bound], kind: Type, key: object
    ) -> Call | None:
        """The call of a function of one text; with the calls inside it, which then is one kernel
        that runs once for each distinct text. None for any other call.
        """
        argument = args[0]
        if len(args) != 1 or argument.constant or argument.error or argument.type.kind != "varchar":
            return None
        typed, inner = _typed(kernel, arrow(kind)), argument.call
        if inner is None:
            return Call(typed, argument, key or kernel)

        def both(texts: pa.Array) -> pa.Array:
            return typed(inner.kernel(texts))

        return Call(each_once(both), inner.argument, (key or kernel, inner.key))

    def _applied(
        self, kernel: Kernel, args: Sequence[Bound], kind: Type, key: object, *, volatile: bool
    ) -> Bound:
        inputs = tuple(arrow(arg.type) for arg in args)
        output = arrow(kind)
        identity = (key or kernel, inputs, output, volatile)
        if identity not in self.functions:
            name = f"f{len(self.functions)}"
            recorded = _recording(_typed(kernel, output), output, self.raised)
            self.functions[identity] = Function(name, recorded, inputs, output, volatile)
        name = self.functions[identity].name
        return Bound(f"{name}({', '.join(arg.sql for arg in args)})", kind)


@dataclass(frozen=True)
class TranslatedQuery:
    """A translated query: the text, what it needs, and the columns that come out."""

    sql: str
    program: Program
    names: tuple[str | None, ...]
    types: tuple[Type, ...]
    in_order: bool  # it ends in ORDER BY
    certain: bool  # its errors are Trino's: there is nothing that Trino may leave out


def _computed(kernel: Kernel, args: Sequence[Bound]) -> Any:
    arrays = [pa.array([arg.value], arrow(arg.type)) for arg in args]
    return refusing(kernel)(*arrays)[0].as_py()


def literal(value: Any, kind: Type) -> Bound:
    """A constant of a type."""
    return Bound(_literal_sql(value, kind), kind, value)


def balanced(word: str, parts: Sequence[str]) -> str:
    """The parts in their order, joined by an operator that is associative.

    In parentheses of few levels: the engine takes no more than its recursion limit.

    >>> balanced("OR", ["a", "b", "c", "d"])
    '((a OR b) OR (c OR d))'
    """
    if len(parts) == 1:
        return parts[0]
    middle = (len(parts) + 1) // 2
    return f"({balanced(word, parts[:middle])} {word} {balanced(word, parts[middle:])})"


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def arrow_cast(sql: str, kind: Type) -> str:
    """A conversion that Arrow does the same way as Trino; the caller knows that it does."""
    return f"arrow_cast({sql}, {quoted(_datafusion_name(arrow(kind)))})"


def refusing(kernel: Kernel) -> Kernel:
    """A value that Arrow or Python cannot hold, such as a time of the year 10000, is refused."""

    def checked(*arrays: pa.Array) -> pa.Array:
        try:
            return kernel(*arrays)
        # pyarrow's are ValueErrors, Python's of times beyond its clock OSErrors
        except (ArithmeticError, ValueError, OSError) as error:
            raise Refused(f"a value that the local SQL engine cannot compute: {error}") from error

    return checked


def _recording(kernel: Kernel, output: pa.DataType, raised: list[MtaError]) -> Kernel:
    """Keeps what is raised: DataFusion would only pass on its text."""

    def checked(*arrays: pa.Array) -> pa.Array:
        # Of NULL alone every function of Trino is NULL; columns without any value are frequent.
        if len(arrays) == 1 and arrays[0].null_count == len(arrays[0]):
            return pa.nulls(len(arrays[0]), output)
        try:
            result = refusing(kernel)(*arrays)
        except MtaError as error:
            raised.append(error)
            raise
        return result

    return checked


def _typed(kernel: Kernel, output: pa.DataType) -> Kernel:
    """Gives the promised type, in one piece."""

    def typed(*arrays: pa.Array) -> pa.Array:
        result = kernel(*arrays)
        if isinstance(result, pa.ChunkedArray):
            result = result.combine_chunks()
        return result if result.type == output else result.cast(output)

    return typed


def _literal_sql(value: Any, kind: Type) -> str:
    if value is None:
        return arrow_cast("NULL", kind)
    if kind.kind == "boolean":
        return "true" if value else "false"
    if kind.kind == "varchar":
        return quoted(value)
    if kind.kind == "varbinary":
        return f"X'{value.hex()}'"
    if isinstance(value, datetime.datetime):
        micros = (value - EPOCH) // datetime.timedelta(microseconds=1)
        return arrow_cast(arrow_cast(str(micros), BIGINT), kind)
    return arrow_cast(quoted(_number_text(value)), kind)


def _number_text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, decimal.Decimal) else str(value)


def has_literal(kind: Type) -> bool:
    """Whether constants of a type can be written as DataFusion text."""
    return kind.kind not in ("array", "map", "row", "json", "unknown")


def _datafusion_name(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"Decimal128({kind.precision}, {kind.scale})"
    if pa.types.is_list(kind):
        return f"List({_datafusion_name(kind.value_type)})"
    if kind not in _DATAFUSION:
        raise Refused(f"values of type {kind} in DataFusion text")
    return _DATAFUSION[kind]


_DATAFUSION = {
    pa.bool_(): "Boolean",
    pa.int8(): "Int8",
    pa.int16(): "Int16",
    pa.int32(): "Int32",
    pa.int64(): "Int64",
    pa.float32(): "Float32",
    pa.float64(): "Float64",
    pa.string(): "Utf8",
    pa.binary(): "Binary",
    pa.date32(): "Date32",
    pa.timestamp("us"): "Timestamp(Microsecond, None)",
    pa.null(): "Null",
}
