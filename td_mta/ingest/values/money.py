"""One amount of money as people write it: `$1,234.50`, `12,50 €`, `(5.00)`, `1 234.5`.

Whether a point or a comma is the decimal mark is often open. A value says how it may be read; the
column that it stands in decides. The twin of the step `amounts` of `queries/union_touchpoints.sql`.
"""

import math
import re
from typing import Literal, NamedTuple

Mark = Literal["point", "comma"]
NAN = float("nan")
# What may stand at either end of an amount, in lower case, and the currency that it means.
CURRENCIES = {
    **{sign: "$" for sign in ("$", "usd", "us$", "$us", "usd$", "$usd")},
    **{sign: "€" for sign in ("€", "eur", "euro", "euros", "€eur")},
    **{sign: "£" for sign in ("£", "gbp", "£gbp")},
    **{sign: "¥" for sign in ("¥", "￥", "jpy", "円", "yen", "cny", "rmb", "元", "cn¥")},
    **{sign: "₹" for sign in ("₹", "inr", "rs")},
    **{sign: "₩" for sign in ("₩", "krw", "원")},
    **{sign: "₽" for sign in ("₽", "rub", "руб", "р")},  # noqa: RUF001
    **{sign: "kr" for sign in ("kr", "sek", "nok", "dkk", "isk")},
    **{sign: "zł" for sign in ("zł", "zl", "pln")},
    **{sign: "Kč" for sign in ("kč", "kc", "czk")},
    **{sign: "Fr." for sign in ("chf", "fr", "sfr")},
    **{sign: "R$" for sign in ("r$", "brl")},
    **{sign: "A$" for sign in ("a$", "au$", "aud")},
    **{sign: "C$" for sign in ("c$", "ca$", "cad")},
    **{sign: "₺" for sign in ("₺", "try", "tl")},
    **{sign: "₪" for sign in ("₪", "ils")},
    **{sign: "฿" for sign in ("฿", "thb")},
    **{sign: "₫" for sign in ("₫", "vnd", "đ")},
    **{sign: "₴" for sign in ("₴", "uah", "грн")},
    **{
        sign: sign.upper()
        for sign in (
            *("nz$", "nzd", "hk$", "hkd", "s$", "sgd", "nt$", "twd", "mx$", "mxn", "ars", "clp"),
            *("cop", "pen", "huf", "ft", "ron", "lei", "bgn", "zar", "aed", "sar", "idr", "rp"),
            *("myr", "rm", "php", "₱", "pkr", "egp", "ngn", "kes"),
        )
    },
}
_SAME = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\u2019": "'", "\u02bc": "'"}
    | dict.fromkeys("\t\xa0\u2007\u2009\u202f\u3000", " ")
)
_EXPONENT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)e[-+]?[0-9]+")
_ABBREVIATION = re.compile(r"([^\W\d_])\.")  # Rs. or Fr.
_NO_CENTS = re.compile(r"([0-9])[.,]-+")  # 99,-
_NUMERIC = "[-+0-9., '()]"
_OTHER = "[^-+0-9., '()]"
_INSIDE = re.compile(rf"[0-9][., ]*{_OTHER}+[., ]*[0-9]")
_DIGITS = "[0-9.,][0-9., ']*"
_SIGNED = re.compile(rf"[-+]? *{_DIGITS}|{_DIGITS}-|\( *{_DIGITS}\)")
_GROUPED = re.compile(r"[0-9]{1,3}(?:[ '][0-9]{3})+(?:[.,][0-9]*)?")
_OPEN = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_POINT = re.compile(r"(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{2,3})*,[0-9]{3})?(?:\.[0-9]*)?")
_COMMA = re.compile(r"(?:[0-9]+|[1-9][0-9]{0,2}(?:\.[0-9]{3})+)?(?:,[0-9]*)?")


class Amount(NamedTuple):
    """What one text may mean; NaN where it cannot be read so."""

    point: float = NAN  # its number where a point is the decimal mark
    comma: float = NAN
    currency: str = ""
    missing: bool = False  # a dash alone
    likely: Mark | None = None  # of two readings that differ

    @property
    def shown(self) -> Mark | None:
        """The decimal mark, where only one makes it a number."""
        if math.isnan(self.point) == math.isnan(self.comma):
            return None
        return "comma" if math.isnan(self.point) else "point"


def amount(text: str) -> Amount:
    """The meanings of a text in lower case without blanks around it.

    >>> amount("$1,234.50").point, amount("1.234,50 €").comma, amount("(5)").point
    (1234.5, 1234.5, -5.0)
    >>> amount("1,234")[:2]
    (1234.0, 1.234)
    """
    if _EXPONENT.fullmatch(text):
        return Amount(float(text), NAN if "." in text else float(text))
    text = _ABBREVIATION.sub(r"\1", text.translate(_SAME))
    text = _NO_CENTS.sub(r"\1", text)
    sign = re.sub(_NUMERIC, "", text)
    if (sign and sign not in CURRENCIES) or _INSIDE.search(text):
        return Amount()
    currency = CURRENCIES.get(sign, "")
    signed = re.sub(f"{_OTHER}+", "", text).strip(" ")
    if signed in ("", "-"):
        return Amount(currency=currency, missing=True)
    digits = _plain_digits(signed)
    sense = -1 if signed[0] in "-(" or signed[-1] == "-" else 1
    return Amount(
        sense * _as_point(digits),
        sense * _as_comma(digits),
        currency,
        likely=_likely(digits, currency),
    )


def _likely(digits: str, currency: str) -> Mark | None:
    """Money has no three decimals, but a number without a currency sign may be any."""
    if not _OPEN.fullmatch(digits):
        return None
    return "comma" if currency and "." in digits else "point"


def _plain_digits(signed: str) -> str:
    """Without sign, blanks and apostrophes; empty where these do not stand as they should."""
    if not _SIGNED.fullmatch(signed):
        return ""
    digits = signed.strip("-+() ")
    if " " not in digits and "'" not in digits:
        return digits
    return re.sub("[ ']", "", digits) if _GROUPED.fullmatch(digits) else ""


def _as_point(digits: str) -> float:
    readable = _POINT.fullmatch(digits) and re.search("[0-9]", digits)
    return float(digits.replace(",", "")) if readable else NAN


def _as_comma(digits: str) -> float:
    readable = _COMMA.fullmatch(digits) and re.search("[0-9]", digits)
    return float(digits.replace(".", "").replace(",", ".")) if readable else NAN
