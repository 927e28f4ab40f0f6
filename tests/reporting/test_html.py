"""The report says what its tables say, warnings first, and loads nothing from anywhere."""

import hashlib
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from plotly.offline import get_plotlyjs_version

from td_mta.reporting import html
from td_mta.reporting.html import bundle, page
from td_mta.tables import REPORT

Frames = dict[str, pd.DataFrame]
PLOTLY = (Path(page.__file__).parent / page.BUNDLE).read_text(encoding="utf-8")
VOID = {"meta", "br", "link", "img", "input", "hr"}
NASTY = "</script><script>alert('x')</script> & \"größer\" 日本語"


def tables(
    credits: dict[str, list[float]],
    baseline: float = 2.0,
    *,
    models: tuple[str, ...] = ("shapley", "last_touch", "linear"),
    value_per_conversion: float = float("nan"),
    spend_per_conversion: float = float("nan"),
    facts: list[tuple[str, str, str]] | None = None,
    kinds: tuple[str, ...] = ("sampling",),
) -> Frames:
    """The output tables of a run: `credits` are conversions per channel and day, day 0 first."""
    channels = sum(sum(days) for days in credits.values())
    total = channels + baseline
    cells = [
        (float(day), channel, conversions)
        for channel, days in credits.items()
        for day, conversions in enumerate(days)
    ]
    detail = pd.DataFrame(
        [*cells, (float("nan"), "(baseline)", baseline)],
        columns=["days_before_conversion", "channel", "conversions"],
    )
    detail["value"] = detail["conversions"] * value_per_conversion
    detail["share"] = detail["conversions"] / total
    detail["lower"] = detail["upper"] = float("nan")
    by_channel = detail.groupby("channel", sort=False)[["conversions", "value", "share"]].sum()
    known = [
        ("conservation", "baseline", str(baseline)),
        ("conservation", "channels", str(channels)),
        ("conservation", "conversions", str(total)),
        ("counts", "touchpoints", "1234"),
        ("counts", "users", "567"),
    ]
    return {
        "detail": detail,
        "models": pd.concat([by_channel.reset_index().assign(model=name) for name in models]),
        "intervals": _intervals(by_channel, kinds),
        "report": _report(by_channel, spend_per_conversion),
        "channel": pd.DataFrame([{name: sum(days) / channels for name, days in credits.items()}]),
        "shapley": pd.DataFrame(credits).assign(days_before_conversion=range(_days(credits))),
        "metrics": pd.DataFrame(
            {"epoch": [1, 2]}
            | {name: [0.5] * 2 for name in ("loss", "rmse", "auc")}
            | {f"val_{name}": [0.6] * 2 for name in ("loss", "rmse", "auc")}
        ),
        "run_info": pd.DataFrame([*known, *(facts or [])], columns=["section", "name", "value"]),
    }


def _intervals(by_channel: pd.DataFrame, kinds: tuple[str, ...]) -> pd.DataFrame:
    """As wide as 1 for sampling, as 3 for full."""
    found = by_channel["conversions"].reset_index()
    wide = {"sampling": 0.5, "full": 1.5}
    parts = [
        found.assign(
            kind=kind,
            lower=found["conversions"] - wide[kind],
            upper=found["conversions"] + wide[kind],
        )
        for kind in kinds
    ]
    empty = pd.DataFrame(columns=["kind", "channel", "conversions", "lower", "upper"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def _report(by_channel: pd.DataFrame, spend: float) -> pd.DataFrame:
    credited = by_channel.drop("(baseline)").reset_index()
    frame = pd.DataFrame(credited, columns=list(REPORT.columns)).astype({"cpm": float})
    return frame.assign(touches=1, users=1, spend=credited["conversions"] * spend, cpa=spend)


def _days(credits: dict[str, list[float]]) -> int:
    return max(len(days) for days in credits.values())


HELD_OUT_MODELS = ("lstm", "logistic", "base_rate")
SMALL = {"Email": [5.0, 1.0], "Display": [-1.0, 3.0]}


def page(frames: Frames) -> str:
    """The page without plotly's own source, which holds every string there is."""
    return html.render(frames, "A title").replace(PLOTLY, "")


def figures(written: str) -> dict[str, Any]:
    found = re.findall(r'id="([\w-]+)" role=.*?json">(.*?)</script>', written, re.DOTALL)
    return {name: json.loads(figure) for name, figure in found}


class Balance(HTMLParser):
    """Every tag is closed by its own end."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


CASES = {
    "usual": tables(SMALL),
    "no intervals": tables(SMALL, kinds=()),
    "intervals of both kinds": tables(SMALL, kinds=("sampling", "full")),
    "one channel, one day": tables({"Email": [3.0]}, 0.0),
    "all values negative": tables({"a": [-1.0, -2.0], "b": [-0.5, 0.0]}, 13.5),
    "values": tables(SMALL, value_per_conversion=12.5),
    "costs": tables(SMALL, spend_per_conversion=2.5),
    "60 channels": tables({f"channel {i}": [float(i), 1.0] for i in range(60)}),
    "nasty names": tables({NASTY: [1.0, 2.0], "<b>bold": [1.0, 1.0], "": [0.5, 0.0]}),
}


@cache
def case(name: str) -> str:
    return page(CASES[name])


JOURNEYS = {
    "lengths_1": '["1", 4.0]',
    "roles_1": '["Email", 0.0, 0.0, 4.0, 1.0]',
    "roles_2": '["<img>", 4.0, 0.0, 0.0, 0.0]',
    "won_1": '["<img> > Email", 4.0, 2.0]',
    "lost_1": '["<img> > Email", 4.0, 2.0]',
    "moves_1": '["(start)", "<img>", 6.0]',
    "moves_2": '["<img>", "Email", 6.0]',
    "moves_3": '["Email", "(conversion)", 4.0]',
    "days_1": "[0, 4.0]",
    "days_2": "[1, 1.0]",
}


@pytest.mark.parametrize("name", CASES)
def test_every_tag_is_closed_and_every_figure_is_json(name: str) -> None:
    parser = Balance()
    parser.feed(case(name))
    assert not parser.open
    drawn = {"model-shares", "intervals", "day-curves"}
    assert set(figures(case(name))) == drawn - ({"intervals"} if name == "no intervals" else set())


@pytest.mark.parametrize("name", CASES)
def test_no_resource_is_loaded(name: str) -> None:
    outside = r"<link|<img|<iframe|@import|url\(|\b(src|href)\s*="
    assert not re.search(outside, case(name))
    assert "default-src 'none'" in case(name)


def test_plotly_is_inside_once() -> None:
    assert html.render(CASES["usual"], "t").count(PLOTLY) == 1


def test_plotly_is_the_part_of_its_release_that_is_known() -> None:
    assert hashlib.sha256(PLOTLY.encode("utf-8")).hexdigest() == bundle.DIGEST
    assert get_plotlyjs_version() == bundle.VERSION
    assert f"v{bundle.VERSION}" in PLOTLY[:200]


@pytest.mark.parametrize("name", CASES)
def test_a_report_is_small(name: str) -> None:
    assert len(html.render(CASES[name], "t").encode("utf-8")) < 1_500_000


@pytest.mark.parametrize("name", CASES)
def test_charts_are_of_the_kinds_that_the_small_library_draws(name: str) -> None:
    kinds = set(re.findall(r'"type":"(\w+)"', case(name)))
    assert kinds <= {"scatter", "bar", "category", "log", "linear"}


def test_the_same_tables_give_the_same_page() -> None:
    assert page(tables(SMALL)) == case("usual")


def test_warnings_stand_before_any_result() -> None:
    facts = [("warnings", "1", "Few conversions of Fax."), ("notes", "1", "Times were converted.")]
    written = page(tables(SMALL, facts=facts))
    assert written.index("Few conversions of Fax.") < written.index("baseline 2 + channels 8")
    assert written.index("Few conversions of Fax.") < written.index("Times were converted.")


def test_a_model_without_figures_gets_no_verdict() -> None:
    assert "predicts" not in case("usual").split("<h2>Credit by channel")[0]


def test_a_run_without_warnings_says_so() -> None:
    written = case("usual")
    assert "<h2>Warnings</h2>\n<p>None.</p>" in written


def test_the_first_line_says_when_the_model_loses() -> None:
    facts = [
        ("warnings", "1", "Few conversions of Fax."),
        ("model", "network", "lstm"),
        ("holdout", "lstm_log_loss", "0.30"),
        ("holdout", "logistic_log_loss", "0.20"),
        ("holdout", "base_rate_log_loss", "0.40"),
    ]
    written = page(tables(SMALL, facts=facts))
    verdict = "(log loss 0.30000) predicts worse than logistic regression (0.20000). Do not rely"
    assert written.index("</h1>") < written.index(verdict) < written.index("Few conversions of Fax")


def won_by_the_lstm() -> list[tuple[str, str, str]]:
    losses = [
        ("holdout", f"{name}_log_loss", f"0.{rank}") for rank, name in enumerate(HELD_OUT_MODELS, 1)
    ]
    return [("model", "network", "lstm"), *losses]


def test_the_first_line_says_when_the_model_wins() -> None:
    facts = won_by_the_lstm()
    won = "better than logistic regression (0.20000) and the base rate (0.30000)."
    assert won in page(tables(SMALL, facts=facts))


def test_held_out_users_of_one_outcome_give_no_verdict() -> None:
    facts = [*won_by_the_lstm(), ("holdout", "base_rate_auc", "nan")]
    written = page(tables(SMALL, facts=facts))
    assert "predicts" not in written.split("<h2>Credit by channel")[0]


def test_logistic_regression_that_is_used_is_not_compared_with_itself() -> None:
    facts = [("model", "network", "logistic"), *won_by_the_lstm()[1:]]
    written = page(tables(SMALL, facts=facts))
    assert "(log loss 0.20000) predicts better than the base rate (0.30000)." in written


def test_costs_stand_beside_the_credit_where_there_are_some() -> None:
    written = page(tables(SMALL, spend_per_conversion=2.5))
    row = r"<td>Email</td>.*<td class=\"number\">6</td>.*<td class=\"number\">15</td>"
    assert re.search(row, written)
    assert "impressions</th>" not in written.split("<h2>Output tables</h2>")[0]
    assert "Credit and cost" not in page(tables(SMALL))


EXPERIMENT = {
    "channel": "Email",
    "first_day": "2026-01-05",
    "last_day": "2026-01-18",
    "incremental": "2.5",
    "error": "0.25",
    "before": "6.0",
    "after": "2.75",
    "z": "-9.5",
    "conflict": "true",
}


def test_experiments_stand_beside_the_model_before_and_after() -> None:
    of = [("experiments", f"1 {name}", value) for name, value in EXPERIMENT.items()]
    of += [("experiments", f"2 {n}", v) for n, v in (EXPERIMENT | {"conflict": "false"}).items()]
    facts = [*of, ("experiments", "unknown_relative_error", "0.5")]
    written = page(tables(SMALL, facts=facts))
    section = written.split("<h2>Experiments</h2>")[1].split("<h2>")[0]
    first, second = section.split("<tbody>")[1].split("</tr>")[:2]
    assert re.findall(r">([^<>]+)</td>", first) == [
        *("Email", "2026-01-05", "2026-01-18", "2.500", "0.2500", "6", "2.750"),
        *("\N{MINUS SIGN}9.500", "in conflict"),
    ]
    assert ">agrees</td>" in second


def test_without_experiments_there_is_no_section_of_them() -> None:
    assert "<h2>Experiments</h2>" not in page(tables(SMALL))


def test_new_and_returning_customers_stand_beside_the_credit_where_some_return() -> None:
    frames = tables(SMALL, facts=[("counts", "conversions_returning", "3")])
    frames["report"]["conversions_returning"] = [1.0, 0.5]
    written = page(frames).split("<h2>Credit by channel</h2>")[1].split("</table>")[0]
    heads = re.findall(r"<th[^>]*>([^<]+)</th>", written)
    assert heads[-2:] == ["of new customers", "of returning ones"]
    cells = [re.findall(r">([^<>]+)</td>", row)[-2:] for row in written.split("</tr>")[1:-1]]
    assert cells == [["5.000", "1.000"], ["1.500", "0.500"], ["0.500", "1.500"]]
    assert "of returning ones" not in page(tables(SMALL))


def test_holdout_figures_stand_model_by_model() -> None:
    facts = [("holdout", "lstm_log_loss", "0.125"), ("holdout", "lstm_auc", "0.75")]
    facts += [("holdout", "base_rate_log_loss", "0.25")]
    row = r"<td>LSTM</td><td class=\"number\">0.1250</td><td class=\"number\">0.7500</td>"
    assert re.search(row, page(tables(SMALL, facts=facts)))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("0.0006", "predicts as well as logistic regression (0.20000) within 2.1 standard errors."),
        ("0.0004", "predicts worse than logistic regression (0.20000). Do not rely"),
    ],
)
def test_the_verdict_depends_on_the_standard_error(error: str, said: str) -> None:
    facts = [
        ("model", "network", "lstm"),
        ("holdout", "lstm_log_loss", "0.201"),
        ("holdout", "logistic_log_loss", "0.20"),
        ("comparison", "lstm_minus_logistic", "0.001"),
        ("comparison", "lstm_minus_logistic_error", error),
    ]
    enough, few = (("comparison", "errors_beyond_noise", value) for value in ("2.1", "inf"))
    assert said in page(tables(SMALL, facts=[*facts, enough]))
    assert "Held-out conversions are too few" in page(tables(SMALL, facts=[*facts, few]))


def test_the_calibration_slope_stands_with_its_error() -> None:
    facts = [
        ("model", "network", "lstm"),
        ("calibration", "lstm_1", bin_of(0.01, 0.012, 1000.0, 12.0)),
        ("calibration_line", "slope", "0.8765"),
        ("calibration_line", "slope_error", "0.0321"),
        ("calibration_line", "intercept", "-0.0123"),
        ("calibration_line", "intercept_error", "0.0456"),
    ]
    written = page(tables(SMALL, facts=facts))
    assert "Calibration slope of the used model: 0.876 ± 0.032" in written
    assert "Intercept at the base rate: -0.012 ± 0.046" in written
    assert "Calibration slope" not in page(tables(SMALL, facts=facts[:2]))


def test_what_chose_the_model_stands_beside_it() -> None:
    facts = [
        *won_by_the_lstm(),
        ("parameters", "network", "auto"),
        ("choice", "pairs_minus_logistic", "-0.0000321"),
        ("choice", "pairs_minus_logistic_error", "0.0000054"),
    ]
    pairs = "logistic regression with pairs minus logistic regression"
    assert f"{pairs} -32.1 ± 5.4." in page(tables(SMALL, facts=facts))


def bin_of(predicted: float, observed: float, examples: float, conversions: float) -> str:
    return json.dumps(
        {
            "predicted": predicted,
            "observed": observed,
            "examples": examples,
            "conversions": conversions,
        }
    )


def test_the_calibration_is_drawn_with_its_counts() -> None:
    facts = [
        ("model", "network", "lstm"),
        ("calibration", "lstm_1", bin_of(0.001, 0.0, 3000.0, 0.0)),
        ("calibration", "lstm_2", bin_of(0.01, 0.012, 1000.0, 12.0)),
        ("calibration", "logistic_1", bin_of(0.02, 0.01, 2000.0, 20.0)),
    ]
    written = page(tables(SMALL, facts=facts))
    _, lstm, logistic = figures(written)["calibration"]["data"]
    assert (lstm["name"], lstm["x"], lstm["y"], lstm["text"]) == ("LSTM", [0.01], [0.012], ["12"])
    assert lstm["error_y"]["array"] == [pytest.approx(2 * (0.012 * 0.988 / 1000) ** 0.5)]
    assert logistic["customdata"] == [[20.0, 2000.0]]
    assert '<td class="number">3,000</td>' in written


def test_the_used_model_is_drawn_beside_logistic_regression() -> None:
    bins = [
        ("calibration", f"{model}_1", bin_of(0.01, 0.01, 1000.0, 10.0))
        for model in ("logistic", "pairs", "mlp")
    ]
    written = page(tables(SMALL, facts=[("model", "network", "mlp"), *bins]))
    _, *drawn = figures(written)["calibration"]["data"]
    assert [points["name"] for points in drawn] == ["MLP", "logistic regression"]


def test_misses_are_listed_and_their_names_are_text() -> None:
    facts = [
        ("misses", "1", f"{NASTY} on day 0: 41 conversions, 22.3 predicted"),
        ("misses", "2", "Of 3 patterns, chance alone puts the worst at 1.3 standard errors."),
        ("convergence", "pairs", f"-0.0123 {NASTY}"),
        ("convergence", "mlp", "+0.0004 Email"),
    ]
    written = page(tables(SMALL, facts=facts))
    assert "&lt;/script&gt;" in written
    assert "<script>alert" not in written
    assert "on day 0: 41 conversions, 22.3 predicted</li>" in written
    assert "<p>Of 3 patterns, chance alone" in written
    pairs = "logistic regression with pairs"
    assert f"From logistic regression to {pairs}: \N{MINUS SIGN}1.2 percentage points" in written
    assert f"From {pairs} to MLP: 0.04 percentage points (Email)." in written


def test_the_used_model_is_named_with_its_reason() -> None:
    facts = [*won_by_the_lstm(), ("parameters", "network", "auto")]
    written = page(tables(SMALL, facts=facts))
    assert "Used: <b>LSTM</b>, the simplest that none above it beats" in written
    assert "<td>LSTM (used)</td>" in written
    assert "<td>logistic regression</td>" in written
    asked = page(tables(SMALL, facts=[*won_by_the_lstm(), ("parameters", "network", "lstm")]))
    assert "Used: <b>LSTM</b>, as <code>network: lstm</code> asks" in asked


def test_differences_of_log_loss_are_told_in_millionths_with_their_errors() -> None:
    facts = [
        *won_by_the_lstm(),
        ("comparison", "lstm_minus_logistic", "-0.000012"),
        ("comparison", "lstm_minus_logistic_error", "0.000003"),
        ("comparison", "lstm_minus_base_rate", "0.0"),
        ("comparison", "lstm_minus_base_rate_error", "0.0"),
    ]
    section = page(tables(SMALL, facts=facts)).split("<h2>Model quality</h2>")[1]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", section.split("</table>")[0])
    dash = "\N{EN DASH}"
    assert cells[::4] == ["LSTM (used)", "logistic regression", "the base rate"]
    assert (cells[2:4], cells[6:8], cells[10:12]) == ([dash, dash], ["12", "3"], ["0", "0"])


def controls_of(shares: dict[str, list[float]]) -> list[tuple[str, str, str]]:
    """Shares of Email, Display and the baseline by what stands before their names."""
    rows = ("Email", "Display", "(baseline)")
    return [
        ("controls", f"{column}: {row}", str(share))
        for column, of_rows in shares.items()
        for row, share in zip(rows, of_rows, strict=True)
    ]


def test_a_run_says_what_its_controls_take() -> None:
    shares = {
        "with all controls": [0.3, 0.1, 0.6],
        "without calendar_day": [0.31, 0.25, 0.44],
        "without user_activity": [0.3004, 0.1, 0.5996],
        "without since_conversion": [0.3008, 0.1008, 0.5984],
    }
    written = page(tables(SMALL, facts=controls_of(shares)))
    section = written.split("<h2>What the controls take</h2>")[1].split("</section>")[0]
    headings = re.findall(r"<th(?: [^>]*)?>(.*?)</th>", section)
    assert headings == ["channel", *shares]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", section)
    assert cells[:5] == ["Email", "30.0%", "31.0%", "30.0%", "30.1%"]
    assert cells[-5:] == ["(baseline)", "60.0%", "44.0%", "60.0%", "59.8%"]
    assert (
        "Without calendar_day (the calendar day, such as weekday, season and special days) the "
        "channels would get 56.0% of the conversions instead of 40.0%; most changed is Display, "
        "from 10.0% to 25.0%." in section
    )
    assert (
        "Without user_activity (how often the user is touched in all) no share of the conversions "
        "changes by more than 0.1 percentage points." in section
    )
    assert (
        "the channels would get 40.2% of the conversions instead of 40.0%, no channel more than "
        "0.1 percentage points of it." in section
    )


def test_a_run_without_controls_has_no_section_of_them() -> None:
    assert "What the controls take" not in case("usual")


def test_a_channel_with_a_colon_keeps_its_share_and_is_text() -> None:
    facts = [
        ("controls", f"{column}: {row}", "0.5")
        for column in ("with all controls", "without calendar_day")
        for row in ("a: <b>", "(baseline)")
    ]
    written = page(tables({"a: <b>": [1.0]}, facts=facts))
    section = written.split("<h2>What the controls take</h2>")[1].split("</section>")[0]
    assert "<td>a: &lt;b&gt;</td>" in section
    assert re.findall(r"\d[\d.]+%", section.split("<table>")[1]) == ["50.0%"] * 4


def test_channels_that_follow_intent_are_named() -> None:
    written = page(tables({"Direct": [2.0], "Paid Search": [1.0], "Email": [5.0]}))
    assert "<b>Direct</b>, <b>Paid Search</b>. People often use such channels" in written
    assert "the 3 conversions (30.0%)" in written
    assert "follow intent" not in case("usual")


def test_a_channel_that_follows_intent_is_text_whatever_its_name() -> None:
    assert "<b>direct&lt;i&gt;</b>" in page(tables({"direct<i>": [1.0]}))


def test_the_conservation_line_adds_up() -> None:
    assert "baseline 2 + channels 8 = 10 conversions" in case("usual")


def test_credits_that_do_not_add_up_are_said_so() -> None:
    frames = tables(SMALL)
    frames["run_info"].loc[2, "value"] = "11.0"
    assert "but 11 were observed: the credits do not add up" in page(frames)


def test_names_from_data_are_text_and_never_tags() -> None:
    facts = [("warnings", "1", NASTY), ("parameters", "shapley_table", NASTY)]
    written = page(tables({NASTY: [1.0, 2.0]}, models=("shapley", NASTY), facts=facts))
    assert "<script>alert" not in written
    assert "&lt;/script&gt;&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp;" in written


def test_a_title_is_text_too() -> None:
    assert "<title>a &lt;b&gt; title</title>" in html.render(tables(SMALL), "a <b> title")


def test_all_channels_are_named_and_the_pictures_say_what_they_leave_out() -> None:
    written = case("60 channels")
    assert all(f"<td>channel {i}</td>" in written for i in range(60))
    assert "the 9 channels with the most credit and the sum of the other 51" in written


def test_what_the_pictures_leave_out_is_in_their_sum() -> None:
    curves = figures(case("60 channels"))["day-curves"]["data"]
    assert [curve["name"] for curve in curves][-1] == "51 other channels"
    assert sum(curve["y"][0] for curve in curves) == sum(range(60))
    assert sum(curve["y"][1] for curve in curves) == 60


def test_few_channels_are_all_drawn_and_nothing_is_said_of_others() -> None:
    assert "the sum of the" not in case("usual")
    assert len(figures(case("usual"))["day-curves"]["data"]) == 2


def test_a_channel_has_one_colour_in_all_pictures() -> None:
    drawn = figures(case("usual"))
    lines = {line["name"]: line["line"]["color"] for line in drawn["day-curves"]["data"]}
    bars = drawn["model-shares"]["data"][0]["marker"]["color"]
    ticks = drawn["model-shares"]["layout"]["yaxis"]["ticktext"]
    for tick, bar in zip(ticks[:-1], bars[:-1], strict=True):
        assert lines[tick.split(" <span")[0]] == bar
        assert bar in tick


def test_every_model_has_its_bars_and_column() -> None:
    written = page(tables(SMALL, models=("last_touch", "shapley", "markov", "linear")))
    bars = figures(written)["model-shares"]["data"]
    assert [bar["name"] for bar in bars if bar.get("showlegend", True)] == [
        *("Shapley values", "last touch", "Markov chain", "linear")
    ]
    assert all(f'<th class="number">{name}</th>' in written for name in ("Markov chain", "linear"))


def test_bars_of_a_model_sum_to_all_conversions() -> None:
    for bar in figures(case("60 channels"))["model-shares"]["data"]:
        if bar["x"] != [None]:
            assert sum(bar["x"]) == pytest.approx(1.0)


def test_value_is_shown_only_where_there_is_one() -> None:
    assert '<th class="number">value</th>' in case("values")
    assert "<dt>value</dt><dd>125</dd>" in case("values")
    assert "<dt>value</dt>" not in case("usual")


def test_a_negative_credit_is_shown_as_such() -> None:
    minus_one = '<td class="number" style="background:rgb(213 94 0 / 0.12)">\N{MINUS SIGN}1</td>'
    assert minus_one in case("usual")


READING = {
    "baseline 0 by construction": (
        tables(SMALL, 0.0, facts=[("parameters", "conversion_row_is_touch", "true")]),
        "0 by construction",
    ),
    "baseline extrapolated": (
        tables(SMALL, facts=[("parameters", "examples", "touch_days")]),
        "an extrapolation",
    ),
    "not causal": (tables(SMALL), "not causal by themselves"),
    "negative": (tables(SMALL), "can be negative"),
}


@pytest.mark.parametrize(("frames", "said"), READING.values(), ids=READING)
def test_the_caveats_of_this_run_are_on_the_page(frames: Frames, said: str) -> None:
    assert said in page(frames)


def test_a_measured_baseline_has_no_caveat() -> None:
    facts = [("parameters", "examples", "person_days")]
    facts += [("parameters", "conversion_row_is_touch", "true")]
    written = page(tables(SMALL, facts=facts))
    assert "by construction" not in written
    assert "an extrapolation" not in written


def test_a_long_table_is_cut_and_says_where_the_rest_is() -> None:
    frames = tables({f"c{i}": [1.0] * 30 for i in range(100)})
    facts = pd.DataFrame([("parameters", "shapley_table", "credit")])
    frames["run_info"] = pd.concat(
        [frames["run_info"], facts.set_axis(["section", "name", "value"], axis=1)]
    )
    assert "1,001 more rows are in the table credit_detail." in page(frames)


def test_each_kind_of_interval_says_what_it_is_about() -> None:
    both, sampling = case("intervals of both kinds"), case("usual")
    assert "a wrong model can have narrow intervals too" in both
    assert "a wrong model can have narrow intervals too" in sampling
    assert "covariance of the model's parameters over 40 groups of users" in both
    assert "covariance of the model's parameters" not in sampling
    assert "interval_refits" not in sampling
    assert "(grey, 90%)" in sampling
    assert "Confidence intervals" not in case("no intervals")


@pytest.mark.parametrize(("network", "told"), [("mlp", True), ("pairs", False)])
def test_full_intervals_of_a_network_say_whose_covariance_they_take(
    network: str, told: bool
) -> None:
    frames = tables(SMALL, kinds=("sampling", "full"), facts=[("model", "network", network)])
    assert ("The MLP is used, and a network has no such covariance" in page(frames)) == told


def test_whiskers_reach_to_the_bounds() -> None:
    sampling, full = figures(case("intervals of both kinds"))["intervals"]["data"]
    assert [sampling["name"], full["name"]] == ["sampling interval", "full interval"]
    assert sampling["x"] == full["x"] == [6.0, 2.0]
    assert sampling["error_x"]["array"] == [0.5, 0.5]
    assert full["error_x"]["arrayminus"] == [1.5, 1.5]


def test_more_models_than_symbols_are_all_drawn() -> None:
    names = ("shapley", *(f"model {number}" for number in range(30)))
    points = figures(page(tables(SMALL, models=names)))["model-shares"]["data"][2:]
    assert [point["name"] for point in points] == list(names[1:])
    looks = {(point["marker"]["symbol"], point["marker"]["color"]) for point in points}
    assert len(looks) == 24  # 12 symbols in two inks


def test_a_section_without_content_leaves_no_gap() -> None:
    assert "<section>\n\n</section>" not in case("no intervals")


def test_the_first_and_the_last_day_are_key_numbers() -> None:
    facts = [("span", "first_day", "2024-03-04"), ("span", "last_day", "2024-03-24")]
    page = html.render(tables({"Email": [4.0]}, facts=facts), "A run")
    assert "<dt>first day</dt><dd>2024-03-04</dd>" in page
    assert "<dt>last day</dt><dd>2024-03-24</dd>" in page
    assert "credited from" not in page
    assert "first day" not in html.render(tables({"Email": [4.0]}), "An older run")


@pytest.mark.parametrize(("credited", "told"), [("2024-03-06", True), ("2024-03-04", False)])
def test_the_first_credited_day_is_told_where_there_is_history(credited: str, told: bool) -> None:
    facts = [("span", "first_day", "2024-03-04"), ("span", "first_credited_day", credited)]
    written = page(tables(SMALL, facts=facts))
    assert ("<dt>credited from</dt><dd>2024-03-06</dd>" in written) == told
    assert ("credited from" in written) == told


def test_journeys_are_drawn_where_a_run_has_them() -> None:
    facts = [("journeys", name, value) for name, value in JOURNEYS.items()]
    written = page(tables(SMALL, facts=facts))
    section = written.split("<h2>Journeys</h2>")[1].split("</section>")[0]
    assert {"transitions", "roles", "journey-lengths", "days-to-conversion"} <= set(
        figures(section)
    )
    assert "Most frequent converting paths" in section and "66.7%" in section
    assert "<img" not in section and "&lt;img&gt; &gt; Email" in section
    assert "<h2>Journeys</h2>" not in page(tables(SMALL))
