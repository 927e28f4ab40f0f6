"""One media mix run: a table read, a model fitted, tables and a report that appear together."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from td_mta.config.mmm import MediaMixConfig
from td_mta.ingest.media_mix import experiments, truth
from td_mta.ingest.media_mix import tables as media_tables
from td_mta.pipelines.media_mix import fitting, picture_files, planning, tables
from td_mta.publishing import publication
from td_mta.reporting.media_mix.frames import MEDIA_MIX_TABLES
from td_mta.warehouse import Warehouse

log = logging.getLogger(__name__)

TITLE = "Media mix report"
REPORT = "mmm_report.html"
FACTS = ("counts", "quality", "budget")


class MediaMixSummary(NamedTuple):
    """What a run prints."""

    channels: pd.DataFrame
    budget: pd.DataFrame
    gain: str
    report: Path | None  # where it was written, if a folder was named
    facts: dict[str, dict[str, str]]  # of `mmm_run_info`, by the sections FACTS

    def shown(self, *, plan: bool = False) -> str:
        """Channels or the plan of the budget, what the plan gains, where the report is."""
        columns = ["channel", "spend", "contribution", "roi", "marginal_roi", "flag"]
        frame = self.budget if plan else self.channels[columns]
        rows = frame.to_string(index=False, float_format=lambda value: f"{value:,.2f}")
        report = [f"report: {self.report}"] if self.report else []
        return "\n".join([rows, "", self.gain, *report])


def run(
    config: MediaMixConfig, warehouse: Warehouse, out: Path | None, *, coverage: bool = True
) -> MediaMixSummary:
    """Everything that is read is checked first; nothing is written where anything is wrong.

    The report is written to `out`, where there is one.
    """
    warehouse.check_writable(dict.fromkeys(MEDIA_MIX_TABLES), "overwrite")
    table = media_tables.read(config, warehouse)
    for note in table.notes:
        log.info("%s", note)
    planning.check(table, config)
    tests = experiments.read(config, warehouse, table)
    true_values = truth.read(config, warehouse, table.channels)
    datasets = config.coverage_datasets if coverage else 0
    answered = fitting.answer(table, config, tests, datasets)
    planned = planning.plan(answered, config)
    frames = tables.tables(answered, planned, true_values)
    report = _write(frames, warehouse, out)
    gain = (
        f"the plan changes sales by {planned.gain.value:,.0f} per {table.periods.kind} (90 % "
        f"interval {planned.gain.lower:,.0f} to {planned.gain.upper:,.0f}), a gain with "
        f"probability {planned.probability:.2f}"
    )
    return MediaMixSummary(
        frames["mmm_channels"], frames["mmm_budget"], gain, report, _facts(frames["mmm_run_info"])
    )


def _facts(run_info: pd.DataFrame) -> dict[str, dict[str, str]]:
    by_name = run_info.set_index("name")
    return {name: by_name.loc[by_name["section"] == name, "value"].to_dict() for name in FACTS}


def _write(
    frames: Mapping[str, pd.DataFrame], warehouse: Warehouse, out: Path | None
) -> Path | None:
    if out is None:
        warehouse.write_all(frames, "overwrite")
        return None
    from td_mta.reporting.media_mix import page  # draws with Plotly, which a container does without

    report = out / REPORT
    with publication.alone(out) as files:
        html = page.render(frames, TITLE)
        files.file(report).write_text(html, encoding="utf-8")
        picture_files.write_run(frames, out, files)
        warehouse.write_all(frames, "overwrite", files=files)
    return report
