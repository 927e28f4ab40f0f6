"""The keys that Digdag itself reads on tasks and groups, whatever the operator."""

import re
from collections.abc import Mapping

from local_runner.javascript.tokens import UnsupportedError
from local_runner.operators import OPERATORS
from local_runner.workflow import templates
from local_runner.workflow.yaml_types import Located, Location, Value
from td_mta.errors import Refused

RETRY_INTERVALS = frozenset({"constant", "exponential"})
_INT = 2**31  # numbers that Java's int holds lie below
_COUNT = re.compile(r"\s*[0-9]{1,99}\s*")
_UNSUPPORTED = {
    "_type": "write the operator as a key, `echo>: text` for `_type: echo` with `_command: text`",
    "_command": "write the operator as a key, such as `echo>: text`",
    "_secrets": "give --secret, and ${secret:key} in _env",
}
_EXPORTABLE = frozenset({"_env", "_workdir"})  # of the names that begin with `_`
_ERROR = re.compile(r"\$\{[^}]*\berror\b")
# Anything of `error` that could bring out Java's stack trace, which no run here has.
_STACKTRACE = re.compile(r"\$\{[^}]*(?<!keys\()(?<!typeof )\berror\b(?!\.message\b|\.hasOwn)")


def check_keys(config: Located, location: Location | str) -> None:
    """Check the keys that tasks and groups share; raises `Refused`."""
    for key in config:
        if key in _UNSUPPORTED:
            where = config.location(key) or location
            raise Refused(f"{where}: the key {key} is not supported: {_UNSUPPORTED[key]}")
    _check_retry(config)
    _check_export(config)


def _is_count(value: Value) -> bool:
    """A whole number that Java's int holds, also as text."""
    if isinstance(value, str):
        value = int(value) if _COUNT.fullmatch(value) else None
    return isinstance(value, int) and not isinstance(value, bool) and -_INT <= value < _INT


def _check_retry(config: Located) -> None:
    retry, location = config.get("_retry", 0), config.location("_retry")
    options = retry if isinstance(retry, dict) else {"limit": retry}
    named = {"limit", "interval", "max_interval"}
    numbers = [value for key, value in options.items() if key in named]
    operator = next((key for key in config if key.endswith(">")), "")
    is_evaluated = operator in OPERATORS and OPERATORS[operator].retries
    is_sound = all(
        _is_count(value) for value in numbers if not (is_evaluated and "${" in str(value))
    )
    interval_type = str(options.get("interval_type", "constant")).lower()
    is_known = options.keys() <= named | {"interval_type"} and interval_type in RETRY_INTERVALS
    if not (is_sound and is_known and "limit" in options):
        hint = "" if is_evaluated else "; of a group or a loop it is not evaluated"
        raise Refused(
            f"{location}: _retry must be a number of retries, or a mapping of limit with interval, "
            f"max_interval and interval_type, got {retry!r}{hint if '${' in str(retry) else ''}"
        )


def _check_export(config: Located) -> None:
    export, location = config.get("_export"), config.location("_export")
    if export is None:  # as on Digdag, where an empty _export is fine
        return
    if not isinstance(export, dict):
        raise Refused(f"{location}: _export must be a mapping of parameters, got {export!r}")
    for key, value in export.items():
        key_location = export.location(key) if isinstance(export, Located) else None
        where = key_location or location
        # Digdag would make an exported `echo>` the operator of every task below.
        has_meaning = key.endswith(">") or key[:1] in ("+", "_")
        if has_meaning and key not in _EXPORTABLE:
            raise Refused(
                f"{where}: _export of {key} is not supported: names with +, _ or > have a meaning "
                "to Digdag; choose another name"
            )
        check_templates(value, f"{where}: {key}")


def check_templates(value: Value, where: str, *, shows_stack: bool = True) -> None:
    """Every `${...}` of a value must be within the subset; `where` is location and key.

    A text that only tells people of an error, `shows_stack` False, may have error.stacktrace.
    """
    for text in templates.strings(value):
        try:
            templates.parse(text)
        except UnsupportedError as error:
            raise Refused(f"{where}: ${{...}} with {error} is not supported") from None
        if shows_stack and _STACKTRACE.search(text):
            raise Refused(
                f"{where}: of error, only error.message is supported: the rest is "
                "Java's stack trace"
            )


def reads_error(config: Value) -> bool:
    """Whether a template of an `_error` reads the error."""
    return any(_ERROR.search(text) for text in templates.strings(config))


def check_parameters(params: Mapping[str, Value], where: str) -> None:
    """Check the parameters of the command line; `where` names the option. Raises `Refused`."""
    for key, value in params.items():
        if key.endswith(">") or key[:1] in ("+", "_"):
            raise Refused(
                f"{where}: a parameter named {key} is not supported: names with +, _ or > have a "
                "meaning to Digdag"
            )
        check_templates(value, f"{where}: {key}")
