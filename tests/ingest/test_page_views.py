"""What is said of page views: times in other units than seconds, URLs that cannot be read."""

from pathlib import Path

import pytest

from td_mta.config.attribution import Config
from td_mta.ingest import page_views
from td_mta.warehouse.local import LocalWarehouse

NOW = 1772323200  # 2026-03-01 00:00 UTC
DAY_BEFORE = 1772236800


def warnings(folder: Path, rows: list[str], **parameters: str | None) -> list[str]:
    views = ["time,canonical_id,td_url,td_referrer", *rows]
    (folder / "enriched_pageviews.csv").write_text("\n".join(views) + "\n", "utf-8")
    config = Config(enriched_formfills=None, **parameters)  # type: ignore[arg-type]
    return page_views.warnings(config, LocalWarehouse(folder, folder / "out", now=NOW))


def test_seconds_and_readable_urls_need_no_word(tmp_path: Path) -> None:
    urls = [
        "https://shop.example/?a=b|c d",
        "/cart",
        "//shop.example",
        "shop.example/x",
        "",
        "#top",
    ]
    referrers = ["android-app://com.a/", "www.google.com", "about:blank", "(direct)", "?a=b", "-"]
    pairs = zip(urls, referrers, strict=True)

    rows = [f"{DAY_BEFORE},u,{url},{referrer}" for url, referrer in pairs]

    assert warnings(tmp_path, rows) == []


@pytest.mark.parametrize("factor", [10**3, 10**6, 10**9])
def test_another_unit_is_said(tmp_path: Path, factor: int) -> None:
    rows = [f"{DAY_BEFORE},u,,", f"{DAY_BEFORE * factor},u,,"]

    (sentence,) = warnings(tmp_path, rows)

    assert sentence.startswith(
        "1 of the times of enriched_pageviews are in milliseconds, microseconds"
    )


def test_urls_without_a_host_are_counted(tmp_path: Path) -> None:
    rows = [f"{DAY_BEFORE},u,not a url,https://x.example/", f"{DAY_BEFORE},u,https://,page two"]

    of_urls, of_referrers = warnings(tmp_path, rows)

    assert of_urls.startswith("2 of the values of td_url in enriched_pageviews could not be read")
    assert of_referrers.startswith("1 of the values of td_referrer in enriched_pageviews")


def test_a_table_that_the_query_did_not_make_is_not_looked_at(tmp_path: Path) -> None:
    assert warnings(tmp_path, ["1,u,not a url,"], table="other") == []
    assert warnings(tmp_path, ["1,u,not a url,"], union_query="union_touchpoints") == []
