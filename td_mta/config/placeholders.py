"""SQL files: one file holds one statement, with `${name}` where a parameter goes.

A name is filled as text: true and false in lower case, and `none`, the word of `config/params.yml`,
for None. So is a choice, `${table == 'none' ? name_or_text : name_or_text}`, for what is optional,
by a text or another name. Other templates work on Digdag only and are refused here.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from td_mta.errors import ConfigError

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_]\w*")
_VALUE = r"([A-Za-z_]\w*|'[^']*')"  # the name of a parameter, or a text
_CHOICE = re.compile(rf"([A-Za-z_]\w*) == {_VALUE} \? {_VALUE} : {_VALUE}")


def statement(path: Path, parameters: Mapping[str, object] | Any) -> str:
    """The one statement of a file, filled with a mapping or a `Config`, as `td>` would fill it."""
    return fill(path.read_text(encoding="utf-8"), parameters, str(path))


def fill(text: str, parameters: Mapping[str, object] | Any, location: str) -> str:
    """Text with every template replaced; `location` is what an error calls the text.

    Raises `ConfigError` for a template that is neither the name of a parameter nor a choice.

    >>> fill("select 1 from ${table}", {"table": "touches"}, "example.sql")
    'select 1 from touches'
    """
    is_mapping = isinstance(parameters, Mapping)
    values: Mapping[str, object] = parameters if is_mapping else vars(parameters)

    def named(name: str) -> str:
        if name not in values:
            raise ConfigError(f"{location}: ${{{name}}} is not the name of a parameter")
        return _printed(values[name])

    def text_of(template: str) -> str:
        return template[1:-1] if template.startswith("'") else named(template)

    def value(placeholder: re.Match[str]) -> str:
        template = placeholder[1].strip()
        choice = _CHOICE.fullmatch(template)
        if choice:
            name, other, if_equal, otherwise = choice.groups()
            return text_of(if_equal if named(name) == text_of(other) else otherwise)
        if not _NAME.fullmatch(template):
            raise ConfigError(
                f"{location}: ${{}} must hold the name of a parameter alone, got ${{{template}}}"
            )
        return named(template)

    return _PLACEHOLDER.sub(value, text)


def _printed(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
