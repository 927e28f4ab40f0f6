"""Typed parameters of a product: from a YAML file, `--set` or Digdag to one frozen dataclass.

A field of the dataclass states its default and the check that a value must pass, whatever type it
comes in: Digdag passes `0.5` as text and null as "". `build` checks every value once, so whoever
holds the dataclass need not check again. A product adds its own dataclass and nothing else.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import yaml

from td_mta.config import checks, placeholders
from td_mta.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
Product = TypeVar("Product", bound="DataclassInstance")

COMMAND_LINE = "--set"
MOST_BYTES = 1 << 20  # of a file
LONGEST = 10_000  # characters of a value, its templates filled
LONGEST_SHOWN = 100  # characters
# What no name of ours holds: control characters, and halves of a character.
UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# Metadata of a field with a folder: below `--out`, under the name of its default, unless it is set.
FOLDER = {"check": checks.optional(checks.folder), "folder": True}


class Setting(NamedTuple):
    """A value that somebody set, and how errors call its source: a file or `--set`."""

    source: str
    value: object


def parameter(default: T, check: checks.Check) -> T:
    """A field with a default of its own."""
    with_check: T = field(default=default, metadata={"check": check})
    return with_check


def follows(other: str, check: checks.Check) -> Any:
    """A field that takes another one's value where nobody sets it."""
    return field(default="", metadata={"check": checks.optional(check), "follows": other})


def fill_followers(config: DataclassInstance) -> None:
    """Give fields that follow another one its value; for `__post_init__` of a frozen dataclass."""
    for declared in fields(config):
        followed = declared.metadata.get("follows")
        if followed and not getattr(config, declared.name):
            object.__setattr__(config, declared.name, getattr(config, followed))


def names_of(product: type[DataclassInstance]) -> tuple[str, ...]:
    """The names of all parameters, in their order."""
    return tuple(declared.name for declared in fields(product))


def read_file(path: Path) -> dict[str, object]:
    """The lines `name: value` of a YAML file; `ConfigError` where it is anything else."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: the file cannot be read ({error.strerror})") from None
    if len(text) > MOST_BYTES:
        raise ConfigError(f"{path}: a file of parameters has at most {MOST_BYTES:,} bytes")
    try:
        content = yaml.load(text.decode("utf-8-sig"), _Loader)  # a SafeLoader  # nosec B506
    except RecursionError:
        raise ConfigError(f"{path}: values lie too deep in one another") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    except (ValueError, OverflowError) as error:  # of a date or a number
        problem = str(error).partition(";")[0]
        raise ConfigError(f"{path}: a value cannot be read: {problem}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold lines of the form name: value, got {_kind(content)}")
    return {str(name): value for name, value in content.items()}


def merge(
    product: type[DataclassInstance], layers: Mapping[str, Mapping[str, object]]
) -> dict[str, Setting]:
    """Layers of values by their source as one; a later layer beats an earlier one.

    Raises `ConfigError` for a name that is no parameter, and proposes the nearest one.
    """
    names = names_of(product)
    settings = {}
    for source, layer in layers.items():
        for name, value in layer.items():
            if name not in names:
                raise ConfigError(f"{source}: {describe_unknown(name, nearest(name, names))}")
            stripped = value.strip() if isinstance(value, str) else value
            settings[name] = Setting(source, stripped)
    return settings


def build(product: type[Product], settings: Mapping[str, Setting], out: Path) -> Product:
    """The dataclass with every value checked and typed; folders that nobody set lie below `out`.

    Raises `ConfigError` for a value that fails its check.
    """
    defaults = vars(product())
    values: dict[str, Any] = {}
    for declared in fields(product):
        if declared.name in settings:
            # `${name}` may repeat any parameter: its value so far, or its default.
            known = defaults | values
            check = declared.metadata["check"]
            values[declared.name] = _checked(declared.name, settings, check, known)
    for declared in fields(product):
        if "folder" in declared.metadata:
            below_out = out / defaults[declared.name].name
            values[declared.name] = Path(values.get(declared.name) or below_out)
    return product(**values)


def location(name: str, settings: Mapping[str, Setting]) -> str:
    """How an error names a parameter and the source of its value.

    >>> location("seed", {"seed": Setting("params.yml", 1)}), location("seed", {})
    ('params.yml: seed', 'the defaults: seed')
    """
    source = settings[name].source if name in settings else "the defaults"
    return f"{source} {name}" if source == COMMAND_LINE else f"{source}: {name}"


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The one of `names` that is nearest to an unknown one, if any is near."""
    matches = difflib.get_close_matches(name, list(names), 1, cutoff)
    return matches[0] if matches else None


def describe_unknown(name: str, nearest_name: str | None) -> str:
    """The message for an unknown parameter.

    >>> describe_unknown("tabel", "table")
    "unknown parameter 'tabel'; did you mean 'table'?"
    """
    hint = f"; did you mean {nearest_name!r}?" if nearest_name else ""
    return f"unknown parameter {name!r}{hint}"


def _checked(
    name: str, settings: Mapping[str, Setting], check: checks.Check, known: Mapping[str, object]
) -> object:
    source, value = settings[name]
    if isinstance(value, str) and "${" in value:
        value = placeholders.fill(value, known, f"{source}: {name}")
    try:
        _check_readable(value)
        return check(value)
    except checks.UnfitError as unfit:
        raise ConfigError(
            f"{location(name, settings)} must be {unfit}, got {_shown(value)}"
        ) from None


def _check_readable(value: object) -> None:
    """Raise `UnfitError` for what is neither one value nor a list of some, and for no text."""
    parts = value if isinstance(value, list) else [value]
    if _is_nested(value):
        raise checks.UnfitError("one value")
    for part in parts:
        if isinstance(part, str) and len(part) > LONGEST:
            raise checks.UnfitError(f"at most {LONGEST:,} characters")
        if isinstance(part, str) and UNREADABLE.search(part):
            raise checks.UnfitError("text without control characters")


def _is_nested(value: object) -> bool:
    """Whether it is more than a list of single values."""
    parts = value if isinstance(value, list) else [value]
    return any(isinstance(part, list | tuple | set | Mapping) for part in parts)


def _shown(value: object) -> str:
    """A value as the user wrote it: numbers bare, though they may come as text."""
    if value in (None, ""):
        return "no value"
    if _is_nested(value):
        return f"a {type(value).__name__}"
    try:
        shown = str(value)
    except ValueError:  # thousands of digits
        return "a longer number"
    shown = shown if re.fullmatch(r"[-+]?[\d.]+", shown) else repr(value)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"


def _kind(content: object) -> str:
    """What a YAML file holds instead of lines of name and value."""
    if content is None:
        return "an empty file"
    return "a list" if isinstance(content, list) else "a single value"


class _Loader(yaml.SafeLoader):
    """Refuses a name that stands twice, as Digdag does."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        # A list that repeats another one twice, some thirty times over, would fill any memory.
        is_alias, mark = self.check_event(yaml.AliasEvent), self.peek_event().start_mark
        node = super().compose_node(parent, index)
        if is_alias and not isinstance(node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(
                problem="an alias (*name) may repeat a single value only", problem_mark=mark
            )
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = Counter(name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode))
        repeated = {name for name, times in names.items() if times > 1}
        if repeated:
            raise yaml.MarkedYAMLError(
                problem=f"{', '.join(sorted(repeated))} is set twice", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)
