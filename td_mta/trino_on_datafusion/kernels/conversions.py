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

BAD = "INVALID_CAST_ARGUMENT"
_BLANKS = "".join(map(chr, range(33)))  # what Java's String.trim removes


def forgiving(run: Kernel, output: pa.DataType) -> Kernel:
    """The same conversion with NULL for what it cannot convert: whole arrays, else one by one."""

    def one(value: pa.Array) -> pa.Array:
        try:
            return run(value)
        except TrinoError:
            return pa.nulls(1, output)

    def attempt(values: pa.Array) -> pa.Array:
        try:
            return run(values)
        except TrinoError:
            coded = values.dictionary_encode()
            distinct = coded.dictionary
            parts = [one(distinct.slice(i, 1)).cast(output) for i in range(len(distinct))]
            return pa.concat_arrays(parts or [pa.nulls(0, output)]).take(coded.indices)

    return attempt


def narrowed(output: pa.DataType) -> Kernel:
    def run(values: pa.Array) -> pa.Array:
        try:
            return values.cast(output)
        except pa.ArrowInvalid:
            raise TrinoError("NUMERIC_VALUE_OUT_OF_RANGE") from None

    return run


def decimal_to_double(values: pa.Array) -> pa.Array:
    """Correctly rounded, as `unscaled / 10^scale` is for up to 18 digits."""
    numbers = [None if value is None else float(value) for value in values.to_pylist()]
    return pa.array(numbers, pa.float64())


def to_decimal(precision: int, scale: int) -> Kernel:
    """Round half away from zero to the scale; too many digits are an error."""

    def one(value: Any) -> Decimal:
        with localcontext() as context:
            context.prec = 120
            result = Decimal(value).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
        if abs(result) >= Decimal(10) ** (precision - scale):
            raise TrinoError(BAD)
        return result

    return per_value(one, pa.decimal128(precision, scale))


def _text_to_integer(output: pa.DataType) -> Kernel:
    limit = 2 ** (output.bit_width - 1)

    def run(texts: pa.Array) -> pa.Array:
        trimmed = pc.utf8_trim(texts, _BLANKS)
        legal = pc.match_substring_regex(trimmed, r"^[+-]?[0-9]{1,18}$")
        if limit == 2**63 and pc.all(legal).as_py() is not False:
            return pc.replace_substring_regex(trimmed, r"^\+", "").cast(output)
        return per_value(one, output)(texts)

    def one(text: str) -> int:
        trimmed = text.strip(_BLANKS)
        if not trimmed.isascii():
            raise Refused("CAST to an integer of a text with letters outside ASCII")
        if not re.fullmatch(r"[+-]?[0-9]+", trimmed) or not -limit <= int(trimmed) < limit:
            raise TrinoError(BAD, repr(text))
        return int(trimmed)

    return run


def _text_to_double(text: str) -> float:
    trimmed = text.strip(_BLANKS)
    if re.fullmatch(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", trimmed):
        return float(trimmed)
    if re.fullmatch(r"[+-]?(?:NaN|Infinity)", trimmed):
        return float(trimmed.replace("-NaN", "NaN"))
    if re.search(r"[dDfFxX]", trimmed) and re.search(r"[0-9]", trimmed):
        raise Refused("CAST to double of a number with Java's suffix or in hexadecimal")
    raise TrinoError(BAD, repr(text))


def _text_to_boolean(text: str) -> bool:
    if text != text.strip():
        raise Refused("CAST to boolean of a text with blanks")
    if text.lower() in ("t", "true", "1"):
        return True
    if text.lower() in ("f", "false", "0"):
        return False
    raise TrinoError(BAD, repr(text))


def _text_to_date(text: str) -> datetime.date:
    found = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", text.strip(_BLANKS))
    if found is None:
        if re.match(r"\s*[+-]?[0-9]{1,}-", text):
            raise Refused(f"CAST to date of {text!r}")
        raise TrinoError(BAD, repr(text))
    try:
        return datetime.date(*map(int, found.groups()))
    except ValueError:
        raise TrinoError(BAD, repr(text)) from None


def _text_to_decimal(kind: Type, wanted: Type) -> Kernel:
    convert = to_decimal(*wanted.args)

    def one(text: str) -> Decimal:
        if not re.fullmatch(rf"[+-]?[0-9]+(?:\.[0-9]{{0,{wanted.args[1]}}})?", text):
            if text.isascii() and not re.search("[0-9]", text):
                raise TrinoError(BAD, repr(text))
            raise Refused(f"CAST to decimal of {text!r}")
        return convert(pa.array([Decimal(text)]))[0].as_py()

    return per_value(one, arrow(wanted))


def _double_to_integer(kind: Type, wanted: Type) -> Kernel:
    limit = 2.0 ** (arrow(wanted).bit_width - 1)

    def run(values: pa.Array) -> pa.Array:
        if pc.any(pc.is_nan(values)).as_py():
            raise TrinoError(BAD, "NaN")
        numbers = pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False)
        with np.errstate(invalid="ignore"):
            whole = np.trunc(numbers)
            whole += np.sign(numbers) * (np.abs(numbers - whole) >= 0.5)
        if np.any((whole >= limit) | (whole < -limit)):
            raise Refused(f"CAST to {wanted} of a number beyond its range")
        return pc.if_else(values.is_valid(), pa.array(whole.astype(np.int64)), None)

    return run


def _shortened(kind: Type, wanted: Type) -> Kernel:
    return lambda texts: pc.utf8_slice_codeunits(texts, 0, wanted.args[0])


def _timestamp_text(kind: Type, wanted: Type) -> Kernel:
    digits = kind.args[0]

    def one(value: datetime.datetime) -> str:
        text = value.isoformat(" ", "seconds")
        return f"{text}.{value.microsecond:06d}"[: 20 + digits] if digits else text

    return per_value(one, pa.string())


def _unlimited(wanted: Type, run: Kernel) -> Kernel | None:
    """A conversion to varchar; with a length it might be cut or fail, which is not known here."""
    return None if wanted.args else run


Maker = Callable[[Type, Type], Kernel | None]
CASTS: dict[tuple[str, str], Maker] = {
    ("varchar", "integers"): lambda kind, wanted: _text_to_integer(arrow(wanted)),
    ("varchar", "double"): lambda kind, wanted: per_value(_text_to_double, pa.float64()),
    ("varchar", "boolean"): lambda kind, wanted: per_value(_text_to_boolean, pa.bool_()),
    ("varchar", "date"): lambda kind, wanted: per_value(_text_to_date, pa.date32()),
    ("varchar", "decimal"): _text_to_decimal,
    ("varchar", "varchar"): _shortened,
    ("varchar", "timestamp"): lambda kind, wanted: per_value(
        zones.timestamp_reader(wanted.args[0]), pa.timestamp("us")
    ),
    ("double", "integers"): _double_to_integer,
    ("decimal", "integers"): lambda kind, wanted: _decimal_to_integer(wanted),
    ("decimal", "decimal"): lambda kind, wanted: to_decimal(*wanted.args),
    ("decimal", "double"): lambda kind, wanted: decimal_to_double,
    ("integers", "boolean"): lambda kind, wanted: lambda values: pc.not_equal(values, 0),
    ("boolean", "integers"): lambda kind, wanted: lambda values: values.cast(arrow(wanted)),
    ("boolean", "double"): lambda kind, wanted: lambda values: values.cast(pa.int8()),
    ("integers", "varchar"): lambda kind, wanted: _unlimited(wanted, lambda v: v.cast(pa.string())),
    ("boolean", "varchar"): lambda kind, wanted: _unlimited(wanted, lambda v: v.cast(pa.string())),
    ("date", "varchar"): lambda kind, wanted: _unlimited(wanted, lambda v: v.cast(pa.string())),
    ("double", "varchar"): lambda kind, wanted: _unlimited(
        wanted, per_value(java_double.text, pa.string())
    ),
    ("decimal", "varchar"): lambda kind, wanted: _unlimited(
        wanted, per_value(lambda value: f"{value:f}", pa.string())
    ),
    ("timestamp", "varchar"): lambda kind, wanted: _unlimited(
        wanted, _timestamp_text(kind, wanted)
    ),
    ("timestamp", "date"): lambda kind, wanted: zones.to_date(None),
    ("timestamp with time zone", "date"): lambda kind, wanted: zones.to_date(zones.known(kind)),
}


def _decimal_to_integer(wanted: Type) -> Kernel:
    limit = 2 ** (arrow(wanted).bit_width - 1)

    def one(value: Decimal) -> int:
        whole = int(value.to_integral_value(ROUND_HALF_UP))
        if not -limit <= whole < limit:
            raise Refused(f"CAST to {wanted} of a number beyond its range")
        return whole

    return per_value(one, arrow(wanted))
