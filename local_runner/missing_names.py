"""A missing table or column of a query, called by the parameter whose value it is."""

import re

from local_runner.task_request import TaskRequest

_MISSING = re.compile(
    r"""no \ (?:table|column) \ ['"]+ (?P<here>[^'"]+)           # on local tables
      | [Cc]olumn \ '(?P<column>[^']+)' \ cannot \ be \ resolved  # Trino
      | [Tt]able \ ['"]?(?P<table>[\w."-]+?)['"]? \ does \ not \ exist""",
    re.VERBOSE,
)
NOT_IN_PATHS = ("touchpoints_user_column", "touchpoints_time_column")
OF_PATHS = (
    "; a table of paths (a > b > c), which has no users and times, is read by python -m td_mta.main"
)
_TEMPLATE = re.compile(r"\$\{([^}]*)\}")


def explained(message: str, task: TaskRequest) -> str:
    """The message, and which parameter to set where one that the query uses is to blame."""
    found = _MISSING.search(message)
    if found is None or not task.operator.startswith("td"):
        return message
    missing = next(name for name in found.groups() if name)
    name = missing.strip('"').rpartition(".")[2].strip('"')
    used = _names_used(task)
    parameters = [key for key in used if str(task.params.get(key)).lower() == name.lower()]
    if not parameters:
        return message
    to_set = " or ".join(parameters)
    paths = OF_PATHS if parameters[0] in NOT_IN_PATHS else ""
    return (
        f"{message.rstrip('.')}; {name} is the value of the parameter {to_set}: set it in the file "
        f"of parameters in config/, or for one run with --set {parameters[0]}=…{paths}"
    )


def _names_used(task: TaskRequest) -> list[str]:
    """The parameters in the templates of the task's query, in their order."""
    text = ""
    if isinstance(task.command, str):
        path = task.folder() / task.command
        text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
    words = [word for code in _TEMPLATE.findall(text) for word in re.findall(r"\w+", code)]
    return [word for word in dict.fromkeys(words) if word in task.params]
