"""Every page in a real Chromium: Debian's, with Playwright, which downloads none of its own."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from td_mta.dashboard.data.source import Source

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE = 90_000  # milliseconds, on a machine with other work
HERE = re.compile(r"(https?|wss?)://(localhost|127\.0\.0\.1)[:/]|data:|blob:|file:")
ATTACK = "<img src=x onerror=window.hit=1>"
# The models that are chosen at first, by the names that readers see.
OURS = {
    "first touch": "first_touch",
    "last touch": "last_touch",
    "linear": "linear",
    "Markov chain": "markov",
}
ROW, HEADER = 35, 35  # pixels of a table


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path, "Chromium is needed: make chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The app, started as its command starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "td_mta.dashboard", "--headless", "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if "TD_MTA" not in name}
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://localhost:{port}"
    until = time.monotonic() + 90
    while time.monotonic() < until:
        with suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=5).close()
            break
        time.sleep(0.2)
    yield url
    server.terminate()
    server.wait(30)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A browser's tab, which must ask nobody outside of this machine and show no dialog."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    tab = context.new_page()
    outside: list[str] = []
    tab.on("request", lambda asked: None if HERE.match(asked.url) else outside.append(asked.url))
    tab.on("pageerror", lambda error: outside.append(f"error: {error}"))
    yield tab
    assert outside == []
    context.close()


def go(page: Page, name: str) -> None:
    """To another page of the app, by its navigation."""
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=PATIENCE)


def shown(page: Page) -> None:
    """The page has been drawn to its end."""
    button = page.get_by_role("button", name="Download this view")
    expect(button).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=PATIENCE
    )


def downloaded(page: Page, button: Locator, folder: Path) -> Path:
    with page.expect_download(timeout=PATIENCE) as waited:
        button.click()
    path = folder / waited.value.suggested_filename
    waited.value.save_as(path)
    return path


def comparison(page: Page, folder: Path) -> pd.DataFrame:
    button = page.get_by_role("button", name="model_comparison.csv")
    return pd.read_csv(downloaded(page, button, folder)).set_index(["model", "channel"])


def type_in_last_column(page: Page, table: Locator, text: str) -> None:
    """Into the first row; a table is a canvas, whose cell opens once it has been drawn."""
    cell = page.locator("#portal input")
    for _ in range(20):
        table.scroll_into_view_if_needed()
        box = table.bounding_box()
        assert box is not None
        page.mouse.dblclick(box["x"] + box["width"] - 60, box["y"] + HEADER + ROW / 2)
        with suppress(PlaywrightTimeout):
            cell.wait_for(timeout=3_000)
            break
    cell.fill(text)
    page.keyboard.press("Enter")


def simulated(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Generate Simulated Data").click()
    expect(page.get_by_text("1,000 users made")).to_be_visible(timeout=PATIENCE)
    shown(page)


def test_simulate_then_change_a_cpc_and_see_the_return_change(
    page: Page, address: str, classic: Source, tmp_path: Path
) -> None:
    simulated(page, address)
    go(page, "Attribution")
    shown(page)
    clicks = classic.facts["touches"][0]  # of Affiliate, the first by name
    models = classic.models().set_index(["model", "channel"])
    value = models.loc[("linear", "Affiliate"), "value"]
    before = comparison(page, tmp_path).loc[("linear", "Affiliate")]
    assert before["CPC"] == pytest.approx(0.8)
    assert before["revenue"] == value
    assert before["ROAS"] == pytest.approx(value / (0.8 * clicks))

    type_in_last_column(page, page.get_by_test_id("stDataFrame").first, "2.5")
    expect(page).to_have_url(re.compile("costs="), timeout=PATIENCE)
    shown(page)
    after = comparison(page, tmp_path).loc[("linear", "Affiliate")]
    assert after["spend"] == pytest.approx(2.5 * clicks)
    assert after["ROAS"] == pytest.approx(value / (2.5 * clicks))
    assert after["ROMS"] == pytest.approx(value / (2.5 * clicks) - 1)

    link = page.url
    page.goto("about:blank")
    page.goto(link)
    shown(page)
    again = comparison(page, tmp_path).loc[("linear", "Affiliate")]
    assert again["ROAS"] == after["ROAS"]


def test_every_page_draws_its_charts_and_a_picture_is_saved(
    page: Page, address: str, tmp_path: Path
) -> None:
    simulated(page, address)
    charts = {"Attribution": 4, "Over time": 1, "Journeys": 4, "Decide": 1, "Quality": 0}
    for name, count in charts.items():
        go(page, name)
        shown(page)
        drawn = page.locator(".js-plotly-plot:has(.main-svg)")
        expect(drawn).to_have_count(count, timeout=PATIENCE)
        assert page.get_by_test_id("stAlertContentError").count() == 0
    go(page, "Journeys")
    shown(page)
    page.get_by_test_id("stSidebar").get_by_text("SVG", exact=True).click()
    chart = page.locator(".js-plotly-plot").first
    chart.hover()
    # The title ends in "as a PNG" until the chart has been drawn again with the new choice.
    picture = downloaded(page, chart.locator("[data-title='Download plot']"), tmp_path)
    assert picture.suffix == ".svg" and "<svg" in picture.read_text(encoding="utf-8")
    page.get_by_placeholder("such as: Email > Paid Search").fill("Email > Email")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Paths that the search finds")).to_be_visible(timeout=PATIENCE)


def test_a_simulation_moves_and_is_cancelled_and_the_page_lives_on(
    page: Page, address: str
) -> None:
    page.goto(f"{address}/?users=5,000,000")
    page.get_by_role("button", name="Generate Simulated Data").click()
    said = page.get_by_text(re.compile(r"\d+%: [\d,]+ of 5,000,000 users"))
    expect(said).to_be_visible(timeout=PATIENCE)
    first = said.inner_text()
    expect(said).not_to_have_text(first, timeout=PATIENCE)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled: nothing was kept")).to_be_visible(timeout=PATIENCE)
    simulated(page, address)


def test_a_strangers_file_is_uploaded_and_its_table_is_the_librarys(
    page: Page, address: str, public: Source, public_file: Path, tmp_path: Path
) -> None:
    page.goto(f"{address}/attribution")
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(public_file)
    expect(page.get_by_text("gets most")).to_be_visible(timeout=PATIENCE)
    shown(page)
    ours = comparison(page, tmp_path)
    library = public.models().set_index(["model", "channel"])
    for (model, channel), found in ours.iterrows():
        row = library.loc[(OURS[model], channel)]
        assert found["conversions"] == row["conversions"]
        assert found["revenue"] == row["value"]
    assert len(ours) == len(OURS) * len(public.channels)


def test_a_media_mix_is_simulated_fitted_and_its_table_downloaded(
    page: Page, address: str, tmp_path: Path
) -> None:
    page.goto(f"{address}/media_mix")
    page.get_by_text("Simulated world", exact=True).click()
    page.get_by_role("button", name="Simulate and fit").click()
    expect(page.get_by_text("most on TikTok")).to_be_visible(timeout=PATIENCE)
    shown(page)
    expect(page.locator(".js-plotly-plot")).to_have_count(10, timeout=PATIENCE)
    button = page.get_by_role("button", name="mmm_channels.csv", exact=True)
    rows = pd.read_csv(downloaded(page, button, tmp_path)).set_index("channel")
    assert rows.loc["TikTok", "marginal_roi"] == rows["marginal_roi"].max()
    assert page.get_by_test_id("stAlertContentError").count() == 0


def test_a_name_that_is_html_is_text_in_the_app_and_in_its_report(
    page: Page, address: str, tmp_path: Path
) -> None:
    file = tmp_path / "paths.csv"
    rows = f"path,conversions,value,nulls\nEmail > {ATTACK},20,200,9\n{ATTACK},5,50,3\n"
    file.write_text(rows, encoding="utf-8")
    page.goto(f"{address}/attribution")
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(file)
    expect(page.get_by_text("gets most")).to_be_visible(timeout=PATIENCE)
    shown(page)
    label = page.locator(".js-plotly-plot").get_by_text(ATTACK[:15]).first  # cut to its length
    expect(label).to_be_attached(timeout=PATIENCE)
    button = page.get_by_role("button", name="Download this view")
    report = downloaded(page, button, tmp_path)
    go(page, "Journeys")
    shown(page)
    assert page.evaluate("window.hit") is None
    page.goto(report.as_uri())
    expect(page.locator(".js-plotly-plot")).to_have_count(3, timeout=PATIENCE)
    assert ATTACK.rstrip(">") in page.inner_text("body")  # a path's channels end at a >
    assert page.evaluate("window.hit") is None
