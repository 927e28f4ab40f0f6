"""The PNG files of media mix: drawn from any tables, the same bytes for the same ones."""

import logging
import struct
import warnings
from collections.abc import Iterator

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from td_mta.reporting.media_mix import fonts, pictures
from td_mta.reporting.media_mix.frames import NO_NOISE

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HOSTILE = "a$\\frac{1}$ 抖音 <b>"


def tables(channels: list[str]) -> dict[str, pd.DataFrame]:
    """A run of few weeks, whose base is below zero in one of them."""
    weeks = ["2024-01-01", "2024-01-08", "2024-01-15"]
    curve = {"spend": [0.0, 5.0, 10.0], "sales": [0.0, 4.0, 6.0], "lower": [0.0, 2.0, 3.0]}
    curve |= {"upper": [0.0, 7.0, 9.0], "observed": [0, 1, 1]}
    return {
        "mmm_channels": pd.DataFrame({"channel": channels}),
        "mmm_response_curves": pd.concat(
            [pd.DataFrame({"channel": name, **curve}) for name in channels]
        ),
        "mmm_predicted_vs_actual": pd.DataFrame(
            {"date": weeks, "actual": [10.0, None, 12.0], "predicted": [9.0, 11.0, 12.0]}
        ),
        "mmm_contribution_breakdown": pd.DataFrame(
            {"date": weeks, "base": [5.0, -1.0, 6.0], "holiday": [0.0, 1.0, 0.0]}
            | {name: [1.0, 2.0, 3.0] for name in channels}
        ),
        "mmm_run_info": pd.DataFrame({"section": ["counts"], "name": ["kind"], "value": ["week"]}),
    }


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(SIGNATURE)
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize("channels", [["TV"], ["TV", HOSTILE, "Radio", "Print"]], ids=["1", "4"])
def test_pictures_are_drawn_and_their_bytes_follow_from_the_tables(channels: list[str]) -> None:
    drawn = pictures.pictures(tables(channels))
    assert set(drawn) == {
        *("response_curves.png", "predicted_vs_actual.png", "contribution_breakdown.png"),
    }
    assert drawn == pictures.pictures(tables(channels))
    assert all(size(png)[0] == 1200 for png in drawn.values())
    assert size(drawn["response_curves.png"])[1] == 60 + 360 * (2 if len(channels) > 3 else 1)


def test_the_picture_of_the_privacy_utility_curve_has_every_epsilon() -> None:
    columns = ["epsilon", "channel", "contribution_error", "marginal_roi_error", "sales_lost"]
    rows = pd.DataFrame(
        [
            (epsilon, channel, 0.2, 0.3, 0.01)
            for epsilon in ("0.1", "1", NO_NOISE)
            for channel in ("TikTok", "Meta")
        ],
        columns=columns,
    )
    first = pictures.privacy_utility(rows)["privacy_utility_tradeoff.png"]
    assert size(first) == (1200, 480)
    without_one = pictures.privacy_utility(rows[rows["epsilon"] != "0.1"])
    assert first != without_one["privacy_utility_tradeoff.png"]


@pytest.fixture
def only_of_matplotlib(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without further fonts."""
    own = [
        font for font in fonts.fontManager.ttflist if font.name in ("DejaVu Sans", "STIXGeneral")
    ]
    monkeypatch.setattr(fonts.fontManager, "ttflist", own)
    fonts._families.cache_clear()
    yield
    fonts._families.cache_clear()


@pytest.mark.usefixtures("only_of_matplotlib")
def test_a_character_is_drawn_by_a_font_that_has_it_or_by_its_number() -> None:
    figure = Figure()
    FigureCanvasAgg(figure)
    plain, found, lost = (figure.text(0, 0, f"TV {name}") for name in ("Ж", "\U0001d7fb", "抖"))
    usual = plain.get_fontfamily()
    assert fonts.choose(figure) == "抖"
    assert (plain.get_text(), plain.get_fontfamily()) == ("TV Ж", usual)
    assert found.get_fontfamily() == [fonts.USUAL, "STIXGeneral"]
    assert lost.get_text() == "TV \\u6296"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a glyph that is missing
        figure.canvas.draw()


@pytest.mark.usefixtures("only_of_matplotlib")
def test_letters_that_no_font_has_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        pictures.pictures(tables(["抖音", "TV"]))
    assert [record.getMessage() for record in caplog.records] == [
        "no font of this machine has 抖 音: pictures write \\u6296 \\u97f3; a font with these "
        "letters, such as Noto Sans CJK, mends that"
    ]
