"""Parameters of the command line: `-P FILE`, and `-p key=value` over it."""

from collections.abc import Iterable
from pathlib import Path

from local_runner.workflow import yaml_types
from local_runner.workflow.yaml_types import Value, merge
from td_mta.errors import ConfigError


def parameters(file: Path | None, pairs: list[tuple[str, str]]) -> dict[str, Value]:
    """They only fill what nothing exports; `a.b=x` makes a map."""
    found: dict[str, Value] = {}
    if file:
        if file.suffix not in (".yml", ".yaml"):
            raise ConfigError(f"-P {file}: must be a .yml file")
        read = yaml_types.read(file, str(file))
        if not isinstance(read, dict):
            raise ConfigError(f"{file}: must be a mapping of parameters")
        merge(found, read)
    given = dict(pairs)
    for key in given:
        if any(other.startswith(f"{key}.") for other in given) or "" in key.split("."):
            raise ConfigError(f"-p {key}: is a value and a map at once, or has an empty part")
    for key in hash_order(given):
        nested: Value = given[key]
        for part in reversed(key.split(".")):
            nested = {part: nested}
        assert isinstance(nested, dict)
        merge(found, nested)
    return found


def hash_order(keys: Iterable[str]) -> list[str]:
    """The order of a Java HashMap, in which Digdag reads `-p` values.

    >>> hash_order(["n", "f", "b", "nul"])
    ['b', 'nul', 'f', 'n']
    """
    ordered = list(keys)
    size = 16
    while len(ordered) > size * 3 // 4:
        size *= 2
    return sorted(ordered, key=lambda key: _java_hash(key) & (size - 1))


def _java_hash(text: str) -> int:
    code = 0
    units = text.encode("utf-16-be")
    for at in range(0, len(units), 2):
        code = (31 * code + int.from_bytes(units[at : at + 2], "big")) & 0xFFFFFFFF
    return code ^ (code >> 16)
