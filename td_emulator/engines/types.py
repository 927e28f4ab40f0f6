"""Trino's type names, such as `array(varchar(5))`: their parts, Treasure Data's names for them, the
Arrow types that carry them, and the signature that Trino's protocol gives them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

_SUFFIX = " with time zone"


@dataclass(frozen=True)
class TypeName:
    """A type's kind and what stands in its parentheses, e.g. `decimal` and `("10", "2")`."""

    kind: str
    args: tuple[str, ...] = ()


def parsed(text: str) -> TypeName:
    """The parts of a type.

    >>> parsed("map(varchar, array(bigint))")
    TypeName(kind='map', args=('varchar', 'array(bigint)'))
    >>> parsed("timestamp(3) with time zone")
    TypeName(kind='timestamp with time zone', args=('3',))
    """
    text = " ".join(text.lower().split())
    suffix = _SUFFIX if text.endswith(_SUFFIX) else ""
    head, _, after_parenthesis = text.removesuffix(suffix).partition("(")
    inner, _, _ = after_parenthesis.rpartition(")")
    args = tuple(_split(inner)) if inner.strip() else ()
    return TypeName(head.strip() + suffix, args)


def _split(text: str) -> list[str]:
    """The parts between commas that are in no parentheses."""
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


_TD = {
    "tinyint": "int", "smallint": "int", "integer": "int", "bigint": "long", "real": "float",
    "double": "double", "varchar": "string",
}  # fmt: skip
_TRINO = {"int": "integer", "long": "bigint", "float": "real", "double": "double"}


def to_td(trino: str) -> str:
    """Treasure Data's name of a Trino type, as `table/list` has it; `string` where it has none.

    td-client-java fails on any other word. [How TD stores booleans and times was not verified.]
    """
    name = parsed(trino)
    if name.kind in ("array", "map"):
        return f"{name.kind}<{','.join(to_td(arg) for arg in name.args)}>"
    return _TD.get(name.kind, "string")


def from_td(name: str) -> str:
    """Trino's name of a type of Treasure Data.

    >>> from_td("array<long>")
    'array(bigint)'
    """
    kind, _, inner = name.strip().partition("<")
    if inner:
        inside = inner.rpartition(">")[0].replace("<", "(").replace(">", ")")
        parts = (part.replace("(", "<").replace(")", ">") for part in _split(inside))
        return f"{kind}({', '.join(from_td(part) for part in parts)})"
    return _TRINO.get(kind, "varchar")


_ARROW: dict[str, pa.DataType] = {
    "boolean": pa.bool_(), "tinyint": pa.int8(), "smallint": pa.int16(), "integer": pa.int32(),
    "int": pa.int32(), "bigint": pa.int64(), "real": pa.float32(), "double": pa.float64(),
    "varchar": pa.string(), "varbinary": pa.binary(), "date": pa.date32(),
    "timestamp": pa.timestamp("us"), "timestamp with time zone": pa.timestamp("us", "UTC"),
}  # fmt: skip


def arrow(trino: str) -> pa.DataType:
    """The Arrow type that carries values of a Trino type; ValueError where there is none."""
    name = parsed(trino)
    if name.kind == "decimal":
        return pa.decimal128(*(int(arg) for arg in name.args or ("38", "0")))
    if name.kind == "array":
        return pa.list_(arrow(name.args[0]))
    if name.kind == "map":
        return pa.map_(*(arrow(arg) for arg in name.args))
    if name.kind not in _ARROW:
        raise ValueError(f"unknown type {trino!r}")
    return _ARROW[name.kind]


_NAME_OF_ARROW: list[tuple[Callable[[pa.DataType], bool], str]] = [
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_int8, "tinyint"),
    (pa.types.is_int16, "smallint"),
    (pa.types.is_int32, "integer"),
    (pa.types.is_integer, "bigint"),
    (pa.types.is_float32, "real"),
    (pa.types.is_floating, "double"),
    (pa.types.is_binary, "varbinary"),
    (pa.types.is_date, "date"),
]


def of_arrow(kind: pa.DataType) -> str:
    """The Trino type that a stored column has; text and columns of NULL alone are varchar."""
    if pa.types.is_dictionary(kind):
        return of_arrow(kind.value_type)
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision}, {kind.scale})"
    if pa.types.is_list(kind):
        return f"array({of_arrow(kind.value_type)})"
    if pa.types.is_map(kind):
        return f"map({of_arrow(kind.key_type)}, {of_arrow(kind.item_type)})"
    if pa.types.is_timestamp(kind):
        return "timestamp(6) with time zone" if kind.tz else "timestamp(6)"
    return next((name for is_such, name in _NAME_OF_ARROW if is_such(kind)), "varchar")


def signature(trino: str) -> dict[str, object]:
    """`typeSignature` as Trino's protocol has it; clients turn values into objects by it."""
    name = parsed(trino)
    arguments = [_argument(name.kind, arg) for arg in name.args]
    if name.kind == "varchar" and not arguments:
        arguments = [{"kind": "LONG", "value": 2147483647}]
    return {"rawType": name.kind, "arguments": arguments}


def _argument(kind: str, arg: str) -> dict[str, object]:
    if arg.isdigit():
        return {"kind": "LONG", "value": int(arg)}
    if kind != "row":
        return {"kind": "TYPE", "value": signature(arg)}
    # a field of a row: `name type`, or a type alone, which may have blanks too
    named = re.fullmatch(r'("[^"]*"|[a-z_]\w*) ([a-z].*)', arg)
    if named is None or arg in _ARROW:
        return {"kind": "NAMED_TYPE", "value": {"typeSignature": signature(arg)}}
    value = {"fieldName": {"name": named[1].strip('"')}, "typeSignature": signature(named[2])}
    return {"kind": "NAMED_TYPE", "value": value}
