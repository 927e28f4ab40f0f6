"""Numbers: Java's Math on whole arrays."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.types import Kernel, TrinoError

_EXACT = 2.0**52


def on_doubles(function: Callable[..., np.ndarray]) -> Kernel:
    """A numpy function of doubles, without its warnings; NULL stays NULL."""

    def run(*arrays: pa.Array) -> pa.Array:
        valid = arrays[0].is_valid()
        for other in arrays[1:]:
            valid = pc.and_(valid, other.is_valid())
        with np.errstate(all="ignore"):
            numbers = function(
                *(pc.fill_null(a, 0.0).to_numpy(zero_copy_only=False) for a in arrays)
            )
        return pc.if_else(valid, pa.array(numbers), None)

    return run


def absolute(values: pa.Array) -> pa.Array:
    try:
        return pc.abs_checked(values)
    except pa.ArrowInvalid:
        raise TrinoError("NUMERIC_VALUE_OUT_OF_RANGE") from None


def round_whole(x: np.ndarray) -> np.ndarray:
    """Halves away from zero."""
    size = np.abs(x)
    whole = np.trunc(size)
    whole = np.where(size - whole >= 0.5, whole + 1, whole)
    _refuse_large(size)
    return np.where(np.isfinite(x), np.copysign(whole, x) + 0.0, x)


def round_to(digits: int) -> Callable[[np.ndarray], np.ndarray]:
    """Halves away from zero, of the decimal text or the binary number: refused if they differ."""
    factor = 10.0**digits
    if not 0 <= digits <= 15:
        raise Refused("round to fewer than 0 or more than 15 digits")

    def one(x: float) -> float:
        by_text = float(Decimal(repr(x)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
        by_factor = float(round_whole(np.array([x * factor]))[0]) / factor
        if by_text != by_factor:
            raise Refused(f"round({x!r}, {digits}): Trino versions differ")
        return by_text

    def run(x: np.ndarray) -> np.ndarray:
        if np.any(np.isfinite(x) & ~np.isfinite(x * factor)):
            raise Refused(f"round to {digits} digits of a double near the largest")
        rounded = round_whole(x * factor) / factor
        near = np.abs(np.abs(x * factor) % 1 - 0.5) < 1e-6
        if near.any():
            distinct, places = np.unique(x[near], return_inverse=True)
            rounded[near] = np.array([one(value) for value in distinct.tolist()])[places]
        return np.where(np.isfinite(x), rounded, x)

    return run


def _refuse_large(size: np.ndarray) -> None:
    if np.any(np.isfinite(size) & (size >= _EXACT)):
        raise Refused("round of a double of 2^52 or more")


def power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Java's: 1 to the power NaN and ±1 to the power of infinity are NaN."""
    odd = np.isnan(y) | (np.isinf(y) & (np.abs(x) == 1))
    return np.where(odd & (y != 0), np.nan, np.power(x, y))


def logarithm(base: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.log(x) / np.log(base)


def sign_of(values: pa.Array) -> pa.Array:
    return pc.sign(values).cast(values.type)


def greatest(*arrays: pa.Array) -> pa.Array:
    _refuse_nan(arrays)
    return pc.max_element_wise(*arrays, skip_nulls=False)


def least(*arrays: pa.Array) -> pa.Array:
    _refuse_nan(arrays)
    return pc.min_element_wise(*arrays, skip_nulls=False)


def no_nan(values: pa.Array) -> pa.Array:
    """The same values, for what orders doubles: Trino's versions place NaN differently."""
    _refuse_nan((values,))
    return values


def _refuse_nan(arrays: tuple[pa.Array, ...]) -> None:
    for array in arrays:
        if pa.types.is_floating(array.type) and pc.any(pc.is_nan(array)).as_py():
            raise Refused("the order of NaN")


def sort_key(values: pa.Array) -> pa.Array:
    """Doubles as ORDER BY sees them: one zero, one NaN above all."""
    plain = pc.add(values, 0.0)
    return pc.if_else(pc.is_nan(plain), float("nan"), plain)


def to_base(number: int, base: int) -> str:
    if not 2 <= base <= 36:
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", "base 2 to 36 was wanted")
    digits, rest = "", abs(number)
    while rest or not digits:
        rest, digit = divmod(rest, base)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return "-" * (number < 0) + digits


def bounded_sum(values: pa.Array) -> pa.Array:
    """A sum that was made in 38 digits, back as a bigint."""
    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:
        raise TrinoError("NUMERIC_VALUE_OUT_OF_RANGE") from None
