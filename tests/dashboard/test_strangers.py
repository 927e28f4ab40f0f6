"""Files of strangers: the same 120 touches as others export them are read to the same numbers."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from td_mta.dashboard.data import source
from tests.dashboard.test_reading import read
from tests.warehouse.files.test_workbooks import TIME, workbook

CHANNELS = ("E-Mail", "Paid Search", "Straßenbahn")
GERMAN = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
FRENCH = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
EXCEL_EPOCH = dt.datetime(1899, 12, 30)


class Touch(NamedTuple):
    user: int
    at: dt.datetime
    channel: str
    converts: bool
    value: float


TOUCHES = [
    Touch(
        i % 23,
        dt.datetime(2024, 1, 3) + dt.timedelta(days=2.9 * i, minutes=7 * i),
        CHANNELS[i % 3],
        i % 7 == 5,
        1234.5 + i if i % 7 == 5 else 0.0,
    )
    for i in range(120)
]


def continental(value: float, thousands: str = ".") -> str:
    return f"{value:,.2f}".replace(",", "_").replace(".", ",").replace("_", thousands)


class Case(NamedTuple):
    header: str
    cells: Callable[[Touch], tuple[object, ...]]
    separator: str = ","
    encoding: str = "utf-8"
    before: str = ""  # the header


CASES = {
    "German, semicolons, names of months": Case(
        "Kunde;Zeitpunkt;Kanal;Gekauft;Umsatz (EUR)",
        lambda t: (
            *(f"K-{t.user}", f"{t.at.day}. {GERMAN[t.at.month - 1]} {t.at:%Y %H:%M} Uhr"),
            *(t.channel, "Ja" if t.converts else "Nein", continental(t.value)),
        ),
        *(";", "cp1252"),
    ),
    "Excel's Unicode text, 12 hours": Case(
        "Client ID\tDate/Time\tutm_source\tConverted\tRevenue",
        lambda t: (
            *(f"{t.user + 10**9}.1700000000", f"{t.at:%m/%d/%Y %I:%M %p}", t.channel),
            *("yes" if t.converts else "no", f"${t.value:,.2f}"),
        ),
        *("\t", "utf-16"),
    ),
    "Spanish, bars, a byte order mark": Case(
        "visitante|fecha|canal|conversión|importe",
        lambda t: (
            *(f"v{t.user}", f"{t.at:%d/%m/%Y %H:%M:%S}", t.channel),
            *("Sí" if t.converts else "No", continental(t.value)),
        ),
        *("|", "utf-8-sig"),
    ),
    "French, hours with an h": Case(
        "identifiant;date;canal;achat;montant",
        lambda t: (
            *(f"c{t.user}", f"{t.at.day} {FRENCH[t.at.month - 1]} {t.at:%Y %Hh%M}"),
            *(t.channel, "oui" if t.converts else "non", continental(t.value, " ") + " EUR"),
        ),
        *(";", "latin-1"),
    ),
    "Dutch": Case(
        "klant;datum;kanaal;conversie;omzet",
        lambda t: (
            *(f"k{t.user}", f"{t.at:%d-%m-%Y %H:%M}", t.channel),
            *("ja" if t.converts else "nee", continental(t.value)),
        ),
        ";",
    ),
    "a database's dates": Case(
        "USER_ID,EVENT_TS,CHANNEL_NAME,CONV_FLAG,ORDER_AMT",
        lambda t: (
            *(t.user, f"{t.at:%d-%b-%y %H.%M.%S}".upper(), t.channel),
            *("T" if t.converts else "F", t.value),
        ),
    ),
    "milliseconds, flags as decimals": Case(
        "uid,ts,channel,is_conversion,amount",
        lambda t: (
            *(f"u{t.user}", int(t.at.replace(tzinfo=dt.timezone.utc).timestamp()) * 1000),
            *(t.channel, "1.0" if t.converts else "0.0", t.value),
        ),
    ),
    "an offset from UTC, quotes": Case(
        '"UserId","event_time","Marketing Channel","purchase","order total"',
        lambda t: (
            *(f'"{t.user:032x}"', f'"{t.at + dt.timedelta(hours=2):%Y-%m-%dT%H:%M:%S}+02:00"'),
            *(f'"{t.channel}"', f'"{t.converts}"', f'"{t.value:,.2f}"'),
        ),
    ),
    "mails' dates": Case(
        "email,date,source,conversions,value",
        lambda t: (
            *(f"u{t.user}@example.com", f'"{t.at:%a, %d %b %Y %H:%M:%S} +0000"', t.channel),
            *(int(t.converts), t.value),
        ),
    ),
    "a line that names the separator": Case(
        "user;when;touchpoint;outcome;rev",
        lambda t: (
            *(f"u{t.user}", f"{t.at:%Y.%m.%d %H:%M}", t.channel),
            *("converted" if t.converts else "", f"{t.value:,.2f}".replace(",", "'") + " CHF"),
        ),
        *(";", "utf-8", "sep=;\n"),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_strangers_file_is_read(tmp_path: Path, case: Case) -> None:
    lines = [case.header, *(case.separator.join(map(str, case.cells(t))) for t in TOUCHES)]
    content = case.before + "\n".join(lines) + "\n"
    assert read(tmp_path, "upload.csv", content.encode(case.encoding)) == ""
    check(tmp_path)


def test_a_strangers_workbook_is_read(tmp_path: Path) -> None:
    rows = [
        [
            *(f"C{t.user}", ((t.at - EXCEL_EPOCH) / dt.timedelta(days=1), TIME), t.channel),
            *("x" if t.converts else None, t.value or None),
        ]
        for t in TOUCHES
    ]
    names = ["Customer", "Visit date", "Channel", "Converted", "Revenue"]
    path = tmp_path / "made.xlsx"
    workbook(path, {"Info": [["Export"]], "Data": [["Marketing, first quarter"], [], names, *rows]})
    assert read(tmp_path, "upload.xlsx", path.read_bytes()) == ""
    check(tmp_path)


def check(folder: Path) -> None:
    """The rows that were read have the numbers of `TOUCHES`."""
    of_file = source.of_folder(folder, False)
    rows = pd.DataFrame(TOUCHES)
    assert of_file.channels == sorted(CHANNELS)
    assert of_file.facts["users"] == rows["user"].nunique()
    assert of_file.facts["touches"] == rows.groupby("channel").size().tolist()
    assert of_file.facts["first_day"] == str(rows["at"].min().date())
    assert of_file.facts["last_day"] == str(rows["at"].max().date())
    last = of_file.models().query("model == 'last_touch'").set_index("channel")
    expected = rows[rows["converts"]].groupby("channel")["value"].agg(["size", "sum"])
    for channel, (conversions, value) in expected.iterrows():
        assert last.loc[channel, "conversions"] == conversions
        assert last.loc[channel, "value"] == pytest.approx(value)


@pytest.mark.parametrize("separator", [" → ", ">", " | ", " » "])
def test_a_strangers_table_of_paths_is_read(tmp_path: Path, separator: str) -> None:
    paths = {("Email", "Search"): (1234, 10), ("Search",): (31, 500), ("Social", "Email"): (5, 7)}
    lines = ["Pfad;Konversionen;Wert;Keine Konversion"]
    for path, (wins, others) in paths.items():
        lines.append(f"{separator.join(path)};{wins};{continental(10.0 * wins)};{others}")
    assert read(tmp_path, "upload.csv", "\n".join(lines).encode()) == ""
    of_file = source.of_folder(tmp_path, False)
    first = of_file.models().query("model == 'first_touch'").set_index("channel")
    assert first.loc["Email", "conversions"] == 1234
    assert first["value"].sum() == pytest.approx(12_700)
    assert of_file.facts["users"] == 1234 + 31 + 5 + 517


@pytest.mark.parametrize("name", ["conversion", "revenue"])
def test_amounts_instead_of_a_flag_are_refused_with_a_remedy(tmp_path: Path, name: str) -> None:
    rows = "".join(f"u{t.user},{t.at},{t.channel},{t.value}\n" for t in TOUCHES)
    sentence = read(tmp_path, "upload.csv", f"user,time,channel,{name}\n{rows}".encode())
    assert f"column {name} holds amounts" in sentence and "1 where the row is an order" in sentence
