"""The workflow in stages, each run in this process from a snapshot of the tables.

A stage's result depends on the tables alone, so a test of a failing request starts at the stage of
that request. The Python task reuses one trained model.
"""

import contextlib
import io
import logging
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from local_runner.command import Options
from local_runner.command import run as run_workflow
from local_runner.td.account import DIGDAG_PATIENCE
from td_emulator import API_KEY, EmbeddedEngine, Emulator
from td_mta.config import attribution as configuration
from td_mta.dataset.extracted import Extracted
from td_mta.errors import MtaError
from td_mta.model.settings import TrainingSettings
from td_mta.pipelines import attribution
from td_mta.warehouse.td_patience import Patience
from td_mta.warehouse.treasure_data import TreasureDataWarehouse
from tests.end_to_end import runs, shop

if TYPE_CHECKING:
    from td_mta.model.ladder import Fitted

COUNT, PYTHON = "+count", "+execute_python_code"
STAGES = (
    "+create_union_table",
    "+create_ab_rnd_table",
    "+create_channel_stats_table",
    COUNT,
    PYTHON,
    "+cleanup",
)
NOW = 1_769_817_600  # of shop.SESSION
ANSWER = 2.0  # seconds that a client waits for an answer; a slow one takes longer
PATIENCE = Patience(
    connect=2, answer=ANSWER, pause=0.01, longest_pause=0.05, poll=0.01, longest_poll=0.05
)
RUNNER_PATIENCE = replace(
    DIGDAG_PATIENCE,
    connect=2,
    answer=ANSWER,
    pause=0.01,
    longest_pause=0.05,
    poll=0.01,
    longest_poll=0.05,
)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a stage ended: the messages of its failure, none where it succeeded; and its log."""

    messages: tuple[str, ...]
    log: str


@contextlib.contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    with Emulator(EmbeddedEngine(folder, threads=1), poll_again=1) as td:
        yield td


def run(stage: str, td: Emulator, out: Path, **more: str) -> Ended:
    """Run a stage to its end; `more` are parameters beside the shop's.

    The SQL counts unless they say otherwise, so that every request of a run is made.
    """
    settings = shop.SETTINGS | {"td_api_server": td.url, "count_in": "warehouse"} | more
    with _captured() as log:
        if stage == PYTHON:
            return Ended(messages=_python(td, out, settings), log=log.getvalue())
        secrets = {"td.apikey": API_KEY, "td.apiserver": td.url}
        ended = workflow(stage, out, settings, secrets)
    return Ended(messages=ended.messages, log=log.getvalue() + ended.log)


def settle(td: Emulator) -> None:
    """Wait for the jobs that no client waits for any more: as on Treasure Data they continue."""
    while any(job.status not in ("success", "error", "killed") for job in td.jobs):
        time.sleep(0.01)


def snapshot(folder: Path, copy: Path) -> Path:
    """A copy of the emulator's tables."""
    return Path(shutil.copytree(folder, copy))


def tables_in(folder: Path) -> dict[str, pa.Table]:
    engine = EmbeddedEngine(folder, threads=1)
    return {name: engine.read(shop.DATABASE, name) for name in engine.tables(shop.DATABASE)}


def workflow(
    target: str | None,
    out: Path,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    file: str = "mta.dig",
) -> Ended:
    """A workflow or one task of it by the local runner, with short pauses, in this process."""
    options = Options(
        workflow=str(runs.ROOT / file),
        target=target,
        warehouse="td",
        data=None,
        out=out,
        set=list(settings.items()),
        param=[],
        params_file=None,
        secret=list(secrets.items()),
        session=shop.SESSION,
        start=None,
        dry_run=False,
    )
    output = io.StringIO()
    try:
        with contextlib.redirect_stderr(output):
            code = run_workflow(options, patience=RUNNER_PATIENCE)
    except MtaError as error:
        return Ended(messages=(str(error),), log=output.getvalue())
    return Ended(messages=_failures(output.getvalue()) if code else (), log=output.getvalue())


def _failures(output: str) -> tuple[str, ...]:
    """What the runner reports under `error:`, task and message."""
    failures = output.split("\nerror:\n", 1)[1]
    return tuple(
        f"{task}: {' '.join(message.split())}"
        for task, message in re.findall(r"^  \* (\S+):\n((?:    .*\n)+)", failures, re.MULTILINE)
    )


def _python(td: Emulator, out: Path, settings: Mapping[str, str]) -> tuple[str, ...]:
    """What docker_main does, with a model that is trained once, and shorter sleeps."""
    read = configuration.load(runs.ROOT / "config" / "params.yml", settings, out=out)
    warehouse = TreasureDataWarehouse(API_KEY, td.url, read.db, now=NOW, patience=PATIENCE)
    try:
        attribution.run(read, warehouse, None, fit=_trained)
    except MtaError as error:
        return (str(error),)
    return ()


_MODELS: "dict[str, Fitted]" = {}


def _trained(extracted: Extracted, settings: TrainingSettings) -> "Fitted":
    """The model, trained at the first call: every run of the stage has the same examples."""
    if "the shop's" not in _MODELS:
        from td_mta.model import ladder

        examples, strata, grid = extracted.examples, extracted.strata, extracted.schema.grid
        _MODELS["the shop's"] = ladder.climb(examples, strata, grid, settings)
    return _MODELS["the shop's"]


@contextlib.contextmanager
def _captured() -> Iterator[io.StringIO]:
    """All that is printed and logged, DEBUG too, in one text."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            yield log
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
