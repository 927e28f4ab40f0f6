"""JavaScript's values: truth, conversion, operators and text, as ECMAScript 5 defines them.

Values are JSON's, with `UNDEFINED` beside them; every number is a double.
"""

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal

from local_runner.yaml_types import Value


class Undefined:
    """JavaScript's undefined."""


UNDEFINED = Undefined()
Js = Value | Undefined


def truthy(value: Js) -> bool:
    if isinstance(value, dict | list):
        return True
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return (
        bool(value)
        and not isinstance(value, Undefined)
        and not (number and math.isnan(_number(value)))
    )


def typeof(value: Js) -> str:
    if isinstance(value, Undefined):
        return "undefined"
    if isinstance(value, bool):
        return "boolean"
    kinds = ((int | float, "number"), (str, "string"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "object")


def _number(value: Js) -> float:
    """ToNumber."""
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if value is None:
        return 0.0
    return math.nan if isinstance(value, Undefined) else _number_of_text(text_of(value))


def _number_of_text(text: str) -> float:
    text = text.strip(
        "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"
        + "".join(map(chr, range(0x2000, 0x200B)))
    )
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", text):
        return float(int(text, 16))
    if re.fullmatch(r"[-+]?(Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?)", text):
        return float(text)
    return 0.0 if not text else math.nan


def _primitive(value: Js) -> Js:
    return text_of(value) if isinstance(value, dict | list) else value


def _add(left: Js, right: Js) -> Js:
    left, right = _primitive(left), _primitive(right)
    if isinstance(left, str) or isinstance(right, str):
        return text_of(left) + text_of(right)
    return _number(left) + _number(right)


def _divide(left: Js, right: Js) -> Js:
    dividend, divisor = _number(left), _number(right)
    if divisor:
        return dividend / divisor
    sign = math.copysign(1, dividend) * math.copysign(1, divisor)
    return (
        math.nan
        if dividend == 0 or math.isnan(dividend) or math.isnan(divisor)
        else sign * math.inf
    )


def _remainder(left: Js, right: Js) -> Js:
    dividend, divisor = _number(left), _number(right)
    return math.nan if divisor == 0 or math.isinf(dividend) else math.fmod(dividend, divisor)


def _same(left: Js, right: Js) -> bool:
    """`===`."""
    if typeof(left) != typeof(right) or (left is None) != (right is None):
        return False
    if typeof(left) == "number":
        return _number(left) == _number(right)
    return left is right if isinstance(left, dict | list) else left == right or left is right


def _equal(left: Js, right: Js) -> bool:
    """`==`."""
    empty = [value is None or isinstance(value, Undefined) for value in (left, right)]
    if any(empty):
        return all(empty)
    if typeof(left) == typeof(right):
        return _same(left, right)
    left, right = _primitive(left), _primitive(right)
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return _number(left) == _number(right)


def _less(left: Js, right: Js, test: Callable[[object, object], bool]) -> bool:
    left, right = _primitive(left), _primitive(right)
    if isinstance(left, str) and isinstance(right, str):
        return test(
            left.encode("utf-16-be", "surrogatepass"), right.encode("utf-16-be", "surrogatepass")
        )
    return test(_number(left), _number(right))


UNARY: dict[str, Callable[[Js], Js]] = {
    "!": lambda value: not truthy(value),
    "-": lambda value: -_number(value),
    "+": _number,
}
BINARY: dict[str, Callable[[Js, Js], Js]] = {
    "+": _add,
    "-": lambda left, right: _number(left) - _number(right),
    "*": lambda left, right: _number(left) * _number(right),
    "/": _divide,
    "%": _remainder,
    "===": _same,
    "!==": lambda left, right: not _same(left, right),
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": lambda left, right: _less(left, right, lambda a, b: a < b),  # type: ignore[operator]
    ">": lambda left, right: _less(left, right, lambda a, b: a > b),  # type: ignore[operator]
    "<=": lambda left, right: _less(left, right, lambda a, b: a <= b),  # type: ignore[operator]
    ">=": lambda left, right: _less(left, right, lambda a, b: a >= b),  # type: ignore[operator]
}


def number_text(number: float) -> str:
    """A double as JavaScript writes it (ECMAScript 5, 9.8.1).

    >>> number_text(1.0), number_text(1e21), number_text(0.0001), number_text(2.0**64)
    ('1', '1e+21', '0.0001', '18446744073709552000')
    """
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    _, digits_tuple, exponent = Decimal(repr(abs(number))).normalize().as_tuple()
    assert isinstance(exponent, int)
    digits = "".join(map(str, digits_tuple))
    point, sign = len(digits) + exponent, "-" if number < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{sign}{mantissa}e{point - 1:+d}"


def text_of(value: Js) -> str:
    """ToString."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join("" if item is None else text_of(item) for item in value)
    if isinstance(value, dict):
        return "[object Object]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(_number(value))
    return "undefined" if isinstance(value, Undefined) else json.dumps(value)


def result_text(value: Js) -> str:
    """What a template prints: strings as they are, nothing for null and undefined, else JSON."""
    if value is None or isinstance(value, Undefined):
        return ""
    return value if isinstance(value, str) else _json(value)


def _json(value: Value) -> str:
    if isinstance(value, dict):
        # Keys that are array indices come first, in their order, in every JavaScript object.
        indices = sorted((key for key in value if re.fullmatch("0|[1-9][0-9]{0,8}", key)), key=int)
        keys = indices + [key for key in value if key not in indices]
        return "{" + ",".join(f"{_json(key)}:{_json(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = _number(value)
        return number_text(number) if math.isfinite(number) else "null"
    return json.dumps(value, ensure_ascii=False)
