"""What the workflow's `py>` task calls: `run`, with Digdag's parameters by name.

On Treasure Data each task has a fresh container, so `run` first brings what it needs and imports it
only then: Digdag would call whatever cannot be imported an "Empty module name". Like `container`
this file can be read by an old Python. The local runner says by the environment that the packages
are there, and where tables are: MTA_WAREHOUSE (td or local), MTA_DATA and MTA_OUT.
"""

from __future__ import annotations

import logging
import math
import os
import re
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from td_mta import container
from td_mta.errors import ConfigError, MtaError

if TYPE_CHECKING:
    from td_mta.pipelines.attribution import Summary

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
    container.check_python()
    from td_mta import cli

    cli.log_to_stderr()
    if "MTA_WAREHOUSE" not in os.environ:
        container.install()
    try:
        summary = _attribute(parameters)
    except ImportError as error:
        raise MtaError(_not_imported(error)) from error
    except (OSError, MemoryError) as error:
        raise MtaError(_no_room(error)) from error
    cli.print_summary(summary)
    _store(summary)


def _attribute(parameters: Mapping[str, object]) -> Summary:
    """What a container draws is lost with it: a report only where somebody named a folder."""
    from td_mta import cli
    from td_mta.config import attribution as configuration
    from td_mta.pipelines import attribution

    data, out = os.environ.get("MTA_DATA"), os.environ.get("MTA_OUT")
    folder = Path(out or "out")
    settings = configuration.from_params(own(parameters), "config/params.yml", out=folder)
    now = int(str(parameters.get("session_unixtime") or int(time.time())))
    kind = os.environ.get("MTA_WAREHOUSE", "td")
    warehouse = cli.open_warehouse(kind, Path(data) if data else None, folder, now, settings.db)
    return attribution.run(settings, warehouse, folder if out else None)


def own(parameters: Mapping[str, object]) -> dict[str, object]:
    """The parameters that are ours, without Digdag's and those of other tasks.

    Raises `ConfigError` for a name so near to one of ours that it must be a slip.
    """
    from td_mta.config import attribution as configuration

    for name in parameters:
        near = configuration.nearest(name, cutoff=0.7)
        if near and name not in configuration.PARAMETERS and not _OF_DIGDAG.fullmatch(name):
            raise ConfigError(
                f"config/params.yml: unknown parameter {name!r}; did you mean {near!r}?"
            )
    return {name: value for name, value in parameters.items() if name in configuration.PARAMETERS}


def _not_imported(error: ImportError) -> str:
    from td_mta import cli

    if "MTA_WAREHOUSE" in os.environ:
        return cli.missing_package(error)
    return (
        f"the package {error.name or error} cannot be imported ({error}), though "
        f"{container.requirements().name} is installed: try another docker_image of "
        f"{', '.join(container.IMAGES.values())}"
    )


def _no_room(error: OSError | MemoryError) -> str:
    from td_mta import cli

    remedy = "shorten time_interval, or set run_model: false and run the model on a larger machine"
    if isinstance(error, MemoryError):
        return f"the memory is full: lower users_per_tfrecord or lookback_window_days, or {remedy}"
    if cli.is_full(error):
        folders = f"{tempfile.gettempdir()} and {os.environ.get('MTA_OUT', 'out')}"
        return f"the disk is full ({error}): rows and records are kept in {folders}; {remedy}"
    return f"{type(error).__name__}: {error}"


def _store(summary: Summary) -> None:
    """`mta` for later tasks, such as `${mta.counts.conversions}`; Digdag refuses NaN."""
    try:
        import digdag  # type: ignore[import-not-found]
    except ImportError:
        return
    quality = {name: value for name, value in summary.quality.items() if math.isfinite(value)}
    digdag.env.store(
        {"mta": {"run_id": summary.run_id, "counts": dict(summary.counts), "quality": quality}}
    )
