"""CAST between types that Arrow does not convert as Trino does. One entry of `CASTS` per pair."""

import datetime
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.kernels import java_double, zones
from td_mta.trino_on_datafusion.kernels.distinct import per_value
from td_mta.trino_on_datafusion.types import Kernel, TrinoError, Type, arrow

INVALID_CAST = "INVALID_CAST_ARGUMENT"
_TRIMMED = "".join(map(chr, range(33)))  # what Java's String.trim removes


def forgiving(kernel: Kernel, output: pa.DataType) -> Kernel:
    """TRY_CAST: the same conversion with NULL for what it cannot convert."""

    def of_one(value: pa.Array) -> pa.Array:
        try:
            return kernel(value).cast(output)
        except TrinoError:
            return pa.nulls(1, output)

    def attempt(values: pa.Array) -> pa.Array:
        try:
            return kernel(values)
        except TrinoError:
            encoded = values.dictionary_encode()
            distinct = encoded.dictionary
            results = [of_one(distinct.slice(i, 1)) for i in range(len(distinct))]
            return pa.concat_arrays(results or [pa.nulls(0, output)]).take(encoded.indices)

    return attempt


def narrowed(output: pa.DataType) -> Kernel:
    """Integers as a smaller integer type; what does not fit fails as in Trino."""

    def kernel(values: pa.Array) -> pa.Array:
        try:
            return values.cast(output)
        except pa.ArrowInvalid:
            raise TrinoError("NUMERIC_VALUE_OUT_OF_RANGE") from None

    return kernel


def decimal_to_double(values: pa.Array) -> pa.Array:
    """Correctly rounded, as `unscaled / 10^scale` is for up to 18 digits."""
    numbers = [None if value is None else float(value) for value in values.to_pylist()]
    return pa.array(numbers, pa.float64())


def to_decimal(precision: int, scale: int) -> Kernel:
    """Round half away from zero to the scale; too many digits are an error."""

    def one(value: Any) -> Decimal:
        with localcontext() as context:
            context.prec = 120  # more digits than a decimal(38, s) or a bigint can need
            result = Decimal(value).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
        if abs(result) >= Decimal(10) ** (precision - scale):
            raise TrinoError(INVALID_CAST)
        return result

    return per_value(one, pa.decimal128(precision, scale))


def _limit(integers: pa.DataType) -> int:
    """The number just above the largest of an integer type; the least is its opposite."""
    return 2 ** (integers.bit_width - 1)


def _text_to_integer(kind: Type, wanted: Type) -> Kernel:
    output = arrow(wanted)
    limit = _limit(output)

    def one(text: str) -> int:
        trimmed = text.strip(_TRIMMED)
        is_of_other_script = not trimmed.isascii() and re.fullmatch(r"[+-]?\d+", trimmed)
        if is_of_other_script:  # whose digits Java reads as well
            raise Refused("CAST to an integer of a text with non-ASCII characters")
        if not re.fullmatch(r"[+-]?[0-9]+", trimmed) or not -limit <= int(trimmed) < limit:
            raise TrinoError(INVALID_CAST, repr(text))
        return int(trimmed)

    def kernel(texts: pa.Array) -> pa.Array:
        if texts.null_count == len(texts):
            return pa.nulls(len(texts), output)
        trimmed = pc.utf8_trim(texts, _TRIMMED)
        is_short_number = pc.match_substring_regex(trimmed, r"^[+-]?[0-9]{1,18}$")
        # Any 18 digits fit in a bigint, so Arrow can read them; NULLs count as well.
        if wanted.kind == "bigint" and pc.all(is_short_number).as_py() is not False:
            if pc.any(pc.starts_with(trimmed, "+")).as_py():
                trimmed = pc.utf8_ltrim(trimmed, "+")
            return trimmed.cast(output)
        return per_value(one, output)(texts)

    return kernel


def _text_to_double(text: str) -> float:
    trimmed = text.strip(_TRIMMED)
    if re.fullmatch(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", trimmed):
        return float(trimmed)
    if re.fullmatch(r"[+-]?(?:NaN|Infinity)", trimmed):
        return float(trimmed.replace("-NaN", "NaN"))
    if re.search(r"[dDfFxX]", trimmed) and re.search(r"[0-9]", trimmed):
        raise Refused("CAST to double of a number with Java's suffix or in hexadecimal")
    raise TrinoError(INVALID_CAST, repr(text))


def _text_to_boolean(text: str) -> bool:
    if text != text.strip():
        raise Refused("CAST to boolean of a text with spaces around: trim it first")
    if text.lower() in ("t", "true", "1"):
        return True
    if text.lower() in ("f", "false", "0"):
        return False
    raise TrinoError(INVALID_CAST, repr(text))


def _text_to_date(text: str) -> datetime.date:
    match = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", text.strip(_TRIMMED))
    if match is None:
        if re.match(r"\s*[+-]?[0-9]{1,}-", text):  # a year of other than four digits, or a time
            raise Refused(f"CAST to date of {text!r}: supported is yyyy-MM-dd")
        raise TrinoError(INVALID_CAST, repr(text))
    try:
        return datetime.date(*map(int, match.groups()))
    except ValueError:
        raise TrinoError(INVALID_CAST, repr(text)) from None


def _text_to_decimal(kind: Type, wanted: Type) -> Kernel:
    rounded = to_decimal(*wanted.args)
    number = re.compile(rf"[+-]?[0-9]+(?:\.[0-9]{{0,{wanted.args[1]}}})?")

    def one(text: str) -> Decimal:
        if not number.fullmatch(text):
            if text.isascii() and not re.search("[0-9]", text):
                raise TrinoError(INVALID_CAST, repr(text))
            raise Refused(f"CAST to decimal of {text!r}")
        return rounded(pa.array([Decimal(text)]))[0].as_py()

    return per_value(one, arrow(wanted))


def _double_to_integer(kind: Type, wanted: Type) -> Kernel:
    """Halves away from zero, as Java's rounding of doubles that Trino uses."""
    limit = float(_limit(arrow(wanted)))

    def kernel(values: pa.Array) -> pa.Array:
        if pc.any(pc.is_nan(values)).as_py():
            raise TrinoError(INVALID_CAST, "NaN")
        numbers = pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False)
        with np.errstate(invalid="ignore"):  # an infinity minus itself; refused below
            rounded = np.trunc(numbers)
            is_half_or_more = np.abs(numbers - rounded) >= 0.5
            rounded += np.sign(numbers) * is_half_or_more
        if np.any((rounded >= limit) | (rounded < -limit)):
            raise Refused(f"CAST to {wanted} of a number beyond its range")
        return pc.if_else(values.is_valid(), pa.array(rounded.astype(np.int64)), None)

    return kernel


def _decimal_to_integer(kind: Type, wanted: Type) -> Kernel:
    limit = _limit(arrow(wanted))

    def one(value: Decimal) -> int:
        rounded = int(value.to_integral_value(ROUND_HALF_UP))
        if not -limit <= rounded < limit:
            raise Refused(f"CAST to {wanted} of a number beyond its range")
        return rounded

    return per_value(one, arrow(wanted))


def _shortened(kind: Type, wanted: Type) -> Kernel:
    return lambda texts: pc.utf8_slice_codeunits(texts, 0, wanted.args[0])


def _text_to_timestamp(kind: Type, wanted: Type) -> Kernel:
    return per_value(zones.timestamp_reader(wanted.args[0]), pa.timestamp("us"))


def _timestamp_to_text(kind: Type, wanted: Type) -> Kernel:
    digits = kind.args[0]

    def one(value: datetime.datetime) -> str:
        seconds = value.isoformat(" ", "seconds")
        return f"{seconds}.{value.microsecond:06d}"[: 20 + digits] if digits else seconds

    return per_value(one, pa.string())


def _zoned_to_timestamp(kind: Type, wanted: Type) -> Kernel | None:
    """The local clock's time; with fewer digits it would be rounded, which is not known here."""
    if wanted.args[0] < kind.args[0]:
        return None
    name = zones.known(kind)
    return lambda instants: zones.to_local(instants, name)


def _zoned_to_text(kind: Type, wanted: Type) -> Kernel | None:
    if zones.known(kind) != "UTC":
        return None
    text = _timestamp_to_text(kind, wanted)
    return lambda instants: pc.binary_join_element_wise(text(instants), "UTC", " ")


def _by_arrow(kind: Type, wanted: Type) -> Kernel:
    return lambda values: values.cast(arrow(wanted))


MakeCast = Callable[[Type, Type], Kernel | None]  # of the type and the wanted type


def _of_any_length(make: MakeCast) -> MakeCast:
    """A conversion to varchar; with a length it might be cut or fail, which is not known here."""
    return lambda kind, wanted: None if wanted.args else make(kind, wanted)


CASTS: dict[tuple[str, str], MakeCast] = {
    ("varchar", "integers"): _text_to_integer,
    ("varchar", "double"): lambda kind, wanted: per_value(_text_to_double, pa.float64()),
    ("varchar", "boolean"): lambda kind, wanted: per_value(_text_to_boolean, pa.bool_()),
    ("varchar", "date"): lambda kind, wanted: per_value(_text_to_date, pa.date32()),
    ("varchar", "decimal"): _text_to_decimal,
    ("varchar", "varchar"): _shortened,
    ("varchar", "timestamp"): _text_to_timestamp,
    ("double", "integers"): _double_to_integer,
    ("decimal", "integers"): _decimal_to_integer,
    ("decimal", "decimal"): lambda kind, wanted: to_decimal(*wanted.args),
    ("decimal", "double"): lambda kind, wanted: decimal_to_double,
    ("integers", "boolean"): lambda kind, wanted: lambda values: pc.not_equal(values, 0),
    ("boolean", "integers"): _by_arrow,
    ("boolean", "double"): lambda kind, wanted: lambda values: values.cast(pa.int8()),
    ("integers", "varchar"): _of_any_length(_by_arrow),
    ("boolean", "varchar"): _of_any_length(_by_arrow),
    ("date", "varchar"): _of_any_length(_by_arrow),
    ("double", "varchar"): _of_any_length(
        lambda kind, wanted: per_value(java_double.text, pa.string())
    ),
    ("decimal", "varchar"): _of_any_length(
        lambda kind, wanted: per_value(lambda value: f"{value:f}", pa.string())
    ),
    ("timestamp", "varchar"): _of_any_length(_timestamp_to_text),
    ("timestamp", "date"): lambda kind, wanted: zones.to_date(None),
    ("timestamp with time zone", "timestamp"): _zoned_to_timestamp,
    ("timestamp with time zone", "varchar"): _of_any_length(_zoned_to_text),
    ("timestamp with time zone", "date"): lambda kind, wanted: zones.to_date(zones.known(kind)),
}
