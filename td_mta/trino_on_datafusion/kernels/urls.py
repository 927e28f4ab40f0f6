"""url_extract_*: Trino parses with java.net.URI and gives NULL where that finds a fault.

Plain URLs (ASCII, a host name, well-formed escapes) are recognised by one regular expression and
taken apart by others, a batch at a time. All others are parsed one by one, each distinct one once,
after java.net.URI's own grammar (RFC 2396 with its deviations).
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.trino_on_datafusion.kernels.java_uri import Uri, parse_uri, uri_decoded

_ESCAPED = "%[0-9A-Fa-f]{2}"
_PCHAR = rf"[A-Za-z0-9\-_.!~*'();/:@&=+$,]|{_ESCAPED}"
_URIC = rf"[A-Za-z0-9\-_.!~*'();/?:@&=+$,\[\]]|{_ESCAPED}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}\.)*[A-Za-z](?:[A-Za-z0-9\-]*[A-Za-z0-9])?"
PLAIN = (
    rf"^[A-Za-z][A-Za-z0-9+.\-]*://{_HOST}(?::[0-9]{{1,5}})?"
    rf"(?:/(?:{_PCHAR})*)?(?:\?(?:{_URIC})*)?(?:#(?:{_URIC})*)?$"
)
RECENT = 8  # batches to remember: two for each thread and column, or a little more
_Result = TypeVar("_Result")


class _Part(NamedTuple):
    """One part of a URL: of plain ones by a pattern, of others from the parsed URI."""

    pattern: str  # its group v is the raw part
    of: Callable[[Uri], str | None]
    escaped: bool


_PARTS = {
    "protocol": _Part(r"^(?P<v>[A-Za-z][A-Za-z0-9+.\-]*)", lambda uri: uri.scheme, False),
    "host": _Part(r"^[^:]*://(?P<v>[A-Za-z0-9.\-]*)", lambda uri: uri.host, False),
    "path": _Part(r"^[^:]*://[^/?#]*(?P<v>[^?#]*)", lambda uri: uri.path, True),
    "query": _Part(r"^[^?#]*\??(?P<v>[^#]*)", lambda uri: uri.query, True),
    "fragment": _Part(r"^[^#]*#?(?P<v>.*)", lambda uri: uri.fragment, True),
}


def extractor(part: str) -> Callable[[pa.Array], pa.Array]:
    """url_extract_protocol, host, path, query or fragment: an absent part is '', a fault NULL."""
    pattern, of, escaped = _PARTS[part]

    def odd(url: str) -> str | None:
        uri = parse_uri(url)
        return None if uri is None else uri.decoded(of(uri) or "") if escaped else of(uri) or ""

    def run(urls: pa.Array) -> pa.Array:
        return _by_kind(urls, lambda plain: _unescaped(_group(plain, pattern), escaped), odd)

    return run


def parameter(name: str) -> Callable[[pa.Array], pa.Array]:
    """url_extract_parameter: the first pair of that name in the raw query, its value decoded."""
    possible = name.isascii() and not set(name) & set("&=#")

    def odd(url: str) -> str | None:
        uri = parse_uri(url)
        pairs = uri.query.split("&") if uri and uri.query is not None else []
        values = [value for key, _, value in (pair.partition("=") for pair in pairs) if key == name]
        return form_decoded(values[0]) if values else None

    def run(urls: pa.Array) -> pa.Array:
        if not possible:
            return _per_distinct(urls, odd)
        return _by_kind(urls, lambda plain: _value(_pairs(plain), name, len(plain)), odd)

    return run


def _by_kind(
    urls: pa.Array, plain: Callable[[pa.Array], pa.Array], odd: Callable[[str], str | None]
) -> pa.Array:
    """Plain URLs by one function; the others, NULL among them, one by one by another."""
    is_plain = _is_plain(urls)
    if pc.all(is_plain).as_py():
        return plain(urls)
    others = _per_distinct(pc.if_else(is_plain, pa.scalar(None, pa.string()), urls), odd)
    return pc.if_else(is_plain, plain(urls), others)


class _Pairs(NamedTuple):
    """The `key=value` pairs of all queries of a batch, and the row of each."""

    texts: pa.Array
    rows: npt.NDArray[np.int64]


def _of_batch(function: Callable[[pa.Array], _Result]) -> Callable[[pa.Array], _Result]:
    """Remembers the last few batches: a query asks for several parts of the same URLs in turn."""
    recent: OrderedDict[tuple[int, ...], tuple[pa.Array, _Result]] = OrderedDict()

    def remembered(urls: pa.Array) -> _Result:
        key = (len(urls), urls.offset, *(buffer.address for buffer in urls.buffers() if buffer))
        found = recent.get(key)
        if found is None:
            found = recent[key] = (urls, function(urls))  # kept, so no other has its address
            while len(recent) > RECENT:
                recent.popitem(last=False)
        return found[1]

    return remembered


@_of_batch
def _is_plain(urls: pa.Array) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(urls, PLAIN), False)


@_of_batch
def _pairs(urls: pa.Array) -> _Pairs:
    """Of plain URLs: what stands after the first ? and before the first #, cut at every &."""
    rows = _true(pc.and_kleene(_is_plain(urls), pc.match_substring(urls, "?")))
    texts = pc.list_element(pc.split_pattern(urls.take(pa.array(rows)), "#", max_splits=1), 0)
    with_query = _true(pc.match_substring(texts, "?"))
    rows, texts = rows[with_query], texts.take(pa.array(with_query))
    pairs = pc.split_pattern(pc.list_element(pc.split_pattern(texts, "?", max_splits=1), 1), "&")
    return _Pairs(pairs.flatten(), rows[pc.list_parent_indices(pairs).to_numpy()])


def _value(pairs: _Pairs, name: str, count: int) -> pa.Array:
    """The decoded value of each row's first pair of a name; NULL where there is none."""
    of_name = pc.or_(pc.equal(pairs.texts, name), pc.starts_with(pairs.texts, f"{name}="))
    found = _true(of_name)
    rows = pairs.rows[found]
    first = np.diff(rows, prepend=-1) != 0
    values = pc.utf8_slice_codeunits(pairs.texts.take(pa.array(found[first])), len(name) + 1)
    where = np.full(count, -1, np.int64)
    where[rows[first]] = np.arange(len(values))
    return _mapped(values, "[%+]", form_decoded).take(pa.array(where, mask=where < 0))


def _true(mask: pa.Array) -> npt.NDArray[np.int64]:
    return np.flatnonzero(mask.to_numpy(zero_copy_only=False))


def _group(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.struct_field(pc.extract_regex(texts, pattern), "v")


def _unescaped(texts: pa.Array, escaped: bool) -> pa.Array:
    return _mapped(texts, "%", uri_decoded) if escaped else texts


def _mapped(texts: pa.Array, needs: str, decode: Callable[[str], str]) -> pa.Array:
    """Decode the texts that match a pattern, each distinct one once."""
    odd = pc.match_substring_regex(texts, needs)
    if not pc.any(odd).as_py():
        return texts
    return pc.replace_with_mask(texts, odd, _per_distinct(texts.filter(odd), decode))


def _per_distinct(texts: pa.Array, function: Callable[[str], str | None]) -> pa.Array:
    coded = texts.dictionary_encode()
    results = pa.array([function(text) for text in coded.dictionary.to_pylist()], pa.string())
    return results.take(coded.indices)


@lru_cache(maxsize=1 << 16)
def form_decoded(text: str) -> str:
    """java.net.URLDecoder: also + is a blank."""
    return uri_decoded(text.replace("+", " "))
