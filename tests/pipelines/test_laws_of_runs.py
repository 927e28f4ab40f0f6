"""The laws of credit over whole runs, under every option that changes what is counted or learned.

A shop where Email and Social always touch together, and Banner nobody who ever converts.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta.config import attribution as configuration
from td_mta.model.holdout import RUNGS
from td_mta.pipelines import attribution
from td_mta.warehouse.local import LocalWarehouse

pytestmark = pytest.mark.slow
USERS, DAYS, FIRST_DAY = 400, 24, 19_700
SMALL = {
    "conversion_row_is_touch": "false",
    "network": "pairs",
    "model_width": "4",
    "train_epochs": "1",
    "interval_draws": "50",
}
LINEAR = {
    "all controls": {},
    "logistic": {"network": "logistic"},
    "no controls": {"controls": "none"},
    "past activity": {"controls": "calendar_day, user_activity_past, since_conversion"},
    "returning": {"days_at_risk": "returning"},
    "keep": {"window_after_conversion": "keep"},
    "returning and keep": {"days_at_risk": "returning", "window_after_conversion": "keep"},
    "held-out days": {"holdout": "forward"},
    "touch_days": {"examples": "touch_days"},
    "augmented": {"examples": "touch_days", "augment_last_day": "true"},
    "long window": {"lookback_window_days": "6"},
    "sampled orders": {"shapley_exact_cells": "2", "shapley_permutations": "50"},
}
OPTIONS = LINEAR | {name: {"network": name} for name in ("mlp", "lstm")}
DRAWN = ("all controls", "sampled orders", "lstm")  # intervals, orders of players, and weights
ROWS = ["canonical_id", "time", "channels", "conversion"]
Ran = tuple[Path, dict[str, str]]
RunOnce = Callable[[dict[str, str]], Path]


def shop(seed: int = 3) -> pd.DataFrame:
    """Touches, and conversions as rows of their own."""
    rng = np.random.default_rng(seed)

    def rows(n: int, users: np.ndarray, channels: list[str], conversion: int) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "canonical_id": rng.choice(users, n),
                "time": FIRST_DAY * 86400 + rng.integers(0, DAYS * 86400, n),
                "channels": rng.choice(channels, n) if channels else None,
                "conversion": conversion,
            }
        )

    everyone, converters = np.arange(USERS), np.arange(0, USERS, 2)
    together = rows(900, everyone, ["Email"], 0)
    touches = [together, together.assign(channels="Social")]
    touches += [rows(900, everyone, ["Direct", "Search"], 0)]
    touches += [rows(200, np.arange(1, USERS, 2), ["Banner"], 0)]
    after = together[together["canonical_id"] % 2 == 0].sample(150, random_state=seed)
    bought = after.assign(time=after["time"] + 3600, channels=None, conversion=1)
    table = pd.concat([*touches, bought, rows(150, converters, [], 1)])[ROWS]
    return table.assign(canonical_id="u" + table["canonical_id"].astype(str))


def run(folder: Path, table: pd.DataFrame, options: dict[str, str]) -> Path:
    """The folder of a run's tables."""
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / "mta_user_rnd.csv", index=False)
    out = folder / "out"
    config = configuration.from_params(SMALL | options, "test", out=out)
    attribution.run(config, LocalWarehouse(folder, out, now=0), None)
    return out


def read(out: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(out / f"shapley_{name}.csv")


def facts(out: Path) -> pd.Series:
    return read(out, "run_info").set_index(["section", "name"])["value"]


def by_channel(out: Path) -> pd.Series:
    return read(out, "detail").groupby("channel")["conversions"].sum()


def conversions_since(table: pd.DataFrame, day: str) -> int:
    """Those on a day or after it."""
    seconds = pd.Timestamp(day).value // 10**9
    return int(table.loc[table["time"] >= seconds, "conversion"].sum())


def tolerance(out: Path) -> float:
    """Conversions: sampled orders of players treat channels alike but for their error."""
    return 1e-6 + 5 * float(facts(out)["shapley", "standard_error_conversions"])


@pytest.fixture(scope="module")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> RunOnce:
    """The folder of a run's tables, which is made once for its options."""

    @functools.cache
    def made(options: tuple[tuple[str, str], ...]) -> Path:
        return run(tmp_path_factory.mktemp("laws") / "shop", shop(), dict(options))

    return lambda options: made(tuple(options.items()))


@pytest.fixture(scope="module", params=OPTIONS.values(), ids=OPTIONS)
def ran(request: pytest.FixtureRequest, run_once: RunOnce) -> Ran:
    """A run's tables and its options."""
    return run_once(request.param), request.param


def test_every_conversion_of_the_credited_days_is_credited_once(ran: Ran) -> None:
    out, _ = ran
    info, table = facts(out), shop()
    credited = conversions_since(table, info["span", "first_credited_day"])
    assert int(info["counts", "conversions"]) == credited
    in_history = int(info["counts", "conversions_in_history"])
    assert credited + in_history == table["conversion"].sum()
    models = read(out, "models").groupby("model")["conversions"].sum()
    assert models.to_numpy() == pytest.approx(credited, rel=1e-9)
    assert by_channel(out).sum() == pytest.approx(credited, rel=1e-9)


def test_what_never_precedes_a_conversion_gets_nothing(ran: Ran) -> None:
    assert by_channel(ran[0])["Banner"] == 0


@pytest.mark.parametrize("ran", [OPTIONS[name] for name in DRAWN], ids=DRAWN, indirect=True)
def test_the_same_seed_gives_the_same_tables(ran: Ran, tmp_path: Path) -> None:
    out, options = ran
    again = run(tmp_path / "again", shop(), options)
    for name in ("detail", "models", "intervals"):
        assert (out / f"shapley_{name}.csv").read_bytes() == (
            again / f"shapley_{name}.csv"
        ).read_bytes()


def test_intervals_hold_the_credit(ran: Ran) -> None:
    intervals = read(ran[0], "intervals")
    full = intervals[intervals["kind"] == "full"]
    assert (full["lower"] <= full["conversions"]).all()
    assert (full["conversions"] <= full["upper"]).all()


@pytest.mark.parametrize("ran", LINEAR.values(), ids=LINEAR, indirect=True)
def test_channels_that_always_touch_together_get_the_same(ran: Ran) -> None:
    """Linear rungs alone: a network's random beginning tells the channels apart."""
    out, _ = ran
    credit = by_channel(out)
    assert credit["Email"] != 0
    assert credit["Email"] == pytest.approx(credit["Social"], abs=tolerance(out))


@pytest.mark.parametrize("options", LINEAR.values(), ids=LINEAR)
def test_channels_that_swap_names_swap_credit(
    options: dict[str, str], run_once: RunOnce, tmp_path: Path
) -> None:
    table = shop()
    names = {"Search": "Direct", "Direct": "Search"}
    swapped = table.assign(channels=table["channels"].replace(names))
    given, other = run_once(options), run(tmp_path / "swapped", swapped, options)
    expected = by_channel(given).rename(names).sort_index()
    assert by_channel(other).to_numpy() == pytest.approx(expected.to_numpy(), abs=tolerance(given))


@pytest.mark.parametrize("network", RUNGS)
def test_a_network_that_is_asked_for_is_used(network: str, run_once: RunOnce) -> None:
    out = run_once({"network": network})
    info = facts(out)
    assert info["model", "network"] == network
    assert info["parameters", "network"] == network
    assert f"{network}_minus_base_rate" in info["comparison"]
    rungs = RUNGS[: RUNGS.index(network) + 1]
    assert len(pd.read_csv(out / "metrics.csv")) == len(rungs)
    assert by_channel(out).sum() == pytest.approx(float(info["counts", "conversions"]), rel=1e-9)


def test_history_is_looked_back_on_and_not_credited(tmp_path: Path) -> None:
    table = shop()
    out = run(tmp_path / "shop", table, {"history_days": "3"})
    info, fourth = facts(out), str(np.datetime64(FIRST_DAY + 3, "D"))
    wanted = conversions_since(table, fourth)
    assert info["span", "first_day"] == str(np.datetime64(FIRST_DAY, "D"))
    assert info["span", "first_credited_day"] == fourth
    assert int(info["counts", "conversions"]) == wanted
    assert int(info["counts", "conversions_in_history"]) == table["conversion"].sum() - wanted
    assert float(info["conservation", "conversions"]) == wanted
    models = read(out, "models")
    assert models["model"].nunique() > 5
    by_model = models.groupby("model")["conversions"].sum()
    assert by_model.to_numpy() == pytest.approx(wanted, rel=1e-9)


def test_touches_in_history_count_for_the_conversions_after_it(tmp_path: Path) -> None:
    """Users touched on the third day alone who convert on the fourth: Email's by the rules."""
    table = shop()
    start = FIRST_DAY * 86400
    users = [f"late{number}" for number in range(40)]
    touched = pd.DataFrame({"canonical_id": users, "time": start + 2 * 86400, "channels": "Email"})
    bought = touched.assign(time=start + 3 * 86400 + 60, channels=None, conversion=1)
    more = pd.concat([table, touched.assign(conversion=0), bought])
    last = [
        read(run(tmp_path / name, rows, {"history_days": "3"}), "models").set_index(
            ["model", "channel"]
        )["conversions"]["last_touch", "Email"]
        for name, rows in (("without", table), ("with", more))
    ]
    assert last[1] - last[0] == pytest.approx(40)
