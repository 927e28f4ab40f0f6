"""Values as Java and Jackson write them: in log lines, as text, and as JSON."""

import json
from decimal import Decimal

from local_runner.workflow.yaml_types import Value


def java_text(value: Value) -> str:
    """`toString` of a parameter, as in Digdag's log.

    >>> java_text({"x": [1, 1.5, True, None], "y": "a"}), java_text(1e7)
    ('{x=[1, 1.5, true, null], y=a}', '1.0E7')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={java_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(java_text, value)) + "]"
    return _double(value) if isinstance(value, float) else json.dumps(value)


def json_text(value: Value) -> str:
    """Compact JSON, numbers as Java writes them."""
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json_text(key)}:{json_text(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    return _double(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _double(number: float) -> str:
    """Double.toString: plain from 1e-3 up to 1e7, else with an exponent; always a decimal point."""
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        text = format(Decimal(repr(number)), "f")
        return text if "." in text else f"{text}.0"
    _, digits, exponent = Decimal(repr(abs(number))).normalize().as_tuple()
    assert isinstance(exponent, int)
    fraction = "".join(map(str, digits[1:])) or "0"
    return f"{'-' if number < 0 else ''}{digits[0]}.{fraction}E{len(digits) - 1 + exponent}"
