"""Everything that can be refused is refused here, before any task runs.

The whole tree is walked: groups, `_do`, `_error`, `_check`, called files and query files. What was
not shown to mean the same as on Digdag raises `Refused` with the construct, its file and line.
"""

import difflib
import re

from local_runner.checks import operators, td
from local_runner.checks.keys import check_keys, check_templates, reads_error
from local_runner.checks.scope import Doubts, ParameterScope, Subject
from local_runner.operators import OPERATORS
from local_runner.task_request import RunContext, TaskRequest
from local_runner.workflow import templates
from local_runner.workflow.structure import check_structure, subtasks
from local_runner.workflow.tasks import OWN_TREES
from local_runner.workflow.yaml_types import Located, Location, Value, copy, merge
from td_mta.errors import Refused

_HOSTED = "it exists on Treasure Data alone, where td> and py> around it can be tried without it"
# What to write instead of operators that workflows have and this runner does not.
INSTEAD = {
    "embulk>": "run Embulk itself with sh>",
    "rb>": "run Ruby with sh>",
    "param_set>": "store values for later tasks with digdag.env.store in py>",
    "param_get>": "give values with -p, or store them with digdag.env.store in py>",
    "s3_wait>": "wait in py> with boto3",
    "gcs_wait>": "wait in py> with google-cloud-storage",
    "pg>": "run psql with sh>",
    "redshift>": "run psql with sh>",
    **dict.fromkeys(("bq>", "bq_ddl>", "bq_load>", "bq_extract>"), "run the command bq with sh>"),
    "slack>": "post to its webhook with http>",
    "http_call>": "fetch the workflow with http> into a file of the project, and call> that",
    "emr>": "run the command aws with sh>",
    **dict.fromkeys(("ipynb>", "ml_train>", "ml_predict>", "cdp_segment>"), _HOSTED),
}
MOST_TASKS = 900  # Digdag has a limit of its own
_FOLDER = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*")
_PREFIXED = re.compile(r"\$\{[a-z]+:[^}]*\}?")


class Checker:
    """Walks a workflow. `dry_run` needs neither tables nor secrets.

    `has_given_parameters` is whether the command line has -p or -P.
    """

    def __init__(
        self, context: RunContext, *, dry_run: bool, has_given_parameters: bool = False
    ) -> None:
        self.context = context
        self.dry_run = dry_run
        self.has_given_parameters = has_given_parameters
        self.queries = self.tasks = 0

    def task(self, config: Located, scope: ParameterScope, location: Location | str) -> Doubts:
        """Check a task or group and all below it; raises `Refused`."""
        check_structure(config, location)
        return self._task(config, scope, location)

    def _task(self, config: Located, scope: ParameterScope, location: Location | str) -> Doubts:
        if config.get("_disable") is True:  # Digdag does not look into it either
            return Doubts()
        self.tasks += 1
        if self.tasks > MOST_TASKS:
            raise Refused(
                f"{location}: workflows of more than {MOST_TASKS} tasks are not supported"
            )
        operator_keys = [key for key in config if key.endswith(">")]
        check_keys(config, location)
        self._workdirs(config, operator_keys, location)
        scope = scope.export(config.get("_export"))
        if operator_keys:
            doubts = self._operator(config, operator_keys, scope, location)
        else:
            doubts = self._group(config, scope, location)
        return doubts | self._error(config, scope, doubts)

    def alone(self, config: Located, scope: ParameterScope, location: Location | str) -> Doubts:
        """Check a task without siblings: `_do`, `_error`, `_check`; raises `Refused`."""
        for key in config.keys() & {"_after", "_background"}:
            raise Refused(f"{config.location(key)}: {key} is for tasks of a group")
        return self.task(config, scope, location)

    def secrets(self, text: str, where: str) -> None:
        """Check that every `${secret:key}` of a text has a value; raises `Refused`."""
        for template in _PREFIXED.findall(text):
            match = templates.SECRET.fullmatch(template)
            if not match:
                raise Refused(f"{where}: {template} is not supported, only ${{secret:key}} is")
            key = match[1]
            if key not in self.context.secrets and not self.dry_run:
                remedy = f"give --secret {key}=..."
                remedy += " or export TD_API_KEY" if key == "td.apikey" else ""
                raise Refused(f"{where}: the secret {key} is missing; {remedy}")

    def _workdirs(
        self, config: Located, operator_keys: list[str], location: Location | str
    ) -> None:
        """`_workdir` on the task itself or in its `_export`."""
        if "_workdir" in config:
            starts_process = operator_keys[:1] in (["py>"], ["sh>"])
            self._workdir(config, location, supported=starts_process)
        export = config.get("_export")
        if isinstance(export, Located) and "_workdir" in export:
            self._workdir(export, location, supported=True)

    def _workdir(self, holder: Located, location: Location | str, *, supported: bool) -> None:
        folder = holder["_workdir"]
        is_path = isinstance(folder, str) and _FOLDER.fullmatch(folder)
        if not supported or not is_path or not (self.context.project.root / str(folder)).is_dir():
            raise Refused(
                f"{holder.location('_workdir') or location}: _workdir must be a folder of the "
                f"project, for py> or sh>, got {folder}"
            )
        where = f"{holder.location('_workdir') or location}: _workdir"
        self.context.project.inside(self.context.project.root / str(folder), where)

    def _group(self, config: Located, scope: ParameterScope, location: Location | str) -> Doubts:
        doubts = Doubts()
        tasks = dict(subtasks(config))
        for name, body in tasks.items():
            doubts |= self._task(body, scope, config.location(name) or location)
        return doubts

    def _operator(
        self,
        config: Located,
        operator_keys: list[str],
        scope: ParameterScope,
        location: Location | str,
    ) -> Doubts:
        operator = operator_keys[0]
        _check_known(operator, config.location(operator) or location)
        # Some values are known only in the run: a template of these fails now, and may not then.
        failed: list[templates.TemplateError] = []
        request = self._request(config, operator, scope, failed)
        doubts = operators.check(Subject(self, config, request, scope))
        if not all(error.same_message or error.is_leaked for error in failed):
            doubts |= {"an error of JavaScript"}
        if "_check" in config:
            doubts |= self._check(config, scope, operator)
        return doubts

    def _request(
        self,
        config: Located,
        operator: str,
        scope: ParameterScope,
        failed: list[templates.TemplateError],
    ) -> TaskRequest:
        """The task with what is known of its parameters before the run; errors in `failed`."""
        own = {key: value for key, value in config.items() if key not in OWN_TREES}
        self._check_own_templates(config, own)
        params = copy(scope.params)
        assert isinstance(params, dict)
        merge(params, own)
        try:
            known_params = templates.evaluate(params, scope.params, failed=failed)
        except templates.UnknownTemplateError as error:
            raise Refused(f"{config.location(operator)}: {error}: not supported") from None
        return TaskRequest(operator, known_params, self.context, "_env" in config)

    def _check_own_templates(self, config: Located, own: dict[str, Value]) -> None:
        for key, value in own.items():
            if key in templates.LAZY:  # checked with the subtasks that they are
                continue
            where = f"{config.location(key)}: {key}"
            tells = not {"http>", "mail>"} & config.keys()
            check_templates(value, where, shows_stack=tells)
            for text in templates.strings(value):
                td.no_local_job(self, text, where)

    def _check(self, config: Located, scope: ParameterScope, operator: str) -> Doubts:
        check, location = config["_check"], config.location("_check")
        if not isinstance(check, Located):
            raise Refused(f"{location}: _check must be a mapping, got {check!r}")
        does = OPERATORS[operator]
        if does.nests or ("_retry" in config and not does.retries):
            raise Refused(
                f"{location}: _check on {operator}, or together with its _retry, is not supported"
            )
        return self.alone(check, scope, location or "")

    def _error(self, config: Located, scope: ParameterScope, doubts: Doubts) -> Doubts:
        """Check `_error`, whose `error.message` must be certain where there are `doubts`."""
        if "_error" not in config:
            return Doubts()
        error, location = config["_error"], config.location("_error") or ""
        if not isinstance(error, Located):  # empty, as the check of the structure found
            return Doubts()
        if doubts and reads_error(error):
            raise Refused(
                f"{location}: _error uses error.message above {', '.join(sorted(doubts))}: which "
                "words Digdag reports is not known; leave out error.message"
            )
        self.alone(error, scope, location)
        cannot_fail = all(key == "echo>" for key in _all_keys(error) if key.endswith(">"))
        return Doubts() if cannot_fail else Doubts({"an _error that can fail"})


def _check_known(operator: str, location: Location | str) -> None:
    if operator not in OPERATORS:
        nearest = difflib.get_close_matches(operator, OPERATORS, 1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"supported: {', '.join(OPERATORS)}"
        hint = INSTEAD.get(operator, hint)
        raise Refused(f"{location}: the operator {operator} is not supported; {hint}")


def _all_keys(value: Value) -> list[str]:
    """The keys of a mapping and of the mappings in it."""
    if not isinstance(value, dict):
        return []
    return [key for name, item in value.items() for key in (name, *_all_keys(item))]
