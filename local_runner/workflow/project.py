"""The workflow files of a folder: includes expanded, checked as Digdag checks them on loading."""

import os.path
import re
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from local_runner.workflow import session, yaml_types
from local_runner.workflow.yaml_types import Located, Location, Value
from td_mta.errors import ConfigError, Refused

TOP_KEYS = frozenset(
    {"timezone", "schedule", "sla", "_export", "_error", "_check", "_retry", "_parallel"}
)
NAMES = "may only hold letters, digits and - _ . = (128 at most)"
_NAME = re.compile(r"[A-Za-z0-9_.=-]{0,128}")


class Workflow(NamedTuple):
    """One .dig file: its task tree as written, and what stands beside it."""

    name: str
    file: str
    config: Located
    tz: ZoneInfo


class Project:
    """The folder of a workflow. Every .dig file in it is loaded, since a broken one fails all."""

    def __init__(self, root: Path, overrides: dict[str, Value]) -> None:
        self.root = root
        self.overrides = overrides
        self.overridden: set[str] = set()
        self._loaded: dict[str, Workflow] = {}
        for path in sorted(root.glob("*.dig")):
            if not _NAME.fullmatch(path.stem):
                raise Refused(f"{path.name}: a workflow's name {NAMES}")
            self.workflow(path.name)

    def workflow(self, file: str) -> Workflow:
        """A workflow by its path below the root; raises `Refused`, `ConfigError`."""
        if file not in self._loaded:
            config = self._read(file, ())
            self._override(config)
            self._loaded[file] = Workflow(Path(file).stem, file, config, _checked(config, file))
        return self._loaded[file]

    def _override(self, config: Located) -> None:
        export = config.get("_export")
        if isinstance(export, Located):
            for key in self.overrides.keys() & export.keys():
                export[key] = self.overrides[key]
                self.overridden.add(key)

    def _read(self, file: str, including: tuple[str, ...]) -> Located:
        if file in including:
            raise Refused(f"{including[-1]}: !include of {file} goes in a circle")

        def include(path: str, location: Location) -> Located:
            return self._read(self._target(path, file, location), (*including, file))

        def on_include(path: Value, location: Location) -> Located:
            return include(str(path), location)

        value = yaml_types.read(self.root / file, file, on_include)
        if not isinstance(value, Located):
            raise Refused(f"{file}: must be a mapping of keys to values, got {value!r}")
        return value

    def _target(self, path: str, file: str, location: Location) -> str:
        """A path from the including file's folder; Digdag's own test against leaving it."""
        folder = os.path.dirname(os.path.join(str(self.root), file))
        target = os.path.normpath(os.path.join(folder, path))
        if os.path.isabs(path) or not target.startswith(folder):
            raise Refused(f"{location}: !include must not leave its file's folder: {path}")
        inside = os.path.relpath(target, self.root)
        if inside.startswith("..") or not os.path.isfile(target):
            raise Refused(f"{location}: !include of {path}: no such file")
        return inside


def _checked(config: Located, file: str) -> ZoneInfo:
    """What Digdag checks in every file of the folder; the time zone."""
    for key in config:
        if not key.startswith("+") and key not in TOP_KEYS:
            known = ", ".join(sorted(TOP_KEYS))
            raise Refused(
                f"{config.location(key) or file}: unknown top-level key {key!r}: tasks start with "
                f"+, and the other keys are {known}"
            )
    check_tasks(config, file)
    _sla(config.get("sla", Located()), config.location("sla") or file)
    export = config.get("_export", Located())
    if export is not None and not isinstance(export, Located):
        raise ConfigError(
            f"{config.location('_export')}: _export must be a mapping, got {export!r}"
        )
    try:
        return session.zone(config.get("timezone", "UTC"))
    except ValueError as error:
        raise ConfigError(f"{config.location('timezone')}: {error}") from None


def _sla(sla: Value, location: Location | str) -> None:
    """Check `sla`, on which a server acts when a session is late; a run here never is."""
    if not isinstance(sla, Located) or any(key != "time" and key[:1] != "+" for key in sla):
        raise Refused(f"{location}: sla with anything but time and tasks is not supported")
    check_tasks(sla, str(location))


def check_tasks(config: Located, file: str) -> None:
    """Names and bodies of tasks, through all groups."""
    for key, body in config.items():
        if not key.startswith("+"):
            continue
        location = config.location(key) or file
        body = config[key] = _merged(body)
        if not _NAME.fullmatch(key[1:]):
            raise Refused(f"{location}: the task name {key} {NAMES}")
        if not isinstance(body, Located):
            raise Refused(f"{location}: task {key} must be a mapping, got {body!r}")
        check_tasks(body, file)


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
