"""Run a tree of tasks in order, with retries, `_check` and `_error`, as Digdag does.

Tasks of a `_parallel` group, and those beside a `_background` task, run at the same time; what they
print appears task by task.
"""

from typing import NamedTuple

from local_runner import together
from local_runner.checks.keys import reads_error
from local_runner.checks.scope import ParameterScope
from local_runner.checks.walk import Checker
from local_runner.config_values import integer
from local_runner.missing_names import explained
from local_runner.operators import OPERATORS, Operator
from local_runner.task_request import TaskError, TaskRequest, TaskResult
from local_runner.workflow import tasks, templates
from local_runner.workflow.java_text import java_text
from local_runner.workflow.tasks import Task, with_export
from local_runner.workflow.yaml_types import Located, Value, copy, merge
from td_mta.errors import Refused


def without_traceback(message: str) -> str:
    """A task's message as the screen shows it; the process printed its traceback, if it has one."""
    return message.split("\n\tfrom ")[0]


def _result(operator: Operator, request: TaskRequest) -> TaskResult:
    """What an operator leaves; its error names the parameter that is to blame."""
    try:
        return operator.run(request)
    except TaskError as error:
        message = explained(str(error), request)
        raise TaskError(
            message, raised=error.raised, told=error.told, same_words=error.same_words
        ) from error


def _as_task_error(error: templates.TemplateError | Refused) -> TaskError:
    """An error before the operator's own work; what we refuse has no words on Digdag."""
    same_words = isinstance(error, templates.TemplateError) and error.same_message
    return TaskError(str(error), same_words=same_words)


class Failure(NamedTuple):
    """A task that failed, and why; also one whose later attempt succeeded, as on Digdag."""

    task: str
    message: str


class Retry(NamedTuple):
    """`_retry`: how many times, and the seconds before each."""

    limit: int
    interval: int = 0
    longest: int | None = None  # interval, of those that grow
    exponential: bool = False

    @classmethod
    def of(cls, value: Value) -> "Retry":
        """The `_retry` of a group, or of a task whose parameters are evaluated.

        Raises `TaskError`.
        """
        if isinstance(value, bool):
            raise TaskError(f"Invalid _retry format:{java_text(value)} (config)")
        if not isinstance(value, dict):
            return cls(integer(value, "_retry"))
        given = {
            key: integer(value[key], key)
            for key in ("limit", "interval", "max_interval")
            if value.get(key) is not None
        }
        is_exponential = str(value.get("interval_type")).lower() == "exponential"
        interval, longest = given.get("interval", 0), given.get("max_interval")
        return cls(given["limit"], interval, longest, is_exponential)

    def wait(self, attempt: int) -> None:
        """Sleep before the next attempt; `attempt` counts from 0."""
        seconds = self.interval
        if self.exponential:
            seconds *= 2**attempt
            seconds = seconds if self.longest is None else min(seconds, self.longest)
        together.sleep(seconds)


class WorkflowRun:
    """One run of a workflow. `base` are the parameters of command line and session."""

    def __init__(
        self,
        checker: Checker,
        base: dict[str, Value],
        builtins: dict[str, Value],
        dry_run: bool,
        skipped: set[Task],
        stored: dict[str, dict[str, Value]],
    ) -> None:
        self.checker, self.context = checker, checker.context
        self.base, self.builtins = base, builtins
        self.dry_run, self.skipped, self.stored = dry_run, skipped, stored
        self.failures: list[Failure] = []

    def run(self, task: Task) -> bool:
        """Run a task and all below it; whether it succeeded."""
        if task in self.skipped or task.config.get("_disable") is True:
            for node in task.walk():
                node.state, node.store = "success", self.stored.get(node.name, {})
            return True
        succeeded = self._operate(task) and self._run_subtasks(task)
        task.state = "success" if succeeded else "failed"
        if not succeeded:
            self._on_error(task)
        return succeeded

    def request(self, task: Task) -> TaskRequest:
        """A task with its parameters evaluated; raises `TemplateError`."""
        assert task.operator, "a group has no operator to receive a request"
        raw = tasks.params(task, self.base)
        raw |= {**self.builtins, "task_name": task.name}
        params = copy(raw)
        assert isinstance(params, dict)
        merge(params, task.own)
        evaluated = templates.evaluate(params, raw)
        # The engine's own two, which sh> and py> pass on.
        evaluated |= {"_type": task.operator[:-1], "_command": evaluated[task.operator]}
        return TaskRequest(task.operator, evaluated, self.context, "_env" in task.config)

    def _operate(self, task: Task) -> bool:
        """The task's own work; its subtasks are added, not run."""
        if task.operator is None:
            return True
        try:
            result = self._attempt(task, self.request(task))
            self._check_added(task, result)
        except (TaskError, templates.TemplateError, Refused) as error:
            known = error if isinstance(error, TaskError) else _as_task_error(error)
            task.message, task.raised, task.same_words = known.told, known.raised, known.same_words
            self.failures.append(Failure(task.name, str(error)))
            return False
        task.store = result.store
        if result.subtasks is not None:
            task.add(f"{task.name}^sub", result.subtasks, [])
        if "_check" in task.config and not self.dry_run:
            check = task.config["_check"]
            assert isinstance(check, Located)
            task.add(f"{task.name}^check", check, list(task.children))
        return True

    def _check_added(self, task: Task, result: TaskResult) -> None:
        """Subtasks that Python added are known only now, and what a computed call> names."""
        is_computed = task.operator == "call>" and "${" in str(task.config["call>"])
        if result.subtasks is not None and (task.operator == "py>" or is_computed):
            params = {**tasks.params(task, self.base), **self.builtins}
            scope = ParameterScope(params=params, calls=(), builtins=self.builtins)
            location = task.config.location(task.operator or "")
            self.checker.task(result.subtasks, scope, location or "")

    def _attempt(self, task: Task, request: TaskRequest) -> TaskResult:
        """Run an operator, again where it fails and repeats itself; raises `TaskError`."""
        argument = "" if request.command is None else java_text(request.command)
        first_line = argument.split("\n")[0]
        together.log(f"{task.name}\t{task.operator}: {first_line}")
        if self.dry_run:
            self._show(task, request)
            return TaskResult()
        operator = OPERATORS[request.operator]
        retry = Retry.of(request.params.get("_retry", 0)) if operator.retries else Retry(0)
        for attempt in range(retry.limit):
            try:
                return _result(operator, request)
            except TaskError as error:
                message = without_traceback(str(error))
                together.log(f"{task.name} failed, retrying: {message}")
                retry.wait(attempt)
        return _result(operator, request)

    def _show(self, task: Task, request: TaskRequest) -> None:
        """A dry run only shows SQL, also that of subtasks, which Digdag's own leaves out."""
        try:
            operator = OPERATORS[request.operator]
            if operator.shown:
                for text in operator.shown(request):
                    print(text, flush=True)
            elif operator.nests:
                subtasks = operator.run(request).subtasks or Located()
                for below in tasks.detached(task, subtasks).walk():
                    if below.operator:
                        self._show(below, self.request(below))
        except (TaskError, templates.TemplateError) as error:
            print(f"-- {task.name}: known only in the run: {error}", flush=True)

    def _run_subtasks(self, task: Task) -> bool:
        """The children in order; a `_retry` here makes and runs all of them again."""
        written = task.config.get("_retry", 0)
        retry = Retry(0) if "${" in str(written) else Retry.of(written)  # of the task's own work
        attempt, children = 0, list(task.children)
        while not self._run_all(children):
            # Of several errors Digdag passes on that of the task which it made first.
            failed = next(child for child in task.children if child.state == "failed")
            task.message, task.raised = failed.message, failed.raised
            task.same_words = failed.same_words
            if attempt >= retry.limit:
                return False
            retry.wait(attempt)
            attempt += 1
            children = self._fresh(task, children)
        return True

    def _run_all(self, children: list[Task]) -> bool:
        if self.dry_run or together.in_sequence(children):
            for child in children:
                self._run_next(child)
        else:
            together.run(children, self._run_next)
        return all(child.state == "success" for child in children)

    def _run_next(self, child: Task) -> None:
        if all(upstream.state == "success" for upstream in child.upstreams):
            self.run(child)
        else:
            child.state = "blocked"

    def _fresh(self, task: Task, children: list[Task]) -> list[Task]:
        """New children for another attempt; the failed ones stay in the tree, as on Digdag."""
        if task.operator is None:
            return task.expand()
        return [task.add(child.name, child.config, []) for child in children]

    def _on_error(self, task: Task) -> None:
        config = task.config.get("_error")
        if not isinstance(config, Located) or self.dry_run:
            return
        if not task.same_words and reads_error(config):
            together.log(
                f"{task.name}: its _error is not run: it reads error.message, and Digdag's words "
                f"for this error are not known: {without_traceback(task.message)}"
            )
            return
        error: dict[str, Value] = {"message": task.message}
        if task.raised:  # Digdag adds Java's stack trace; the message stands for it here
            error["stacktrace"] = task.message
        on_error = with_export(config, {"error": error})
        self.run(task.add(f"{task.name}^error", on_error, list(task.children)))
