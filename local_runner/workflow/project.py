"""The workflow files of a folder: includes expanded, checked as Digdag checks them on loading."""

import os.path
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from local_runner.workflow import session, yaml_types
from local_runner.workflow.structure import NAME, NAMES, check_bodies, check_structure
from local_runner.workflow.yaml_types import Located, Location, Value
from td_mta.errors import ConfigError, Refused

TOP_KEYS = frozenset(
    {"timezone", "schedule", "sla", "_export", "_error", "_check", "_retry", "_parallel"}
)


class Workflow(NamedTuple):
    """One .dig file: its task tree as written, and what stands beside it."""

    name: str
    file: str
    config: Located
    tz: ZoneInfo


class Project:
    """The folder of a workflow. Every .dig file in it is loaded, since a broken one fails all."""

    def __init__(
        self, root: Path, overrides: dict[str, Value], *, allow_outside: bool = False
    ) -> None:
        self.root, self.allow_outside = root, allow_outside
        self.overrides = overrides
        self.overridden: set[str] = set()
        self._loaded: dict[str, Workflow] = {}
        for path in sorted(root.glob("*.dig")):
            if not NAME.fullmatch(path.stem):
                raise Refused(f"{path.name}: a workflow's name {NAMES}")
            self.workflow(path.name)

    def workflow(self, file: str) -> Workflow:
        """A workflow by its path below the root; raises `Refused`, `ConfigError`."""
        if file not in self._loaded:
            config = self._read(file, (), yaml_types.Size())
            self._override(config)
            self._loaded[file] = Workflow(Path(file).stem, file, config, _checked(config, file))
        return self._loaded[file]

    def inside(self, path: Path, what: str) -> Path:
        """A path that stays in the folder, links followed; raises `Refused`."""
        if self.allow_outside:
            return path
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise Refused(f"{what}: {path} is neither a file nor a folder: it might have no end")
        if path.resolve().is_relative_to(self.root.resolve()):
            return path
        raise Refused(
            f"{what}: {path} is outside of the project folder {self.root}: copy it there, or give "
            "--allow-outside"
        )

    def _override(self, config: Located) -> None:
        export = config.get("_export")
        if isinstance(export, Located):
            for key in self.overrides.keys() & export.keys():
                export[key] = self.overrides[key]
                self.overridden.add(key)

    def _read(self, file: str, including: tuple[str, ...], size: yaml_types.Size) -> Located:
        within = (*including, file)

        def include(path: Value, location: Location) -> Located:
            size.add_file(location)
            target = self._target(str(path), file, location)
            if target in within:
                raise Refused(f"{location}: !include of {target} goes in a circle")
            return self._read(target, within, size)

        path = self.inside(self.root / file, file)
        value = yaml_types.read(path, file, include, size)
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
    check_bodies(config, file)
    check_structure(config, file)
    export = config.get("_export", Located())
    if export is not None and not isinstance(export, Located):
        raise ConfigError(
            f"{config.location('_export')}: _export must be a mapping, got {export!r}"
        )
    try:
        return session.zone(config.get("timezone", "UTC"))
    except ValueError as error:
        raise ConfigError(f"{config.location('timezone')}: {error}") from None


def check_sla(workflow: Workflow) -> None:
    """Check `sla` of the workflow that is run: a server acts on it, a run here is never late."""
    sla = workflow.config.get("sla")
    if sla is not None and not (
        isinstance(sla, Located) and len({"time", "duration"} & sla.keys()) == 1
    ):
        location = workflow.config.location("sla") or workflow.file
        raise Refused(f"{location}: sla must have either time or duration, got {sla!r}")
