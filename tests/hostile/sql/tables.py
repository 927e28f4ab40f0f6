"""Small tables with a column of every type: of values as people have them, of extremes, of none."""

import datetime
import math
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

TABLES = ("tame", "wild", "none")
# The columns of each kind; every table has all of them, and `id`, which no two rows share.
COLUMNS = {
    "boolean": ["b", "c"],
    "tinyint": ["ti"],
    "smallint": ["si"],
    "integer": ["i", "k"],
    "bigint": ["n", "unix"],
    "real": ["r"],
    "double": ["d", "e"],
    "decimal": ["price"],
    "varchar": ["s", "t", "url"],
    "varbinary": ["bin"],
    "date": ["day"],
    "timestamp": ["ts"],
    "timestamp with time zone": ["tz"],
    "array(bigint)": ["ns"],
    "array(varchar)": ["ss"],
}
_LONG = "x" * 70_000
_FIRST, _LAST = datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59, 999_999)
_DAYS = [datetime.date(1970, 1, 1), None, datetime.date(2024, 2, 29), datetime.date(2026, 3, 1)]
_TIMES = [datetime.datetime(2026, 3, 29, 1, 30), datetime.datetime(1969, 12, 31, 23, 59, 59), None]
_URLS = ["https://a.b/p?utm_source=x&q=%20#f", None, "http://[", "", "//é.jp/%zz", "a b"]


def write(folder: Path) -> None:
    """The tables as Parquet files."""
    for name, table in _made().items():
        pq.write_table(table, folder / f"{name}.parquet")


def _made() -> dict[str, pa.Table]:
    tame = _table(
        8,
        b=[True, False, None],
        c=[True, True, False, None],
        ti=[1, -2, None, 0],
        si=[0, 300, None, -5],
        i=[1, 2, None, 3, -4],
        k=[1, 2, 1, None],
        n=[10, 20, None, -30, 0],
        unix=[1_772_323_200, 1_772_323_199, None, 0],
        r=[0.5, None, -1.25, 0.1],
        d=[0.5, -2.0, None, 1e3, 0.1],
        e=[1.0, 2.0, 1.0, None, 0.0],
        price=[Decimal("1.50"), None, Decimal("-0.01"), Decimal("20.00")],
        s=["a", "", None, "Ab c", "12", "ß"],
        t=["x,y", "a", None, "2026-03-01", "%_"],
        url=_URLS,
        bin=[b"a", b"", None, b"\xff\x00"],
        day=_DAYS,
        ts=_TIMES,
        tz=_TIMES,
        ns=[[1, 2], [], None, [None, 3]],
        ss=[["a", "b"], None, [], [""]],
    )
    wild = _table(
        9,
        b=[None, True, False],
        c=[False, None],
        ti=[127, -128, None, 0, 1],
        si=[32767, -32768, None],
        i=[2**31 - 1, -(2**31), None, 0, -1],
        k=[2, 1, None],
        n=[2**63 - 1, -(2**63), None, 0, 2**53 + 1, -1],
        unix=[253_402_300_799, -62_135_596_800, 2**62, None, -1],
        r=[math.nan, math.inf, -0.0, None, 3.4e38],
        d=[math.nan, math.inf, -math.inf, None, -0.0, 5e-324, 1.7976931348623157e308, 2.0**63],
        e=[0.0, -0.0, math.nan, None],
        price=[Decimal("99999999.99"), Decimal("-99999999.99"), None, Decimal("0.00")],
        s=[_LONG, "", None, "\0", "é" * 40, "😀'\"\\", "\u0130", " \u00a0", "NaN", "1e400"],
        t=["%_\\", None, "-9223372036854775808", "true", "\n", "9999-12-31 23:59:59.999999"],
        url=[*_URLS, "http://" + "a" * 3000, "http://a.b/?" + "&" * 500],
        bin=[b"\0" * 8, b"\xff" * 8, None, b"", b"x" * 5000],
        day=[_FIRST.date(), _LAST.date(), None, datetime.date(1970, 1, 1)],
        ts=[_FIRST, _LAST, None, datetime.datetime(1582, 10, 10, 0, 0, 0, 1)],
        tz=[_FIRST, _LAST, None, datetime.datetime(2026, 10, 25, 1, 30)],
        ns=[[2**63 - 1, -(2**63)], [None], None, list(range(200))],
        ss=[[_LONG, None], None, [], ["é", "\0"]],
    )
    return {"tame": tame, "wild": wild, "none": tame.slice(0, 0)}


_ARROW = {
    "ti": pa.int8(),
    "si": pa.int16(),
    "i": pa.int32(),
    "k": pa.int32(),
    "r": pa.float32(),
    "price": pa.decimal128(10, 2),
    "bin": pa.binary(),
    "day": pa.date32(),
    "ts": pa.timestamp("us"),
    "tz": pa.timestamp("us", "UTC"),
    "ns": pa.list_(pa.int64()),
    "ss": pa.list_(pa.string()),
}


def _table(rows: int, **columns: list[object]) -> pa.Table:
    """The columns' values over and over, out of step with each other."""
    made = {"id": pa.array(range(1, rows + 1))}
    for name, values in columns.items():
        repeated = [values[row % len(values)] for row in range(rows)]
        made[name] = pa.array(repeated, _ARROW.get(name))
    return pa.table(made)
