"""Is the model any good: verdict, held-out figures, calibration, warnings, parameters, versions."""

import html
import re

import pandas as pd
import streamlit as st

from td_mta import failures
from td_mta.dashboard import show, state
from td_mta.dashboard.data.source import Source
from td_mta.dashboard.pages import choices, training
from td_mta.dashboard.view import Block, Chart, Sentences, Table, View
from td_mta.model.holdout import LOGISTIC
from td_mta.reporting import charts
from td_mta.reporting.html import findings as report_findings
from td_mta.reporting.html import model_quality
from td_mta.reporting.html.elements import number
from td_mta.reporting.run_tables import RunTables, model_name

RULES_ALONE = (
    "Rules and a Markov chain are no models of who converts: nothing here says how good they are. "
    "Train a model to see whether it predicts users that it has not seen."
)


def page() -> None:
    """The view of the run, or of what was read."""
    st.title("Quality", anchor=False)
    source = state.current()
    if source is None:
        choices.nothing_yet()
        return
    training.offered(source)
    show.view(view(source))


def view(source: Source) -> View:
    """How far to trust what the other pages show."""
    run = source.run
    if run is None or run.is_of_paths:
        return _of_table(source)
    return View(
        page="quality",
        finding=_plain(report_findings.verdict(run))
        or "Nothing was held out to judge the model by",
        source=choices.described(source),
        figures={name: number(run.number("counts", name)) for name in ("users", "conversions")},
        blocks=[*_warnings(source), *_model(run), *_facts(run)],
    )


def _of_table(source: Source) -> View:
    count = len(source.facts["warnings"])
    said = "No warnings about the data" if not count else f"{count} warnings about the data"
    return View(
        page="quality",
        finding=said if count != 1 else "1 warning about the data",
        source=choices.described(source),
        blocks=[
            *_warnings(source),
            Sentences(lines=[RULES_ALONE]),
            *_truth(source),
            Table(
                name="versions",
                title="Settings and versions",
                rows=pd.DataFrame(
                    [*source.facts["sets"].items(), ("versions", failures.versions())],
                    columns=["name", "value"],
                ),
            ),
        ],
    )


def _truth(source: Source) -> list[Block]:
    """Each model's distance from the truth, which a simulated world knows."""
    truth = source.facts.get("true_share")
    if not truth:
        return []
    models = source.models()
    rows = models[models["channel"].isin(truth)]
    sums = rows.groupby("model")["conversions"].transform("sum")
    share = rows["conversions"] / sums.where(sums != 0)
    off = (share - rows["channel"].map(truth)).abs()
    error = off.groupby(rows["model"]).mean().sort_values()
    table = pd.DataFrame(
        {"model": [model_name(str(name)) for name in error.index], "mean error": error.to_numpy()}
    )
    return [
        Table(
            name="error_by_model",
            title="How far each model's shares are from the true ones",
            rows=table,
            percents=("mean error",),
            caption="The mean over channels of the difference of shares, in percentage points. "
            "Known because the data is simulated.",
        )
    ]


def _warnings(source: Source) -> list[Block]:
    return [
        Sentences(lines=source.facts["warnings"], title="Warnings", is_warning=True),
        Sentences(lines=source.facts["notes"], title="How the data was read"),
    ]


def _model(run: RunTables) -> list[Block]:
    blocks: list[Block] = [
        Table(
            name="held_out_quality",
            title="Models on held-out users",
            rows=model_quality.holdout(run),
            decimals={"log loss": 5, "RMSE": 5, "AUC": 3},
            caption="Log loss, RMSE, calibration error: lower is better. AUC: 0.5 is random.",
        )
    ]
    bins = run.calibration
    used = run.section("model").get("network", "")
    drawn = {model: bins[model] for model in (used, LOGISTIC) if model in bins}
    if drawn:
        blocks.append(
            Chart(
                name="calibration",
                title="Observed rate by predicted probability",
                figure=charts.calibration(drawn),
                caption="On the dotted line the prediction is right; bars are two standard errors.",
            )
        )
    return blocks


def _facts(run: RunTables) -> list[Block]:
    info = run.frames["run_info"]
    sections = ("parameters", "counts", "seconds", "versions")
    rows = info[info["section"].isin(sections)].reset_index(drop=True)
    return [Table(name="run_info", title="Parameters, counts and versions of the run", rows=rows)]


def _plain(text: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", text))
