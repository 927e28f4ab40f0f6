"""The pages of docs/origins: their queries and commands work on small files of that shape.

The queries are written for other engines. Here they run on the local one, on tables of the columns
that the query reads, nested ones flat under their last name.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest
import sqlglot
from sqlglot import exp

from local_runner import __main__ as local_runner
from td_mta import check
from td_mta.warehouse import csv_tables
from td_mta.warehouse.local import LocalWarehouse

PAGES = Path(__file__).parent.parent / "docs" / "origins"
USERS = range(24)
DAY, START = 86400, 1_741_000_000  # 2025-03-03
Tables = Mapping[str, pd.DataFrame]


def visits() -> pd.DataFrame:
    """Two visits of each user, by Email and then by Search, a day apart."""
    rows = [
        (f"u{user:02d}", START + user * 3600 + visit * DAY, ("Email", "Search")[visit])
        for user in USERS
        for visit in range(2)
    ]
    return pd.DataFrame(rows, columns=["user", "time", "channel"])


def orders() -> pd.DataFrame:
    """An order of every third user, an hour after the second visit."""
    rows = [
        (f"u{user:02d}", START + user * 3600 + DAY + 3600, 20.5, f"o{user}") for user in USERS[::3]
    ]
    return pd.DataFrame(rows, columns=["user", "time", "value", "order"])


def iso(seconds: pd.Series) -> pd.Series:
    return pd.to_datetime(seconds, unit="s").dt.strftime("%Y-%m-%d %H:%M:%S")


def ga4() -> Tables:
    sessions = visits().assign(event_name="session_start")
    views = visits().assign(event_name="page_view")
    purchases = orders().assign(event_name="purchase", channel="Search")
    events = pd.concat([sessions, views, purchases])
    return {
        "events": pd.DataFrame(
            {
                "user_pseudo_id": events["user"],
                "event_timestamp": events["time"] * 1_000_000,
                "event_name": events["event_name"],
                "default_channel_group": events["channel"],
                "purchase_revenue": events["value"],
                "transaction_id": events["order"],
                "_table_suffix": "20250303",
            }
        )
    }


def snowplow() -> Tables:
    views = visits().assign(event_name="page_view", refr_medium="search")
    views["mkt_medium"] = views["channel"].where(views["channel"] == "Email")
    own_pages = views.assign(refr_medium="internal", mkt_medium=None, time=views["time"] + 60)
    transactions = orders().assign(event_name="transaction")
    events = pd.concat([views, own_pages, transactions])
    return {
        "events": pd.DataFrame(
            {
                "domain_userid": events["user"],
                "derived_tstamp": iso(events["time"]),
                "event_name": events["event_name"],
                "mkt_medium": events["mkt_medium"],
                "refr_medium": events["refr_medium"],
                "tr_total": events["value"],
                "tr_orderid": events["order"],
            }
        )
    }


def segment() -> Tables:
    views = visits()
    own_pages = views.assign(time=views["time"] + 60, channel="own")
    referrers = {"Search": "https://www.google.com/", "own": "https://www.example.com/shop"}
    pages = pd.concat([views, own_pages])
    return {
        "pages": pd.DataFrame(
            {
                "anonymous_id": pages["user"],
                "timestamp": iso(pages["time"]),
                "context_campaign_medium": pages["channel"].where(pages["channel"] == "Email"),
                "referrer": pages["channel"].map(referrers),
            }
        ),
        "order_completed": pd.DataFrame(
            {
                "anonymous_id": orders()["user"],
                "timestamp": iso(orders()["time"]),
                "revenue": orders()["value"],
                "order_id": orders()["order"],
            }
        ),
    }


def matomo() -> Tables:
    visited, carts = visits(), orders().assign(idgoal=-1)
    conversions = pd.concat([orders().assign(idgoal=0), carts])
    return {
        "matomo_log_visit": pd.DataFrame(
            {
                "idvisitor": visited["user"],
                "visit_first_action_time": iso(visited["time"]),
                "referer_type": visited["channel"].map({"Email": 6, "Search": 2}),
                "referer_name": visited["channel"],
            }
        ),
        "matomo_log_conversion": pd.DataFrame(
            {
                "idvisitor": conversions["user"],
                "server_time": iso(conversions["time"]),
                "idgoal": conversions["idgoal"],
                "revenue": conversions["value"],
            }
        ),
    }


# Page, the dialect of its query, the tables it reads, and what its command finds.
QUERIES = {
    "ga4": (
        "bigquery",
        ga4,
        "user: user_pseudo_id, time: event_timestamp, channel: channel (2 values), "
        "conversion: event_name (where it is purchase), value: revenue",
        "Email 24 (8), Search 24 (8)",
    ),
    "snowplow": (
        "snowflake",
        snowplow,
        "user: domain_userid, time: derived_tstamp, channel: channel (2 values), "
        "conversion: event_name (where it is transaction), value: revenue",
        "Email 24 (8), search 24 (8)",
    ),
    "segment": (
        "postgres",
        segment,
        "user: anonymous_id, time: timestamp, channel: channel (2 values), "
        "conversion: event (where it is order_completed), value: revenue",
        "Email 24 (8), referral 24 (8)",
    ),
    "matomo": (
        "mysql",
        matomo,
        "user: idvisitor, time: server_time, channel: channel (2 values), "
        "conversion: conversion (0/1), value: revenue",
        "Campaign Email 24 (8), Organic Search 24 (8)",
    ),
}


def blocks(page: str, language: str) -> list[str]:
    text = (PAGES / f"{page}.md").read_text("utf-8")
    every = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [content for name, content in every if name == language]


def commands(page: str) -> list[list[str]]:
    """The arguments of each command of a page, its program among them."""
    lines = blocks(page, "")[0].replace("\\\n", " ").splitlines()
    return [shlex.split(line)[2:] for line in lines]


def in_trino(query: str, dialect: str) -> str:
    """The query for the local engine: names without what they are nested in."""
    tree = sqlglot.parse_one(query, read=dialect)
    for table in tree.find_all(exp.Table):
        table.replace(exp.to_table(table.name.rstrip("_*") or "events"))
    for column in tree.find_all(exp.Column, exp.Dot):
        if not isinstance(column.parent, exp.Dot):
            column.replace(exp.column(column.name))
    for call in tree.find_all(exp.Hex, exp.LowerHex):
        call.replace(call.this)
    return tree.sql(dialect="trino")


@pytest.mark.parametrize(
    ("page", "dialect", "tables", "found", "channels"),
    [(page, *rest) for page, rest in QUERIES.items()],
    ids=list(QUERIES),
)
def test_the_query_of_a_page_gives_the_file_that_its_command_reads(
    page: str,
    dialect: str,
    tables: Callable[[], Tables],
    found: str,
    channels: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("raw", "data"):
        (tmp_path / folder).mkdir()
    for name, frame in tables().items():
        frame.to_parquet(tmp_path / "raw" / f"{name}.parquet", index=False)
    warehouse = LocalWarehouse(tmp_path / "raw", tmp_path / "out", now=START)
    answer = warehouse.query(in_trino(blocks(page, "sql")[0], dialect))
    csv_tables.write(answer, tmp_path / "data" / f"{page}.csv")
    for program, *arguments in commands(page):
        assert program in ("td_mta.check", "td_mta.main")
        assert check.main(arguments) == 0  # a run without its model
        lines = capsys.readouterr().out.splitlines()
        assert f"Columns of {page}: {found}; to choose" in lines[0]
        assert "Conversion rows have no channel, so they are no touches." in lines[1]
        facts = {line[:12].strip(): line[13:] for line in lines[2:]}
        assert facts["users"].startswith("24, 8 of whom convert")
        assert facts["conversions"].startswith("8, value 164.00 in all, 0 without one")
        assert facts["channels"].endswith(channels)
        assert facts["days"].startswith("2025-03-03 to 2025-03-05")


def test_a_sheet_as_the_page_shows_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    table = re.findall(r"^\| (.*) \|$", (PAGES / "excel.md").read_text("utf-8"), re.MULTILINE)
    header, _, *rows = [[cell.strip() for cell in line.split("|")] for line in table]
    again = [[f"c{number}", *row[1:]] for number in range(2, 12) for row in rows]
    sheet = pd.DataFrame([*rows, *again], columns=header)
    sheet.to_csv(tmp_path / "data" / "touchpoints.csv", index=False)
    for _, *arguments in commands("excel"):
        assert check.main(arguments) == 0
        lines = capsys.readouterr().out.splitlines()
        assert "user: customer, time: time, channel: channel (2 values)" in lines[0]
        assert any(line.startswith("conversions  11, value 225.50") for line in lines)


def test_orders_of_a_shop_convert_touches_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workflow's first task: what comes after it is the same for every origin."""
    monkeypatch.chdir(PAGES.parent.parent)
    data = tmp_path / "data"
    data.mkdir()
    touches = visits().assign(time=iso(visits()["time"])).rename(columns={"user": "email"})
    touches.to_csv(data / "touches.csv", index=False)
    sold = orders()
    first = pd.DataFrame(
        {
            "Name": sold["order"],
            "Email": sold["user"],
            "Paid at": iso(sold["time"]) + " +0000",
            "Total": sold["value"],
            "Lineitem name": "shirt",
        }
    )
    second = first.assign(**{"Paid at": None, "Total": None, "Lineitem name": "socks"})
    pd.concat([first, second]).to_csv(data / "orders.csv", index=False)
    [[program, run, file, *arguments]] = commands("shopify")
    assert (program, run, file) == ("local_runner", "run", "mta.dig")
    options = [str(data) if word == "data" else word for word in arguments]
    options[options.index("--session") + 1] = "2025-04-01"
    options += ["--out", str(tmp_path / "out")]
    task = ["run", "mta.dig", "+create_union_table"]
    assert local_runner.main([*task, *options]) == 0
    union = pd.read_csv(tmp_path / "out" / "mta_union_conversions.csv")
    assert len(union) == 48 + 8
    assert union["conversion"].sum() == 8
    assert union.loc[union["conversion"] == 1, "value"].sum() == 164


def test_every_page_is_tried() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {*QUERIES, "excel", "shopify"}
