"""What spend brought by media mix modelling: summary, what to do, how sure, what is not known."""

from pathlib import Path

import streamlit as st

from td_mta.dashboard import downloads, show, state
from td_mta.dashboard.data import media_mix
from td_mta.dashboard.screens import media_mix_data
from td_mta.dashboard.view import Block, Chart, Sentences, Table, View
from td_mta.mmm.checks.diagnostics import normal_quantiles
from td_mta.reporting.media_mix import charts, sentences
from td_mta.reporting.media_mix.sentences import Frames

MOST_CURVES = 12
INTERVAL = "Points: the most likely value, lines: the 90 % interval."
NOTHING_YET = (
    "No media mix yet: open a table of spend and sales by day, week or month, a finished run, or "
    "try a simulated world."
)


def page() -> None:
    """Data and settings, and the view of the run on them."""
    st.title("Media mix", anchor=False)
    key = media_mix_data.offered()
    folder = media_mix.folder_of(key) if key else None
    if key is None or folder is None:
        if not media_mix_data.is_fitting():
            st.info(NOTHING_YET)
        return
    try:
        frames = media_mix.read(folder)
    except Exception as error:
        st.error(show.plain(state.sentence(error)))
        return
    show.view(view(frames, media_mix.title_of(key)))
    _files(frames, folder)


def view(frames: Frames, source: str) -> View:
    """The run in the order of its report."""
    return View(
        page="media_mix",
        finding=sentences.finding(frames),
        source=source,
        figures=sentences.figures(frames),
        blocks=[
            *_summary(frames),
            *_plan(frames),
            *_sureness(frames),
            Sentences(title="What cannot be known from these data", lines=sentences.NOT_KNOWN),
            *_more_spend(frames),
            *_sales(frames),
            *_fit(frames),
        ],
    )


def _summary(frames: Frames) -> list[Block]:
    rows = frames["mmm_channels"]
    return [
        Table(
            name="media_mix_channels",
            title="What each channel brought",
            rows=sentences.channels_shown(frames),
            decimals={"ROI": 2, "marginal ROI": 2, "spend": 0, "contribution": 0},
            caption=sentences.ROI,
        ),
        Chart(
            name="roi",
            title="ROI of each channel",
            figure=charts.intervals(rows, "roi", "ROI, 90 % interval"),
            caption=INTERVAL,
        ),
    ]


def _plan(frames: Frames) -> list[Block]:
    kind = sentences.facts(frames)["kind"]
    rows = frames["mmm_budget"].sort_values("plan", ascending=False, kind="stable")
    shown = sentences.headed(rows)
    return [
        Sentences(title="What to do", lines=[sentences.plan(frames)]),
        Sentences(lines=sentences.values(frames, "warning"), is_warning=True),
        Chart(
            name="budget",
            title="Spend today and by the plan",
            figure=charts.budget(rows, sentences.channels(frames), kind),
        ),
        Table(name="media_mix_budget", title=f"The plan, per {kind}", rows=shown),
        Sentences(
            title="What to test next",
            lines=[*sentences.values(frames, "test_next"), sentences.TEST_NEXT],
        ),
    ]


def _sureness(frames: Frames) -> list[Block]:
    blocks: list[Block] = [Sentences(title="How sure", lines=sentences.sure(frames))]
    if "mmm_experiments" in frames:
        tested = sentences.headed(frames["mmm_experiments"])
        blocks += [
            Table(name="media_mix_experiments", title="Experiments", rows=tested),
            Sentences(lines=sentences.conflicts(frames)),
        ]
    if "mmm_coverage" in frames:
        blocks.append(
            Table(
                name="media_mix_coverage",
                title="Do the intervals hold?",
                rows=sentences.coverage_shown(frames),
                percents=("contribution", "marginal ROI"),
                caption=sentences.COVERAGE,
            )
        )
    return blocks


def _more_spend(frames: Frames) -> list[Block]:
    rows, channels = frames["mmm_response_curves"], sentences.channels(frames)
    kind = sentences.facts(frames)["kind"]
    marginal = charts.intervals(
        frames["mmm_channels"], "marginal_roi", "marginal ROI, 90 % interval"
    )
    curves = [
        Chart(
            name=f"response_curve_{number}",
            title=channel,
            figure=charts.response_curve(rows[rows["channel"] == channel], channels, kind),
        )
        for number, channel in enumerate(channels[:MOST_CURVES], 1)
    ]
    left_out = len(channels) - len(curves)
    others = f"Curves of {left_out} more channels are in mmm_response_curves." if left_out else ""
    return [
        Chart(name="marginal_roi", title="What more spend would bring", figure=marginal),
        Sentences(title="Response curves", lines=[sentences.CURVES, *filter(None, [others])]),
        *curves,
    ]


def _sales(frames: Frames) -> list[Block]:
    fitted, parts = frames["mmm_predicted_vs_actual"], frames["mmm_contribution_breakdown"]
    kind = sentences.facts(frames)["kind"]
    breakdown = charts.breakdown(parts, fitted["actual"], sentences.channels(frames), kind)
    return [
        Chart(name="contribution_breakdown", title="What sales are made of", figure=breakdown),
        Chart(
            name="predicted_vs_actual",
            title="Actual and predicted sales",
            figure=charts.predicted_vs_actual(fitted, kind),
        ),
    ]


def _fit(frames: Frames) -> list[Block]:
    fitted, summary = frames["mmm_predicted_vs_actual"], frames["mmm_summary"]
    expected, found = normal_quantiles(fitted["residual"].to_numpy(float))
    known = summary[summary["true_value"].notna()]
    quantiles = charts.quantiles(expected.tolist(), found.tolist())
    blocks: list[Block] = [
        Sentences(title="Fit", lines=sentences.quality(frames)),
        Chart(name="residuals", title="Errors by period", figure=charts.residuals(fitted)),
        Chart(name="quantiles", title="Errors beside a normal law (Q-Q)", figure=quantiles),
        Sentences(title="How the table was understood", lines=sentences.values(frames, "note")),
    ]
    if len(known):
        shown = sentences.headed(known)
        blocks.append(Table(name="beside_the_truth", title="Beside the truth", rows=shown))
    return blocks


def _files(frames: Frames, folder: Path) -> None:
    """What the run wrote: each table with all digits, pictures, and its report."""
    st.markdown("**All tables of the run, its pictures and its report**")
    with st.container(horizontal=True):
        for name, frame in frames.items():
            st.download_button(
                f"{name}.csv", lambda frame=frame: downloads.csv(frame), f"{name}.csv", "text/csv",
                key=f"file_{name}", on_click="ignore",
            )  # fmt: skip
        for path in sorted([*folder.glob("*.png"), *folder.glob("mmm_report.html")]):
            st.download_button(
                path.name, path.read_bytes, path.name, key=f"file_{path.name}", on_click="ignore"
            )
