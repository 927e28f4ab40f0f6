"""Parameters of the command line: `-P FILE`, and `-p key=value` over it."""

from collections.abc import Iterable
from pathlib import Path

from local_runner.workflow import yaml_types
from local_runner.workflow.yaml_types import Value, merge
from td_mta.errors import ConfigError


def parameters(file: Path | None, pairs: list[tuple[str, str]]) -> dict[str, Value]:
    """The parameters of the command line; raises `ConfigError`.

    They only fill what nothing exports; `a.b=x` makes a map.
    """
    params = _of_file(file) if file else {}
    texts = dict(pairs)
    for key in texts:
        if any(other.startswith(f"{key}.") for other in texts):
            raise ConfigError(f"-p {key}: must be a value or a map, got both")
        if "" in key.split("."):
            raise ConfigError(f"-p {key}: a part of the name between dots must not be empty")
    for key in hash_order(texts):
        nested: Value = texts[key]
        for part in reversed(key.split(".")):
            nested = {part: nested}
        assert isinstance(nested, dict)
        merge(params, nested)
    return params


def _of_file(file: Path) -> dict[str, Value]:
    if file.suffix not in (".yml", ".yaml"):
        raise ConfigError(f"-P {file}: must be a .yml file")
    content = yaml_types.read(file, str(file))
    if not isinstance(content, dict):
        raise ConfigError(f"-P {file}: must be a mapping of parameters, got {content!r}")
    params: dict[str, Value] = {}
    merge(params, content)  # a copy, without the file's locations
    return params


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
    """Java's String.hashCode, over units of UTF-16."""
    code = 0
    units = text.encode("utf-16-be")
    for index in range(0, len(units), 2):
        unit = int.from_bytes(units[index : index + 2], "big")
        code = (31 * code + unit) & 0xFFFFFFFF
    return code ^ (code >> 16)  # as HashMap spreads it
