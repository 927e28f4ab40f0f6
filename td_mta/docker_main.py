"""What the workflow's `py>` task calls: `run`, with Digdag's parameters by name.

The container is fresh for every task, so on Treasure Data `run` installs what it needs before it
imports it. The local runner names its folders by the environment: MTA_WAREHOUSE (td or local),
MTA_DATA and MTA_OUT.
"""

import logging
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from td_mta import cli
from td_mta.errors import ConfigError, MtaError

if TYPE_CHECKING:
    from td_mta.pipeline import Summary

log = logging.getLogger(__name__)

# Parameters that Digdag passes beside those of the workflow's _export (seen on 0.10.5.1).
_OF_DIGDAG = re.compile(
    r"_.*|.*>|(last|next)?_?(executed_)?session_.*|timezone|task_name|attempt_id|project_id"
    r"|docker|python|td|error"
)


def run(**parameters: object) -> None:
    """One attribution run; row counts, quality and the run's id are stored for later tasks.

    Raises an `MtaError`, whose message Digdag shows, and never exits by itself: Digdag takes even
    exit code 0 for a failure.
    """
    cli.log_to_stderr()
    kind = os.environ.get("MTA_WAREHOUSE", "td")
    if kind == "td":
        _install_requirements()
    try:
        summary = _attribute(parameters, kind)
    except ImportError as error:
        raise MtaError(cli.missing_package(error)) from None
    cli.say(summary)
    _store(summary)


def _attribute(parameters: Mapping[str, object], kind: str) -> "Summary":
    from td_mta import config, pipeline

    out = Path(os.environ.get("MTA_OUT", "out"))
    data = os.environ.get("MTA_DATA")
    settings = config.from_params(own(parameters), "config/params.yml", out=out)
    now = int(str(parameters.get("session_unixtime") or int(time.time())))
    warehouse = cli.open_warehouse(kind, Path(data) if data else None, out, now, settings.db)
    return pipeline.run(settings, warehouse, out)


def own(parameters: Mapping[str, object]) -> dict[str, object]:
    """The parameters that are ours, without Digdag's and those of other tasks.

    Raises `ConfigError` for a name so near to one of ours that it must be a slip.
    """
    from td_mta import config

    for name in parameters:
        near = config.nearest(name, cutoff=0.7)
        if near and name not in config.PARAMETERS and not _OF_DIGDAG.fullmatch(name):
            raise ConfigError(
                f"config/params.yml: unknown parameter {name!r}; did you mean {near!r}?"
            )
    return {name: value for name, value in parameters.items() if name in config.PARAMETERS}


def _install_requirements() -> None:
    file = Path(__file__).with_name("requirements.txt")
    log.info("installing %s", file)
    command = [sys.executable, "-m", "pip", "install", "-q", "-r", str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise MtaError(f"pip could not install {file}: {' '.join(done.stderr.split())}")


def _store(summary: "Summary") -> None:
    """`mta` for later tasks, such as `${mta.counts.conversions}`; Digdag refuses NaN."""
    try:
        import digdag  # type: ignore[import-not-found]
    except ImportError:
        return
    quality = {name: value for name, value in summary.quality.items() if math.isfinite(value)}
    digdag.env.store(
        {"mta": {"run_id": summary.run_id, "counts": dict(summary.counts), "quality": quality}}
    )
