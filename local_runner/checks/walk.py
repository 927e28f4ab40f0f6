"""Everything that can be refused is refused here, before any task runs.

The whole tree is walked: groups, `_do`, `_error`, `_check`, called files and query files. What was
not shown to mean the same as on Digdag raises `Refused` with the construct, its file and line.
"""

import difflib
import re
from collections.abc import Mapping

from local_runner.checks import operators, td
from local_runner.checks.scope import Doubts, ParameterScope
from local_runner.javascript.tokens import UnsupportedError
from local_runner.operators import OPERATORS
from local_runner.task_request import RunContext, TaskRequest
from local_runner.workflow import templates
from local_runner.workflow.tasks import OWN_TREES
from local_runner.workflow.yaml_types import Located, Location, Value, copy, merge
from td_mta.errors import Refused

GROUP_KEYS = frozenset(
    {"_export", "_error", "_check", "_retry", "_parallel", "_after", "_background", "_disable"}
)
MOST_TASKS = 900  # Digdag has a limit of its own
RETRY_KEYS = {"limit": int, "interval": int, "interval_type": str}
INTERVALS = frozenset({"constant", "exponential"})
_RESERVED = frozenset({"_type", "_command"})
_PREFIXED = re.compile(r"\$\{[a-z]+:[^}]*\}?")
_ERROR = re.compile(r"\$\{[^}]*\berror\b")
_ERROR_BEYOND = re.compile(r"\$\{[^}]*\berror\b(?!\.message\b)")


class Checker:
    """Walks a workflow. `dry_run` needs neither tables nor secrets."""

    def __init__(self, context: RunContext, *, dry_run: bool) -> None:
        self.context = context
        self.dry_run = dry_run
        self.queries = self.tasks = 0

    def task(self, config: Located, scope: ParameterScope, location: Location | str) -> Doubts:
        """A task or group and all below it."""
        self.tasks += 1
        if self.tasks > MOST_TASKS:
            raise Refused(f"{location}: more than {MOST_TASKS} tasks are not supported")
        found = [key for key in config if key.endswith(">")]
        keys_of_all(config, location)
        self._workdir(config, found, location)
        scope = scope.export(config.get("_export"))
        if found:
            doubts = self._operator(config, found, scope, location)
        else:
            doubts = self._group(config, scope, location)
        return doubts | self._error(config, scope, doubts)

    def _workdir(self, config: Located, found: list[str], location: Location | str) -> None:
        """A folder of the project, in which the process of a task runs."""
        export = config.get("_export")
        exported = export if isinstance(export, Located) else Located()
        for holder, known in ((config, found[:1] in (["py>"], ["sh>"])), (exported, True)):
            if "_workdir" not in holder:
                continue
            folder, at = holder["_workdir"], holder.location("_workdir") or location
            plain = isinstance(folder, str) and re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)*", folder)
            if not known or not plain or not (self.context.project.root / str(folder)).is_dir():
                raise Refused(f"{at}: _workdir must be a folder of the project, for py> or sh>")

    def alone(self, config: Located, scope: ParameterScope, location: Location | str) -> Doubts:
        """A task without siblings: `_do`, `_error`, `_check`."""
        _beside(config, [], None)
        return self.task(config, scope, location)

    def secrets(self, text: str, what: str) -> None:
        """Every `${secret:key}` of a text must be there before the run."""
        for template in _PREFIXED.findall(text):
            found = templates.SECRET.fullmatch(template)
            if not found:
                raise Refused(f"{what}: {template} is not supported")
            if found[1] not in self.context.secrets and not self.dry_run:
                hint = " or export TD_API_KEY" if found[1] == "td.apikey" else ""
                raise Refused(
                    f"{what}: the secret {found[1]} is missing; give --secret {found[1]}=...{hint}"
                )

    def _group(self, config: Located, scope: ParameterScope, location: Location | str) -> Doubts:
        doubts = Doubts()
        parallel = group_keys(config)
        subtasks = [key for key in config if key.startswith("+")]
        for at, key in enumerate(subtasks):
            body = _subtask(config, key)
            _beside(body, subtasks[:at], parallel)
            doubts |= self.task(body, scope, config.location(key) or location)
        check = config.get("_check")
        if isinstance(check, Located):  # never runs, but must be sound
            self.alone(check, scope, config.location("_check") or location)
        retried = {"_retry"} if config.get("_retry") else set()
        background = any(_subtask(config, key).get("_background") for key in subtasks)
        at_once = {"_parallel"} if parallel or background else set()
        return doubts | retried | (at_once if len(subtasks) > 1 else set())

    def _operator(
        self, config: Located, found: list[str], scope: ParameterScope, location: Location | str
    ) -> Doubts:
        operator = found[0]
        at = config.location(operator) or location
        if operator not in OPERATORS:
            near = difflib.get_close_matches(operator, OPERATORS, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(OPERATORS)}"
            raise Refused(f"{at}: the operator {operator} is not supported{hint}")
        if len(found) > 1:
            raise Refused(f"{at}: a task can't have more than one operator: {', '.join(found)}")
        if any(key.startswith("+") for key in config):
            raise Refused(f"{at}: a task with an operator can't have subtasks")
        failed: list[templates.TemplateError] = []
        request = self._request(config, operator, scope, failed)
        doubts = operators.check(self, config, request, scope)
        if not all(error.same_words for error in failed):
            doubts |= {"an error of JavaScript"}
        if "_check" in config:
            doubts |= self._check(config, scope, operator)
        return doubts | (
            {"_retry"} if config.get("_retry") and OPERATORS[operator].nests else set()
        )

    def _request(
        self,
        config: Located,
        operator: str,
        scope: ParameterScope,
        failed: list[templates.TemplateError],
    ) -> TaskRequest:
        """The task with what is known of its parameters before the run; errors in `failed`."""
        local = {key: value for key, value in config.items() if key not in OWN_TREES}
        for key, value in local.items():
            if key not in templates.LAZY:
                soundly_templated(value, f"{config.location(key)}: {key}")
                for text in templates.strings(value):
                    td.no_local_job(self, text, f"{config.location(key)}: {key}")
        merged = copy(scope.params)
        assert isinstance(merged, dict)
        merge(merged, local)
        if name := templates.in_doubt(merged, scope.params, frozenset(local)):
            raise Refused(
                f"{config.location(operator)}: a nested value of this task refers to {name}, "
                "which is a parameter of the task itself or a template: not known what Digdag "
                "takes; write its value there"
            )
        try:
            known = templates.evaluate(merged, scope.params, failed=failed)
        except templates.UnknownTemplateError as error:
            raise Refused(f"{config.location(operator)}: {error}: not supported") from None
        return TaskRequest(operator, known, self.context, "_env" in config)

    def _check(self, config: Located, scope: ParameterScope, operator: str) -> Doubts:
        check, location = config["_check"], config.location("_check")
        if not isinstance(check, Located):
            raise Refused(f"{location}: _check must be a mapping")
        if OPERATORS[operator].nests or ("_retry" in config and not OPERATORS[operator].retries):
            raise Refused(
                f"{location}: _check together with _retry or on {operator} is not supported"
            )
        return self.alone(check, scope, location or "")

    def _error(self, config: Located, scope: ParameterScope, doubts: Doubts) -> Doubts:
        if "_error" not in config:
            return Doubts()
        error, location = config["_error"], config.location("_error") or ""
        if not isinstance(error, Located):
            raise Refused(f"{location}: _error must be a mapping")
        if doubts and any(_ERROR.search(text) for text in templates.strings(error)):
            raise Refused(
                f"{location}: _error uses error.message above {', '.join(sorted(doubts))}: "
                "which of several errors Digdag tells is not known"
            )
        self.alone(error, scope, location)
        only_echo = all(key == "echo>" for key in _keys(error) if key.endswith(">"))
        return Doubts() if only_echo else Doubts({"an _error that can fail"})


def keys_of_all(config: Located, location: Location | str) -> None:
    """Keys that stand on tasks and groups alike."""
    for key in config:
        at = config.location(key) or location
        if key in _RESERVED:
            raise Refused(f"{at}: the key {key} is not supported")
    for key in ("_disable", "_background"):
        if not isinstance(config.get(key, False), bool):
            raise Refused(f"{config.location(key)}: {key} must be true or false")
    if not _is_retry(config.get("_retry", 0)):
        raise Refused(
            f"{config.location('_retry')}: _retry must be a number, or limit with interval and "
            "interval_type"
        )
    _export(config)


def _export(config: Located) -> None:
    export, location = config.get("_export"), config.location("_export")
    if export is not None and not isinstance(export, dict):
        raise Refused(f"{location}: _export must be a mapping")
    for key, value in (export or {}).items():
        at = (export.location(key) if isinstance(export, Located) else None) or location
        if key.endswith(">") or (key[:1] in ("+", "_") and key not in ("_env", "_workdir")):
            raise Refused(f"{at}: _export of {key}, a name with a meaning, is not supported")
        soundly_templated(value, f"{at}: {key}")


def group_keys(config: Located) -> Value:
    """The keys of a group; its `_parallel`."""
    for key in config:
        if key not in GROUP_KEYS and not key.startswith("+"):
            near = difflib.get_close_matches(key, GROUP_KEYS, 1)
            hint = f", did you mean {near[0]}?" if near else ": it is a group, tasks start with +"
            raise Refused(f"{config.location(key)}: invalid key {key!r}{hint}")
    parallel = config.get("_parallel", False)
    limit = parallel.get("limit") if isinstance(parallel, dict) and len(parallel) == 1 else None
    if not isinstance(parallel, bool) and not (isinstance(limit, int) and limit > 0):
        raise Refused(
            f"{config.location('_parallel')}: _parallel must be true, false or {{limit: n}}"
        )
    return parallel


def _subtask(config: Located, key: str) -> Located:
    body = config[key]
    assert isinstance(body, Located)
    return body


def _beside(body: Located, before: list[str], parallel: Value) -> None:
    """`_background` and `_after` of a group's task; `parallel` is None where there is no group."""
    if "_background" in body and (parallel is None or parallel):
        raise Refused(
            f"{body.location('_background')}: _background is for tasks of a group without _parallel"
        )
    if "_after" not in body:
        return
    allowed = parallel is True
    after = body["_after"]
    known = isinstance(after, list) and all(name in before for name in after)
    if not allowed or not known:
        raise Refused(
            f"{body.location('_after')}: _after must list earlier tasks of a group that has "
            "_parallel: true"
        )


def _is_retry(retry: Value) -> bool:
    if isinstance(retry, dict):
        typed = all(type(value) is RETRY_KEYS.get(key) for key, value in retry.items())
        return typed and "limit" in retry and retry.get("interval_type", "constant") in INTERVALS
    return isinstance(retry, int) and not isinstance(retry, bool) and retry >= 0


def soundly_templated(value: Value, what: str) -> None:
    """Every template must be within the subset; `what` is place and key."""
    for text in templates.strings(value):
        try:
            templates.parse(text)
        except UnsupportedError as error:
            raise Refused(f"{what}: ${{...}} with {error} is not supported") from None
        if _ERROR_BEYOND.search(text):
            raise Refused(f"{what}: of error only error.message is supported")


def check_parameters(params: Mapping[str, Value], what: str) -> None:
    """Parameters of the command line."""
    for key, value in params.items():
        if key.endswith(">") or key[:1] in ("+", "_"):
            raise Refused(f"{what}: a parameter named {key} is not supported")
        soundly_templated(value, f"{what}: {key}")


def _keys(value: Value) -> list[str]:
    if not isinstance(value, dict):
        return []
    return [key for name, item in value.items() for key in (name, *_keys(item))]
