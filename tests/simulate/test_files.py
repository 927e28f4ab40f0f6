"""`python -m td_mta.simulate`: the tables of a warehouse, their truth, and partners' folders."""

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta.config import attribution as configuration
from td_mta.config import placeholders
from td_mta.journeys.touchpoints import SECONDS_PER_DAY
from td_mta.simulate import WORLDS, ClassicPlan, Hazard, partners, simulate
from td_mta.simulate.__main__ import main
from td_mta.simulate.output.facts import from_date
from td_mta.simulate.output.media import PRICES, media
from td_mta.simulate.output.shop import SITE, VISITS
from td_mta.simulate.rows import START
from td_mta.warehouse.local import LocalWarehouse

ROOT = Path(__file__).parents[2]


def truth_in(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


def refused(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        sys.exit(main(arguments))
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_the_shop_has_the_columns_and_days_of_a_warehouse(tmp_path) -> None:
    main(["--out", str(tmp_path), "--users", "2000"])
    views, fills = (
        pd.read_csv(tmp_path / f"enriched_{name}.csv") for name in ("pageviews", "formfills")
    )
    assert list(views) == ["time", "canonical_id", "td_url", "td_referrer"]
    assert list(fills) == [*views, "form_id"]
    for table in (views, fills):
        assert table["time"].min() >= START
        assert table["time"].max() < START + 30 * SECONDS_PER_DAY
    assert len(views) == pytest.approx(2_000 * 30 * 0.3, rel=0.1)
    assert 100 < len(fills) == truth_in(tmp_path)["conversions"] < 1_000
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("enriched_formfills.csv", "enriched_pageviews.csv", "spend.csv", "truth.json")
    ]


def test_the_shop_has_visits_of_every_channel_in_every_form(tmp_path) -> None:
    main(["--out", str(tmp_path), "--users", "2000"])
    views = pd.read_csv(tmp_path / "enriched_pageviews.csv", keep_default_na=False)
    kinds = set(zip(views["td_url"], views["td_referrer"], strict=True))
    assert len(kinds) == sum(len(kinds) for kinds in VISITS.values())
    assert tuple(VISITS) == WORLDS["demo"].channels


def test_the_rules_of_the_union_identify_the_channel_of_every_visit(tmp_path) -> None:
    main(["--out", str(tmp_path), "--users", "200"])
    warehouse = LocalWarehouse(tmp_path, tmp_path / "out", now=START + 30 * SECONDS_PER_DAY)
    query = placeholders.statement(
        ROOT / "queries/union.sql", configuration.load(ROOT / "config/params.yml")
    )
    found = warehouse.query(query).to_pandas()
    views = pd.read_csv(tmp_path / "enriched_pageviews.csv", keep_default_na=False)
    channel_of = {
        (SITE + (f"?utm_{utm}" if utm else ""), referrer): channel
        for channel, kinds in VISITS.items()
        for utm, referrer in kinds
    }
    shown = zip(views["td_url"], views["td_referrer"], strict=True)
    expected = Counter(channel_of[visit] for visit in shown)
    assert set(expected) == set(WORLDS["demo"].channels)
    assert Counter(found.loc[found["conversion"] == 0, "channels"]) == expected


def test_page_views_are_the_touchpoints_of_the_same_world(tmp_path) -> None:
    command = ["--world", "confounded", "--users", "300"]
    main([*command, "--out", str(tmp_path / "touches")])
    main([*command, "--out", str(tmp_path / "pages"), "--tables", "pageviews"])
    rows = pd.read_parquet(tmp_path / "touches/mta_user_rnd.parquet")
    views = pd.read_parquet(tmp_path / "pages/enriched_pageviews.parquet")
    fills = pd.read_parquet(tmp_path / "pages/enriched_formfills.parquet")
    keys = ["time", "canonical_id"]
    assert views[keys].equals(rows.loc[rows["conversion"] == 0, keys].reset_index(drop=True))
    assert fills[keys].equals(rows.loc[rows["conversion"] == 1, keys].reset_index(drop=True))


@pytest.mark.parametrize("world", ["demo", "classic", "interactions"])
def test_the_command_writes_the_same_bytes_twice_however_many_users_at_once(
    world: str, tmp_path
) -> None:
    command = ["--world", world, "--users", "300", "--seed", "4", "--format", "csv"]
    main([*command, "--out", str(tmp_path / "one")])
    main([*command, "--out", str(tmp_path / "other")])
    main([*command, "--out", str(tmp_path / "blocks"), "--block", "70"])
    tables = sorted((tmp_path / "one").glob("*.csv"))
    assert len(tables) >= 2
    for path in [*tables, tmp_path / "one/truth.json"]:
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()
    for path in tables:
        assert path.read_bytes() == (tmp_path / "blocks" / path.name).read_bytes()
    truth, of_blocks = truth_in(tmp_path / "one"), truth_in(tmp_path / "blocks")
    assert truth["switched_off"] == of_blocks["switched_off"]
    assert truth["channel_share"] == pytest.approx(of_blocks["channel_share"])


@pytest.mark.parametrize("world", ["classic", "harmful"])
def test_csv_and_parquet_hold_the_same(world: str, tmp_path) -> None:
    for form in ("csv", "parquet"):
        main(["--out", str(tmp_path), "--world", world, "--users", "400", "--format", form])
    for name in ("mta_user_rnd", "spend"):
        one = pd.read_csv(tmp_path / f"{name}.csv")
        other = pd.read_parquet(tmp_path / f"{name}.parquet")
        pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_the_command_writes_a_world_with_its_truth(tmp_path) -> None:
    command = ["--world", "hazard", "--moment", "any_time", "--users", "500"]
    main([*command, "--out", str(tmp_path)])
    rows = pd.read_parquet(tmp_path / "mta_user_rnd.parquet")
    truth = truth_in(tmp_path)
    assert list(rows) == ["time", "canonical_id", "channels", "conversion", "value"]
    assert rows["conversion"].sum() == truth["conversions"]
    assert rows["value"].sum() == pytest.approx(truth["value"])
    assert rows.loc[rows["conversion"] == 1, "channels"].isna().all()
    assert set(rows["channels"].dropna()) == set(truth["channels"])
    assert rows["value"].notna().equals(rows["conversion"] == 1)
    assert sum(truth["channel_share"].values()) == pytest.approx(1)
    owed = truth["baseline_conversions"] + sum(truth["channel_conversions"].values())
    assert owed == pytest.approx(truth["conversions"])
    owed = truth["baseline_value"] + np.sum(truth["value_by_day_and_channel"])
    assert owed == pytest.approx(truth["value"])
    assert set(truth["switched_off"]) == {*truth["channels"], "(all)"}


@pytest.mark.parametrize("world", ["interactions", "counts", "delayed"])
def test_the_value_function_in_the_truth_is_the_hazard(world: str, tmp_path) -> None:
    main(["--out", str(tmp_path), "--world", world, "--users", "100"])
    truth = truth_in(tmp_path)
    names, parameters = truth["channels"], truth["worth"]
    again = Hazard(
        channels=tuple(names),
        base=parameters["base"],
        relative_risks=tuple(parameters["relative_risks"].values()),
        decay=tuple(parameters["decay"].values()),
        window=truth["window"],
        interactions=tuple(
            (names.index(a), names.index(b), r) for a, b, r in parameters["interactions"]
        ),
        peaks=parameters["peaks"] and tuple(parameters["peaks"].values()),
        saturation=parameters["saturation"],
        second_risks=parameters["second_risks"] and tuple(parameters["second_risks"].values()),
    )
    hazard = WORLDS[world].hazard
    assert again == replace(hazard, decay=hazard.decays)


@pytest.mark.parametrize("world", ["season", "confounded"])
def test_the_truth_of_a_later_beginning_is_that_of_its_conversions(world: str, tmp_path) -> None:
    main(["--out", str(tmp_path), "--world", world, "--users", "500"])
    truth, made = truth_in(tmp_path), simulate(WORLDS[world], seed=18, users=range(500))
    assert from_date(truth, 0)["channel_share"] == pytest.approx(truth["channel_share"])
    later = from_date(truth, 10)
    assert later["conversions"] == (made.dates >= 10).sum() < truth["conversions"]
    of_later = [credit.cells for credit in made.truth.by_date[10:]]
    assert later["conversions_by_day_and_channel"] == pytest.approx(np.sum(of_later, axis=0))
    owed = later["baseline_conversions"] + sum(later["channel_conversions"].values())
    assert owed == pytest.approx(later["conversions"])
    if truth["predicted"]:
        predicted = later["predicted"]
        owed = predicted["baseline_conversions"] + sum(predicted["channel_conversions"].values())
        assert owed == pytest.approx(later["conversions"])


def test_the_confounded_truth_says_both_what_is_and_what_a_predictor_sees(tmp_path) -> None:
    main(["--out", str(tmp_path / "with"), "--world", "confounded", "--users", "2000"])
    main(["--out", str(tmp_path / "no"), "--world", "confounded", "--users", "99", "--no-intent"])
    truth, without = truth_in(tmp_path / "with"), truth_in(tmp_path / "no")
    assert without["intent"] is without["predicted"] is None
    assert truth["intent"]["drives"]["Direct"] > 1
    assert abs(truth["channel_conversions"]["Direct"]) < 1e-9
    assert truth["predicted"]["channel_share"]["Direct"] > 0.05
    predicted = truth["predicted"]
    owed = predicted["baseline_conversions"] + sum(predicted["channel_conversions"].values())
    assert owed == pytest.approx(truth["conversions"])


@pytest.mark.parametrize("world", ["classic", "independent"])
def test_partners_have_users_of_their_own_and_another_mix_of_channels(world: str, tmp_path) -> None:
    main(["--out", str(tmp_path), "--world", world, "--users", "1000", "--partners", "3"])
    folders = ["partner_1", "partner_2", "partner_3", "pooled"]
    assert sorted(path.name for path in tmp_path.iterdir()) == folders
    *parts, pooled = (pd.read_parquet(tmp_path / name / "mta_user_rnd.parquet") for name in folders)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), pooled)
    users = [set(part["canonical_id"]) for part in parts]
    assert sum(map(len, users)) == len(set().union(*users))
    *truths, whole = (truth_in(tmp_path / name) for name in folders)
    assert [truth["users"] for truth in truths] == [333, 333, 334]
    for key in ("conversions", "value", "baseline_conversions"):
        assert sum(truth[key] for truth in truths) == pytest.approx(whole[key])
    assert all(truth["worth"] == whole["worth"] for truth in truths)
    mixes = [part["channels"].value_counts(normalize=True).sort_index() for part in parts]
    assert all(
        (one - other).abs().max() > 0.05 for one in mixes for other in mixes if one is not other
    )


def test_partners_touch_as_often_in_all_and_the_same_for_a_seed() -> None:
    plan = WORLDS["independent"]
    one, other = partners(plan, 3, seed=1), partners(plan, 3, seed=1)
    assert one == other != partners(plan, 3, seed=2)
    for part in one:
        assert sum(part.plan.touching.rates) == pytest.approx(sum(plan.touching.rates))
    alike = partners(ClassicPlan(), 2, seed=1, spread=0.0)
    assert alike[0].plan.frequencies == pytest.approx(ClassicPlan().frequencies)


def test_money_is_spent_where_clicks_are_bought(tmp_path) -> None:
    main(["--out", str(tmp_path), "--world", "independent", "--users", "500", "--format", "csv"])
    spend = pd.read_csv(tmp_path / "spend.csv")
    world = simulate(WORLDS["independent"], seed=18, users=range(500))
    assert list(spend) == ["day", "channel", "spend", "impressions", "clicks"]
    assert len(spend) == 28 * 6
    assert spend["day"].min() == "2026-01-01"
    assert spend["day"].max() == "2026-01-28"
    assert spend["clicks"].tolist() == world.clicks.ravel().tolist()
    assert spend["clicks"].sum() == (~world.rows.conversion).sum()
    free = spend["channel"].isin(["Direct", "Organic Search"])
    assert (spend.loc[free, ["spend", "impressions"]] == 0).all(axis=None)
    paid = spend[spend["channel"] == "Paid Search"]
    assert paid["spend"].tolist() == pytest.approx((paid["clicks"] * 1.2).round(2).tolist())
    display = spend[spend["channel"] == "Display"]
    assert display["impressions"].sum() == pytest.approx(display["clicks"].sum() / 0.004, rel=0.05)
    assert display["spend"].sum() == pytest.approx(display["impressions"].sum() * 0.003, rel=0.01)


def test_impressions_are_never_fewer_than_clicks_and_no_click_costs_nothing() -> None:
    clicks = np.array([[0, 1], [5, 1000]])
    bought = media(("Paid Search", "Nowhere"), clicks, seed=1)
    assert "Nowhere" not in PRICES
    assert (bought.impressions[:, 0] >= clicks[:, 0]).all()
    assert bought.spend.tolist() == [[0.0, 0.0], [6.0, 0.0]]


def test_channels_of_a_file_and_their_errors(tmp_path, capsys) -> None:
    table, out = tmp_path / "channels.csv", str(tmp_path / "out")
    command = ["--out", out, "--world", "classic", "--users", "50", "--channels", str(table)]
    header = "channel,rate,frequency,order_value,deviation\n"
    table.write_text(header + 'Bänner,0.1,0.5,10,0\n"a, b",0.2,0.5,20,0\n', encoding="utf-8")
    main([*command, "--format", "csv"])
    rows = pd.read_csv(Path(out) / "mta_user_rnd.csv")
    assert set(rows["channels"]) == {"Bänner", "a, b"}
    assert set(rows["value"].dropna()) == {10, 20}
    table.write_text(header + "a,0.1,0.5,10,0\nb,0.2,0.4,20,0\n", encoding="utf-8")
    assert "frequencies must sum to 100 %, got 90 %" in refused(capsys, *command)
    table.write_text(header + "a,much,1,10,0\n", encoding="utf-8")
    assert f"{table}: could not convert string to float: 'much'" in refused(capsys, *command)
    table.write_text("channel,rate\na,0.1\n", encoding="utf-8")
    assert f"{table}: wanted a column deviation" in refused(capsys, *command)
    table.unlink()
    assert "No such file" in refused(capsys, *command)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--world", "classic", "--users", "3"], "users must be 50 to 10,000,000, got 3"),
        (["--world", "classic", "--no-intent"], "--no-intent are not for --world classic"),
        (["--touches", "3"], "--touches and --channels are for --world classic only"),
        (["--partners", "1"], "--partners must be at least 2, got 1"),
        (
            ["--users", "2", "--partners", "5"],
            "the number of partners must be 1 to 2, so that each has a user, got 5",
        ),
        (["--world", "hazard", "--tables", "pageviews"], "no URLs for channel 'Search'"),
        (["--block", "0", "--users", "50"], "users_per_block must be at least 1, got 0"),
    ],
    ids=lambda case: " ".join(case) if isinstance(case, list) else "",
)
def test_what_cannot_be_simulated_is_refused_and_nothing_is_left(
    arguments: list[str], message: str, tmp_path, capsys
) -> None:
    assert message in refused(capsys, "--out", str(tmp_path / "out"), *arguments)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_experiment_finds_the_causal_credit_but_for_a_known_noise(tmp_path) -> None:
    named = ["--experiment", "Paid Search", "--experiment", "Direct"]
    arguments = ["--world", "confounded", "--users", "3000", "--format", "csv"]
    distances = []
    for seed in range(20):
        out = tmp_path / str(seed)
        main(["--out", str(out), "--seed", str(seed), *arguments, *named])
        found = pd.read_csv(out / "experiments.csv").set_index("channel")
        truth = truth_in(out)
        credit = truth["channel_conversions"]["Paid Search"]
        assert list(found.index) == ["Paid Search", "Direct"]
        assert found[["first_day", "last_day"]].drop_duplicates().to_numpy().tolist() == [
            ["2026-01-01", "2026-01-28"]
        ]
        assert found.loc["Paid Search", "standard_error"] == pytest.approx(
            max(0.1 * credit, 0.001 * truth["conversions"])
        )
        assert found.loc["Direct", "standard_error"] > 0
        paid = found.loc["Paid Search"]
        distances.append((paid["incremental_conversions"] - credit) / paid["standard_error"])
    assert abs(np.mean(distances)) < 3 / np.sqrt(20)
    assert 0.5 < np.std(distances) < 1.6


def test_an_experiment_is_on_a_channel_of_the_world(tmp_path, capsys) -> None:
    arguments = ["--out", str(tmp_path), "--world", "hazard", "--experiment", "Fax"]
    assert "--experiment must be one of " in refused(capsys, *arguments)
