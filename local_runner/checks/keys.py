"""The keys that Digdag itself reads on tasks and groups, whatever the operator."""

import difflib
import re
from collections.abc import Mapping

from local_runner.javascript.tokens import UnsupportedError
from local_runner.workflow import templates
from local_runner.workflow.yaml_types import Located, Location, Value
from td_mta.errors import Refused

GROUP_KEYS = frozenset(
    {"_export", "_error", "_check", "_retry", "_parallel", "_after", "_background", "_disable"}
)
RETRY_KEYS = {"limit": int, "interval": int, "interval_type": str}
RETRY_INTERVALS = frozenset({"constant", "exponential"})
# The engine sets these itself, as on Digdag: a workflow that sets them was never observed.
_RESERVED = frozenset({"_type", "_command"})
_EXPORTABLE = frozenset({"_env", "_workdir"})  # of the names that begin with `_`
_ERROR_BEYOND_MESSAGE = re.compile(r"\$\{[^}]*\berror\b(?!\.message\b)")


def check_keys(config: Located, location: Location | str) -> None:
    """Check the keys that tasks and groups share; raises `Refused`."""
    for key in config:
        if key in _RESERVED:
            where = config.location(key) or location
            raise Refused(f"{where}: the key {key} is not supported: the runner sets it itself")
    for key in ("_disable", "_background"):
        value = config.get(key, False)
        if not isinstance(value, bool):
            raise Refused(f"{config.location(key)}: {key} must be true or false, got {value!r}")
    retry = config.get("_retry", 0)
    if not _is_retry(retry):
        raise Refused(
            f"{config.location('_retry')}: _retry must be a number of retries, or a mapping of "
            f"limit with interval and interval_type, got {retry!r}"
        )
    _check_export(config)


def _is_retry(retry: Value) -> bool:
    if isinstance(retry, dict):
        # `type`, since true is an int to isinstance; an unknown key has no type that equals None
        typed = all(type(value) is RETRY_KEYS.get(key) for key, value in retry.items())
        interval_type = retry.get("interval_type", "constant")
        return typed and "limit" in retry and interval_type in RETRY_INTERVALS
    return isinstance(retry, int) and not isinstance(retry, bool) and retry >= 0


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


def check_group_keys(config: Located) -> Value:
    """Check the keys that only groups have, and return `_parallel`; raises `Refused`."""
    for key in config:
        if key not in GROUP_KEYS and not key.startswith("+"):
            nearest = difflib.get_close_matches(key, GROUP_KEYS, 1)
            hint = f", did you mean {nearest[0]}?" if nearest else ": tasks start with +"
            raise Refused(f"{config.location(key)}: invalid key {key!r} of a group{hint}")
    parallel = config.get("_parallel", False)
    limit = parallel.get("limit") if isinstance(parallel, dict) and len(parallel) == 1 else None
    has_limit = isinstance(limit, int) and limit > 0
    if not isinstance(parallel, bool) and not has_limit:
        raise Refused(
            f"{config.location('_parallel')}: _parallel must be true, false or {{limit: n}}, "
            f"got {parallel!r}"
        )
    return parallel


def check_order_keys(body: Located, earlier: list[str], parallel: Value) -> None:
    """Check `_background` and `_after` of a task in a group whose `earlier` tasks are named.

    `parallel` is the group's `_parallel`, None where there is no group. Raises `Refused`.
    """
    if "_background" in body and (parallel is None or parallel):
        raise Refused(
            f"{body.location('_background')}: _background is for tasks of a group without _parallel"
        )
    if "_after" not in body:
        return
    after = body["_after"]
    names_earlier_tasks = isinstance(after, list) and all(name in earlier for name in after)
    if parallel is not True or not names_earlier_tasks:
        raise Refused(
            f"{body.location('_after')}: _after must list earlier tasks of a group that has "
            f"_parallel: true, got {after!r}"
        )


def check_templates(value: Value, where: str) -> None:
    """Every `${...}` of a value must be within the subset; `where` is location and key."""
    for text in templates.strings(value):
        try:
            templates.parse(text)
        except UnsupportedError as error:
            raise Refused(f"{where}: ${{...}} with {error} is not supported") from None
        if _ERROR_BEYOND_MESSAGE.search(text):
            raise Refused(f"{where}: of error, only error.message is supported")


def check_parameters(params: Mapping[str, Value], where: str) -> None:
    """Check the parameters of the command line; `where` names the option. Raises `Refused`."""
    for key, value in params.items():
        if key.endswith(">") or key[:1] in ("+", "_"):
            raise Refused(
                f"{where}: a parameter named {key} is not supported: names with +, _ or > have a "
                "meaning to Digdag"
            )
        check_templates(value, f"{where}: {key}")
