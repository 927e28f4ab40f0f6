"""YAML as Digdag reads it: its own typing of plain words (0.5 is a string, 010 is 8), lines kept.

A mapping becomes a `Located` dict that knows file and line of each key. What Digdag takes as an
error, and what was not shown to mean the same, raises `Refused` with that location.
"""

import base64
import math
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import yaml

from td_mta.errors import Refused

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]


class Location(NamedTuple):
    """A line of a file, as messages name it."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


NOWHERE = Location("", 0)  # of what no file states


class Located(dict[str, Value]):
    """A mapping that remembers where each key stands."""

    def __init__(self) -> None:
        super().__init__()
        self.locations: dict[str, Location] = {}

    def put(self, key: str, value: Value, location: Location) -> None:
        """Set a value and where it stands."""
        self[key] = value
        self.locations[key] = location

    def location(self, key: str) -> Location | None:
        """Where a key stands; None where the mapping has no such key."""
        return self.locations.get(key)


Include = Callable[[Value, Location], Located]

_BOOLS = {"true": True, "True": True, "false": False, "False": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
# The patterns of Digdag's resolver: no leading zero in a float, no `:` in an int.
_INT = re.compile(r"[-+]?(0b[01_]*[01][01_]*|0x[0-9a-fA-F_]*[0-9a-fA-F]_*|0[0-7_]*|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[1-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*")
_INFINITIES, _NANS = ("inf", "Inf", "INF"), ("nan", "NaN", "NAN")
# Texts, since JSON, in which Digdag keeps its parameters, has no such numbers.
_SPECIAL = {
    **{f"{sign}.{word}": "Infinity" for word in _INFINITIES for sign in ("", "+")},
    **{f"-.{word}": "-Infinity" for word in _INFINITIES},
    **{f".{word}": "NaN" for word in _NANS},
}
_BASES = {"0b": 2, "0x": 16}  # a plain 0 in front means octal
_TAG = "tag:yaml.org,2002:"
_NEVER = re.compile(r"(?!)")
# Explicit tags (`!!int`): the forms known to mean the same whatever the quotes, and their value.
_TAGGED: dict[str, tuple[re.Pattern[str], Callable[[str], Value]]] = {
    "int": (re.compile(r"-?(0|[1-9][0-9]*)"), int),
    "float": (re.compile(r"-?[0-9]+\.[0-9]+"), float),
    "bool": (re.compile(r"yes|no|true|false"), lambda text: text in ("yes", "true")),
    "null": (re.compile(r"|~|null"), lambda text: None),
    "binary": (
        re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)?"),
        lambda text: base64.b64encode(base64.b64decode(text)).decode(),
    ),
    "timestamp": (
        re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
        lambda text: int(datetime.fromisoformat(f"{text}T00:00:00+00:00").timestamp() * 1000),
    ),
}


def word(text: str) -> Value:
    """The value of a plain word.

    >>> word("0.5"), word("1.5"), word("010"), word("yes"), word("1e3")
    ('0.5', 1.5, 8, 'yes', 1000.0)
    """
    if text in _BOOLS:
        return _BOOLS[text]
    if text in _NULLS:
        return None
    if text in _SPECIAL:
        return _SPECIAL[text]
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return number if abs(number) < math.inf else _SPECIAL[f"{'-' * (number < 0)}.inf"]
    if _SEXAGESIMAL.fullmatch(text):
        parts = text.lstrip("+-").replace("_", "").split(":")
        seconds = sum(float(part) * 60**place for place, part in enumerate(reversed(parts)))
        return -seconds if text.startswith("-") else seconds
    if text == "<<":
        raise ValueError("the unquoted word << is only for keys: quote it")
    return text


def _integer(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-").replace("_", "")
    if digits[:2] in _BASES:
        return sign * int(digits[2:], _BASES[digits[:2]])
    return sign * int(digits, 8 if len(digits) > 1 and digits[0] == "0" else 10)


def load(text: str, file: str, include: Include | None = None) -> Value:
    """The one document of a YAML text; `include` brings the mapping of an `!include` path."""
    try:
        node = yaml.compose(text.removeprefix("\ufeff"), Loader=_NoTypes)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        location = Location(file, mark.line + 1 if mark else 1)
        raise Refused(f"{location}: not valid YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise Refused(f"{file}: not valid YAML: {error}") from None
    return None if node is None else _Builder(file, include).value(node)


class _NoTypes(yaml.SafeLoader):
    """Leaves every plain word untyped (tag `!plain`), so that `word` types it."""

    # Digdag's reader does not know this escape of JSON.
    ESCAPE_REPLACEMENTS = {  # type: ignore[misc]  # noqa: RUF012
        key: text for key, text in yaml.SafeLoader.ESCAPE_REPLACEMENTS.items() if key != "/"
    }

    def resolve(self, kind: type, value: object, implicit: object) -> str:
        if kind is yaml.ScalarNode:
            return "!plain" if isinstance(implicit, tuple) and implicit[0] else f"{_TAG}str"
        return f"{_TAG}map" if kind is yaml.MappingNode else f"{_TAG}seq"


class _Builder:
    """Nodes to values, mappings in document order, includes in place."""

    def __init__(self, file: str, include: Include | None) -> None:
        self.file = file
        self.include = include

    def value(self, node: yaml.Node) -> Value:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.value(item) for item in node.value]
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node)
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}set":
            return [self._key(key) for key, _ in node.value]
        raise self._refused(node, f"the YAML tag {node.tag} is not supported")

    def _scalar(self, node: yaml.ScalarNode) -> Value:
        text = str(node.value)
        if node.tag == f"{_TAG}str" and text.startswith("!include:"):
            raise self._refused(
                node, "a value must not start with !include: (write `!include : path` as a key)"
            )
        if node.tag == f"{_TAG}str":
            return text
        try:
            value = word(text)
        except ValueError as error:
            raise self._refused(node, str(error)) from None
        if node.tag == "!plain":
            return value
        form, typed = _TAGGED.get(node.tag.removeprefix(_TAG), (_NEVER, str))
        if not form.fullmatch(text):
            raise self._refused(node, f"the YAML tag {node.tag} on {text!r} is not supported")
        return typed(text)

    def _mapping(self, node: yaml.MappingNode) -> Located:
        built = Located()
        own_keys: set[str] = set()  # those that an include or `<<` brought may come again
        for key_node, value_node in node.value:
            location = Location(self.file, key_node.start_mark.line + 1)
            if _is_include(key_node):
                merge(built, self._included(value_node, location))
                continue
            if key_node.tag == "!plain" and key_node.value == "<<":
                self._merge_key(built, value_node)
                continue
            key = self._key(key_node)
            if key in own_keys:
                raise Refused(f"{location}: duplicate key {key!r}")
            own_keys.add(key)
            built.put(key, self.value(value_node), location)
        return built

    def _included(self, node: yaml.Node, location: Location) -> Located:
        path = self.value(node) if isinstance(node, yaml.ScalarNode) else None
        if self.include is None or not isinstance(path, str):
            raise Refused(
                f"{location}: !include takes one path, in a workflow file: write a line "
                "`!include : path` for each file"
            )
        return self.include(path, location)

    def _merge_key(self, built: Located, node: yaml.Node) -> None:
        """`<<`: existing keys stay. Where order would matter, Digdag's is not known."""
        bases = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for base_node in bases:
            base = self.value(base_node)
            if not isinstance(base, Located):
                raise self._refused(node, f"`<<` must bring a mapping, got {base!r}")
            has_tasks = any(key.startswith("+") or key.endswith(">") for key in base)
            if has_tasks or "${" in str(dict(base)):
                raise self._refused(node, "`<<` that brings tasks or templates is not supported")
            for key, value in base.items():
                if key not in built:
                    built.put(key, value, base.locations[key])

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._refused(node, "a key must be a text, got a list or mapping")
        value = self._scalar(node)
        if value is None:
            raise self._refused(node, "a key must not be null")
        if isinstance(value, float):
            raise self._refused(node, f"a key must not be a decimal number: quote {node.value}")
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _refused(self, node: yaml.Node, what: str) -> Refused:
        return Refused(f"{Location(self.file, node.start_mark.line + 1)}: {what}")


def _is_include(node: yaml.Node) -> bool:
    if not isinstance(node, yaml.ScalarNode):
        return False
    # YAML reads `!include : path` as a tag on an empty key, and Digdag works with a key of that
    # text, so that a quoted one counts as well.
    is_text = node.tag == f"{_TAG}str" and str(node.value).startswith("!include:")
    return is_text or (node.tag == "!include" and not node.value)


def merge(into: dict[str, Value], other: dict[str, Value]) -> None:
    """Merge deeply: maps join, everything else replaces, an existing key keeps its position."""
    for key, value in other.items():
        existing = into.get(key)
        if isinstance(existing, dict) and isinstance(value, dict):
            joined = copy(existing)
            assert isinstance(joined, dict)
            merge(joined, value)
            into[key] = joined
        else:
            into[key] = copy(value)
    if isinstance(into, Located) and isinstance(other, Located):
        into.locations.update(other.locations)


def copy(value: Value) -> Value:
    """A deep copy that keeps the locations."""
    if isinstance(value, Located):
        copied = Located()
        copied.update({key: copy(item) for key, item in value.items()})
        copied.locations.update(value.locations)
        return copied
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    return [copy(item) for item in value] if isinstance(value, list) else value


def read(path: Path, file: str, include: Include | None = None) -> Value:
    """The value of a UTF-8 file; `file` is its name in messages."""
    try:
        return load(path.read_bytes().decode("utf-8"), file, include)
    except FileNotFoundError:
        raise Refused(f"{file}: no such file") from None
    except UnicodeDecodeError:
        raise Refused(f"{file}: not valid UTF-8") from None


def located(value: dict[str, Value], location: Location) -> Located:
    """A mapping that no file states, all of its keys at one location."""
    mapping = Located()
    for key, item in value.items():
        inner = located(item, location) if isinstance(item, dict) else item
        mapping.put(key, inner, location)
    return mapping
