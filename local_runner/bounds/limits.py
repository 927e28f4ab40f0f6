"""What a workflow may cost, so that one that means harm ends with a sentence.

`--limit NAME=NUMBER` sets each anew. Whoever meets a limit says its name (`raising`).
"""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from td_mta.errors import ConfigError

_FRAMES = 16  # Python calls that one level of nesting takes at most


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a run."""

    template_seconds: int = 10  # to evaluate one text with templates
    template_mb: int = 512  # that the process of templates takes, and its answers
    nesting: int = 60  # of values, tasks, expressions within each other
    yaml_values: int = 100_000  # of a workflow, with what aliases and includes repeat
    yaml_mb: int = 3  # of one YAML file
    includes: int = 1000  # files that a workflow comes to
    sql_seconds: int = 3600  # that a query of local tables takes


_current = [Limits()]


def current() -> Limits:
    """The limits in force."""
    return _current[-1]


def raising(name: str) -> str:
    """How to raise a limit, for the end of a message."""
    return f"raise it with --limit {name}=NUMBER"


def given(pairs: list[tuple[str, str]], defaults: Limits = Limits()) -> Limits:
    """The defaults, but for what the command line sets; raises `ConfigError`."""
    known = [field.name for field in fields(Limits)]
    for name, text in pairs:
        if name not in known:
            raise ConfigError(f"--limit {name}: must be one of {', '.join(known)}")
        if not (text.isascii() and text.isdigit() and int(text[:10]) > 0 and len(text) < 10):
            raise ConfigError(f"--limit {name}: must be a number from 1 to 999999999, got {text}")
    return replace(defaults, **{name: int(text) for name, text in pairs})


@contextlib.contextmanager
def using(limits: Limits) -> Iterator[None]:
    """Put limits in force, in all threads."""
    before = sys.getrecursionlimit()
    _current.append(limits)
    sys.setrecursionlimit(max(before, _FRAMES * limits.nesting))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
        _current.pop()
