"""Which column is the user, the time, the channel, the conversion and the value of a table."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from td_mta.config.attribution import Config
from td_mta.errors import ConfigError, DataError
from td_mta.ingest import finding
from td_mta.ingest.finding import conversions
from td_mta.ingest.finding.columns import Found
from td_mta.warehouse.local import LocalWarehouse

ROWS = 120
USERS = [f"u{i // 3}" for i in range(ROWS)]  # 40 users of 3 rows
SECONDS = [1709542800 + 3600 * i for i in range(ROWS)]
STAMPS = pd.to_datetime(pd.Series(SECONDS), unit="s")
CHANNELS = [("Email", "Social", "Search")[i % 3] for i in range(ROWS)]
FLAGS = [int(i % 6 == 5) for i in range(ROWS)]
EVENTS = ["purchase" if flag else "page_view" for flag in FLAGS]
VALUES = [20.5 if flag else None for flag in FLAGS]
NUMBERS = list(range(ROWS))
CONTENT = {
    "user": USERS,
    "seconds": SECONDS,
    "micros": [1_000_000 * second for second in SECONDS],
    "iso": STAMPS.astype(str).tolist(),
    "utc": [f"{stamp} UTC" for stamp in STAMPS],
    "day": STAMPS.dt.strftime("%Y%m%d").tolist(),
    "day_first": STAMPS.dt.strftime("%d.%m.%Y %H:%M").tolist(),
    "excel": [45_000 + i for i in range(ROWS)],
    "channel": CHANNELS,
    "code": [i % 3 for i in range(ROWS)],
    "flag": FLAGS,
    "yes_no": ["Yes" if flag else "No" for flag in FLAGS],
    "blank": ["x" if flag else None for flag in FLAGS],
    "event": EVENTS,
    "value": VALUES,
    "euro": ["€ 1.234,50" if flag else None for flag in FLAGS],
    "row": NUMBERS,
    "text": [f"text {i}" for i in range(ROWS)],
    "sparse": [f"known{i // 3}" if i < 20 else None for i in range(ROWS)],
    "gaps": [("email", None, "cpc")[i % 3] for i in range(ROWS)],
    "words": ["(not set)"] * ROWS,
    "country": [("DE", "FR")[i // 3 % 2] for i in range(ROWS)],
    "constant": ["web"] * ROWS,
    "clock": [f"{i % 24:02}:30" for i in range(ROWS)],
    "minutes": [60 * (i % 7) for i in range(ROWS)],
    "hour": [i % 24 for i in range(ROWS)],
    "mail": [f"{i // 3}@example.com" for i in range(ROWS)],
    "epoch_text": [f"1700000000000-{i // 3}" for i in range(ROWS)],
    "stage": [("Customer" if flag else "Lead") for flag in FLAGS],
    "ga_id": [f"{1_234_567_890 + i // 3}.1700000000" for i in range(ROWS)],
    "epoch_id": [1_700_000_000 + i // 3 for i in range(ROWS)],
    "iso_day": STAMPS.dt.strftime("%Y-%m-%d").tolist(),
    "mixed": [
        ("1", "true")[i % 2] if flag else ("0", "false")[i % 2] for i, flag in enumerate(FLAGS)
    ],
}
# A table's columns and what they hold, then user, time, channel, conversion, value.
TABLES = {
    "as in the README": (
        "customer_id=user time=seconds channel=channel conversion=flag order_value=value",
        "customer_id time channel conversion order_value",
    ),
    "kaggle": (
        "User ID=user|Timestamp=iso|Channel=channel|Campaign=country|Conversion=yes_no",
        "User ID|Timestamp|Channel|Conversion|",
    ),
    "cookie, time, interaction": (
        "cookie=user time=iso interaction=event conversion=flag conversion_value=value "
        "channel=channel",
        "cookie time channel conversion conversion_value",
    ),
    "ga4": (
        "event_date=day event_timestamp=micros event_name=event user_id=sparse "
        "user_pseudo_id=user user_first_touch_timestamp=micros medium=channel "
        "session_default_channel_group=channel purchase_revenue=value",
        "user_pseudo_id event_timestamp session_default_channel_group event_name purchase_revenue",
    ),
    "segment": (
        "id=text anonymous_id=user user_id=words event=event received_at=iso sent_at=iso "
        "original_timestamp=iso timestamp=iso context_campaign_source=channel revenue=value",
        "anonymous_id timestamp context_campaign_source event revenue",
    ),
    "snowplow": (
        "app_id=constant collector_tstamp=iso derived_tstamp=iso etl_tstamp=iso event=constant "
        "event_id=text event_name=event domain_userid=user domain_sessionidx=code "
        "domain_sessionid=user network_userid=user mkt_medium=channel mkt_source=channel "
        "tr_total=value",
        "domain_userid derived_tstamp mkt_medium event_name tr_total",
    ),
    "matomo": (
        "idvisit=row idvisitor=user server_time=iso referer_type=code goal=flag revenue=value",
        "idvisitor server_time referer_type goal revenue",
    ),
    "adobe": (
        "mcvisid=user hit_time_gmt=seconds channel=channel purchase=flag price=value",
        "mcvisid hit_time_gmt channel purchase price",
    ),
    "criteo": (
        "timestamp=seconds uid=user campaign=code conversion=flag click=flag cost=value cpo=value",
        "uid timestamp campaign conversion ",
    ),
    "criteo, whose times count from 0": (
        "timestamp=row uid=user campaign=code conversion=flag conversion_timestamp=seconds "
        "cost=value",
        "uid timestamp campaign conversion ",
    ),
    "shop": (
        "Customer ID=user|Order Date=iso|Visit Time=day_first|Marketing Channel=channel|"
        "Purchased=yes_no|Order Value (EUR)=euro",
        "Customer ID|Visit Time|Marketing Channel|Purchased|Order Value (EUR)",
    ),
    "german": (
        "Kundennummer=user Zeitpunkt=day_first Kanal=channel Kauf=blank Umsatz=euro",
        "Kundennummer Zeitpunkt Kanal Kauf Umsatz",
    ),
    "french": (
        "id_client=user horodatage=iso canal=channel achat=flag montant=value",
        "id_client horodatage canal achat montant",
    ),
    "spanish": (
        "id_cliente=user fecha=iso canal=channel compra=flag importe=value",
        "id_cliente fecha canal compra importe",
    ),
    "chinese": (
        "用户id=user 访问时间=iso 渠道=channel 是否转化=flag 转化值\uff08元\uff09=value",
        "用户id 访问时间 渠道 是否转化 转化值\uff08元\uff09",
    ),
    "japanese": (
        "ユーザーID=user 日時=iso 流入元=channel コンバージョン=flag 売上金額=value",
        "ユーザーID 日時 流入元 コンバージョン 売上金額",
    ),
    "korean": (
        "고객 ID=user|방문일시=iso|유입채널=channel|구매여부=yes_no|결제금액=value",
        "고객 ID|방문일시|유입채널|구매여부|결제금액",
    ),
    "russian": (
        "Клиент=user|Дата и время=iso|Канал=channel|Покупка=flag|Выручка=value",
        "Клиент|Дата и время|Канал|Покупка|Выручка",
    ),
    "portuguese, with accents": (
        "usuario=user data_hora=iso canal=channel conversão=flag receita=value",
        "usuario data_hora canal conversão receita",
    ),
    "turkish, polish, dutch, italian": (
        "kullanici=user tarih=iso kanał=channel conversie=flag ricavi=value",
        "kullanici tarih kanał conversie ricavi",
    ),
    "ids that read like epochs": (
        "event_timestamp=iso user_pseudo_id=ga_id session_id=user medium=channel event_name=event",
        "user_pseudo_id event_timestamp medium event_name ",
    ),
    "ids that read like seconds": (
        "customer_id=epoch_id wann=iso channel=channel converted=flag",
        "customer_id wann channel converted ",
    ),
    "the day of a time beside it": (
        "visitor_id=user hit_ts_date=iso_day hit_ts_time=iso channel=channel conversion=flag",
        "visitor_id hit_ts_time channel conversion ",
    ),
    "appsflyer": (
        "AppsFlyer ID=user|Event Time=iso|Media Source=channel|Event Name=event|"
        "Event Revenue=value",
        "AppsFlyer ID|Event Time|Media Source|Event Name|Event Revenue",
    ),
    "appsflyer, whose ids begin as an epoch": (
        "AppsFlyer ID=epoch_text|Event Time=iso|Media Source=channel|Event Name=event",
        "AppsFlyer ID|Event Time|Media Source|Event Name|",
    ),
    "hubspot": (
        "Contact ID=user|Email=mail|Interaction Date=iso|Original Source=channel|"
        "Lifecycle Stage=stage|Became a customer=yes_no",
        "Contact ID|Interaction Date|Original Source|Became a customer|",
    ),
    "salesforce": (
        "Lead ID=user|Campaign Type=channel|First Responded Date=iso|Member Status=stage|"
        "Converted=yes_no",
        "Lead ID|First Responded Date|Campaign Type|Converted|",
    ),
    "mixpanel, with one medium": (
        "distinct_id=user time=seconds event=event utm_source=channel utm_medium=constant",
        "distinct_id time utm_source event ",
    ),
    "kochava, with hours": (
        "kochava_device_id=user date=iso_day hour=hour network=channel event_name=event",
        "kochava_device_id date network event_name ",
    ),
    "flags written in several ways": (
        "user_id=user session_start=iso landing_page=channel device_type=channel "
        "referrer_source=channel is_converted=mixed",
        "user_id session_start referrer_source is_converted ",
    ),
    "camel case": (
        "visitorId=user eventTime=iso utmSource=channel isConversion=flag orderValue=value",
        "visitorId eventTime utmSource isConversion orderValue",
    ),
    "a time of day is no time": (
        "user_id=user time=minutes date=day channel=channel conversion=flag",
        "user_id date channel conversion ",
    ),
    "two ids of the same users": (
        "user_id=user customer_id=user time=utc channel=channel conversion=flag",
        "user_id time channel conversion ",
    ),
    "days of a spreadsheet": (
        "user_id=user date=excel channel=channel converted=flag revenue=value",
        "user_id date channel converted revenue",
    ),
    "names that say nothing": (
        "a=user b=iso c=channel d=flag e=row",
        "a b c d ",
    ),
    "parts of names": (
        "crm_visitor=user hit_datetime=iso last_channel=channel did_convert=flag net_amount=value",
        "crm_visitor hit_datetime last_channel did_convert net_amount",
    ),
    "a medium that direct visits lack": (
        "customer_id=user started_at=iso utm_source=channel utm_medium=gaps utm_campaign=sparse "
        "converted=flag",
        "customer_id started_at utm_source converted ",
    ),
    "an empty value is none": (
        "user_id=user time=iso channel=channel conversion=flag value=words",
        "user_id time channel conversion ",
    ),
}


def split(text: str) -> list[str]:
    return text.split("|") if "|" in text else text.split(" ")


def warehouse(folder: Path, columns: str) -> LocalWarehouse:
    pairs = (pair.split("=") for pair in split(columns))
    frame = pd.DataFrame({name: CONTENT[content] for name, content in pairs})
    frame.to_csv(folder / "touches.csv", index=False)
    return LocalWarehouse(folder, folder / "out", now=0)


def found(folder: Path, columns: str, *, everything: bool = True, **chosen: str | None) -> Found:
    config = replace(Config(), table="touches", **chosen)
    file = folder / "touches.csv" if everything else None
    tables = warehouse(folder, columns)
    return finding.find(config, {"table", *chosen}, tables, file=file, local=True)


def names(config: Config) -> Sequence[str | None]:
    return (
        *(config.user_column, config.time_column, config.action_column),
        *(config.conversion_column, config.value_column),
    )


@pytest.mark.parametrize(("columns", "expected"), TABLES.values(), ids=list(TABLES))
def test_columns_are_found_by_name_and_content(columns: str, expected: str, tmp_path: Path) -> None:
    config = found(tmp_path, columns).config
    assert [name or "" for name in names(config)] == split(expected)
    has_events = CONTENT["event"] == CONTENT[dict(map(_pair, split(columns)))[split(expected)[3]]]
    assert config.conversion_value_is == ("purchase" if has_events else None)


def _pair(text: str) -> tuple[str, str]:
    name, _, content = text.partition("=")
    return name, content


def test_what_they_were_taken_for_is_one_line_with_the_way_to_say_otherwise(
    tmp_path: Path,
) -> None:
    line = found(tmp_path, TABLES["as in the README"][0]).notes[0]
    assert line == (
        "Columns of touches: user: customer_id, time: time, channel: channel (3 values), "
        "conversion: conversion (0/1), value: order_value; to choose others, --set one of "
        "user_column, time_column, action_column, conversion_column, value_column."
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            "user_id=user customer_id=country time=iso channel=channel conversion=flag",
            "user_id and customer_id could each be the user; choose one with "
            "--set user_column=user_id or another of them",
        ),
        (
            "time=iso channel=channel conversion=flag note=constant",
            "no column was found for the user (user_column); it has time, channel, conversion, "
            "note; name it with --set user_column=…",
        ),
        (
            "user_id=user when=text channel=channel conversion=flag",
            "no column was found for the time (time_column); it has",
        ),
        (
            "user_id=user time=iso conversion=flag amount=value",
            "no column was found for the channel (action_column); it has",
        ),
        (  # neither is how a visitor came
            "user_id=user time=iso conversion=flag device_type=channel exit_page=channel",
            "no column was found for the channel (action_column); it has",
        ),
        (
            "user_id=user time=iso channel=channel amount=value",
            "no column was found for the conversion (conversion_column); it has",
        ),
        (
            "user_id=user time=iso medium=channel event_name=country",
            "where a value of event_name converts (DE, FR) with --set conversion_column=event_name "
            "--set conversion_value_is=…",
        ),
        (
            "user_id=user time=iso channel=channel",
            "name it with --set conversion_column=…; where orders are a table of their own, name "
            "it with --set orders_table=…",
        ),
        (
            "time=seconds canonical_id=user td_url=channel td_referrer=country form_id=code",
            "if its rows are page views, their channels come from their addresses: "
            "python -m local_runner run mta.dig",
        ),
        (
            "user_id=user order_date=iso ship_date=iso channel=channel conversion=flag",
            "order_date and ship_date could each be the time; choose one with",
        ),
        (
            "u=user t=iso a=flag b=flag channel=channel",
            "a and b could each be the conversion; choose one with --set conversion_column=a",
        ),
        (
            "a=iso b=flag",
            "no column was found for the user (user_column) and the channel (action_column); it "
            "has a, b; name it with --set user_column=… --set action_column=…",
        ),
    ],
)
def test_what_cannot_be_decided_is_asked(columns: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        found(tmp_path, columns)


@pytest.mark.parametrize(
    ("users", "pair"),
    [
        ([f"{'Uu'[i % 2]}{i // 4}@x.com" for i in range(ROWS)], "u0@x.com from U0@x.com"),
        ([f"{'0' * (i % 2 * 3)}{i // 4 + 1}" for i in range(ROWS)], "0001 from 1"),
    ],
)
def test_users_that_are_written_in_two_ways_are_told(
    users: list[str], pair: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTENT, "user", users)
    (note,) = [
        n for n in found(tmp_path, TABLES["as in the README"][0]).notes if "users differ" in n
    ]
    assert f"such as {pair}, and count" in note


def test_users_that_are_written_in_one_way_are_not(tmp_path: Path) -> None:
    assert not any("users differ" in n for n in found(tmp_path, TABLES["kaggle"][0]).notes)


def test_a_column_that_the_user_named_stays_and_a_missing_one_is_called_by_its_parameter(
    tmp_path: Path,
) -> None:
    columns = "user_id=user time=iso channel=channel campaign=country conversion=flag"
    assert found(tmp_path, columns, action_column="campaign").config.action_column == "campaign"
    with pytest.raises(DataError) as caught:
        found(tmp_path, columns, action_column="campain")
    assert str(caught.value) == (
        "table touches: no column 'campain' (action_column); it has user_id, time, channel, "
        "campaign, conversion; did you mean 'campaign'? Set it with --set action_column=…, "
        "or in config/params.yml"
    )


def test_a_table_that_the_workflow_made_is_checked_by_its_names_alone(tmp_path: Path) -> None:
    canonical = "canonical_id=user time=seconds channels=channel conversion=flag"
    tables = warehouse(tmp_path, canonical)
    finding.check_columns(replace(Config(), table="touches"), tables)
    config = replace(Config(), table="touches", action_column="chanels")
    with pytest.raises(DataError, match=r"no column 'chanels' \(action_column\).*'channels'\?"):
        finding.check_columns(config, tables)


def test_without_a_file_only_a_default_that_the_table_lacks_is_replaced(tmp_path: Path) -> None:
    columns = "customer_id=user time=iso channel=channel conversion=flag order_value=value"
    config = found(tmp_path, columns, everything=False).config
    assert names(config) == ("customer_id", "time", "channel", "conversion", None)
    canonical = "canonical_id=user time=seconds channels=channel conversion=flag"
    config, notes = found(tmp_path, canonical, everything=False)
    assert names(config) == ("canonical_id", "time", "channels", "conversion", None)
    assert notes == []


def test_a_file_that_repeats_the_defaults_chooses_nothing() -> None:
    config = replace(Config(), conversion_column="converted")
    chosen = finding.columns.chosen_parameters(config, {"table"})
    assert chosen == {"conversion_column", "table"}


def test_events_that_convert_are_found_in_a_column_that_the_user_named(tmp_path: Path) -> None:
    columns = "user_id=user time=iso channel=channel kind=event"
    config, notes = found(tmp_path, columns, everything=False, conversion_column="kind")
    assert config.conversion_value_is == "purchase"
    assert "conversion: kind (where it is purchase)" in notes[0]
    chosen = {"conversion_column": "kind", "conversion_value_is": "page_view"}
    assert found(tmp_path, columns, **chosen).config.conversion_value_is == "page_view"


def test_two_values_are_not_guessed(tmp_path: Path) -> None:
    columns = "user_id=user time=iso channel=channel conversion=flag revenue=value value=row"
    config, notes = found(tmp_path, columns)
    assert config.value_column is None
    assert "No value is taken, since revenue and value could both be it" in notes[1]


def test_a_time_of_day_in_a_column_of_its_own_is_read_with_its_day(tmp_path: Path) -> None:
    columns = "user_id=user date=day time=clock channel=channel conversion=flag"
    config, notes = found(tmp_path, columns)
    assert config.time_column == "date + time"
    assert "time: date + time" in notes[0]
    assert "Column date has days alone and time the time of day, so both are read" in notes[1]


def test_days_alone_are_read_where_that_was_chosen(tmp_path: Path) -> None:
    columns = "user_id=user date=day time=clock channel=channel conversion=flag"
    config, notes = found(tmp_path, columns, time_column="date")
    assert config.time_column == "date"
    assert "in column time is not read" in notes[1] and "time_column='date + time'" in notes[1]
    assert found(tmp_path, columns, time_column="date + time").config.time_column == "date + time"
    with pytest.raises(DataError, match=r"no column 'date \+ tim'"):
        found(tmp_path, columns, time_column="date + tim")


def test_a_duration_is_no_time_of_day(tmp_path: Path) -> None:
    columns = "user_id=user date=day visit_duration=clock channel=channel conversion=flag"
    config, notes = found(tmp_path, columns)
    assert config.time_column == "date" and not any("days alone" in note for note in notes)


def test_of_two_times_of_day_one_is_chosen(tmp_path: Path) -> None:
    columns = "user_id=user date=day begin=clock end=clock channel=channel conversion=flag"
    config, notes = found(tmp_path, columns)
    assert config.time_column == "date"
    assert "in column begin or end is not read" in notes[1]


def test_a_table_without_rows_is_decided_by_names(tmp_path: Path) -> None:
    (tmp_path / "touches.csv").write_text("uid,timestamp,kanal,converted\n")
    tables = LocalWarehouse(tmp_path, tmp_path / "out", now=0)
    config = replace(Config(), table="touches")
    config, _ = finding.find(config, {"table"}, tables, file=Path("touches.csv"), local=True)
    assert names(config) == ("uid", "timestamp", "kanal", "converted", None)


def test_no_table_named_says_how_to_name_one(tmp_path: Path) -> None:
    tables = warehouse(tmp_path, TABLES["german"][0])
    with pytest.raises(ConfigError, match=r"no table was named: give its file.* there is touches"):
        finding.find(Config(), set(), tables, file=None, local=True)


CONVERSION_ROWS = {
    "no channel": ([None], None, "have no channel, so they are no touches"),
    "channels of their own": (["order", "form"], False, "(form, order) occur on no other row"),
    "one channel that says nothing": (["Direct"], False, "all of them have the channel Direct"),
    "one of the channels, always": (["Email"], False, "all of them have the channel Email"),
    "as other rows": (["Email", "Search"], True, "count as touches of their channels"),
    "some without": (["Email", "Search", None], True, "count as touches of their channels"),
}


@pytest.mark.parametrize(
    ("channels", "is_touch", "reason"), CONVERSION_ROWS.values(), ids=list(CONVERSION_ROWS)
)
def test_whether_conversion_rows_are_touches_is_decided_by_their_channels(
    channels: list[str | None], is_touch: bool | None, reason: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame(
        {"user_id": USERS, "time": SECONDS, "channel": CHANNELS, "conversion": FLAGS}
    )
    converts = frame["conversion"] == 1
    frame.loc[~converts, "channel"] = (["Direct", "Email", "Search"] * ROWS)[: (~converts).sum()]
    frame.loc[converts, "channel"] = (channels * ROWS)[: converts.sum()]
    frame.to_csv(tmp_path / "touches.csv", index=False)
    tables = LocalWarehouse(tmp_path, tmp_path / "out", now=0)
    config = replace(Config(), table="touches")
    file = tmp_path / "touches.csv"
    result = finding.find(config, {"table"}, tables, file=file, local=True)
    assert reason in result.notes[-1]
    assert result.config.conversion_row_is_touch is (True if is_touch is None else is_touch)
    chosen = {"table", "conversion_row_is_touch"}
    kept = finding.find(config, chosen, tables, file=file, local=True)
    assert kept.config.conversion_row_is_touch and len(kept.notes) == 1


@pytest.mark.parametrize("channel", ["(direct)", "(none)", "Direct", "purchase"])
def test_few_conversions_of_a_channel_that_says_nothing_are_events(channel: str) -> None:
    counted = conversions.Channels(
        of_conversions=Counter({channel: 2}), of_others=Counter({channel: 3, "Email": 4})
    )
    assert not conversions.decide_by(counted).is_touch
