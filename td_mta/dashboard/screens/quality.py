"""Is the model any good: verdict, held-out figures, calibration, warnings, parameters, versions."""

import html
import re

import pandas as pd

from td_mta import failures
from td_mta.dashboard import show
from td_mta.dashboard.data.source import Source
from td_mta.dashboard.screens import choices, training
from td_mta.dashboard.view import Block, Chart, Sentences, Table, View
from td_mta.model.holdout import LOGISTIC
from td_mta.reporting import charts
from td_mta.reporting.html import findings as report_findings
from td_mta.reporting.html import model_quality
from td_mta.reporting.html.elements import number, percentage_points
from td_mta.reporting.run_tables import RunTables, model_name

RULES_ALONE = (
    "Rules and a Markov chain are no models of who converts: nothing here says how good they are. "
    "Train a model to see whether it predicts users that it has not seen."
)


def page() -> None:
    """The view of the run, or of what was read."""
    source = choices.titled("Quality")
    if source is None:
        return
    training.offered(source)
    show.view(view(source))


def view(source: Source) -> View:
    """How far to trust what the other pages show."""
    run = source.run
    if run is None or run.is_of_paths:
        return _of_table(source)
    counts = ("users", "conversions")
    return View(
        page="quality",
        finding=_plain(report_findings.verdict(run)).removesuffix(".")
        or "Nothing was held out to judge the model by",
        source=choices.described(source),
        figures={name.capitalize(): number(run.number("counts", name)) for name in counts},
        blocks=[*_warnings(source), *_model(run), *_facts(run)],
    )


def _of_table(source: Source) -> View:
    errors = _errors(source)
    versions = [text.rpartition(" ") for text in failures.versions().split(", ")]
    settings = [*source.facts["sets"].items(), *((a or "machine", b) for a, _, b in versions)]
    return View(
        page="quality",
        finding=_finding(source, errors),
        source=choices.described(source),
        blocks=[
            *_warnings(source),
            Sentences(lines=[RULES_ALONE]),
            *_truth(errors),
            Table(
                name="versions",
                title="Settings and versions",
                rows=pd.DataFrame(settings, columns=["name", "value"]),
            ),
        ],
    )


def _finding(source: Source, errors: pd.Series) -> str:
    """The nearest model where the truth is known, else how much the data was warned of."""
    if len(errors):
        off = percentage_points(float(errors.iloc[0]))
        return f"{model_name(str(errors.index[0])).capitalize()} is nearest to the truth: {off} off"
    count = len(source.facts["warnings"])
    said = {0: "No warnings", 1: "1 warning"}.get(count, f"{count} warnings")
    return f"{said} about the data"


def _errors(source: Source) -> pd.Series:
    """By model the mean error of its shares, the smallest first; empty without a known truth."""
    truth = source.facts.get("true_share")
    if not truth:
        return pd.Series(dtype=float)
    models = source.models()
    rows = models[models["channel"].isin(truth)]
    sums = rows.groupby("model")["conversions"].transform("sum")
    share = rows["conversions"] / sums.where(sums != 0)
    off = (share - rows["channel"].map(truth)).abs()
    return off.groupby(rows["model"]).mean().sort_values(kind="stable")


def _truth(errors: pd.Series) -> list[Block]:
    if not len(errors):
        return []
    names = [model_name(str(name)) for name in errors.index]
    table = pd.DataFrame({"model": names, "mean error": errors.to_numpy()})
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
