"""PNG files beside the tables, where matplotlib is installed."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pandas as pd

from td_mta.publishing.publication import Publication

log = logging.getLogger(__name__)

OF_RUN = ("response_curves.png", "predicted_vs_actual.png", "contribution_breakdown.png")
OF_PRIVACY = ("privacy_utility_tradeoff.png",)
WITHOUT = (
    "the pictures (%s) were left out, since matplotlib is not installed: pip install matplotlib"
)


def write_run(frames: Mapping[str, pd.DataFrame], out: Path, files: Publication) -> None:
    """The pictures of a run's tables."""
    _write(OF_RUN, lambda drawing: drawing.pictures(frames), out, files)


def write_privacy(rows: pd.DataFrame, out: Path, files: Publication) -> None:
    """The picture of the utility curve."""
    _write(OF_PRIVACY, lambda drawing: drawing.privacy_utility(rows), out, files)


def _write(
    names: Sequence[str],
    draw: Callable[[ModuleType], Mapping[str, bytes]],
    out: Path,
    files: Publication,
) -> None:
    """Without matplotlib the pictures of an earlier run go, as they are not of these tables."""
    try:
        from td_mta.reporting.media_mix import pictures
    except ImportError:
        log.info(WITHOUT, ", ".join(names))
        for name in names:
            files.remove(out / name)
        return
    for name, content in draw(pictures).items():
        files.file(out / name).write_bytes(content)
