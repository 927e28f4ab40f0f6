"""CAST of a double to varchar: Java's scientific form, 1.0E0, 3.0000000000000004E-1.

Java writes the shortest digits that read back as the number, but for some numbers (1E23, many whole
ones beyond 2^53) its older algorithm, which DecimalFormat keeps, writes others. That algorithm is
repeated here, and what the two write differently is refused: it depends on the Java below Trino.
Names and steps are those of jdk.internal.math.FloatingDecimal.dtoa.
"""

import math
from decimal import Decimal
from typing import NamedTuple

from td_mta.errors import Refused

_BITS = 53
_LOG10_2 = 0.301029995663981
_ODD_EXPONENT = 26  # 1E25 to 1E26: Trino 476 was seen to end some of 17 digits on the next one


class _Digits(NamedTuple):
    """0.d1d2d3... times ten to the exponent."""

    digits: str
    exponent: int


def text(number: float) -> str:
    """The number as Trino's CAST to varchar writes it; NaN, Infinity, 0E0 and -0E0 among them.

    >>> text(0.1 + 0.2), text(-100.0)
    ('3.0000000000000004E-1', '-1.0E2')
    """
    if math.isnan(number):
        return "NaN"
    sign = "-" if math.copysign(1, number) < 0 else ""
    size = abs(number)
    if math.isinf(size):
        return f"{sign}Infinity"
    if size == 0:
        return f"{sign}0E0"
    digits, exponent = shortest = _shortest(size)
    if _older(size) != shortest or (len(digits) == 17 and exponent == _ODD_EXPONENT):
        raise Refused(f"CAST to varchar of {number!r}, which Java versions write differently")
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent - 1}"


def _shortest(size: float) -> _Digits:
    _, digits, exponent = Decimal(repr(size)).as_tuple()
    text = "".join(map(str, digits))
    return _Digits(text.rstrip("0"), int(exponent) + len(text))


def _older(size: float) -> _Digits:
    fraction, power = math.frexp(size)
    bits, binary = int(fraction * 2**_BITS), power - 1  # size = bits * 2^(binary - 52)
    significant = _BITS - max(0, -1022 - binary)
    tail = (bits & -bits).bit_length() - 1
    tiny = max(0, _BITS - tail - binary - 1)  # bits behind the point
    if tiny == 0 and binary <= 62:
        whole = bits << binary - 52 if binary >= 52 else bits >> 52 - binary
        return _of_whole(whole, binary - significant - 1)
    return _of_fraction(bits, binary, tail, tiny, significant)


def _of_whole(whole: int, unknown: int) -> _Digits:
    """A number without a fraction; so many of its last bits do not count."""
    dropped = int(unknown * _LOG10_2) if unknown > 1 else 0
    if dropped:
        whole = (whole + 10**dropped // 2) // 10**dropped
    text = str(whole)
    return _Digits(text.rstrip("0"), len(text) + dropped)


def _of_fraction(bits: int, binary: int, tail: int, tiny: int, significant: int) -> _Digits:
    """Digits of B / S one by one, until what is left is within half a unit M of the last bit."""
    exponent = _estimated_exponent(bits, binary)
    length = _BITS - tail
    b5 = m5 = max(0, -exponent)
    s5 = max(0, exponent)
    b2, s2 = b5 + tiny + binary, s5 + tiny
    m2 = b2 - significant - (length == 1)
    b2 -= length - 1
    shift = -min(b2, s2, m2)
    numerator = (bits >> tail) * 5**b5 << b2 + shift
    scale, half = 5**s5 << s2 + shift, 5**m5 << m2 + shift
    # Java compares these strictly only where they fit in 64 bits.
    common = min(b2, s2) + min(0, m2 - min(b2, s2))
    small = max(length + b2 - common + _bits_of_five(b5), s2 - common + 1 + _bits_of_five(s5 + 1))
    return _generated(numerator, scale, half, exponent, strict=small < 64)


def _generated(b: int, s: int, m: int, exponent: int, *, strict: bool) -> _Digits:
    digits: list[int] = []
    low = high = first = True
    while first or not (low or high):
        digit, rest = divmod(b, s)
        b, m = rest * 10, m * 10
        low, high = b < m, (b + m > s * 10 if strict else b + m >= s * 10)
        if first and digit == 0 and not high:
            exponent -= 1
        else:
            digits.append(digit)
        if first and not -3 <= exponent < 8:
            low = high = False  # another digit follows in scientific form
        first = False
    left = 2 * b - 10 * s
    if high and (not low or left > 0 or (left == 0 and digits[-1] % 2)):
        carried = str(int("".join(map(str, digits))) + 1)
        return _Digits(carried.rstrip("0"), exponent + 1 + len(carried) - len(digits))
    return _Digits("".join(map(str, digits)).rstrip("0"), exponent + 1)


def _estimated_exponent(bits: int, binary: int) -> int:
    mantissa = math.ldexp(bits, -52)
    return math.floor((mantissa - 1.5) * 0.289529654 + 0.176091259 + binary * _LOG10_2)


def _bits_of_five(power: int) -> int:
    return (5**power).bit_length() if power < 27 else 3 * power
