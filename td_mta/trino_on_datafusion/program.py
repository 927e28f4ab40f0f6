"""Bound expressions: DataFusion text with a Trino type, and the program that collects their parts.

What DataFusion has no equal of becomes a vectorised function over Arrow arrays, registered under a
fresh name. A call whose arguments are all constants is computed here and now and becomes a literal.
"""

import datetime
import decimal
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from td_mta.errors import MtaError, Refused
from td_mta.trino_on_datafusion.types import BIGINT, Kernel, TrinoError, Type, arrow

EPOCH = datetime.datetime(1970, 1, 1)


class _NoValue:
    """Stands where a constant would stand."""


NO_VALUE = _NoValue()


@dataclass(frozen=True)
class Bound:
    """An expression. `fails`: some rows may raise Trino's error; `error`: it always does."""

    sql: str
    type: Type
    value: Any = NO_VALUE
    fails: bool = False
    error: str | None = None

    @property
    def constant(self) -> bool:
        return self.value is not NO_VALUE


@dataclass(frozen=True)
class Function:
    """A vectorised function to register with the engine."""

    name: str
    run: Kernel
    inputs: tuple[pa.DataType, ...]
    output: pa.DataType
    fails: bool


@dataclass
class Program:
    """What one query needs: functions, tables with their columns, the session's time."""

    now: int
    functions: dict[object, Function] = field(default_factory=dict)
    scans: dict[str, str] = field(default_factory=dict)
    raised: list[MtaError] = field(default_factory=list)
    names: int = 0
    unsure: bool = False  # Trino leaves out what follows an argument that is NULL
    outer_names: int = 0  # columns of a query around that a query inside names

    def fresh(self) -> str:
        """A name that nothing else in the query has."""
        self.names += 1
        return f"x{self.names}"

    def call(
        self,
        run: Kernel,
        args: Sequence[Bound],
        kind: Type,
        *,
        fails: bool = False,
        key: object = None,
    ) -> Bound:
        """Apply a vectorised function. Calls of equal `key` (or run) share one registration."""
        self.unsure = self.unsure or any(arg.fails or arg.error for arg in args[1:])
        if broken := next((arg.error for arg in args if arg.error), None):
            return replace(self._apply(run, args, kind, key, fails), fails=True, error=broken)
        bound = replace(
            self._apply(run, args, kind, key, fails), fails=fails or any(a.fails for a in args)
        )
        if not all(arg.constant for arg in args):
            return bound
        try:
            arrays = [pa.array([arg.value], arrow(arg.type)) for arg in args]
            value = refusing(run)(*arrays)[0].as_py()
        except TrinoError as error:
            return replace(bound, fails=True, error=error.name)
        return literal(value, kind) if _writable(kind) else bound

    def _apply(
        self, run: Kernel, args: Sequence[Bound], kind: Type, key: object, fails: bool
    ) -> Bound:
        inputs = tuple(arrow(arg.type) for arg in args)
        output = arrow(kind)
        identity = (key or run, inputs, output, fails)
        if identity not in self.functions:
            kept = _returning(run, output, self.raised)
            name = f"f{len(self.functions)}"
            self.functions[identity] = Function(name, kept, inputs, output, fails)
        name = self.functions[identity].name
        return Bound(f"{name}({', '.join(arg.sql for arg in args)})", kind)


def literal(value: Any, kind: Type) -> Bound:
    """A constant of a type."""
    return Bound(_literal_sql(value, kind), kind, value)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def arrow_cast(sql: str, kind: Type) -> str:
    """A conversion that Arrow does the same way as Trino; the caller knows that it does."""
    return f"arrow_cast({sql}, {quoted(_datafusion_name(arrow(kind)))})"


def refusing(run: Kernel) -> Kernel:
    """A value that Arrow or Python cannot hold, such as a time of the year 10000, is refused."""

    def checked(*arrays: pa.Array) -> pa.Array:
        try:
            return run(*arrays)
        except (ArithmeticError, ValueError) as error:  # pyarrow's are ValueErrors
            raise Refused(f"a value that the local engine cannot compute: {error}") from error

    return checked


def _returning(run: Kernel, output: pa.DataType, raised: list[MtaError]) -> Kernel:
    """Gives the promised type, and keeps what is raised: the engine would only pass on its text."""

    def checked(*arrays: pa.Array) -> pa.Array:
        try:
            result = refusing(run)(*arrays)
        except MtaError as error:
            raised.append(error)
            raise
        if isinstance(result, pa.ChunkedArray):
            result = result.combine_chunks()
        return result if result.type == output else result.cast(output)

    return checked


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


def _writable(kind: Type) -> bool:
    return kind.kind not in ("array", "map", "row", "json", "unknown")


def _datafusion_name(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"Decimal128({kind.precision}, {kind.scale})"
    if pa.types.is_list(kind):
        return f"List({_datafusion_name(kind.value_type)})"
    if kind not in _DATAFUSION:
        raise Refused(f"values of type {kind}")
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
