"""`run`: from the command line to a checked project, a tree of tasks and an exit code."""

import contextlib
import difflib
import functools
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from local_runner import resume, together
from local_runner.bounds import limits
from local_runner.checks.keys import check_parameters
from local_runner.checks.scope import ParameterScope
from local_runner.checks.walk import Checker
from local_runner.javascript import engine
from local_runner.operators import body
from local_runner.rehearsal import Rehearsal
from local_runner.required import RequiredWorkflows
from local_runner.run import Failure, WorkflowRun, without_traceback
from local_runner.task_request import RunContext
from local_runner.td.account import WITHHELD, Account
from local_runner.workflow import session, tasks
from local_runner.workflow.parameters import parameters
from local_runner.workflow.project import Project, Workflow, check_sla
from local_runner.workflow.tasks import Task
from local_runner.workflow.yaml_types import Located, Value
from local_runner.workflow.yaml_words import word
from td_mta.errors import ConfigError, Refused
from td_mta.publishing import run_lock
from td_mta.warehouse.td_address import check_key
from td_mta.warehouse.td_patience import Patience

if TYPE_CHECKING:
    from td_mta.warehouse.file_options import FileOptions
    from td_mta.warehouse.local import LocalWarehouse

Pairs = list[tuple[str, str]]
# Treasure Data's own secrets mean nothing on local files: a task that passes them on still runs.
LOCAL_SECRETS = {"td.apikey": "", "td.endpoint": "", "td.apiserver": ""}
NO_EARLIER_RUN = resume.EarlierRun(None, {})


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command line of `run`."""

    workflow: str
    target: str | None
    warehouse: str | None
    data: Path | None
    out: Path
    set: Pairs
    param: Pairs
    params_file: Path | None
    secret: Pairs
    session: str | None
    start: str | None
    dry_run: bool
    allow_network: list[str] = field(default_factory=list)
    limit: Pairs = field(default_factory=list)
    allow_outside: bool = False


def run(options: Options, patience: Patience) -> int:
    """Run a workflow; 0 when every task succeeded, 130 when interrupted, else 1."""
    project, workflow = _load(options)
    config = body(workflow)
    earlier = resume.load(options.out, workflow.name) if options.start else NO_EARLIER_RUN
    session_time = _session_time(options.session or earlier.session, workflow)
    schedule, variables = session.of_workflow(workflow.config, session_time, workflow.tz)
    builtins = variables | session.identity(1)
    required = RequiredWorkflows(project, session_time)
    exported = workflow.config.get("_export")
    context = replace(
        _run_context(options, project, int(session_time.timestamp()), patience, exported),
        attempt=required,
        allowed_hosts=frozenset(options.allow_network),
    )
    base = parameters(options.params_file, options.param)

    checker = _check(options, context, config, base, builtins, workflow.file)
    root = tasks.tree(workflow.name, config)
    first = resume.only(root, options.target) if options.target else root
    skipped = resume.before(root, options.start) if options.start else set()
    runner = WorkflowRun(checker, base, builtins, options.dry_run, skipped, earlier.stored)
    required.new_run = lambda params, known: WorkflowRun(checker, params, known, False, set(), {})
    if context.warehouse and checker.queries:
        Rehearsal(runner, context.warehouse(), required).task(first)

    waits = f", schedule {schedule.text} (not waited for)" if schedule else ""
    together.log(f"session {session_time.isoformat()}{waits}")
    _tell_of_javascript(session_time, workflow.tz.key)
    try:
        with _alone(options), together.interruptible():
            runner.run(first)
    except KeyboardInterrupt:
        _keep(root, options, session_time, "resume with --from +task")
        together.log("error: interrupted")
        return 130
    code = _report([*required.failures, *runner.failures], root, options)
    _keep(root, options, session_time, "resume with --from +task" if code else "")
    return code


@contextlib.contextmanager
def _alone(options: Options) -> Iterator[None]:
    """No other run of a workflow writes to the same tables meanwhile; raises `ConfigError`."""
    if options.dry_run or not (options.data or options.warehouse):
        yield
        return
    with run_lock.held(options.out, run_lock.OF_WORKFLOW):
        yield


def _tell_of_javascript(session_time: datetime, zone: str) -> None:
    """Name the offset of local times in templates, where Digdag's engine takes another one."""
    offset = engine.offset_at(zone, session_time)
    if offset != session_time.utcoffset():
        own = session_time.replace(tzinfo=timezone(offset))
        together.log(
            f"note: in ${{...}} Digdag takes {zone} for UTC{own:%z}, not {session_time:%z}: moment "
            "and Date show such times"
        )


def _check(
    options: Options,
    context: RunContext,
    config: Located,
    base: dict[str, Value],
    builtins: dict[str, Value],
    file: str,
) -> Checker:
    """Walk the whole workflow before any task runs; raises `Refused`."""
    check_parameters(base, "-p or -P")
    scope = ParameterScope(params={**base, **builtins}, calls=(file,), builtins=builtins)
    checker = Checker(context, dry_run=options.dry_run, has_given_parameters=bool(base))
    checker.task(config, scope, file)
    return checker


def _load(options: Options) -> tuple[Project, Workflow]:
    path = Path(options.workflow)
    name = path.name if path.suffix == ".dig" else f"{path.name}.dig"
    root = path.parent.resolve()
    if len(path.parts) > 1 and not path.is_absolute() and path.parts[0] != "..":
        raise Refused(f"{path} is in a subfolder of a project: cd {path.parent} first")
    if not (root / name).is_file():
        names = ", ".join(sorted(file.name for file in root.glob("*.dig")))
        raise ConfigError(f"{path}: no such workflow; there is {names or 'none'} in {root}")
    try:
        overrides: dict[str, Value] = {key: word(text) for key, text in options.set}
    except ValueError as error:
        raise ConfigError(f"--set: {error}") from None
    project = Project(root, overrides, allow_outside=options.allow_outside)
    workflow = project.workflow(name)
    check_sla(workflow)
    for key in overrides.keys() - project.overridden:
        exported = workflow.config.get("_export")
        names_exported = exported if isinstance(exported, dict) else ()
        nearest = difflib.get_close_matches(key, names_exported, 1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise ConfigError(f"--set {key}: no exported parameter of that name{hint}")
    return project, workflow


def _session_time(text: str | None, workflow: Workflow) -> datetime:
    if text is None:
        return session.today(datetime.now(timezone.utc), workflow.tz)
    return session.parse_time(text, workflow.tz)


def _run_context(
    options: Options, project: Project, now: int, patience: Patience, exported: Value
) -> RunContext:
    """The warehouse that the options choose; `now` is the session's time, in seconds."""
    data = options.data.resolve() if options.data else None
    out = options.out.resolve()
    secrets = dict(options.secret)
    if options.warehouse == "td":
        return _on_treasure_data(options, project, out, patience)
    if data and not data.is_dir():
        raise ConfigError(f"--data {options.data}: no such folder")
    if data and not os.access(data, os.R_OK | os.X_OK):
        raise ConfigError(f"--data {options.data}: the folder cannot be read: permission denied")
    if data is None and options.warehouse is None:
        return RunContext(project=project, secrets=secrets, environment={}, warehouse=None)
    if not options.dry_run:
        _check_writable(out)

    @functools.cache
    def warehouse() -> "LocalWarehouse":
        from td_mta.trino_on_datafusion.time_limit import TimeLimit
        from td_mta.warehouse.local import LocalWarehouse

        logging.basicConfig(stream=sys.stderr, format="%(message)s")
        logging.getLogger("td_mta.warehouse").setLevel(logging.INFO)  # what it guesses of files
        limit = TimeLimit(limits.current().sql_seconds, limits.raising("sql_seconds"))
        return LocalWarehouse(data, out, now=now, files=_file_options(exported), limit=limit)

    return RunContext(
        project=project,
        secrets=LOCAL_SECRETS | secrets,
        environment={"MTA_WAREHOUSE": "local", "MTA_DATA": str(data or ""), "MTA_OUT": str(out)},
        warehouse=warehouse,
    )


def _check_writable(out: Path) -> None:
    """Raise `ConfigError` where no folder `out` can be made, or no table in it."""
    existing = next(path for path in (out, *out.parents) if path.exists())
    if not existing.is_dir():
        raise ConfigError(f"--out {out}: {existing} is no folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ConfigError(f"--out {out}: {existing} cannot be written to: permission denied")


def _file_options(exported: Value) -> "FileOptions":
    """How the files of the data folder are written, as far as the workflow's parameters say."""
    from td_mta.config.attribution import from_params
    from td_mta.warehouse.file_options import FileOptions

    named = exported if isinstance(exported, dict) else {}
    values = {name: named[name] for name in FileOptions.parameters() if name in named}
    plain = {name: value for name, value in values.items() if "${" not in str(value)}
    return FileOptions.of(from_params(plain, "the workflow's parameters"))


def _on_treasure_data(
    options: Options, project: Project, out: Path, patience: Patience
) -> RunContext:
    if options.data:
        raise ConfigError("--data means local tables: leave it out with --warehouse td")
    account = Account(secrets=dict(options.secret), environment=os.environ, patience=patience)
    if account.key:
        check_key(account.key, "the secret td.apikey, or TD_API_KEY,")
    return RunContext(
        project=project,
        secrets=account.for_templates(),
        environment={"MTA_WAREHOUSE": "td", "MTA_OUT": str(out)},
        withheld=WITHHELD,
        account=account,
    )


def _report(failures: list[Failure], root: Task, options: Options) -> int:
    """Report how a run ended, as Digdag does; the exit code."""
    order = {task.name: number for number, task in enumerate(root.walk())}
    if not order.keys() & {failure.task for failure in failures}:  # a required one's were ignored
        together.log("Success." if not options.dry_run else "Dry run: nothing was executed.")
        return 0
    together.log("error:")
    for failure in sorted(failures, key=lambda failure: order.get(failure.task, -1)):
        message = without_traceback(failure.message)
        together.log(f"  * {failure.task}:")
        together.log("\n".join(f"    {line}" for line in message.splitlines()))
    return 1


def _keep(root: Task, options: Options, session_time: datetime, hint: str) -> None:
    """Save what a resumed run needs, of a run of the whole workflow, and give a hint."""
    if options.dry_run or options.target:
        return
    try:
        resume.save(root, options.out, f"{session_time:%Y-%m-%d %H:%M:%S}")
        if hint:
            together.log(hint)
    except OSError as error:
        together.log(f"warning: nothing to resume from is kept in {options.out}: {error.strerror}")
