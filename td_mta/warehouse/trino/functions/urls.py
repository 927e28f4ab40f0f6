"""url_extract_*: Trino parses with java.net.URI and gives NULL where that finds a fault.

Plain URLs (ASCII, a host name, well-formed escapes) are recognised by one regular expression and
taken apart by others, a batch at a time. All others are parsed one by one, each distinct one once,
after java.net.URI's own grammar (RFC 2396 with its deviations).
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.warehouse.trino.functions.java_uri import Uri, parse_uri

_ESCAPED = "%[0-9A-Fa-f]{2}"
_PCHAR = rf"[A-Za-z0-9\-_.!~*'();/:@&=+$,]|{_ESCAPED}"
_URIC = rf"[A-Za-z0-9\-_.!~*'();/?:@&=+$,\[\]]|{_ESCAPED}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}\.)*[A-Za-z](?:[A-Za-z0-9\-]*[A-Za-z0-9])?"
PLAIN = (
    rf"^[A-Za-z][A-Za-z0-9+.\-]*://{_HOST}(?::[0-9]{{1,5}})?"
    rf"(?:/(?:{_PCHAR})*)?(?:\?(?:{_URIC})*)?(?:#(?:{_URIC})*)?$"
)


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
    key = re.escape(name)
    pattern = rf"^[^?#]*\?(?:[^#&]*&)*?{key}(?:=(?P<v>[^#&]*))?(?:[&#]|$)"
    possible = not set(name) & set("&=#")

    def odd(url: str) -> str | None:
        uri = parse_uri(url)
        pairs = uri.query.split("&") if uri and uri.query is not None else []
        for pair in pairs:
            key, _, value = pair.partition("=")
            if key == name:
                return form_decoded(value)
        return None

    def run(urls: pa.Array) -> pa.Array:
        if not possible or not name.isascii():
            return _per_distinct(urls, odd)
        return _by_kind(urls, lambda plain: _first_value(plain, name, pattern), odd)

    return run


def _by_kind(
    urls: pa.Array, plain: Callable[[pa.Array], pa.Array], odd: Callable[[str], str | None]
) -> pa.Array:
    is_plain = pc.fill_null(pc.match_substring_regex(urls, PLAIN), False)
    if pc.all(is_plain).as_py():
        return plain(urls)
    others = _per_distinct(pc.if_else(is_plain, pa.scalar(None, pa.string()), urls), odd)
    if not pc.any(is_plain).as_py():
        return others
    return pc.if_else(is_plain, plain(pc.if_else(is_plain, urls, pa.scalar(""))), others)


def _first_value(urls: pa.Array, name: str, pattern: str) -> pa.Array:
    """Of plain URLs; most rows lack a parameter, and looking for its name is the cheapest test."""
    has = pc.match_substring(urls, name)
    found = np.flatnonzero(has.to_numpy(zero_copy_only=False))
    values = _group(urls.take(pa.array(found)), pattern)
    values = _mapped(values, lambda text: "%" in text or "+" in text, form_decoded)
    where = np.full(len(urls), -1, np.int64)
    where[found] = np.arange(len(found))
    return values.take(pa.array(where, mask=where < 0))


def _group(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.struct_field(pc.extract_regex(texts, pattern), "v")


def _unescaped(texts: pa.Array, escaped: bool) -> pa.Array:
    return _mapped(texts, lambda text: "%" in text, uri_decoded) if escaped else texts


def _mapped(texts: pa.Array, odd: Callable[[str], bool], decode: Callable[[str], str]) -> pa.Array:
    """Decode the texts that need it, each distinct one once."""
    needs = pc.or_(pc.match_substring(texts, "%"), pc.match_substring(texts, "+"))
    if not pc.any(needs).as_py():
        return texts
    return _per_distinct(texts, lambda text: decode(text) if odd(text) else text)


def _per_distinct(texts: pa.Array, function: Callable[[str], str | None]) -> pa.Array:
    coded = texts.dictionary_encode()
    results = pa.array([function(text) for text in coded.dictionary.to_pylist()], pa.string())
    return results.take(coded.indices)


def uri_decoded(text: str) -> str:
    """%XX by UTF-8, faults replaced as Java replaces them."""
    return java_text(unquote_to_bytes(text)) if "%" in text else text


@lru_cache(maxsize=1 << 16)
def form_decoded(text: str) -> str:
    """java.net.URLDecoder: also + is a blank."""
    return uri_decoded(text.replace("+", " "))


def java_text(raw: bytes) -> str:
    """UTF-8 as Java reads it: an encoded surrogate is one replacement character, not three."""
    return re.sub(rb"\xed[\xa0-\xbf](?:[\x80-\xbf]|$)", b"\xef\xbf\xbd", raw).decode(
        "utf-8", "replace"
    )
