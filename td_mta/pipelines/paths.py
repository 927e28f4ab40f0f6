"""Attribution of a table of paths, top to bottom: rules and the Markov chain, which need no times.

The LSTM, Shapley values by day and time decay need them. Paths stay counted: ten million
conversions on five thousand paths are five thousand rows.
"""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from td_mta.baselines.methods import METHODS, NEED_TIMES, ModelTotals
from td_mta.config.attribution import Config
from td_mta.config.attribution_advice import advice
from td_mta.dataset.build import models_of
from td_mta.errors import DataError
from td_mta.ingest import path_tables
from td_mta.ingest.path_tables import Given, PathTable
from td_mta.journeys.paths import Paths
from td_mta.journeys.touchpoints import Floats
from td_mta.pipelines import outputs
from td_mta.pipelines.attribution import Summary
from td_mta.publishing.publication import Publication
from td_mta.reporting import channel_notes, frames, run_facts
from td_mta.reporting.journeys import tables as journeys
from td_mta.warehouse import Warehouse

log = logging.getLogger(__name__)

TABLES = ("models", "run_info")
FEWEST_HELD_OUT = 100  # journeys; fewer cannot choose an order, which then is 1
MOST_CHANNELS = 20  # that a check lists
LEAD = "markov"  # the model that counts as the run's result
WITHOUT_TIMES = (
    "A table of paths has no times, so time_decay, the LSTM and Shapley values by day, which need "
    "them, are left out: a table with one row for each touch and its time gives them too."
)


def run(
    table: PathTable,
    config: Config,
    warehouse: Warehouse,
    out: Path | None,
    notes: Sequence[str] = (),
) -> Summary:
    """Read the table, write the models table and run_info, and the report to `out` if there is one.

    Raises an `MtaError` that names the place and the remedy, before anything is written.
    """
    with outputs.begun(config, out) as files:
        return _run(table, config, warehouse, out, notes, files)


def _run(
    table: PathTable,
    config: Config,
    warehouse: Warehouse,
    out: Path | None,
    notes: Sequence[str],
    files: Publication,
) -> Summary:
    outputs.check_writable(config, warehouse, None, TABLES)
    given = path_tables.read(table, config, warehouse)
    for sentence in (*given.notes, WITHOUT_TIMES):
        log.info("%s", sentence)
    totals = _models(given, config)
    credits = totals.credits()
    tables = {
        "models": frames.models(credits, given.channels, has_value=table.value is not None),
        "run_info": _run_info(
            given, totals, config, [*warehouse.notes(), *notes, *_left(config, warehouse)]
        ),
    }
    page = outputs.page_of(tables, config.table, out)
    report = outputs.write_report(page, out, files)
    outputs.write_tables(tables, config, warehouse, files)
    return Summary(
        run_id=files.run_id,
        counts=_counts(given.paths),
        quality={},
        **_conservation(credits[LEAD], given.paths),
        models=tables["models"],
        report=report,
    )


def check(table: PathTable, config: Config, warehouse: Warehouse) -> list[str]:
    """What the table holds and what a run will say of it, a line each."""
    given = path_tables.read(table, config, warehouse)
    channels = f"{len(given.channels):,}: {', '.join(given.channels[:MOST_CHANNELS])}"
    facts = {name: f"{count:,}" for name, count in _counts(given.paths).items()}
    facts |= {"channels": channels, "value": f"{given.paths.value.sum():,.2f}"}
    shown = [f"{name:<12} {fact}" for name, fact in facts.items()]
    return [*given.notes, *shown, *given.warnings, WITHOUT_TIMES]


def _models(given: Given, config: Config) -> ModelTotals:
    """Every method that needs no times; held-out journeys choose the chain's order if many."""
    methods = {name: method for name, method in METHODS.items() if name not in NEED_TIMES}
    totals = dataclasses.replace(models_of(given.channels, config), methods=methods)
    training, held_out = _split(given.paths, config)
    if _journeys(held_out) < FEWEST_HELD_OUT:
        totals.add(given.paths, held_out=False)
        return totals
    totals.add(training, held_out=False)
    totals.add(held_out, held_out=True)
    return totals


def _split(paths: Paths, config: Config) -> tuple[Paths, Paths]:
    """Training and held-out journeys: of each path a binomial number is held out."""
    rng = np.random.default_rng(config.seed)
    fraction = config.validation_fraction
    conversions, nulls = (
        rng.binomial(np.floor(amounts).astype(np.int64), fraction).astype(np.float64)
        for amounts in (paths.conversions, paths.nulls)
    )
    share = conversions / np.maximum(paths.conversions, np.finfo(float).tiny)
    value = paths.value * share
    held_out = paths._replace(conversions=conversions, nulls=nulls, value=value)
    training = paths._replace(
        conversions=paths.conversions - conversions,
        nulls=paths.nulls - nulls,
        value=paths.value - value,
    )
    return training, held_out


def _run_info(
    given: Given, totals: ModelTotals, config: Config, notes: Sequence[str]
) -> pd.DataFrame:
    warnings = [
        *given.warnings,
        *channel_notes.direct_warnings(given.channels, config.direct_channel),
        *advice(config),
    ]
    for sentence in warnings:
        log.warning("%s", sentence)
    return frames.run_info(
        {
            "parameters": dataclasses.asdict(config),
            "counts": _counts(given.paths),
            "conservation": _conservation(totals.credits()[LEAD], given.paths),
            "journeys": journeys.facts(journeys.tables(totals, given.channels)),
            "versions": run_facts.versions(),
            "warnings": warnings,
            "notes": [
                *notes,
                *given.notes,
                WITHOUT_TIMES,
                f"The Markov chain has order {totals.chosen_order()} (markov_order).",
                *channel_notes.of_direct(given.channels, config.direct_channel),
            ],
        }
    )


def _journeys(paths: Paths) -> float:
    return float((paths.conversions + paths.nulls).sum())


def _counts(paths: Paths) -> dict[str, int]:
    """Rows of the table, touches of their journeys, and journeys that converted or not."""
    journeys = paths.conversions + paths.nulls
    return {
        "paths": len(journeys),
        "touchpoints": round(float((paths.sizes * journeys).sum())),
        "journeys": round(_journeys(paths)),
        "conversions": round(float(paths.conversions.sum())),
    }


def _conservation(credit: Floats, paths: Paths) -> dict[str, float]:
    return {
        "baseline": float(credit[0, -1]),
        "channels": float(credit[0, :-1].sum()),
        "conversions": float(paths.conversions.sum()),
    }


def _left(config: Config, warehouse: Warehouse) -> list[str]:
    """Tables that this run does not write and an earlier one of touches did."""
    names = outputs.table_names(config)
    others = [name for key, name in names.items() if key not in TABLES]
    left = [name for name in others if _exists(name, warehouse)]
    if not left:
        return []
    return [f"Not of this run, but of an earlier one: the tables {', '.join(left)}."]


def _exists(name: str, warehouse: Warehouse) -> bool:
    try:
        warehouse.columns(name)
    except DataError:
        return False
    return True
