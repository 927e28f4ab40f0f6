"""Random rows for the inputs of queries/: each column draws from values chosen for their traps."""

import random
import re
from collections.abc import Callable

import pyarrow as pa

Draw = Callable[[random.Random], object]

SESSION = 1_772_323_200  # 2026-03-01 00:00 UTC
CLOCKS_CHANGE = 1_772_953_200  # New York, 2026-03-08 07:00 UTC
_PIECES = [
    "http://", "https://", "HTTP://", "//", "/", "www.", "google", "google.co.uk", "t.co", "a.b",
    "A_b.c", "shop.example", "x", ":80", ":", "@", "?", "&", "=", "#", "utm_medium=", "utm_medium",
    "utm_source=", "utm_campaign=", "UTM_MEDIUM=", "cpc", "email", "Email", "facebook", "fb",
    "%20", "%zz", "%", "+", "|", " ", "é", "日本", "[::1]", "[", "]", ".", "-", "1.2.3.4", "\u00a0",
    "%E6%97", "%E6%97%A5", "/order/thanks", ";", "'", '"', "\\", "\u0130", "ß", "😀", "%00", "\t",
]  # fmt: skip
_NAMES = [
    None, "", " ", "Email", "  Email ", "Paid Search", "TV", "(baseline)", "日本", "ﬁsh", "straße",
    "é", "ÉCOLE", "ǆ", "İstanbul", "direct", "\u00a0x", "😀", "a'b", "Email\n", "0", "-1",
]  # fmt: skip


def url(source: random.Random) -> str | None:
    if source.random() < 0.05:
        return None
    if source.random() < 0.4:
        return (
            f"https://{source.choice(['shop.example', 'www.bing.com', 't.co'])}/p?utm_medium="
            f"{source.choice(['cpc', 'email', 'EMAIL', 'x', ''])}&utm_source="
            f"{source.choice(['fb', 'Google', 'crm', '%66b', 'a+b'])}"
        )
    return "".join(source.choices(_PIECES, k=source.randrange(9)))


def seconds(source: random.Random) -> int | None:
    """Near midnights of several zones, of a change of clocks, or anywhere."""
    if source.random() < 0.03:
        return None
    hour = SESSION + 3600 * source.randrange(-24 * 40, 24 * 10)
    near = source.choice([hour, hour + 1800, CLOCKS_CHANGE, SESSION])
    anywhere = source.randrange(-(2**31), 2**32)
    return source.choice([near, near - 1, near + 1, near + source.randrange(3600), anywhere])


def time_text(source: random.Random) -> str | None:
    """A time as a table of touchpoints may have it."""
    at = SESSION - source.randrange(90 * 86400)
    day = f"2026-0{source.randrange(1, 3)}-{source.randrange(1, 29):02d}"
    clock = f"{source.randrange(24):02d}:{source.randrange(60):02d}"
    return source.choice([
        None, str(at), f" {at} ", str(at * 1000 + 999), f"{at}000000", f"{at}999999999", day,
        f"{at / 1e9}E9", f"{at / 86400 + 25569:.5f}", day.replace("-", ""),
        day.replace("-", "") + clock.replace(":", ""), f"{day}T{clock}", f"{day} {clock}:59",
        f"{day}T{clock}:07.5Z", f"{day}T{clock}:00+09:00", f"{day} {clock}-03:30",
        f"{day} {clock}:00 UTC", f"{day} {clock}:00+0100", f"{day}{clock}:00",
        f"{day.replace('-0', '/')} {clock} ", f"Feb {day[8:]}, 2026 9:{clock[:2]} PM"
        if clock < "20" else "NULL", f"13/02/2026 {clock}",
    ])  # fmt: skip


def name(source: random.Random) -> str | None:
    return source.choice(_NAMES)


def amount(source: random.Random) -> float | None:
    """Quarters, whose sums are exact in any order."""
    return source.choice([None, 0.0, -0.0, source.randrange(-400, 40_000) / 4])


def user(source: random.Random) -> str | None:
    letters = "abc019_-@.é日😀 \u0130"
    found = "".join(source.choices(letters, k=source.randrange(40)))
    return source.choice(
        [None, "", found, f"u{source.randrange(50)}", f"{source.randrange(99):06d}"]
    )


def flag(source: random.Random) -> int | None:
    return source.choice([None, 0, 1])


_BY_COLUMN: list[tuple[str, Draw, pa.DataType]] = [
    (r"td_url|td_referrer", url, pa.string()),
    (r"time|at|created|started_at|converted_at", seconds, pa.int64()),
    (r"when \(ms\)|select", time_text, pa.string()),
    (r"canonical_id|user id|user_id|who|person|from|customer_id", user, pa.string()),
    (r"value|total|order value|revenue|conversion_value", amount, pa.float64()),
    (r"conversion|converted|order", flag, pa.int64()),
]  # fmt: skip


def like(table: pa.Table, rows: int, source: random.Random, *, texts: bool = False) -> pa.Table:
    """A table of the same columns with random rows; with `texts`, times in every form."""
    columns = {}
    for column in table.column_names:
        draw, kind = _drawn(column.lower())
        if texts and draw is seconds:
            draw, kind = time_text, pa.string()
        columns[column] = pa.array([draw(source) for _ in range(rows)], kind)
    return pa.table(columns)


def _drawn(column: str) -> tuple[Draw, pa.DataType]:
    for pattern, draw, kind in _BY_COLUMN:
        if re.fullmatch(pattern, column):
            return draw, kind
    return name, pa.string()
