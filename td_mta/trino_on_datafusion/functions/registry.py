"""The allow-list: every Trino and TD function that runs here, in the forms that were shown equal.

Those of times are in `registry_times.py`, those with a rule of their own in `special_forms.py`.
What each kernel keeps of Trino's function is said at the kernel.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.functions.overloads import (
    Overload,
    each,
    first,
    plain,
    with_constants,
)
from td_mta.trino_on_datafusion.functions.registry_times import TIMES
from td_mta.trino_on_datafusion.kernels import (
    arrays,
    hashes,
    maps,
    numbers,
    regexps,
    texts,
    urls,
)
from td_mta.trino_on_datafusion.kernels.distinct import per_value
from td_mta.trino_on_datafusion.program import Bound, Program
from td_mta.trino_on_datafusion.types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    INTEGER,
    INTEGERS,
    VARBINARY,
    VARCHAR,
    Kernel,
    Type,
    array,
    arrow,
    varchar,
)


def _text(kernel: Kernel, returns: Any = first) -> tuple[Overload, ...]:
    return (Overload(("varchar",), returns, plain(kernel)),)


def _double(kernel: Any) -> tuple[Overload, ...]:
    return (Overload(("double",), DOUBLE, plain(kernel)),)


def _whole_or_double(kernel: Any) -> tuple[Overload, ...]:
    """Of integers the value itself."""
    of_integers = [Overload((f"{kind}=",), first, plain(lambda v: v)) for kind in INTEGERS]
    return (*of_integers, Overload(("double=",), DOUBLE, plain(kernel)))


def _url_part(part: str) -> tuple[Overload, ...]:
    def make(program: Program, types: list[Type]) -> Kernel:
        return urls.extractor(part, program.shared(urls.UrlBatches))

    return (Overload(("varchar",), first, make),)


def _url_parameter(program: Program, types: list[Type], name: str) -> Kernel:
    return urls.parameter(name, program.shared(urls.UrlBatches))


def _replaced_length(types: list[Type], args: list[Bound]) -> Type:
    """replace(x, y, z): x + z * (x + 1) letters at most."""
    if not (types[0].args and types[2].args):
        return VARCHAR
    (x,), (z,) = types[0].args, types[2].args
    return varchar(min(_LONGEST, x + z * (x + 1)))


def _regexp_replaced_length(types: list[Type], args: list[Bound]) -> Type:
    """regexp_replace(x, pattern, y), by Trino's own bound on its letters."""
    if not (types[0].args and types[2].args):
        return VARCHAR
    (x,), (y,) = types[0].args, types[2].args
    return varchar(min(_LONGEST, x + max(x * y // 2, y) * (x + 1)))


def _of_one_letter(types: list[Type], args: list[Bound]) -> Type:
    if types[0] != varchar(1):
        raise Refused(f"function codepoint({types[0]}): it takes varchar(1)")
    return INTEGER


def _place_of_part(text: str) -> Kernel:
    return per_value(lambda part: text.find(part) + 1, pa.int64())


def _split_type(types: list[Type], args: list[Bound]) -> Type:
    return array(types[0])


def _bin_of_double(program: Program, types: list[Type]) -> Kernel:
    if types[1] != array(DOUBLE):
        raise Refused(f"function width_bucket(double, {types[1]}): its bins must be doubles")
    return arrays.bin_of


def _joined_texts(program: Program, types: list[Type], separator: str) -> Kernel:
    if types[0].args[0].kind != "varchar":
        raise Refused(f"function array_join of {types[0]}: its elements must be varchar")
    return arrays.joiner(separator)


def _looked_up(program: Program, types: list[Type], pairs: list[tuple[Any, Any]]) -> Kernel:
    key, value = types[0].args
    if key.kind != "varchar":
        raise Refused(f"function element_at of {types[0]}: its keys must be varchar")
    return maps.lookup(pairs, arrow(key), arrow(value))


_LONGEST = 2**31 - 1  # letters of a varchar(n)
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
            Overload(("varchar",), first, plain(texts.trimmer(trim, texts.WHITESPACE))),
            Overload(
                ("varchar", "varchar!"),
                first,
                lambda program, types, letters, trim=trim: texts.trimmer(trim, letters),
            ),
        )
        for name, trim in _TRIMS.items()
    },
    "substr": (
        Overload(("varchar", "bigint!"), first, with_constants(texts.substring)),
        Overload(("varchar", "bigint!", "bigint!"), first, with_constants(texts.substring)),
    ),
    "substring": (
        Overload(("varchar", "bigint!"), first, with_constants(texts.substring)),
        Overload(("varchar", "bigint!", "bigint!"), first, with_constants(texts.substring)),
    ),
    "strpos": (
        Overload(("varchar", "varchar!"), BIGINT, with_constants(texts.position)),
        Overload(("varchar!", "varchar"), BIGINT, with_constants(_place_of_part)),
        Overload(("varchar", "varchar"), BIGINT, plain(texts.positions)),
    ),
    "split_part": (
        Overload(("varchar", "varchar!", "bigint!"), first, with_constants(texts.part_of)),
    ),
    "split": (
        Overload(("varchar", "varchar!"), _split_type, with_constants(texts.splitter)),
        Overload(("varchar", "varchar!", "bigint!"), _split_type, with_constants(texts.splitter)),
    ),
    "replace": (
        Overload(("varchar", "varchar!"), first, with_constants(texts.replacer)),
        Overload(
            ("varchar", "varchar!", "varchar!"), _replaced_length, with_constants(texts.replacer)
        ),
    ),
    "starts_with": (
        Overload(
            ("varchar", "varchar!"),
            BOOLEAN,
            with_constants(lambda start: lambda values: pc.starts_with(values, start)),
        ),
    ),
    "lpad": (
        Overload(
            ("varchar", "bigint!", "varchar!"),
            VARCHAR,
            with_constants(lambda size, fill: texts.padder(pc.utf8_lpad, size, fill)),
        ),
    ),
    "rpad": (
        Overload(
            ("varchar", "bigint!", "varchar!"),
            VARCHAR,
            with_constants(lambda size, fill: texts.padder(pc.utf8_rpad, size, fill)),
        ),
    ),
    "translate": (
        Overload(
            ("varchar", "varchar!", "varchar!"),
            VARCHAR,
            with_constants(lambda old, new: per_value(texts.translator(old, new), pa.string())),
        ),
    ),
    "chr": (Overload(("bigint",), varchar(1), each(texts.character, VARCHAR), fails=True),),
    "codepoint": (
        Overload(("varchar",), _of_one_letter, each(texts.code_point, INTEGER), fails=True),
    ),
    "$like": (
        Overload(("varchar", "varchar!"), BOOLEAN, with_constants(texts.like)),
        Overload(("varchar", "varchar!", "varchar!"), BOOLEAN, with_constants(texts.like)),
    ),
    # regular expressions
    "regexp_like": (Overload(("varchar", "varchar!"), BOOLEAN, with_constants(regexps.like)),),
    "regexp_extract": (
        Overload(("varchar", "varchar!"), first, with_constants(regexps.extract)),
        Overload(("varchar", "varchar!", "bigint!"), first, with_constants(regexps.extract)),
    ),
    "regexp_replace": (
        Overload(("varchar", "varchar!"), first, with_constants(regexps.replace)),
        Overload(
            ("varchar", "varchar!", "varchar!"),
            _regexp_replaced_length,
            with_constants(regexps.replace),
        ),
    ),
    # URLs
    **{f"url_extract_{part}": _url_part(part) for part in _URL_PARTS},
    "url_extract_parameter": (Overload(("varchar", "varchar!"), first, _url_parameter),),
    "url_decode": (Overload(("varchar",), first, each(urls.decoded, VARCHAR), fails=True),),
    # bytes and hashes
    "to_utf8": (Overload(("varchar",), VARBINARY, plain(lambda v: v.cast(pa.binary()))),),
    "from_utf8": (Overload(("varbinary",), VARCHAR, each(hashes.from_utf8, VARCHAR)),),
    "xxhash64": (Overload(("varbinary",), VARBINARY, plain(hashes.xxhash64_bytes)),),
    "from_big_endian_64": (
        Overload(("varbinary",), BIGINT, plain(hashes.from_big_endian_64), fails=True),
    ),
    "to_big_endian_64": (Overload(("bigint",), VARBINARY, plain(hashes.to_big_endian_64)),),
    "md5": (Overload(("varbinary",), VARBINARY, each(hashes.digest("md5"), VARBINARY)),),
    "sha1": (Overload(("varbinary",), VARBINARY, each(hashes.digest("sha1"), VARBINARY)),),
    "sha256": (Overload(("varbinary",), VARBINARY, each(hashes.digest("sha256"), VARBINARY)),),
    "sha512": (Overload(("varbinary",), VARBINARY, each(hashes.digest("sha512"), VARBINARY)),),
    "crc32": (Overload(("varbinary",), BIGINT, each(hashes.crc32, BIGINT)),),
    "to_hex": (Overload(("varbinary",), VARCHAR, each(hashes.to_hex, VARCHAR)),),
    "from_hex": (Overload(("varchar",), VARBINARY, each(hashes.from_hex, VARBINARY), fails=True),),
    "to_base64": (Overload(("varbinary",), VARCHAR, each(hashes.to_base64, VARCHAR)),),
    # numbers
    "abs": tuple(
        Overload((f"{kind}=",), first, plain(numbers.absolute), fails=True)
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
            with_constants(lambda digits: numbers.on_doubles(numbers.round_to(digits))),
        ),
    ),
    "truncate": (Overload(("double=",), DOUBLE, plain(pc.trunc)),),
    "sign": tuple(Overload((f"{kind}=",), first, plain(numbers.sign_of)) for kind in INTEGERS),
    "sqrt": _double(pc.sqrt),
    "ln": _double(pc.ln),
    "log2": _double(pc.log2),
    "log10": _double(pc.log10),
    "exp": _double(pc.exp),
    "power": (Overload(("double", "double"), DOUBLE, plain(numbers.on_doubles(numbers.power))),),
    "pow": (Overload(("double", "double"), DOUBLE, plain(numbers.on_doubles(numbers.power))),),
    "log": (Overload(("double", "double"), DOUBLE, plain(numbers.on_doubles(numbers.logarithm))),),
    "is_nan": (Overload(("double",), BOOLEAN, plain(pc.is_nan)),),
    "is_finite": (Overload(("double",), BOOLEAN, plain(pc.is_finite)),),
    "is_infinite": (Overload(("double",), BOOLEAN, plain(pc.is_inf)),),
    **{
        f"bitwise_{name}": (Overload(("bigint", "bigint"), BIGINT, plain(kernel)),)
        for name, kernel in _BITS.items()
    },
    "bitwise_left_shift": (Overload(("bigint=", "integer"), BIGINT, plain(numbers.shifted_left)),),
    "bitwise_not": (Overload(("bigint",), BIGINT, plain(pc.bit_wise_not)),),
    "to_base": (
        Overload(
            ("bigint", "bigint!"),
            varchar(64),
            with_constants(
                lambda base: per_value(lambda number: numbers.to_base(number, base), pa.string())
            ),
            fails=True,
        ),
    ),
    "width_bucket": (Overload(("double", "array"), BIGINT, _bin_of_double),),
    "sequence": tuple(
        Overload(("bigint",) * count, array(BIGINT), plain(arrays.sequence), fails=True)
        for count in (2, 3)
    ),
    "array_join": (Overload(("array", "varchar!"), VARCHAR, _joined_texts),),
    # maps
    "element_at": (
        Overload(("map!", "varchar"), lambda types, args: types[0].args[1], _looked_up, once=True),
    ),
    **TIMES,
}
