"""Every page's widgets and errors, run by Streamlit without a browser."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from td_mta.dashboard import downloads, report_file, show, uploads
from td_mta.dashboard.__main__ import APP
from td_mta.dashboard.data import jobs, plans
from td_mta.dashboard.data.source import Source
from td_mta.dashboard.screens import (
    attribution,
    choices,
    costs_editor,
    journeys,
    over_time,
    quality,
)
from td_mta.dashboard.screens.choices import Chosen
from td_mta.dashboard.view import Sentences, View

HTML = "<img src=x onerror=alert(1)>"
PAGES = ("synthesizer", "attribution", "over_time", "journeys", "decide", "quality")


def app(page: str, source: Source | None = None, **parameters: str) -> AppTest:
    """A page in a session of its own, with a source and an address."""
    script = f"from td_mta.dashboard.screens import {page}\n{page}.page()\n"
    tested = AppTest.from_string(script, default_timeout=60)
    if source is not None:
        tested.session_state["source_key"] = source.key
    for name, value in parameters.items():
        tested.query_params[name] = value
    return tested.run()


def finding(tested: AppTest) -> str:
    return str(tested.subheader[0].value)


def models(tested: AppTest) -> Any:
    """The pills of models."""
    return next(group for group in tested.button_group if group.label == "Models")


def errors(tested: AppTest) -> list[str]:
    assert not tested.exception, tested.exception[0].message
    return [error.value for error in tested.error]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", ["classic", "public", "counted"])
def test_every_page_shows_every_source(
    page: str, name: str, request: pytest.FixtureRequest
) -> None:
    source: Source = request.getfixturevalue(name)
    tested = app(page, source)
    assert errors(tested) == []
    if (page, name) not in {("over_time", "counted"), *(("synthesizer", n) for n in OTHERS)}:
        assert finding(tested)
    assert not re.search(r"(?<!\\)<img", " ".join(str(m.value) for m in tested.markdown))


OTHERS = ("public", "counted")


def test_no_folder_beside_the_apps_script_is_one_that_streamlit_takes_for_its_pages() -> None:
    assert not APP.with_name("pages").exists()  # the first address of an app would show nothing


@pytest.mark.parametrize("page", PAGES[1:])
def test_a_page_without_data_says_what_to_do(page: str) -> None:
    tested = app(page)
    assert errors(tested) == []
    assert "No data yet" in tested.info[0].value


def test_a_link_to_data_that_is_gone_says_so() -> None:
    tested = app("journeys", data="0123456789abcdef")
    assert "no longer held" in tested.warning[0].value
    assert errors(tested) == []


def test_a_link_restores_data_models_lookback_order_and_costs(public: Source) -> None:
    costs = json.dumps({"CPC": [1.0, 2.0, None, 0.5, 4.0]})
    tested = app(
        "attribution", data=public.key, models="linear", lookback="7", order="2", costs=costs
    )
    assert errors(tested) == []
    assert models(tested).value == ["linear"]
    assert [box.value for box in tested.selectbox if box.label.startswith(("Look", "Mark"))] == [
        *("7", "2"),
    ]
    assert any("lookback 7 days" in caption.value for caption in tested.caption)
    spent = tested.session_state["given_costs_spend"][public.key]
    clicks = dict(zip(public.channels, public.facts["touches"], strict=True))
    first, second, third, *_ = public.channels
    assert spent[first] == clicks[first] and spent[second] == 2 * clicks[second]
    assert spent[third] != spent[third]  # none was given


def test_choosing_models_changes_what_the_title_states(classic: Source) -> None:
    tested = app("attribution", classic)
    assert "by first touch" in finding(tested)
    models(tested).set_value(["markov"]).run()
    assert errors(tested) == [] and "by Markov chain" in finding(tested)
    models(tested).set_value([]).run()
    assert "Choose at least one model" in tested.info[0].value


def test_the_total_of_frequencies_is_said_at_once_and_one_click_corrects_it() -> None:
    rows = plans.default_channels()
    rows[plans.FREQUENCY] = [25, 10, 30, 30, 10]
    tested = app("synthesizer", channels=json.dumps(rows.to_numpy(object).tolist()))
    assert errors(tested) == [
        show.plain(
            "Relative frequencies must total 100 %, they total 105 %: change them, or press "
            "Normalise."
        )
    ]
    generate = next(b for b in tested.button if b.label == "Generate Simulated Data")
    assert generate.disabled
    next(b for b in tested.button if b.label == "Normalise to 100 %").click().run()
    assert errors(tested) == []


def test_channels_of_a_link_that_cannot_be_read_are_the_defaults() -> None:
    for text in ("nonsense", "[1,2]", '{"a":1}'):
        assert errors(app("synthesizer", channels=text)) == []


@pytest.mark.slow
def test_a_simulation_runs_in_the_background_and_is_at_once_on_the_page() -> None:
    tested = app("synthesizer", users="50", seed="3")
    next(b for b in tested.button if b.label == "Generate Simulated Data").click().run()
    key = tested.session_state["simulation"]
    assert jobs.wait(jobs.workspace() / key, 60).status == "done"
    tested.run()
    assert errors(tested) == []
    assert finding(tested).replace("\\", "").startswith("50 users made")
    assert tested.session_state["source_key"] == key


@pytest.mark.slow
def test_an_upload_that_is_no_table_is_an_error_and_the_page_lives_on(
    public_file: Path,
) -> None:
    tested = app("attribution")
    tested.file_uploader[0].set_value(("empty.csv", b"", "text/csv")).run()
    assert errors(tested) == [show.plain(uploads.EMPTY)]
    tested.file_uploader[0].set_value(("a.csv", b"a,b\n1,2\n3,4\n", "text/csv")).run()
    assert jobs.wait(jobs.workspace() / tested.session_state["reading"], 60).status == "failed"
    tested.run()
    (sentence,) = errors(tested)
    assert "column" in sentence
    assert [box.options[1:] for box in tested.selectbox if box.label == "User"] == [["a", "b"]]
    content = public_file.read_bytes()
    tested.file_uploader[0].set_value(("public.csv", content, "text/csv")).run()
    assert jobs.wait(jobs.workspace() / tested.session_state["reading"], 60).status == "done"
    tested.run()
    assert errors(tested) == []
    assert "gets most" in finding(tested)
    assert [box.value for box in tested.selectbox if box.label == "User"] == ["customer_id"]


@pytest.mark.slow
def test_what_a_message_asks_to_set_can_be_set() -> None:
    rows = "".join(
        f"u{i % 40},0{1 + i % 9}/0{1 + i % 4}/2024,{channel},{int(i % 7 == 0)}\n"
        for i, channel in enumerate(["Email", "Search", "Social"] * 60)
    )
    content = f"user,time,channel,conversion\n{rows}".encode()
    tested = app("attribution")
    tested.file_uploader[0].set_value(("either.csv", content, "text/csv")).run()
    assert jobs.wait(jobs.workspace() / tested.session_state["reading"], 60).status == "failed"
    tested.run()
    assert "day_first or month_first" in errors(tested)[0].replace("\\", "")
    for text in ("day first", "out=/etc"):
        read_with(tested, text)
        assert any("is no setting here" in sentence for sentence in errors(tested))
    read_with(tested, "time_format=day_first")
    assert jobs.wait(jobs.workspace() / tested.session_state["reading"], 60).status == "done"
    tested.run()
    assert errors(tested) == []
    (settings,) = (box for box in tested.text_input if box.label == "Other settings")
    assert settings.value == "time_format=day_first"
    captions = " ".join(caption.value for caption in tested.caption).replace("\\", "")
    assert "2024-01-01 to 2024-04-09" in captions


def read_with(tested: AppTest, text: str) -> None:
    """Type settings and press the button of the columns."""
    next(box for box in tested.text_input if box.label == "Other settings").set_value(text)
    label = "Read with these columns"
    next(button for button in tested.button if button.label == label).click().run()


def test_two_sessions_do_not_see_each_others_data(classic: Source, public: Source) -> None:
    one, other = app("quality", classic), app("quality", public)
    one.run()
    assert one.session_state["source_key"] != other.session_state["source_key"]
    captions = [[caption.value for caption in of.caption] for of in (one, other)]
    assert [any("classic world" in text for text in texts) for texts in captions] == [True, False]


def test_moving_a_budget_to_the_same_channel_changes_nothing(classic: Source) -> None:
    tested = app("decide", classic, move_from="Email", move_to="Email")
    assert errors(tested) == []
    change = next(m for m in tested.metric if m.label == "Conversions, change")
    assert change.value == "0.0"
    assert any("not causal" in warning.value for warning in tested.warning)


@pytest.mark.parametrize("text", ["a*b", HTML, "[x](http://e.org)", ":red[no]", "$x$", "www.a.org"])
def test_plain_leaves_no_character_that_markdown_acts_on(text: str) -> None:
    escaped = show.plain(text)
    assert escaped.replace("\\", "") == text
    assert all(
        escaped[i - 1] == "\\"
        for i, letter in enumerate(escaped)
        if letter in "*<>[]():$.!_`#|~&" and letter != "\\"
    )


def test_a_cell_that_begins_like_a_formula_is_none_in_a_download() -> None:
    frame = pd.DataFrame({"channel": ["=cmd|' /C calc'!A0", "Email"], "n": [-1.5, 0.1]})
    lines = downloads.csv(frame).decode().splitlines()
    assert lines == ["channel,n", "'=cmd|' /C calc'!A0,-1.5", "Email,0.1"]


def views(source: Source) -> list[View]:
    rows = source.models()
    chosen = Chosen(["linear", "markov"], rows, None, None)
    costs = costs_editor.spend.table_of(source.channels, source.facts["touches"], {})
    found = [
        attribution.view(source, chosen, costs_editor.Costs(costs, "CPC")),
        journeys.view(source, "email"),
        quality.view(source),
    ]
    days = over_time.view(source)
    return found if days is None else [*found, days]


@pytest.mark.parametrize("name", ["classic", "counted"])
def test_a_view_is_exported_as_a_file_that_loads_nothing_and_escapes_names(
    name: str, request: pytest.FixtureRequest
) -> None:
    source: Source = request.getfixturevalue(name)
    pages = {view.page: report_file.html(view) for view in views(source)}
    assert ("&lt;img" in pages["attribution"]) == (name == "counted")
    assert set(pages) <= set(PAGES)
    for page in pages.values():
        assert "<img" not in page
        assert "default-src 'none'" in page
        assert len(page) < 1_500_000


def test_a_report_of_sentences_alone_has_a_title() -> None:
    view = View(page="quality", finding="a < b", source="", blocks=[Sentences(lines=["x"])])
    assert "<h1>a &lt; b</h1>" in report_file.html(view)


def test_charted_channels_are_sorted_by_the_first_models_credit(classic: Source) -> None:
    rows = classic.models()
    charted = choices.charted(rows, "linear")
    linear = rows[rows["model"] == "linear"].set_index("channel")["conversions"]
    assert charted == sorted(charted, key=lambda name: -linear[name])
