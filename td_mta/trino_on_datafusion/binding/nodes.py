"""The one table of expressions: each kind of syntax node, its rule, and the parts it may hold.

A node that is not listed is refused by its name, and so is any part of a node beyond these.
"""

from collections.abc import Mapping

from sqlglot import exp

from td_mta.trino_on_datafusion.binding import conditions, values
from td_mta.trino_on_datafusion.binding.relations import NodeRule

_BINARY = ("this", "expression")
_UNARY = ("this",)
_SUBSTRING = ("this", "start", "length")
_POSITION = ("this", "substr")

NODES: Mapping[type[exp.Expression], NodeRule] = {
    # comparison and logic
    exp.EQ: NodeRule(conditions.comparison, _BINARY),
    exp.NEQ: NodeRule(conditions.comparison, _BINARY),
    exp.LT: NodeRule(conditions.comparison, _BINARY),
    exp.LTE: NodeRule(conditions.comparison, _BINARY),
    exp.GT: NodeRule(conditions.comparison, _BINARY),
    exp.GTE: NodeRule(conditions.comparison, _BINARY),
    exp.NullSafeEQ: NodeRule(conditions.comparison, _BINARY),
    exp.NullSafeNEQ: NodeRule(conditions.comparison, _BINARY),
    exp.Not: NodeRule(conditions.negation, _UNARY),
    exp.And: NodeRule(conditions.connective, _BINARY),
    exp.Or: NodeRule(conditions.connective, _BINARY),
    exp.Is: NodeRule(conditions.is_null, _BINARY),
    exp.Between: NodeRule(conditions.between, ("this", "low", "high")),
    exp.In: NodeRule(conditions.membership, ("this", "expressions", "query")),
    exp.Exists: NodeRule(conditions.exists, _UNARY),
    exp.Subquery: NodeRule(conditions.scalar_query, _UNARY),
    exp.Like: NodeRule(conditions.like, ("this", "expression", "negate")),
    exp.Escape: NodeRule(conditions.like_with_escape, _BINARY),
    # constants and columns
    exp.Literal: NodeRule(values.constant, ("this", "is_string")),
    exp.UnicodeString: NodeRule(values.unicode_text, ("this", "escape")),
    exp.Boolean: NodeRule(values.true_or_false, _UNARY),
    exp.Null: NodeRule(values.null, ()),
    exp.Column: NodeRule(values.column, ("this", "table", "db", "catalog")),
    # arithmetic
    exp.Paren: NodeRule(values.parenthesised, _UNARY),
    exp.Neg: NodeRule(values.minus, _UNARY),
    exp.Add: NodeRule(values.arithmetic, _BINARY),
    exp.Sub: NodeRule(values.arithmetic, _BINARY),
    exp.Mul: NodeRule(values.arithmetic, _BINARY),
    exp.Div: NodeRule(values.arithmetic, ("this", "expression", "typed", "safe")),
    exp.Mod: NodeRule(values.arithmetic, _BINARY),
    # choices, conversions and calls
    exp.Case: NodeRule(values.case, ("this", "ifs", "default")),
    exp.If: NodeRule(values.if_then_else, ("this", "true", "false")),
    exp.Cast: NodeRule(values.cast, ("this", "to")),
    exp.TryCast: NodeRule(values.try_cast, ("this", "to", "safe")),
    exp.Anonymous: NodeRule(values.function_call, ("this", "expressions")),
    exp.DPipe: NodeRule(values.concatenation, ("this", "expression", "safe")),
    exp.Trim: NodeRule(values.trim, ("this", "expression", "position")),
    exp.Substring: NodeRule(values.function_named("substr", *_SUBSTRING), _SUBSTRING),
    exp.StrPosition: NodeRule(values.function_named("strpos", *_POSITION), _POSITION),
    exp.Extract: NodeRule(values.extract, _BINARY),
    exp.AtTimeZone: NodeRule(values.at_time_zone, ("this", "zone")),
    exp.Array: NodeRule(values.array_of, ("expressions",)),
    exp.Window: NodeRule(values.window, ("this", "partition_by", "order", "spec", "over")),
}
