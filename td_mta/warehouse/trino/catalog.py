"""The allow-list: every Trino and TD function that runs here, with the forms that were shown equal.

Functions with a rule of their own (any number of arguments, session time) are in `specials.py`.
"""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.warehouse.trino.calls import Overload
from td_mta.warehouse.trino.functions import (
    conversions,
    hashes,
    numbers,
    regexps,
    td,
    texts,
    times,
    urls,
    zones,
)
from td_mta.warehouse.trino.program import Bound, Run
from td_mta.warehouse.trino.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    INTEGERS,
    VARBINARY,
    VARCHAR,
    Type,
    array,
    arrow,
    varchar,
)

TIME_KINDS = ("date", "timestamp", "timestamp with time zone")


def first(types: list[Type], args: list[Bound]) -> Type:
    return types[0]


def _plain(run: Run) -> Callable[..., Run]:
    return lambda program, types: run


def _with(make: Callable[..., Run]) -> Callable[..., Run]:
    """From the constants alone."""
    return lambda program, types, *constants: make(*constants)


def _each(function: Callable[[Any], Any], output: Type) -> Callable[..., Run]:
    """One value at a time, each distinct one once."""
    return lambda program, types: conversions.per_value(function, arrow(output))


def _text(run: Run, returns: Any = first) -> tuple[Overload, ...]:
    return (Overload(("varchar",), returns, _plain(run)),)


def _double(run: Any) -> tuple[Overload, ...]:
    return (Overload(("double",), DOUBLE, _plain(run)),)


def _whole_or_double(run: Any) -> tuple[Overload, ...]:
    """Of integers the value itself."""
    whole = [Overload((f"{kind}=",), first, _plain(lambda v: v)) for kind in INTEGERS]
    return (*whole, Overload(("double=",), DOUBLE, _plain(run)))


def _replaced_length(types: list[Type], args: list[Bound]) -> Type:
    """replace(x, y, z): x + z * (x + 1) letters at most."""
    if not (types[0].args and types[2].args):
        return VARCHAR
    (x,), (z,) = types[0].args, types[2].args
    return varchar(min(2**31 - 1, x + z * (x + 1)))


def _regexp_replaced_length(types: list[Type], args: list[Bound]) -> Type:
    if not (types[0].args and types[2].args):
        return VARCHAR
    (x,), (y,) = types[0].args, types[2].args
    return varchar(min(2**31 - 1, x + max(x * y // 2, y) * (x + 1)))


def _of_one_letter(types: list[Type], args: list[Bound]) -> Type:
    if types[0] != varchar(1):
        raise Refused(f"codepoint({types[0]})")
    return INTEGER


def _split_type(types: list[Type], args: list[Bound]) -> Type:
    return array(types[0])


def _fields() -> dict[str, tuple[Overload, ...]]:
    def made(name: str) -> Callable[..., Run]:
        return lambda program, types: times.field(name, types[0])

    return {
        name: tuple(Overload((kind,), BIGINT, made(name)) for kind in TIME_KINDS)
        for name in times.FIELDS
    }


def _of_times(
    params: tuple[str, ...], returns: Any, make: Callable[..., Run]
) -> tuple[Overload, ...]:
    """One form for each kind of time, which stands as `*` among the parameters."""
    return tuple(
        Overload(tuple(kind if param == "*" else param for param in params), returns, make)
        for kind in TIME_KINDS
    )


def _last(types: list[Type], args: list[Bound]) -> Type:
    return types[-1]


_TRIMS = {"trim": pc.utf8_trim, "ltrim": pc.utf8_ltrim, "rtrim": pc.utf8_rtrim}
_URL_PARTS = ("protocol", "host", "path", "query", "fragment")
_BITS = {"and": pc.bit_wise_and, "or": pc.bit_wise_or, "xor": pc.bit_wise_xor}

FUNCTIONS: dict[str, tuple[Overload, ...]] = {
    # strings
    "length": _text(texts.length, BIGINT),
    "lower": _text(pc.utf8_lower),
    "upper": _text(texts.upper),
    "reverse": _text(pc.utf8_reverse),
    **{
        name: (
            Overload(("varchar",), first, _plain(texts.trimmer(trim, texts.WHITESPACE))),
            Overload(
                ("varchar", "varchar!"),
                first,
                lambda program, types, letters, trim=trim: texts.trimmer(trim, letters),
            ),
        )
        for name, trim in _TRIMS.items()
    },
    "substr": (
        Overload(("varchar", "bigint!"), first, _with(texts.substring)),
        Overload(("varchar", "bigint!", "bigint!"), first, _with(texts.substring)),
    ),
    "substring": (
        Overload(("varchar", "bigint!"), first, _with(texts.substring)),
        Overload(("varchar", "bigint!", "bigint!"), first, _with(texts.substring)),
    ),
    "strpos": (
        Overload(("varchar", "varchar!"), BIGINT, _with(texts.position)),
        Overload(("varchar", "varchar"), BIGINT, _plain(texts.positions)),
    ),
    "split_part": (Overload(("varchar", "varchar!", "bigint!"), first, _with(texts.part_of)),),
    "split": (
        Overload(("varchar", "varchar!"), _split_type, _with(texts.splitter)),
        Overload(("varchar", "varchar!", "bigint!"), _split_type, _with(texts.splitter)),
    ),
    "replace": (
        Overload(("varchar", "varchar!"), first, _with(texts.replacer)),
        Overload(("varchar", "varchar!", "varchar!"), _replaced_length, _with(texts.replacer)),
    ),
    "starts_with": (
        Overload(
            ("varchar", "varchar!"),
            BOOLEAN,
            _with(lambda start: lambda values: pc.starts_with(values, start)),
        ),
    ),
    "lpad": (
        Overload(
            ("varchar", "bigint!", "varchar!"),
            VARCHAR,
            _with(lambda size, fill: texts.padder(pc.utf8_lpad, size, fill)),
        ),
    ),
    "rpad": (
        Overload(
            ("varchar", "bigint!", "varchar!"),
            VARCHAR,
            _with(lambda size, fill: texts.padder(pc.utf8_rpad, size, fill)),
        ),
    ),
    "translate": (
        Overload(
            ("varchar", "varchar!", "varchar!"),
            VARCHAR,
            _with(lambda old, new: conversions.per_value(texts.translator(old, new), pa.string())),
        ),
    ),
    "chr": (Overload(("bigint",), varchar(1), _each(texts.character, VARCHAR), fails=True),),
    "codepoint": (
        Overload(("varchar",), _of_one_letter, _each(texts.code_point, INTEGER), fails=True),
    ),
    "$like": (
        Overload(("varchar", "varchar!"), BOOLEAN, _with(texts.like)),
        Overload(("varchar", "varchar!", "varchar!"), BOOLEAN, _with(texts.like)),
    ),
    # regular expressions
    "regexp_like": (Overload(("varchar", "varchar!"), BOOLEAN, _with(regexps.like)),),
    "regexp_extract": (
        Overload(("varchar", "varchar!"), first, _with(regexps.extract)),
        Overload(("varchar", "varchar!", "bigint!"), first, _with(regexps.extract)),
    ),
    "regexp_replace": (
        Overload(("varchar", "varchar!"), first, _with(regexps.replace)),
        Overload(
            ("varchar", "varchar!", "varchar!"), _regexp_replaced_length, _with(regexps.replace)
        ),
    ),
    # URLs
    **{f"url_extract_{part}": _text(urls.extractor(part)) for part in _URL_PARTS},
    "url_extract_parameter": (Overload(("varchar", "varchar!"), first, _with(urls.parameter)),),
    # bytes and hashes
    "to_utf8": (Overload(("varchar",), VARBINARY, _plain(lambda v: v.cast(pa.binary()))),),
    "from_utf8": (Overload(("varbinary",), VARCHAR, _each(hashes.from_utf8, VARCHAR)),),
    "xxhash64": (Overload(("varbinary",), VARBINARY, _plain(hashes.xxhash64_bytes)),),
    "from_big_endian_64": (
        Overload(("varbinary",), BIGINT, _plain(hashes.from_big_endian_64), fails=True),
    ),
    "md5": (Overload(("varbinary",), VARBINARY, _each(hashes.digest("md5"), VARBINARY)),),
    "sha1": (Overload(("varbinary",), VARBINARY, _each(hashes.digest("sha1"), VARBINARY)),),
    "sha256": (Overload(("varbinary",), VARBINARY, _each(hashes.digest("sha256"), VARBINARY)),),
    "sha512": (Overload(("varbinary",), VARBINARY, _each(hashes.digest("sha512"), VARBINARY)),),
    "crc32": (Overload(("varbinary",), BIGINT, _each(hashes.crc32, BIGINT)),),
    "to_hex": (Overload(("varbinary",), VARCHAR, _each(hashes.to_hex, VARCHAR)),),
    "from_hex": (Overload(("varchar",), VARBINARY, _each(hashes.from_hex, VARBINARY), fails=True),),
    "to_base64": (Overload(("varbinary",), VARCHAR, _each(hashes.to_base64, VARCHAR)),),
    # numbers
    "abs": tuple(
        Overload((f"{kind}=",), first, _plain(numbers.absolute), fails=True)
        for kind in (*INTEGERS, "double")
    ),
    "ceil": _whole_or_double(pc.ceil),
    "ceiling": _whole_or_double(pc.ceil),
    "floor": _whole_or_double(pc.floor),
    "round": (
        *_whole_or_double(numbers.on_doubles(numbers.round_whole)),
        Overload(
            ("double=", "bigint!"),
            DOUBLE,
            _with(lambda digits: numbers.on_doubles(numbers.round_to(digits))),
        ),
    ),
    "truncate": (Overload(("double=",), DOUBLE, _plain(pc.trunc)),),
    "sign": tuple(Overload((f"{kind}=",), first, _plain(numbers.sign_of)) for kind in INTEGERS),
    "sqrt": _double(pc.sqrt),
    "ln": _double(pc.ln),
    "log2": _double(pc.log2),
    "log10": _double(pc.log10),
    "exp": _double(pc.exp),
    "power": (Overload(("double", "double"), DOUBLE, _plain(numbers.on_doubles(numbers.power))),),
    "pow": (Overload(("double", "double"), DOUBLE, _plain(numbers.on_doubles(numbers.power))),),
    "log": (Overload(("double", "double"), DOUBLE, _plain(numbers.on_doubles(numbers.logarithm))),),
    "is_nan": (Overload(("double",), BOOLEAN, _plain(pc.is_nan)),),
    "is_finite": (Overload(("double",), BOOLEAN, _plain(pc.is_finite)),),
    "is_infinite": (Overload(("double",), BOOLEAN, _plain(pc.is_inf)),),
    **{
        f"bitwise_{name}": (Overload(("bigint", "bigint"), BIGINT, _plain(run)),)
        for name, run in _BITS.items()
    },
    "bitwise_not": (Overload(("bigint",), BIGINT, _plain(pc.bit_wise_not)),),
    "to_base": (
        Overload(
            ("bigint", "bigint!"),
            varchar(64),
            _with(
                lambda base: conversions.per_value(
                    lambda number: numbers.to_base(number, base), pa.string()
                )
            ),
            fails=True,
        ),
    ),
    # times
    **_fields(),
    "date_trunc": _of_times(
        ("varchar!", "*"), _last, lambda program, types, unit: times.truncate(unit, types[1])
    ),
    "date_add": _of_times(
        ("varchar!", "bigint", "*"), _last, lambda program, types, unit: times.add(unit, types[2])
    ),
    "last_day_of_month": _of_times(
        ("*",), DATE, lambda program, types: times.last_day_of_month(types[0])
    ),
    "date": (
        Overload(("date",), DATE, _plain(lambda v: v)),
        Overload(("timestamp",), DATE, _plain(zones.to_date(None))),
        Overload(
            ("timestamp with time zone",),
            DATE,
            lambda program, types: zones.to_date(zones.known(types[0])),
        ),
    ),
    "to_unixtime": tuple(
        Overload((kind,), DOUBLE, lambda program, types: times.to_unixtime(types[0]))
        for kind in TIME_KINDS[1:]
    ),
    "from_iso8601_date": (Overload(("varchar",), DATE, _each(times.iso_date, DATE), fails=True),),
    "to_iso8601": (
        Overload(
            ("timestamp with time zone",),
            varchar(32),
            lambda program, types: times.to_iso8601(types[0]),
        ),
    ),
    "date_format": tuple(
        Overload(
            (kind, "varchar!"),
            VARCHAR,
            lambda program, types, text: times.formatter(text, types[0], times.MYSQL),
        )
        for kind in TIME_KINDS[1:]
    ),
    "format_datetime": tuple(
        Overload(
            (kind, "varchar!"),
            VARCHAR,
            lambda program, types, text: times.formatter(text, types[0], times.JODA),
        )
        for kind in TIME_KINDS[1:]
    ),
    # Treasure Data
    "td_time_format": (
        Overload(("bigint", "varchar!"), VARCHAR, _with(td.time_format)),
        Overload(("bigint", "varchar!", "varchar!"), VARCHAR, _with(td.time_format)),
    ),
    "td_time_string": (
        Overload(("bigint", "varchar!"), VARCHAR, _with(td.time_string)),
        Overload(("bigint", "varchar!", "varchar!"), VARCHAR, _with(td.time_string)),
    ),
    "td_date_trunc": (
        Overload(("varchar!", "bigint"), BIGINT, _with(td.date_trunc)),
        Overload(("varchar!", "bigint", "varchar!"), BIGINT, _with(td.date_trunc)),
    ),
    "td_time_parse": (
        Overload(
            ("varchar",),
            BIGINT,
            lambda program, types: conversions.per_value(td.parsed(), pa.int64()),
        ),
        Overload(
            ("varchar", "varchar!"),
            BIGINT,
            _with(lambda zone: conversions.per_value(td.parsed(zone), pa.int64())),
        ),
    ),
}
