"""`python -m tests.dashboard.picture FILE`: two pages of the app side by side, for the docs."""

import io
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

PORT = 8597
SIZE = {"width": 1180, "height": 1180}
PAGES = ("Attribution", "Journeys")
GAP = 16  # pixels
PATIENCE = 120_000  # milliseconds


def main(file: Path) -> None:
    """Simulate the default world and write the picture of two pages."""
    command = [sys.executable, "-m", "td_mta.dashboard", "--headless", "--port", str(PORT)]
    server = subprocess.Popen(command)
    try:
        _wait()
        with sync_playwright() as playwright:
            path = shutil.which("chromium")
            assert path, "Chromium is needed: make chromium"
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
            page.set_default_timeout(PATIENCE)
            shots = _shots(page)
            browser.close()
    finally:
        server.terminate()
        server.wait()
    width, height = shots[0].size
    both = Image.new("RGB", (2 * width + GAP, height), "#d0d0d5")
    for place, shot in enumerate(shots):
        both.paste(shot, (place * (width + GAP), 0))
    half = both.resize((both.width * 7 // 10, both.height * 7 // 10), Image.Resampling.LANCZOS)
    # by coverage, not by frequency: a channel's colour is a few pixels of many
    small = half.quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
    print(f"{file}: {file.stat().st_size // 1000} kB")


def _shots(page: Page) -> list[Image.Image]:
    page.goto(f"http://localhost:{PORT}")
    page.get_by_role("button", name="Generate Simulated Data").click()
    page.get_by_text("1,000 users made").wait_for()
    shots = []
    for name in PAGES:
        page.get_by_role("link", name=name, exact=True).click()
        page.get_by_role("button", name="Download this view").wait_for()
        costs = page.get_by_text("What the channels cost")
        if costs.count():
            costs.click()  # folded, so that the charts are in the picture
        page.wait_for_timeout(3000)
        shots.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    return shots


def _wait() -> None:
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until:
        with suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"http://localhost:{PORT}/_stcore/health", timeout=5).close()
            return
        time.sleep(0.3)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
