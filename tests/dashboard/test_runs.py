"""A finished run's folder on every page, with Shapley values, intervals and costs."""

from pathlib import Path

import pandas as pd
import pytest

from td_mta.dashboard import show
from td_mta.dashboard.data import moves, source, spend
from td_mta.dashboard.data.source import Source
from td_mta.dashboard.screens import attribution, decide, journeys, over_time, quality
from td_mta.dashboard.screens.choices import Chosen
from td_mta.dashboard.screens.costs_editor import Costs
from td_mta.dashboard.view import Chart, Sentences, Table, View
from td_mta.reporting import output_tables
from td_mta.warehouse.local import LocalWarehouse
from tests.reporting.test_html import CASES, JOURNEYS


def written(name: str, folder: Path) -> Source:
    """A run of the report's tests, in a folder as a run writes it."""
    names = output_tables.names("metrics", "credit")
    frames = {names[key]: frame for key, frame in CASES[name].items()}
    LocalWarehouse(None, folder, now=0).write_all(frames, "overwrite")
    return source.of_run(folder)


def costs_of(run: Source, cpc: float = 2.0) -> Costs:
    table = spend.table_of(run.channels, run.facts["touches"], {})
    return Costs(table.assign(CPC=cpc), "CPC")


def names(view: View, kind: type) -> list[str]:
    return [block.name for block in view.blocks if isinstance(block, kind)]


@pytest.mark.parametrize("name", CASES)
def test_a_runs_folder_is_what_was_written(name: str, tmp_path: Path) -> None:
    run = written(name, tmp_path)
    assert run.models()["conversions"].tolist() == CASES[name]["models"]["conversions"].tolist()
    assert set(run.channels) == set(CASES[name]["report"]["channel"])


@pytest.mark.parametrize("name", CASES)
def test_every_page_has_a_view_of_it(name: str, tmp_path: Path) -> None:
    run = written(name, tmp_path)
    models = list(dict.fromkeys(run.models()["model"]))
    chosen, costs = Chosen(models, run.models(), None, None), costs_of(run)
    now = {channel: 100.0 for channel in run.channels}
    days = over_time.view(run)
    assert days is not None
    assert "credit_by_day" in names(days, Chart)
    assert "intervals" in names(days, Chart) or not run.run or not run.run.intervals
    assert "model_comparison" in names(attribution.view(run, chosen, costs), Table)
    decided = decide.view(run, "shapley", costs, now, now, 0.5)
    assert "cost_and_return" in names(decided, Table)
    assert any(isinstance(b, Sentences) and "not causal" in b.lines[0] for b in decided.blocks)
    assert "run_info" in names(quality.view(run), Table)
    for view in (days, decided, quality.view(run)):
        assert view.finding and view.source


def test_moving_a_fifth_at_an_elasticity_of_1_moves_a_fifth_of_the_credit(tmp_path: Path) -> None:
    run = written("intervals of both kinds", tmp_path)
    credit = moves.credit_with_bounds(run, "shapley", run.models())
    assert credit["lower"].notna().all()
    giver, taker, *_ = credit.index
    now = {giver: 100.0, taker: 100.0}
    rows = moves.moved(credit, now, {giver: 80.0, taker: 120.0}, 1.0)
    conversions = credit["conversions"]
    assert rows["change"].tolist() == pytest.approx(
        [-0.2 * conversions[giver], 0.2 * conversions[taker]]
    )
    change = moves.total(rows)
    assert change.lower <= change.conversions <= change.upper


def test_the_linear_rules_error_is_that_of_a_binomial_where_paths_have_one_touch(
    counted: Source,
) -> None:
    paths = counted.paths
    errors = moves.linear_errors(paths, len(counted.channels))
    by_name = dict(zip(counted.channels, errors.tolist(), strict=True))
    # Search: 8 alone, and half of 20
    assert by_name["Search"] == pytest.approx((8 + 20 / 4) ** 0.5)


def test_costs_below_0_are_said() -> None:
    table = spend.table_of(["Email", "Search"], [10, 20], {}).assign(CPC=[1.0, -2.0])
    assert spend.errors(table, "CPC") == ["CPC of Search must not be negative, it is -2."]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("costs.csv", "day,channel,spend\n2024-01-01,Email,10\n2024-01-02,Email,5.5\n"),
        ("costs.csv", "Channel;Spend;Impressions\nEmail;15.5;100\nOther;1;1\n"),
    ],
    ids=["by day", "by channel"],
)
def test_a_table_of_costs_is_summed_by_channel(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    found = spend.read(tmp_path / name, ["Email", "Search"], None)
    assert found["Email"]["spend"] == 15.5 and list(found) == ["Email"]


def test_journeys_of_a_run_are_what_it_kept(tmp_path: Path) -> None:
    run = written("usual", tmp_path / "before")
    assert journeys.of_run(run) is None
    info = CASES["usual"]["run_info"]
    rows = [("journeys", name, value) for name, value in JOURNEYS.items()]
    info = pd.concat([info, pd.DataFrame(rows, columns=["section", "name", "value"])])
    frames = CASES["usual"] | {"run_info": info}
    by_name = {output_tables.names("metrics", "credit")[key]: of for key, of in frames.items()}
    LocalWarehouse(None, tmp_path / "now", now=0).write_all(by_name, "overwrite")
    view = journeys.of_run(source.of_run(tmp_path / "now"))
    assert view is not None and view.finding.startswith("Half of the converting journeys have 1 ")
    assert {"journey_lengths", "days_to_conversion", "transitions", "roles"} <= {
        *names(view, Chart)
    }
    (paths,) = (block for block in view.blocks if block.title == "Most frequent converting paths")
    assert isinstance(paths, Table) and paths.rows["path"].tolist() == ["<img> > Email"]


def test_a_row_of_long_paths_is_as_high_as_they_need() -> None:
    short, long = (pd.DataFrame({"path": ["a", "Email > Direct" * n]}) for n in (1, 12))
    assert show._lines(short, "path") == 1 == show._lines(long, "")
    assert show._lines(long, "path") == 5
