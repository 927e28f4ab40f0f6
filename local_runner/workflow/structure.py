"""The shape that Digdag's compiler wants of a tree of tasks, whatever its operators do.

All workflows of the folder must have it, whichever one is run: Digdag refuses the whole project.
"""

import difflib
import re
from collections.abc import Iterator

from local_runner.workflow.yaml_types import Located, Location, Value
from td_mta.errors import Refused

GROUP_KEYS = frozenset(
    {"_export", "_error", "_check", "_retry", "_parallel", "_after", "_background", "_secrets"}
    | {"timezone", "schedule", "sla"}  # which count at the top alone: in a group they do nothing
)
NAMES = "may only hold letters, digits and - _ . = % & (128 at most)"
NAME = re.compile(r"[A-Za-z0-9_.=%&-]{0,128}")


def check_structure(config: Located, location: Location | str) -> None:
    """Check a task or group, all below it, and `_error`; raises `Refused`."""
    if _flag(config, "_disable"):
        return
    operators = [key for key in config if key.endswith(">")]
    if operators or "_type" in config:
        _check_operator(config, operators, config.location([*operators, "_type"][0]) or location)
    else:
        _check_group(config)
    error = config.get("_error")
    if isinstance(error, Located):
        check_structure(error, config.location("_error") or location)
    elif error is not None:
        raise Refused(f"{config.location('_error')}: _error must be a mapping, got {error!r}")


def subtasks(config: Located) -> Iterator[tuple[str, Located]]:
    """The tasks of a group, by key; raises `Refused` where one is no mapping."""
    for key, body in config.items():
        if key.startswith("+"):
            if not isinstance(body, Located):  # in `_do`, which is not looked at on loading
                raise Refused(f"{config.location(key)}: task {key} must be a mapping, got {body!r}")
            yield key, body


def check_bodies(config: Located, file: str) -> None:
    """Names and bodies of tasks, through all groups; raises `Refused`."""
    for key, body in config.items():
        if not key.startswith("+"):
            continue
        location = config.location(key) or file
        body = config[key] = _merged(body)
        if not NAME.fullmatch(key[1:]):
            raise Refused(f"{location}: the task name {key} {NAMES}")
        if not isinstance(body, Located):
            raise Refused(f"{location}: task {key} must be a mapping, got {body!r}")
        check_bodies(body, file)


def _merged(body: Value) -> Value:
    """A task given as a list of mappings is one mapping, where no key comes twice."""
    items = body if isinstance(body, list) else []
    parts = [part for part in items if isinstance(part, Located)]
    keys = [key for part in parts for key in part]
    if not parts or len(parts) < len(items) or len(set(keys)) < len(keys):
        return body
    merged = Located()
    for part in parts:
        for key, value in part.items():
            merged.put(key, value, part.locations[key])
    return merged


def _flag(config: Located, key: str) -> bool:
    value = config.get(key, False)
    if not isinstance(value, bool):
        raise Refused(f"{config.location(key)}: {key} must be true or false, got {value!r}")
    return value


def _check_operator(config: Located, operators: list[str], location: Location | str) -> None:
    if len(operators) > 1:
        raise Refused(f"{location}: a task can have only one operator, got {', '.join(operators)}")
    if any(key.startswith("+") for key in config):
        operator = [*operators, "_type"][0]
        raise Refused(f"{location}: a task with an operator ({operator}) can't have subtasks")


def _check_group(config: Located) -> None:
    for key in config:
        if key not in GROUP_KEYS and not key.startswith("+"):
            nearest = difflib.get_close_matches(key, GROUP_KEYS, 1)
            hint = f", did you mean {nearest[0]}?" if nearest else ": tasks start with +"
            raise Refused(f"{config.location(key)}: invalid key {key!r} of a group{hint}")
    parallel = config.get("_parallel", False)
    limit = parallel.get("limit") if isinstance(parallel, dict) and len(parallel) == 1 else None
    has_limit = type(limit) is int and limit > 0
    if not isinstance(parallel, bool) and not has_limit:
        hint = "; of a group it is not evaluated, only of a loop" if "${" in str(parallel) else ""
        raise Refused(
            f"{config.location('_parallel')}: _parallel must be true, false or {{limit: n}}, "
            f"got {parallel!r}{hint}"
        )
    earlier: list[str] = []
    for key, body in subtasks(config):
        check_structure(body, config.location(key) or "")
        if body.get("_disable") is not True:
            _check_order(body, earlier, bool(parallel))
        earlier.append(key)


def _check_order(body: Located, earlier: list[str], parallel: bool) -> None:
    """Check `_background` and `_after` of a task in a group whose `earlier` tasks are named."""
    if _flag(body, "_background") and parallel:
        raise Refused(
            f"{body.location('_background')}: _background is for tasks of a group without _parallel"
        )
    if "_after" not in body:
        return
    after = body["_after"]
    names_earlier_tasks = isinstance(after, list) and all(name in earlier for name in after)
    if not parallel or not names_earlier_tasks:
        raise Refused(
            f"{body.location('_after')}: _after must list earlier tasks of a group that has "
            f"_parallel: true, got {after!r}"
        )
