"""YAML as Digdag reads it: its own typing of plain words (yaml_words.py), lines kept.

A mapping becomes a `Located` dict that knows file and line of each key. What Digdag takes as an
error, and what was not shown to mean the same, raises `Refused` with that location.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import yaml

from local_runner.bounds import limits
from local_runner.bounds.texts import unwritable
from local_runner.workflow.yaml_words import NEVER, TAGGED, word
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

_TAG = "tag:yaml.org,2002:"


@dataclass
class Size:
    """How much a workflow has come to, with all that aliases and includes repeat."""

    values: int = 0
    files: int = 0

    def add_value(self, place: "Location") -> None:
        """One more value; raises `Refused`."""
        self.values += 1
        self._check(self.values, "yaml_values", "values, aliases and includes counted", place)

    def add_file(self, place: "Location") -> None:
        """One more file; raises `Refused`."""
        self.files += 1
        self._check(self.files, "includes", "included files", place)

    def _check(self, count: int, limit: str, what: str, place: "Location") -> None:
        most: int = getattr(limits.current(), limit)
        if count > most:
            raise Refused(f"{place}: more than {most} {what} ({limits.raising(limit)})")


def load(text: str, file: str, include: Include | None = None, size: Size | None = None) -> Value:
    """The one document of a YAML text; `include` brings the mapping of an `!include` path."""
    try:
        node = yaml.compose(text.removeprefix("\ufeff"), Loader=_NoTypes)
    except _TooDeepError as error:
        raise _too_deep(Location(file, error.line)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        location = Location(file, mark.line + 1 if mark else 1)
        raise Refused(f"{location}: not valid YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise Refused(f"{file}: not valid YAML: {error}") from None
    return None if node is None else _Builder(file, include, size or Size()).value(node)


class _TooDeepError(Exception):
    line = 0


def _too_deep(place: "Location") -> Refused:
    most = limits.current().nesting
    return Refused(
        f"{place}: values nested more than {most} deep, or an alias within itself "
        f"({limits.raising('nesting')})"
    )


class _NoTypes(yaml.SafeLoader):
    """Leaves every plain word untyped (tag `!plain`), so that `word` types it."""

    # Digdag's reader does not know this escape of JSON.
    ESCAPE_REPLACEMENTS = {  # type: ignore[misc]  # noqa: RUF012
        key: text for key, text in yaml.SafeLoader.ESCAPE_REPLACEMENTS.items() if key != "/"
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > limits.current().nesting:
            error = _TooDeepError()
            error.line = self.peek_event().start_mark.line + 1
            raise error
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def resolve(self, kind: type, value: object, implicit: object) -> str:
        if kind is yaml.ScalarNode:
            return "!plain" if isinstance(implicit, tuple) and implicit[0] else f"{_TAG}str"
        return f"{_TAG}map" if kind is yaml.MappingNode else f"{_TAG}seq"


class _Builder:
    """Nodes to values, mappings in document order, includes in place."""

    def __init__(self, file: str, include: Include | None, size: Size) -> None:
        self.file, self.include, self.size = file, include, size
        self.depth = 0

    def value(self, node: yaml.Node) -> Value:
        """The value of a node; each use of an alias counts anew."""
        place = Location(self.file, node.start_mark.line + 1)
        self.size.add_value(place)
        self.depth += 1
        if self.depth > limits.current().nesting:
            raise _too_deep(place)
        value = self._value(node)
        self.depth -= 1
        return value

    def _value(self, node: yaml.Node) -> Value:
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
        if fault := unwritable(text):
            raise self._refused(node, f"a text with {fault}")
        if node.tag == f"{_TAG}str":
            return text
        try:
            value = word(text)
        except ValueError as error:
            raise self._refused(node, str(error)) from None
        if node.tag == "!plain":
            return value
        form, typed = TAGGED.get(node.tag.removeprefix(_TAG), (NEVER, str))
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


def read(path: Path, file: str, include: Include | None = None, size: Size | None = None) -> Value:
    """The value of a UTF-8 file; `file` is its name in messages."""
    most = limits.current().yaml_mb
    try:
        with path.open("rb") as opened:
            content = opened.read((most << 20) + 1)
        if len(content) > most << 20:
            raise Refused(f"{file}: more than {most} MB ({limits.raising('yaml_mb')})")
        return load(content.decode("utf-8"), file, include, size)
    except FileNotFoundError:
        raise Refused(f"{file}: no such file") from None
    except OSError as error:
        raise Refused(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Refused(f"{file}: not valid UTF-8") from None


def located(value: dict[str, Value], location: Location) -> Located:
    """A mapping that no file states, all of its keys at one location."""
    mapping = Located()
    for key, item in value.items():
        inner = located(item, location) if isinstance(item, dict) else item
        mapping.put(key, inner, location)
    return mapping
