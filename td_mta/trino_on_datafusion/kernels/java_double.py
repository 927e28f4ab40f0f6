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

_BITS = 53  # of a double's significand
_MIN_EXPONENT = -1022
_LOG10_2 = 0.301029995663981
_ODD_EXPONENT = 26  # 1E25 to 1E26: Trino 476 was seen to end some of 17 digits on the next one


class _Digits(NamedTuple):
    """0.d1d2d3... times ten to the exponent."""

    digits: str
    exponent: int


class _Binary(NamedTuple):
    """A positive double as `bits` times 2 to the `exponent - 52`, and what dtoa computes of it."""

    bits: int
    exponent: int  # binExp
    significant_bits: int  # nSignificantBits: fewer than 53 of a subnormal number
    trailing_zeros: int  # tailZeros
    fraction_bits: int  # nTinyBits: bits behind the binary point


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
    shortest = _shortest(size)
    digits, exponent = shortest
    is_odd = len(digits) == 17 and exponent == _ODD_EXPONENT
    if is_odd or _by_older_algorithm(size) != shortest:
        raise Refused(f"CAST to varchar of {number!r}, which Java versions write differently")
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent - 1}"


def _shortest(size: float) -> _Digits:
    """The fewest digits that read back as the number, as Python's repr and Java 19 write it."""
    _, digits, exponent = Decimal(repr(size)).as_tuple()
    text = "".join(map(str, digits))
    return _Digits(text.rstrip("0"), int(exponent) + len(text))


def _by_older_algorithm(size: float) -> _Digits:
    number = _binary(size)
    if number.fraction_bits or number.exponent > 62:
        return _of_fraction(number)
    shift = number.exponent - 52
    integer = number.bits << shift if shift >= 0 else number.bits >> -shift
    return _of_integer(integer, number.exponent - number.significant_bits - 1)


def _binary(size: float) -> _Binary:
    fraction, power = math.frexp(size)
    bits, exponent = int(fraction * 2**_BITS), power - 1
    significant_bits = _BITS - max(0, _MIN_EXPONENT - exponent)
    trailing_zeros = (bits & -bits).bit_length() - 1
    fraction_bits = max(0, _BITS - trailing_zeros - exponent - 1)
    return _Binary(bits, exponent, significant_bits, trailing_zeros, fraction_bits)


def _of_integer(integer: int, insignificant_bits: int) -> _Digits:
    """A number without a fraction; so many of its last bits do not count."""
    dropped = int(insignificant_bits * _LOG10_2) if insignificant_bits > 1 else 0
    if dropped:
        integer = (integer + 10**dropped // 2) // 10**dropped
    text = str(integer)
    return _Digits(text.rstrip("0"), len(text) + dropped)


def _of_fraction(number: _Binary) -> _Digits:
    """Digits of B / S one by one, until what is left is within half a unit M of the last bit.

    B, S and M are powers of five and two (b5, b2, ...) times the number's bits, as in dtoa.
    """
    exponent = _estimated_exponent(number)
    length = _BITS - number.trailing_zeros  # nFractBits
    b5 = m5 = max(0, -exponent)
    s5 = max(0, exponent)
    b2, s2 = b5 + number.fraction_bits + number.exponent, s5 + number.fraction_bits
    m2 = b2 - number.significant_bits - (length == 1)
    b2 -= length - 1
    shift = -min(b2, s2, m2)  # a factor that makes all three whole
    b = (number.bits >> number.trailing_zeros) * 5**b5 << b2 + shift
    s = 5**s5 << s2 + shift
    m = 5**m5 << m2 + shift
    # Java compares these strictly only where they fit in 64 bits.
    common2 = min(b2, s2) + min(0, m2 - min(b2, s2))
    bits_of_b = length + b2 - common2 + _bits_of_five(b5)
    bits_of_ten_s = s2 - common2 + 1 + _bits_of_five(s5 + 1)
    return _generated(b, s, m, exponent, strict=max(bits_of_b, bits_of_ten_s) < 64)


def _generated(b: int, s: int, m: int, exponent: int, *, strict: bool) -> _Digits:
    """The digits: `low` where those so far are near enough from below, `high` from above."""
    digits: list[int] = []
    low = high = first = True
    while first or not (low or high):
        digit, remainder = divmod(b, s)
        b, m = remainder * 10, m * 10
        low, high = b < m, (b + m > s * 10 if strict else b + m >= s * 10)
        if first and digit == 0 and not high:
            exponent -= 1  # the estimate was one too large
        else:
            digits.append(digit)
        if first and not -3 <= exponent < 8:
            low = high = False  # another digit follows in scientific form
        first = False
    beyond_half = 2 * b - 10 * s  # of the last digit
    if high and (not low or beyond_half > 0 or (beyond_half == 0 and digits[-1] % 2)):
        return _rounded_up(digits, exponent)
    return _Digits("".join(map(str, digits)).rstrip("0"), exponent + 1)


def _rounded_up(digits: list[int], exponent: int) -> _Digits:
    text = str(int("".join(map(str, digits))) + 1)
    carried = len(text) - len(digits)
    return _Digits(text.rstrip("0"), exponent + 1 + carried)


def _estimated_exponent(number: _Binary) -> int:
    """estimateDecExp: the decimal exponent by the tangent of the logarithm at 1.5."""
    mantissa = math.ldexp(number.bits, -52)
    return math.floor((mantissa - 1.5) * 0.289529654 + 0.176091259 + number.exponent * _LOG10_2)


def _bits_of_five(power: int) -> int:
    """Bits of 5 to a power, which Java has in a table up to 26 and bounds by 3 a power beyond."""
    return (5**power).bit_length() if power < 27 else 3 * power
