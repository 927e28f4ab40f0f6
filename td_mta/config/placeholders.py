"""SQL files: one file holds one statement, with `${name}` where a parameter goes.

Only plain names are filled: text as it is, true and false in lower case, and `none`, the word of
`config/params.yml`, for None. Templates that compute work on Digdag only and are refused here.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from td_mta.errors import ConfigError

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_]\w*")


def statement(path: Path, parameters: Mapping[str, object] | Any) -> str:
    """The one statement of a file, filled with a mapping or a `Config`, as `td>` would fill it."""
    return fill(path.read_text(encoding="utf-8"), parameters, str(path))


def fill(text: str, parameters: Mapping[str, object] | Any, location: str) -> str:
    """Text with every `${name}` replaced; `location` is what an error calls the text.

    Raises `ConfigError` for a template that is not the name of a parameter.

    >>> fill("select 1 from ${table}", {"table": "touches"}, "example.sql")
    'select 1 from touches'
    """
    is_mapping = isinstance(parameters, Mapping)
    values: Mapping[str, object] = parameters if is_mapping else vars(parameters)

    def value(placeholder: re.Match[str]) -> str:
        name = placeholder[1].strip()
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{location}: ${{}} must hold the name of a parameter alone, got ${{{name}}}"
            )
        if name not in values:
            raise ConfigError(f"{location}: ${{{name}}} is not the name of a parameter")
        return _printed(values[name])

    return _PLACEHOLDER.sub(value, text)


def _printed(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
