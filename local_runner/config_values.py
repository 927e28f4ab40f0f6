"""Parameters as the types that operators want, with the conversions and the words of Digdag."""

import json
import re
from collections.abc import Mapping

from local_runner.task_request import TaskError
from local_runner.workflow.java_text import java_text, json_text
from local_runner.workflow.yaml_types import Value

_LIMITS = {"int": 2**31, "long": 2**63}
_TRUTHS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE", ""), False),
}
_KINDS = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
_SAMPLE = 100  # characters of a value in a message
_DURATION = re.compile(
    r"\s*(?:([0-9]{1,12})\s*d)?\s*(?:([0-9]{1,12})\s*h)?"
    r"\s*(?:([0-9]{1,12})\s*m)?\s*(?:([0-9]{1,12})\s*s)?\s*",
    re.IGNORECASE | re.ASCII,
)
_UNIT_SECONDS = (86400, 3600, 60, 1)  # of the groups in _DURATION
_WORD = re.compile(r"[A-Za-z_$][\w$]*")


def text(value: Value, key: str = "_command") -> str:
    """A plain value as text; raises `TaskError`."""
    if value is None:
        raise TaskError(f"Parameter '{key}' is required but not set (config)")
    if isinstance(value, dict | list):
        raise wrong_type("string type", key, value)
    return java_text(value)


def integer(value: Value, key: str, size: str = "int") -> int:
    """A whole number, also as text, of `int` or `long` size; raises `TaskError`."""
    if value is None:
        raise TaskError(f"Parameter '{key}' is required but null (config)")
    if isinstance(value, str):
        digits = value.strip()
        number = int(digits) if re.fullmatch(r"[-+]?[0-9]{1,99}", digits) else None
        number = 0 if not digits else number
    else:
        number = value if isinstance(value, int) and not isinstance(value, bool) else None
    if number is None or not -_LIMITS[size] <= number < _LIMITS[size]:
        raise wrong_type(f"integer ({size}) type", key, value)
    return number


def truth(value: Value, key: str) -> bool:
    """True or false, also as text; raises `TaskError`."""
    if isinstance(value, bool) or (value in (0, 1) and isinstance(value, int)):
        return bool(value)
    if isinstance(value, str) and value in _TRUTHS:
        return _TRUTHS[value]
    raise wrong_type("'true' or 'false'", key, value)


def parallel(params: Mapping[str, Value]) -> Value:
    """`_parallel` of an operator that makes subtasks, which may be a template's text."""
    value = params.get("_parallel", False)
    if isinstance(value, dict):
        limit = integer(value.get("limit"), "limit")
        return {"limit": limit} if limit > 0 else True
    if isinstance(value, bool | str):
        return truth(value, "_parallel")
    raise TaskError(f"Invalid _parallel format: {json_text(value)} (config)")


def duration(value: Value) -> int | None:
    """The seconds of `90s`, `10m`, `1h 30m`, `1d`; None where it is no such text."""
    match = _DURATION.fullmatch(str(value))
    counts = match.groups() if match else ()
    if not any(counts):
        return None
    return sum(int(n or 0) * size for n, size in zip(counts, _UNIT_SECONDS, strict=True))


def items(value: Value, key: str) -> list[Value]:
    """A list, or the JSON text of one; raises `TaskError`."""
    if value is None:
        raise TaskError(f"Parameter '{key}' is required but null (config)")
    value = parsed(value)
    if not isinstance(value, list):
        raise wrong_type("array type", key, value)
    return value


def mapping(value: Value, key: str = "_command") -> Mapping[str, Value]:
    """A map, or the JSON text of one; raises `TaskError`."""
    value = parsed(value)
    if not isinstance(value, dict):
        raise TaskError(f"Parameter '{key}' must be an object (config)")
    return value


def parsed(value: Value) -> Value:
    """What a JSON text holds; any other value as it is. Raises `TaskError`."""
    if not isinstance(value, str):
        return value
    start = len(value) - len(value.lstrip(" \t\r\n"))
    try:
        found: Value = json.JSONDecoder(parse_constant=_not_json).raw_decode(value, start)[0]
        return found
    except json.JSONDecodeError as error:
        raise _unparsed(value, error) from None
    except ValueError as error:
        raise TaskError(f"{error} (config)", same_words=False) from None


def wrong_type(expected: str, key: str, value: Value) -> TaskError:
    """The error that a parameter is of another type."""
    sample = json_text(value)
    if len(sample) >= _SAMPLE:
        sample = f"{sample[: _SAMPLE - 3]}..."
    kind = "null" if value is None else _KINDS.get(type(value), "object")
    return TaskError(f"Expected {expected} for key '{key}' but got {sample} ({kind}) (config)")


def _unparsed(text: str, error: json.JSONDecodeError) -> TaskError:
    """The error of a text that is no JSON, in Jackson's words where these are known."""
    word = _WORD.match(text, error.pos)
    if word is None or "\n" in text or len(text) >= _SAMPLE:
        return TaskError(f"{text[:_SAMPLE]!r} is not JSON: {error} (config)", same_words=False)
    return TaskError(
        f"com.fasterxml.jackson.core.JsonParseException: Unrecognized token '{word[0]}': was "
        "expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n"
        f' at [Source: (String)"{text}"; line: 1, column: {word.end() + 1}] (config)'
    )


def _not_json(word: str) -> Value:
    raise ValueError(f"{word} is not JSON")
