"""The workflows' `py>` tasks call `run` and `media_mix`, with Digdag's parameters by name.

On Treasure Data each task has a new container, so they first install what they need and import it
only then: for whatever cannot be imported Digdag reports an "Empty module name". Like `container`
this file can be read by an old Python. The local runner sets in the environment that the packages
are installed, and where tables are: MTA_WAREHOUSE (td or local), MTA_DATA and MTA_OUT.
"""

from __future__ import annotations

import logging
import math
import os
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from td_mta import container
from td_mta.errors import ConfigError, MtaError

if TYPE_CHECKING:
    from td_mta.pipelines.attribution import Summary
    from td_mta.pipelines.media_mix.run import MediaMixSummary

T = TypeVar("T")
log = logging.getLogger(__name__)

PARAMETERS_FILE = "config/params.yml"
MEDIA_MIX_FILE = "config/mmm.yml"
# Parameters that Digdag passes beside those of the workflow's _export (seen on 0.10.5.1).
_OF_DIGDAG = re.compile(
    r"_.*|.*>|(last|next)?_?(executed_)?session_.*|timezone|task_name|attempt_id|project_id"
    r"|docker|python|td|error"
)


def run(**digdag_parameters: object) -> None:
    """One attribution run; later tasks find its counts, quality and id in `mta`.

    Raises an `MtaError`, whose message Digdag shows, and never exits by itself: Digdag takes even
    exit code 0 for a failure.
    """
    summary = _in_task(lambda: _attribute(digdag_parameters))
    from td_mta import cli

    cli.print_summary(summary)
    quality = {name: value for name, value in summary.quality.items() if math.isfinite(value)}
    _store({"mta": {"run_id": summary.run_id, "counts": dict(summary.counts), "quality": quality}})


def media_mix(**digdag_parameters: object) -> None:
    """One media mix run; later tasks find its counts, quality and budget in `mmm`.

    Raises as `run` does.
    """
    summary = _in_task(lambda: _fit_media_mix(digdag_parameters), container.OF_MEDIA_MIX)
    print(summary.shown(), flush=True)
    _store({"mmm": summary.facts})


def _in_task(work: Callable[[], T], packages: Path | None = None) -> T:
    """What `work` returns, once all that it imports is installed; raises errors for Digdag.

    `packages` names what it imports, None for everything.
    """
    container.check_python()
    from td_mta import cli

    cli.log_to_stderr()
    if "MTA_WAREHOUSE" not in os.environ:
        container.install(only=packages)
    try:
        return work()
    except (MtaError, SystemExit, KeyboardInterrupt, GeneratorExit):
        raise
    except ImportError as error:
        raise MtaError(_describe_import_error(error)) from error
    except MemoryError as error:
        raise MtaError(_describe_system_error(error)) from error
    except BaseException as error:  # a panic of a library is no Exception
        raise _failure(error) from error


def _attribute(digdag_parameters: Mapping[str, object]) -> Summary:
    """One run; its report is written only where MTA_OUT names a folder, since a container is lost
    with all its files.
    """
    from td_mta import cli
    from td_mta.config.attribution import PARAMETERS, from_params
    from td_mta.ingest import finding
    from td_mta.pipelines import attribution
    from td_mta.warehouse.file_options import FileOptions

    data, out = os.environ.get("MTA_DATA"), os.environ.get("MTA_OUT")
    folder = Path(out or "out")
    own = own_parameters(digdag_parameters, PARAMETERS, PARAMETERS_FILE)
    config, now = from_params(own, PARAMETERS_FILE, out=folder), _now(digdag_parameters)
    kind = os.environ.get("MTA_WAREHOUSE", "td")
    files = FileOptions.of(config)
    folder_of_data = Path(data) if data else None
    warehouse = cli.open_warehouse(kind, folder_of_data, folder, now, config.db, files=files)
    notes: list[str] = []
    if config.table == config.rand_shuffle:  # the table whose columns the SQL has named
        finding.check_columns(config, warehouse)
    else:
        config, notes = finding.find(config, (), warehouse, file=None, local=kind == "local")
    return attribution.run(config, warehouse, folder if out else None, notes=notes)


def _fit_media_mix(digdag_parameters: Mapping[str, object]) -> MediaMixSummary:
    """One fit of the tables that the SQL has made, its report as in `_attribute`."""
    from td_mta import cli
    from td_mta.config.mmm import PARAMETERS, from_workflow
    from td_mta.pipelines.media_mix.run import run as fit

    data, out = os.environ.get("MTA_DATA"), os.environ.get("MTA_OUT")
    folder = Path(out or "out")
    own = own_parameters(digdag_parameters, PARAMETERS, MEDIA_MIX_FILE)
    config, now = from_workflow(own, MEDIA_MIX_FILE, out=folder), _now(digdag_parameters)
    kind = os.environ.get("MTA_WAREHOUSE", "td")
    warehouse = cli.open_warehouse(kind, Path(data) if data else None, folder, now, config.db)
    return fit(config, warehouse, folder if out else None)


def own_parameters(
    digdag_parameters: Mapping[str, object], names: Sequence[str], file: str
) -> dict[str, object]:
    """Those of the `names` that are in `file`, without Digdag's and those of other tasks.

    Raises `ConfigError` for a name so near to one of ours that it must be a typing error.
    """
    from td_mta.config.parameters import describe_unknown, nearest

    for name in digdag_parameters:
        if name in names or _OF_DIGDAG.fullmatch(name):
            continue
        near = nearest(name, names, cutoff=0.7)
        if near:
            raise ConfigError(f"{file}: {describe_unknown(name, near)}")
    return {name: value for name, value in digdag_parameters.items() if name in names}


def _now(digdag_parameters: Mapping[str, object]) -> int:
    """The session's time in unix seconds."""
    return int(str(digdag_parameters.get("session_unixtime") or int(time.time())))


def _failure(error: BaseException) -> MtaError:
    """What Digdag shows. In a container, whose files are lost, the log has the traceback."""
    from td_mta import failures

    if isinstance(error, OSError) and failures.expected(error):
        return MtaError(_describe_system_error(error))
    if "MTA_WAREHOUSE" not in os.environ:
        return MtaError(
            f"a fault of the program: {failures.describe(error)} ({failures.versions()}); report "
            "it to whoever maintains td_mta for you, with the traceback in the log of this task"
        )
    out = os.environ.get("MTA_OUT")
    return MtaError("\n".join(failures.report(error, Path(out) if out else None)))


def _describe_import_error(error: ImportError) -> str:
    from td_mta import failures

    if "MTA_WAREHOUSE" in os.environ:
        return failures.missing_package(error)
    images = ", ".join(container.IMAGES.values())
    return (
        f"the package {error.name or error} cannot be imported ({error}), though "
        f"{container.requirements().name} is installed; set docker_image to another image of "
        f"{images}"
    )


def _describe_system_error(error: OSError | MemoryError) -> str:
    from td_mta import failures

    remedy = (
        "shorten time_interval, set count_in: warehouse, or set run_model: false and run the model "
        "on a larger machine"
    )
    if isinstance(error, MemoryError):
        return f"out of memory: lower users_per_tfrecord or lookback_window_days, or {remedy}"
    if failures.is_full(error):
        folders = f"{tempfile.gettempdir()} and {os.environ.get('MTA_OUT', 'out')}"
        return f"the disk is full ({error}): temporary files are in {folders}; {remedy}"
    return f"{type(error).__name__}: {error}"


def _store(values: Mapping[str, object]) -> None:
    """Set values for later tasks, such as `${mta.counts.conversions}`; Digdag refuses NaN."""
    try:
        import digdag  # type: ignore[import-not-found]
    except ImportError:  # outside of Digdag
        return
    digdag.env.store(dict(values))
