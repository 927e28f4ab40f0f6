"""`make test-digdag`: the root workflows on a real Digdag, compared with the local runner.

The environment variable DIGDAG holds Digdag's command, such as `java -jar digdag.jar`. Digdag packs
the project, the archive is unpacked elsewhere, and mta.dig and mmm.dig run there against the
emulator, with py> as plain processes. Requests and tables must be those of `local_runner
--warehouse td`.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pyarrow as pa

from local_runner.archive import LIMIT, archived
from td_emulator import API_KEY, EmbeddedEngine, Emulator
from tests.end_to_end import compare, media, requests, runs, secret, shop

Report = Callable[[str, list[str]], None]

COUNTED_IN = ("python", "warehouse")
WAIT = 900  # seconds; Digdag tries for many minutes, in silence, where nothing answers
NOT_SET = (
    "DIGDAG is not set. It must hold the command that starts Digdag 0.10.5.1, for example\n"
    "    make test-digdag DIGDAG='java --add-opens java.base/java.lang=ALL-UNNAMED "
    "-jar digdag-0.10.5.1.jar'\n"
    "(a file is looked for from here; Digdag needs a Java that it supports, and on Java 17 the "
    "option --add-opens)."
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A workflow, the parameters that differ from those of its file, and its tables."""

    name: str
    workflow: str
    params: str
    settings: Mapping[str, str]
    inputs: Mapping[str, pa.Table]
    outputs: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The requests of a run of the workflow, and the tables after it."""

    requests: tuple[requests.Request, ...]
    tables: dict[str, pa.Table]


def command(environment: Mapping[str, str], here: Path) -> list[str]:
    """Digdag's command as words, files among them absolute. Exits where there is none."""
    words = shlex.split(environment.get("DIGDAG", ""))
    if not words:
        _stop(NOT_SET)
    absolute = [str(here / word) if (here / word).is_file() else word for word in words]
    if shutil.which(absolute[0]) is None:
        _stop(f"DIGDAG={shlex.join(words)}: there is no command {absolute[0]}")
    for word in absolute[1:]:
        if word.endswith(".jar") and not Path(word).is_file():
            _stop(f"DIGDAG={shlex.join(words)}: there is no file {word}")
    return absolute


def properties(td: Emulator) -> str:
    """Digdag's configuration: where Treasure Data is, and py> as a process of this Python."""
    lines = {
        "secrets.td.apikey": API_KEY,
        "secrets.td.apiserver": td.url,
        "params.td.endpoint": td.endpoint,
        "params.td.use_ssl": "false",
        "agent.command_executor.type": "simple",
        "params.py.python": sys.executable,
    }
    return "".join(f"{key} = {value}\n" for key, value in lines.items())


def edit(params: Path, values: Mapping[str, str]) -> None:
    """Set parameters in a copy of config/params.yml: an exported value beats Digdag's -p."""
    text = params.read_text(encoding="utf-8")
    for key, value in values.items():
        text, replaced = re.subn(rf"(?m)^{key}:.*$", f"{key}: {value}", text)
        if replaced != 1:
            raise ValueError(f"{params}: no parameter {key}")
    params.write_text(text, encoding="utf-8")


class Digdag:
    """A real Digdag, its logs in a folder; the file with the key is gone at the end."""

    def __init__(self, words: Sequence[str], folder: Path, td: Emulator) -> None:
        self.words, self.folder, self.td = list(words), folder, td
        self.properties = folder / "local.properties"

    def __enter__(self) -> "Digdag":
        self.properties.touch(mode=0o600)
        self.properties.write_text(properties(self.td), encoding="utf-8")
        return self

    def __exit__(self, *error: object) -> None:
        self.properties.unlink()

    def __call__(self, name: str, *words: str, cwd: Path) -> runs.Ended:
        """Run one of Digdag's commands to its end."""
        variables = runs.environment(
            TD_CONFIG_PATH="/nonexistent",  # an account's own file would win over our secrets
            XDG_CONFIG_HOME=str(self.folder / "nothing"),  # and so would secrets of this machine
            MTA_WAREHOUSE="td",
            MTA_OUT=str(self.folder / "out"),
        )
        line = [*self.words, name, *words, "-c", str(self.properties)]
        try:
            return runs.process(
                line, self.folder / "logs" / f"{name}.txt", variables, cwd, timeout=WAIT
            )
        except subprocess.TimeoutExpired:
            log = (self.folder / "logs" / f"{name}.txt").read_text("utf-8", "replace")
            return runs.Ended(code=-1, log=f"{log}\nnot done after {WAIT} s: ended")


def problems_of_archive(file: Path, root: Path) -> list[str]:
    """Files that are packed by one of Digdag and the local runner alone, and too large a size."""
    with tarfile.open(file) as packed:
        names = {member.name for member in packed if not member.isdir()} - {".digdag.dig"}
    wanted = {path.as_posix() for path in archived(root)}
    extra = [
        f"{name} is packed, but ours says that Digdag leaves it out" for name in names - wanted
    ]
    missing = [f"{name} is not packed, but ours says that it is" for name in wanted - names]
    size = sum((root / path).stat().st_size for path in archived(root))
    large = [f"it holds {size} bytes, more than {LIMIT}"] if size > LIMIT else []
    return sorted(extra + missing) + large


def problems_of_check(ended: runs.Ended, root: Path) -> list[str]:
    """What `digdag check` does not say of the workflows in the root."""
    texts = {path.stem: path.read_text("utf-8") for path in sorted(root.glob("*.dig"))}
    daily = [name for name, text in texts.items() if re.search(r"(?m)^schedule:", text)]
    wanted = [rf"Definitions \({len(texts)} workflows\):"]
    wanted += [rf"^\s+{re.escape(name)} \(\d+ tasks\)" for name in texts]
    wanted += [rf"Schedules \({len(daily)} entries\):", *(rf"^\s+{name}:" for name in daily)]
    missing = [
        f"digdag check does not say {w}" for w in wanted if not re.search(w, ended.log, re.M)
    ]
    return missing + ([f"digdag check ended with {ended.code}"] if ended.code else [])


def problems_of_run(
    ended: runs.Ended, tables: Mapping[str, pa.Table], outputs: Sequence[str]
) -> list[str]:
    """The end of the log where a run failed, and the output tables that it did not make."""
    succeeded = ended.code == 0 and re.search(r"^Success\.", ended.log, re.MULTILINE)
    missing = [f"no table {name}" for name in outputs if name not in tables]
    return missing + (
        [] if succeeded else [f"ended with {ended.code}", *ended.log.splitlines()[-40:]]
    )


def differences(digdag: RunRecord, local: RunRecord) -> list[str]:
    """Where the two runs differ: first their requests, then their tables."""
    request_lines = requests.differing(digdag.requests, local.requests)
    names = sorted({*digdag.tables, *local.tables})
    tables = compare.differing_tables(digdag.tables, local.tables, names)
    return [f"request {line}" for line in request_lines] + [f"table {line}" for line in tables]


def cases() -> list[Case]:
    """mta.dig once for each place where rows are counted, and mmm.dig."""
    of_shop = [
        Case(
            name=f"count_in: {count_in}",
            workflow="mta.dig",
            params="params.yml",
            settings=shop.SETTINGS | {"count_in": count_in},
            inputs=shop.tables(),
            outputs=shop.OUTPUTS,
        )
        for count_in in COUNTED_IN
    ]
    of_media = Case(
        name="media mix",
        workflow="mmm.dig",
        params="mmm.yml",
        settings=media.SETTINGS,
        inputs=media.tables(),
        outputs=media.OUTPUTS,
    )
    return [*of_shop, of_media]


def check_all(words: Sequence[str], folder: Path, report: Report, runs_of: Sequence[Case]) -> None:
    """The whole test in a folder; `report` gets each part's title and its problems."""
    for number, case in enumerate(runs_of):
        _check(words, folder / str(number), case, report)
    report("no file or table holds the key", secret.files_with(folder, API_KEY))


def _check(words: Sequence[str], folder: Path, case: Case, report: Report) -> None:
    """One run of the workflow by each of the two."""
    folder.mkdir()
    digdag = _by_digdag(words, folder, case, report)
    if digdag is not None:
        local = _by_runner(folder, case, report)
        same = "the same requests and tables (- Digdag, + local runner)"
        report(f"{same}, {case.name}", differences(digdag, local))


def _by_digdag(words: Sequence[str], folder: Path, case: Case, report: Report) -> RunRecord | None:
    """Pack the project, unpack it elsewhere, and run it there; None where it cannot be packed."""
    project, packed = folder / "project", folder / "project.tar.gz"
    with _emulator(folder / "td_of_digdag") as td, Digdag(words, folder, td) as digdag:
        runs.fill(td, case.inputs)
        ended = digdag("archive", "--project", str(runs.ROOT), "-o", str(packed), cwd=runs.ROOT)
        if ended.code or not packed.is_file():
            report("digdag archive", [f"ended with {ended.code}", *ended.log.splitlines()[-20:]])
            return None
        report("digdag archive: its list of files", problems_of_archive(packed, runs.ROOT))
        with tarfile.open(packed) as archive:
            archive.extractall(project, filter="data")
        edit(project / "config" / case.params, {**case.settings, "td_api_server": td.url})
        report("digdag check", problems_of_check(digdag("check", cwd=project), project))
        ended = digdag("run", case.workflow, "--no-save", "--session", shop.SESSION, cwd=project)
        record = RunRecord(requests=td.requests, tables=runs.tables_in(td))
    problems = problems_of_run(ended, record.tables, case.outputs)
    report(f"digdag run {case.workflow}", problems)
    return None if problems else record  # to compare a run that failed would say nothing more


def _by_runner(folder: Path, case: Case, report: Report) -> RunRecord:
    with _emulator(folder / "td_of_runner") as td:
        runs.fill(td, case.inputs)
        ended = runs.on_treasure_data(folder / "runner", case.settings, td, workflow=case.workflow)
        record = RunRecord(requests=td.requests, tables=runs.tables_in(td))
    problems = problems_of_run(ended, record.tables, case.outputs)
    report(f"local_runner --warehouse td, {case.workflow}", problems)
    return record


def _emulator(folder: Path) -> Emulator:
    folder.mkdir(parents=True)
    return Emulator(EmbeddedEngine(folder), poll_again=0)


def main() -> int:
    """0 when all is as it should be, else 1; 2 where there is no Digdag."""
    words = command(os.environ, Path.cwd())
    folder = Path(tempfile.mkdtemp(prefix="test_digdag_"))
    failed = []

    def report(part: str, problems: list[str]) -> None:
        print(
            f"{'FAILED' if problems else 'ok    '} {part}", *problems, sep="\n       ", flush=True
        )
        failed.extend(problems)

    check_all(words, folder, report, cases())
    if failed:
        print(f"logs and tables are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def _stop(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    sys.exit(main())
