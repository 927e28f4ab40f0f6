"""require>: another workflow of the project, as an attempt of its own in the same session."""

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from local_runner.operators import body
from local_runner.run import Failure, WorkflowRun
from local_runner.task_request import Ended, TaskRequest
from local_runner.workflow import session, tasks
from local_runner.workflow.project import Project
from local_runner.workflow.tasks import Task
from local_runner.workflow.yaml_types import Value

NewRun = Callable[[dict[str, Value], dict[str, Value]], WorkflowRun]  # of parameters, built-ins


class RequiredWorkflows:
    """Each workflow runs once; a second require> of it takes how the first one ended."""

    new_run: NewRun  # set once the workflow is checked

    def __init__(self, project: Project, session_time: datetime) -> None:
        self.project, self.session_time = project, session_time
        self.failures: list[Failure] = []
        self._ended: dict[str, Ended] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._ids = itertools.count(start=2)

    def __call__(self, task: TaskRequest) -> Ended:
        """Run the workflow that a task names, unless it did before."""
        name = str(task.command)
        with self._locks[name]:
            if name not in self._ended:
                number = next(self._ids)
                run, root = self.attempt(task, number)
                self._ended[name] = Ended(run.run(root), number)
                self.failures += run.failures
            return self._ended[name]

    def attempt(self, task: TaskRequest, number: int = 0) -> tuple[WorkflowRun, Task]:
        """The run of the workflow that a task names, and its tree; raises `Refused`."""
        workflow = self.project.workflow(f"{task.command}.dig")
        time = self.session_time.astimezone(workflow.tz)
        _, variables = session.of_workflow(workflow.config, time, workflow.tz)
        builtins = variables | session.identity(number)
        params = task.params.get("params")
        run = self.new_run(params if isinstance(params, dict) else {}, builtins)
        return run, tasks.tree(workflow.name, body(workflow))
