"""Run a tree of tasks in order, with retries, `_check` and `_error`, as Digdag does.

Tasks of a `_parallel` group run one after the other, in the order of the file: one of the orders
that Digdag may take, always the same one.
"""

import sys
import time
from typing import NamedTuple

from local_runner.checks.scope import ParameterScope
from local_runner.checks.walk import Checker
from local_runner.operators import OPERATORS, with_export
from local_runner.task_request import TaskError, TaskRequest, TaskResult
from local_runner.td import shown
from local_runner.workflow import tasks, templates
from local_runner.workflow.java_text import java_text
from local_runner.workflow.tasks import Task
from local_runner.workflow.yaml_types import Located, Value, copy, merge
from td_mta.errors import Refused


class Failure(NamedTuple):
    """A task that failed, and why; also one that a later attempt made good."""

    task: str
    message: str


class Retry(NamedTuple):
    """`_retry`: how often again, and the seconds before."""

    limit: int
    interval: int = 0
    exponential: bool = False

    @classmethod
    def of(cls, config: Located) -> "Retry":
        value = config.get("_retry", 0)
        if isinstance(value, int):
            return cls(value)
        given = value if isinstance(value, dict) else {}
        limit, interval = given.get("limit"), given.get("interval", 0)
        assert isinstance(limit, int) and isinstance(interval, int), "checked before the run"
        return cls(limit, interval, given.get("interval_type") == "exponential")

    def wait(self, attempt: int) -> None:
        time.sleep(self.interval * (2**attempt if self.exponential else 1))


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
            for each in task.walk():
                each.state, each.store = "success", self.stored.get(each.name, {})
            return True
        done = self._operate(task) and self._subtasks(task)
        task.state = "success" if done else "failed"
        if not done:
            self._on_error(task)
        return done

    def _operate(self, task: Task) -> bool:
        """The task's own work; its subtasks are added, not run."""
        if task.operator is None:
            return True
        try:
            outcome = self._attempts(task, self.request(task))
            self._check_added(task, outcome)
        except (TaskError, templates.TemplateError, Refused) as error:
            task.message, task.raised = str(error), getattr(error, "raised", True)
            self.failures.append(Failure(task.name, task.message))
            return False
        task.store = outcome.store
        if outcome.subtasks is not None:
            task.add(f"{task.name}^sub", outcome.subtasks, [])
        if "_check" in task.config and not self.dry_run:
            check = task.config["_check"]
            assert isinstance(check, Located)
            task.add(f"{task.name}^check", check, list(task.children))
        return True

    def _check_added(self, task: Task, outcome: TaskResult) -> None:
        """Subtasks that Python added are only known now."""
        if task.operator == "py>" and outcome.subtasks is not None:
            params = {**tasks.params(task, self.base), **self.builtins}
            scope = ParameterScope(params=params, calls=(), builtins=self.builtins)
            self.checker.task(outcome.subtasks, scope, task.config.location("py>") or "")

    def request(self, task: Task) -> TaskRequest:
        """A task with its parameters evaluated; raises `TemplateError`."""
        raw = tasks.params(task, self.base)
        raw |= {**self.builtins, "task_name": task.name}
        config = copy(raw)
        assert isinstance(config, dict) and task.operator
        merge(config, task.own)
        known = templates.evaluate(config, raw)
        kind = {"_type": task.operator[:-1], "_command": known[task.operator]}
        return TaskRequest(task.operator, known | kind, self.context, "_env" in task.config)

    def _attempts(self, task: Task, request: TaskRequest) -> TaskResult:
        argument = "" if request.command is None else java_text(request.command)
        print(
            f"{task.name}\t{task.operator}: {argument.split(chr(10))[0]}",
            file=sys.stderr,
            flush=True,
        )
        if self.dry_run:
            self._show(task, request)
            return TaskResult()
        operator, retry = OPERATORS[request.operator], Retry.of(task.config)
        for attempt in range(retry.limit if operator.retries else 0):
            try:
                return operator.run(request)
            except TaskError as error:
                print(f"again after a failure: {task.name}: {error}", file=sys.stderr, flush=True)
                retry.wait(attempt)
        return operator.run(request)

    def _show(self, task: Task, request: TaskRequest) -> None:
        """A dry run only shows SQL, also that of subtasks, which Digdag's own leaves out."""
        try:
            if shown.has_blocks(request.operator):
                for block in shown.blocks(request):
                    print(block, flush=True)
            elif OPERATORS[request.operator].nests:
                subtasks = OPERATORS[request.operator].run(request).subtasks or Located()
                group = Task(name=f"{task.name}^sub", config=subtasks, parent=task)
                group.expand()
                for below in group.walk():
                    if below.operator:
                        self._show(below, self.request(below))
        except (TaskError, templates.TemplateError) as error:
            print(f"-- {task.name}: known only in the run: {error}", flush=True)

    def _subtasks(self, task: Task) -> bool:
        """The children in order; a `_retry` here makes and runs all of them again."""
        retry = Retry.of(task.config)
        attempt, children = 0, list(task.children)
        while not self._all(children):
            failed = next(child for child in children if child.state == "failed")
            task.message, task.raised = failed.message, failed.raised
            if attempt == retry.limit:
                return False
            retry.wait(attempt)
            attempt, children = attempt + 1, self._again(task, children)
        return True

    def _all(self, children: list[Task]) -> bool:
        for child in children:
            if any(before.state != "success" for before in child.upstreams):
                child.state = "blocked"
            else:
                self.run(child)
        return all(child.state == "success" for child in children)

    def _again(self, task: Task, children: list[Task]) -> list[Task]:
        if task.operator is None:
            return task.expand()
        return [task.add(child.name, child.config, []) for child in children]

    def _on_error(self, task: Task) -> None:
        config = task.config.get("_error")
        if not isinstance(config, Located) or self.dry_run:
            return
        error: dict[str, Value] = {"message": task.message}
        if task.raised:
            error["stacktrace"] = task.message
        before = list(task.children)
        self.run(task.add(f"{task.name}^error", with_export(config, {"error": error}), before))
