"""One attribution run, top to bottom: table, examples, model, Shapley values, tables, report."""

import contextlib
import dataclasses
import importlib.metadata
import itertools
import logging
import platform
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from td_mta import tables
from td_mta.atomic_files import replacing
from td_mta.config.attribution import Config, advice, page_advice
from td_mta.dataset import tfrecords
from td_mta.dataset.build import Extracted, extract, folders_of
from td_mta.errors import DataError
from td_mta.ingest.pages import Intake
from td_mta.ingest.preflight import check_spend, why_empty
from td_mta.ingest.scan import EmptyTableError
from td_mta.journeys.examples import Examples
from td_mta.journeys.patterns import Grid
from td_mta.reporting import diagnostics
from td_mta.reporting import frames as reports
from td_mta.shapley import ValueFunction, convergence, intervals
from td_mta.shapley.credit import Credit, Values, attribute, shapley_values
from td_mta.shapley.intervals import Intervals
from td_mta.warehouse import Warehouse

if TYPE_CHECKING:
    from td_mta.model.training import Fitted

log = logging.getLogger(__name__)

Fit = Callable[[Examples, Grid, Config], "Fitted"]
OUTPUTS = {
    "metrics": tables.METRICS,
    "shapley": tables.SHAPLEY,
    "channel": tables.CHANNEL,
    "detail": tables.DETAIL,
    "models": tables.MODELS,
    "intervals": tables.INTERVALS,
    "run_info": tables.RUN_INFO,
}
RUN_ID = "run_id"
PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "numpy", "pandas", "pyarrow")


@dataclass(frozen=True)
class Summary:
    """What a run came to; `baseline + channels` are the conversions."""

    run_id: str
    counts: dict[str, int]
    quality: dict[str, float]
    baseline: float
    channels: float
    conversions: float
    report: Path | None


@dataclass
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[step] = round(time.monotonic() - started, 2)
        log.info("%s: %.1f s", step, self.seconds[step])


def run(config: Config, warehouse: Warehouse, out: Path | None, fit: Fit | None = None) -> Summary:
    """Read `config.table`, write the output tables, and the report to `out` if there is one.

    `fit` is `training.fit` unless the caller has a trained model already. Nothing is written to the
    warehouse before all of it is there. Raises an `MtaError` that names the place and the remedy.
    """
    clock = _Clock()
    warehouse.check_writable(_columns(config, None), config.if_exists)
    check_spend(config, warehouse)
    with tempfile.TemporaryDirectory(prefix="td_mta_") as spill:
        with clock("read"):
            intake = _intake(config, warehouse, Path(spill))
            if config.if_exists == "append":
                warehouse.check_writable(_columns(config, intake.channels), config.if_exists)
        with clock("extract"):
            extracted = extract(intake, config, folders_of(config))
    log.info("examples: %s", extracted.counts)
    grid = extracted.schema.grid
    # TensorFlow takes seconds to import, which a wrong table need not wait for.
    from td_mta.model import training

    with clock("records"):
        examples = tfrecords.read(folders_of(config), extracted.schema)
    with clock("train"):
        fitted = (fit or training.fit)(examples, grid, config)
        fitted.predictor.save(config.model_dir)
    with clock("shapley"):
        values = _values(extracted, _worth(fitted.predictor, intake.visits), config)
        credit = attribute(values, extracted.conversions_and_value, grid)
    with clock("intervals"):
        refitted = training.refits(fitted, extracted.bootstrap_examples, grid, config)
        worths = (_worth(predictor, intake.visits) for predictor in refitted)
        around = _intervals(credit, values, worths, extracted, config)
    with clock("convergence"):
        worths = (_worth(predictor, intake.visits) for predictor in training.replay(fitted))
        chosen = convergence.sample(extracted.patterns, extracted.conversions_and_value)
        moves = convergence.credit_changes(convergence.shares(worths, chosen, grid))
    found = diagnostics.Findings(config, intake, extracted, fitted, values, credit, moves)
    frames = _frames(config, found, around, clock)
    run_id = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{uuid.uuid4().hex[:8]}"
    _write(frames, config, warehouse, run_id)
    return Summary(
        run_id=run_id,
        counts=extracted.counts,
        quality=found.holdout(),
        **found.conservation(),
        report=_report(frames, config, out),
    )


def _intake(config: Config, warehouse: Warehouse, spill: Path) -> Intake:
    try:
        return Intake(config, warehouse, spill)
    except EmptyTableError as error:
        raise DataError(why_empty(config, warehouse)) from error


def _worth(predictor: ValueFunction, visits: bool) -> ValueFunction:
    """Where every conversion is a visit, nobody converts without a touch: v(0) = 0."""
    if not visits:
        return predictor
    return lambda cells: np.where(cells.any(axis=(1, 2)), predictor(cells), 0.0)


def _values(extracted: Extracted, worth: ValueFunction, config: Config) -> Values:
    return shapley_values(
        extracted.patterns,
        extracted.schema.grid,
        worth,
        exact_cells=config.shapley_exact_cells,
        budget=config.shapley_budget,
        permutations=config.shapley_permutations,
        rng=np.random.default_rng(config.seed),
    )


def _intervals(
    credit: Credit,
    values: Values,
    refitted: Iterable[ValueFunction],
    extracted: Extracted,
    config: Config,
) -> Intervals:
    """Each kind that is asked for; `refitted` are worths of refits, each used before the next."""
    level, sampling, full = config.interval_level, None, None
    if config.interval_draws:
        rng = np.random.default_rng(config.seed)
        draws = config.interval_draws
        sampling = intervals.sampling(
            values,
            extracted.converter_profiles,
            extracted.schema.grid,
            level=level,
            draws=draws,
            rng=rng,
        )
    if config.interval_refits:
        again = (_values(extracted, worth, config) for worth in refitted)
        full = intervals.full(
            credit, again, extracted.conversions_and_value, extracted.schema.grid, level=level
        )
    return Intervals(sampling, full)


def _frames(
    config: Config, found: diagnostics.Findings, around: Intervals, clock: _Clock
) -> dict[str, pd.DataFrame]:
    channels, has_value = found.intake.channels, config.value_column is not None
    credits = {
        "shapley": reports.by_channel(found.credit),
        **found.extracted.model_totals.credits(),
    }
    sections = {
        "parameters": dataclasses.asdict(config),
        "counts": found.extracted.counts,
        "conservation": found.conservation(),
        "holdout": found.holdout(),
        "comparison": found.comparison(),
        "calibration": found.calibration(),
        "misses": found.misses(),
        "convergence": found.convergence(),
        "shapley": found.shapley(),
        "seconds": clock.seconds,
        "versions": _versions(),
        "warnings": [*found.warnings(), *advice(config), *page_advice(config, found.users)],
        "notes": found.notes(),
    }
    for sentence in sections["warnings"]:
        log.warning("%s", sentence)
    return {
        "metrics": reports.metrics(found.fitted.epochs),
        "shapley": reports.shapley(found.credit, channels),
        "channel": reports.channel(found.credit, channels),
        "detail": reports.detail(found.credit, around, channels, has_value=has_value),
        "models": reports.models(credits, channels, has_value=has_value),
        "intervals": reports.intervals(found.credit, around, channels),
        "run_info": reports.run_info(sections),
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def _write(
    frames: dict[str, pd.DataFrame], config: Config, warehouse: Warehouse, run_id: str
) -> None:
    names = table_names(config)
    more = {RUN_ID: run_id} if config.if_exists == "append" else {}
    named = {names[key]: frame.assign(**more) for key, frame in frames.items()}
    warehouse.write_all(named, config.if_exists)


def _columns(config: Config, channels: list[str] | None) -> dict[str, list[str] | None]:
    """The columns of each output table; None where they depend on channels not yet known."""
    more = [RUN_ID] if config.if_exists == "append" else []

    def columns(table: tables.Table) -> list[str] | None:
        if channels is None and tables.CHANNELS in table.columns:
            return None
        named = ((channels or []) if name == tables.CHANNELS else [name] for name in table.columns)
        return [*itertools.chain.from_iterable(named), *more]

    return {name: columns(OUTPUTS[key]) for key, name in table_names(config).items()}


def table_names(config: Config) -> dict[str, str]:
    """The output tables' names by the report's keys."""
    rest = ("channel", "detail", "models", "intervals", "run_info")
    return {
        "metrics": config.metrics_table,
        "shapley": config.shapley_table,
        **{key: f"{config.shapley_table}_{key}" for key in rest},
    }


def _report(frames: dict[str, pd.DataFrame], config: Config, out: Path | None) -> Path | None:
    if out is None:
        return None
    from td_mta.reporting import html  # draws with Plotly, which a container does without

    out.mkdir(parents=True, exist_ok=True)
    path = out / "report.html"
    with replacing(path) as temporary:
        temporary.write_text(html.render(frames, f"Attribution of {config.table}"), "utf-8")
    return path
