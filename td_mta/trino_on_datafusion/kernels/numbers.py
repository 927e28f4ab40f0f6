"""Numbers: Java's Math on whole arrays."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.types import Kernel, TrinoError

Doubles = npt.NDArray[np.float64]  # (rows,)
_ALL_ARE_WHOLE = 2.0**52  # no double from here on has a fraction
_NEAR_A_HALF = 1e-6
_DIGIT_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


def on_doubles(function: Callable[..., Doubles]) -> Kernel:
    """A numpy function of doubles, without its warnings; NULL stays NULL."""

    def kernel(*arrays: pa.Array) -> pa.Array:
        valid = arrays[0].is_valid()
        for other in arrays[1:]:
            valid = pc.and_(valid, other.is_valid())
        numbers = [pc.fill_null(array, 0.0).to_numpy(zero_copy_only=False) for array in arrays]
        with np.errstate(all="ignore"):
            results = function(*numbers)
        return pc.if_else(valid, pa.array(results), None)

    return kernel


def absolute(values: pa.Array) -> pa.Array:
    """abs; the least integer has no opposite and fails."""
    try:
        return pc.abs_checked(values)
    except pa.ArrowInvalid:
        raise TrinoError("NUMERIC_VALUE_OUT_OF_RANGE") from None


def round_whole(x: Doubles) -> Doubles:
    """round(x): halves away from zero."""
    size = np.abs(x)
    whole = np.trunc(size)
    whole = np.where(size - whole >= 0.5, whole + 1, whole)
    _refuse_large(size)
    rounded = np.copysign(whole, x) + 0.0  # no -0.0
    return np.where(np.isfinite(x), rounded, x)


def round_to(digits: int) -> Callable[[Doubles], Doubles]:
    """round(x, digits): halves away from zero.

    Versions of Trino look at the decimal text or at the binary number: what they round differently
    is refused.
    """
    factor = 10.0**digits
    if not 0 <= digits <= 15:
        raise Refused("round to fewer than 0 or more than 15 digits")

    def one(x: float) -> float:
        by_text = float(Decimal(repr(x)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
        by_factor = float(round_whole(np.array([x * factor]))[0]) / factor
        if by_text != by_factor:
            raise Refused(f"round({x!r}, {digits}): Trino versions differ")
        return by_text

    def rounded(x: Doubles) -> Doubles:
        if np.any(np.isfinite(x) & ~np.isfinite(x * factor)):
            raise Refused(f"round to {digits} digits of a double near the largest")
        results = round_whole(x * factor) / factor
        near_a_half = np.abs(np.abs(x * factor) % 1 - 0.5) < _NEAR_A_HALF
        if near_a_half.any():
            distinct, index = np.unique(x[near_a_half], return_inverse=True)
            results[near_a_half] = np.array([one(value) for value in distinct.tolist()])[index]
        return np.where(np.isfinite(x), results, x)

    return rounded


def _refuse_large(size: Doubles) -> None:
    if np.any(np.isfinite(size) & (size >= _ALL_ARE_WHOLE)):
        raise Refused("round of a double of 2^52 or more")


def power(x: Doubles, y: Doubles) -> Doubles:
    """Java's Math.pow: 1 to the power NaN and ±1 to the power of infinity are NaN."""
    is_nan_in_java = np.isnan(y) | (np.isinf(y) & (np.abs(x) == 1))
    return np.where(is_nan_in_java & (y != 0), np.nan, np.power(x, y))


def logarithm(base: Doubles, x: Doubles) -> Doubles:
    """log(base, x), as Trino divides it."""
    return np.log(x) / np.log(base)


def shifted_left(values: pa.Array, shifts: pa.Array) -> pa.Array:
    """bitwise_left_shift of bigints: from 64 on no bit is left, below 0 it shifts by 64 more."""
    number, shift = (pc.fill_null(a, 0).to_numpy(zero_copy_only=False) for a in (values, shifts))
    shifted = np.where(shift < 64, number << (shift.astype(np.int64) & 63), 0)
    return pc.if_else(pc.and_(values.is_valid(), shifts.is_valid()), pa.array(shifted), None)


def sign_of(values: pa.Array) -> pa.Array:
    """sign of integers, of their type."""
    return pc.sign(values).cast(values.type)


def greatest(*arrays: pa.Array) -> pa.Array:
    """The greatest value of each row; NULL where one is NULL."""
    _refuse_nan(arrays)
    return pc.max_element_wise(*arrays, skip_nulls=False)


def least(*arrays: pa.Array) -> pa.Array:
    """The least value of each row; NULL where one is NULL."""
    _refuse_nan(arrays)
    return pc.min_element_wise(*arrays, skip_nulls=False)


def no_nan(values: pa.Array) -> pa.Array:
    """The same values, for what orders doubles: Trino's versions place NaN differently."""
    _refuse_nan((values,))
    return values


def _refuse_nan(arrays: tuple[pa.Array, ...]) -> None:
    for array in arrays:
        if pa.types.is_floating(array.type) and pc.any(pc.is_nan(array)).as_py():
            raise Refused("the order of NaN: leave it out with is_nan")


def sort_key(values: pa.Array) -> pa.Array:
    """Doubles as ORDER BY sees them: one zero, one NaN above all."""
    one_zero = pc.add(values, 0.0)  # -0.0 + 0.0 is 0.0
    return pc.if_else(pc.is_nan(one_zero), float("nan"), one_zero)


def to_base(number: int, base: int) -> str:
    """to_base(number, base) with the letters of Java's Long.toString(number, radix)."""
    if not 2 <= base <= 36:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", "the base must be from 2 to 36")
    digits, quotient = "", abs(number)
    while quotient or not digits:
        quotient, digit = divmod(quotient, base)
        digits = _DIGIT_LETTERS[digit] + digits
    return "-" * (number < 0) + digits


def bounded_sum(values: pa.Array) -> pa.Array:
    """A sum that was made in 38 digits, back as a bigint."""
    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:
        raise TrinoError("NUMERIC_VALUE_OUT_OF_RANGE") from None
