"""Aggregate functions that DataFusion has too: its text for each, and the type that Trino gives.

Sums of bigints are made in 38 digits, so that they fail where Trino fails; MIN and MAX of doubles
refuse NaN; ARBITRARY is the least value, which is as arbitrary as any and the same in every run.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlglot import exp

from td_mta.errors import Refused
from td_mta.trino_on_datafusion import casts
from td_mta.trino_on_datafusion.binding.expressions import Scope, bind
from td_mta.trino_on_datafusion.binding.keys import groupable, ordering
from td_mta.trino_on_datafusion.kernels import numbers
from td_mta.trino_on_datafusion.program import Bound, Program, arrow_cast
from td_mta.trino_on_datafusion.types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    INTEGERS,
    ORDERED,
    Type,
    array,
    decimal,
)


@dataclass(frozen=True)
class AggregateCall:
    """The call of an aggregate function, its arguments bound."""

    name: str
    args: list[Bound]
    distinct: bool
    order: list[exp.Ordered]
    where: str | None  # the condition of FILTER, as DataFusion text
    scope: Scope

    @property
    def arg(self) -> Bound:
        """The only argument."""
        (arg,) = self.args
        return arg

    @property
    def program(self) -> Program:
        return self.scope.program

    @property
    def distinct_word(self) -> str:
        return "DISTINCT " if self.distinct else ""

    def filtered(self, sql: str, *tests: str) -> str:
        """DataFusion's call over the rows that FILTER and these tests let through."""
        conditions = [*tests, self.where] if self.where else tests
        return f"{sql} FILTER (WHERE {' AND '.join(conditions)})" if conditions else sql

    def refused(self) -> Refused:
        """That this function does not take these types."""
        types = ", ".join(str(arg.type) for arg in self.args)
        call = f"{self.name}({self.distinct_word.lower()}{types})"
        return Refused(f"function {call}: it does not take these types here")


def _unchanged(bound: Bound) -> Bound:
    return bound


@dataclass(frozen=True)
class Aggregate:
    """A translated aggregate: `call` stands in the grouping step or before OVER.

    DataFusion gives it the type `type`; `to_trino` turns that value into Trino's in the step above.
    """

    call: str
    type: Type
    to_trino: Callable[[Bound], Bound] = _unchanged


def count(call: AggregateCall) -> Aggregate:
    """count([DISTINCT] x): the rows where x is not NULL."""
    arg = groupable(call.arg, call.program) if call.distinct else call.arg
    return Aggregate(call.filtered(f"count({call.distinct_word}{arg.sql})"), BIGINT)


def total(call: AggregateCall) -> Aggregate:
    """sum: of integers a bigint, of decimals 38 digits, of doubles a double."""
    arg, kind, program = call.arg, call.arg.type, call.program
    if kind.kind == "bigint":
        wide = decimal(38, 0)
        sql = f"sum({call.distinct_word}{arrow_cast(arg.sql, wide)})"
        return Aggregate(
            call.filtered(sql),
            wide,
            lambda bound: program.call(numbers.bounded_sum, [bound], BIGINT, fails=True),
        )
    if kind.kind in INTEGERS:
        sql = f"sum({call.distinct_word}{arrow_cast(arg.sql, BIGINT)})"
        return Aggregate(call.filtered(sql), BIGINT)
    if kind == DOUBLE and not call.distinct:
        return Aggregate(call.filtered(f"sum({arg.sql})"), DOUBLE)
    if kind.kind == "decimal" and not call.distinct:
        wide = decimal(38, kind.args[1])
        return Aggregate(call.filtered(f"sum({arrow_cast(arg.sql, wide)})"), wide)
    raise call.refused()


def of_doubles(function: str) -> Callable[[AggregateCall], Aggregate]:
    """avg, stddev and their like: DataFusion's function of integers or doubles as doubles."""

    def made(call: AggregateCall) -> Aggregate:
        if call.arg.type.kind not in (*INTEGERS, "double"):
            raise call.refused()
        numbers_as_doubles = casts.coerce(call.arg, DOUBLE, call.program)
        return Aggregate(call.filtered(f"{function}({numbers_as_doubles.sql})"), DOUBLE)

    return made


def extreme(call: AggregateCall) -> Aggregate:
    """min, max."""
    kind = call.arg.type
    if kind.kind not in ORDERED or kind.kind == "real":
        raise call.refused()
    arg = _without_nan(call.arg, call.program)
    return Aggregate(call.filtered(f"{call.name}({arg.sql})"), kind)


def _without_nan(arg: Bound, program: Program) -> Bound:
    return program.call(numbers.no_nan, [arg], DOUBLE) if arg.type == DOUBLE else arg


def arbitrary(call: AggregateCall) -> Aggregate:
    """arbitrary, any_value: the least value."""
    if call.arg.type == BOOLEAN:
        return Aggregate(call.filtered(f"bool_or({call.arg.sql})"), BOOLEAN)
    return extreme(replace(call, name="min"))


def of_booleans(function: str) -> Callable[[AggregateCall], Aggregate]:
    """bool_and, bool_or, every."""

    def made(call: AggregateCall) -> Aggregate:
        if call.arg.type != BOOLEAN:
            raise call.refused()
        return Aggregate(call.filtered(f"{function}({call.arg.sql})"), BOOLEAN)

    return made


def count_if(call: AggregateCall) -> Aggregate:
    """count_if: the rows where a condition is true."""
    if call.arg.type != BOOLEAN:
        raise call.refused()
    return Aggregate(call.filtered(f"count(CASE WHEN {call.arg.sql} THEN 1 END)"), BIGINT)


def at_extreme(call: AggregateCall) -> Aggregate:
    """max_by, min_by: of several rows with the extreme key the least value, in every run."""
    if any(arg.type.kind not in ORDERED for arg in call.args):
        raise call.refused()
    value, unchecked_key = call.args
    key = _without_nan(unchecked_key, call.program)
    direction = "DESC" if call.name == "max_by" else "ASC"
    order = f"{key.sql} {direction} NULLS LAST, {value.sql} ASC"
    first_value = f"first_value({value.sql} ORDER BY {order})"
    return Aggregate(call.filtered(first_value, f"{key.sql} IS NOT NULL"), value.type)


def of_bits(function: str) -> Callable[[AggregateCall], Aggregate]:
    """bitwise_and_agg, bitwise_or_agg: of bigints."""

    def made(call: AggregateCall) -> Aggregate:
        if call.arg.type.kind not in INTEGERS:
            raise call.refused()
        bits = casts.coerce(call.arg, BIGINT, call.program)
        return Aggregate(call.filtered(f"{function}({bits.sql})"), BIGINT)

    return made


def array_agg(call: AggregateCall) -> Aggregate:
    """array_agg([DISTINCT] x ORDER BY ...): without ORDER BY Trino's order is anyone's guess."""
    if not call.order or call.arg.type.kind not in ORDERED:
        raise Refused("array_agg without ORDER BY, or of values without an order")
    sort_keys = [bind(item.this, call.scope) for item in call.order]
    keys = [
        ordering(item, key, call.program) for item, key in zip(call.order, sort_keys, strict=True)
    ]
    if call.distinct and [key.sql for key in sort_keys] != [call.arg.sql]:
        raise Refused("array_agg(DISTINCT x ORDER BY ...) by anything but x")
    sql = f"array_agg({call.distinct_word}{call.arg.sql} ORDER BY {', '.join(keys)})"
    return Aggregate(call.filtered(sql), array(call.arg.type))
