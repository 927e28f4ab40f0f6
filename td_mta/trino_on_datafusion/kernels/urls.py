"""url_extract_*: Trino parses with java.net.URI and gives NULL where that finds a fault.

Plain URLs (ASCII, a host name, well-formed escapes) are recognised by one regular expression and
taken apart by others, a batch at a time. All others are parsed one by one, each distinct one once,
after java.net.URI's own grammar (RFC 2396 with its deviations).
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from td_mta.trino_on_datafusion.kernels.distinct import per_value
from td_mta.trino_on_datafusion.kernels.java_uri import LABEL, Uri, parse_uri, uri_decoded
from td_mta.trino_on_datafusion.types import Kernel, TrinoError

_ESCAPED = "%[0-9A-Fa-f]{2}"
_PATH_CHARACTER = rf"[A-Za-z0-9\-_.!~*'();/:@&=+$,]|{_ESCAPED}"
_QUERY_CHARACTER = rf"[A-Za-z0-9\-_.!~*'();/?:@&=+$,\[\]]|{_ESCAPED}"
_HOST = rf"(?:{LABEL}\.)*[A-Za-z](?:[A-Za-z0-9\-]*[A-Za-z0-9])?"
PLAIN = (
    rf"^[A-Za-z][A-Za-z0-9+.\-]*://{_HOST}(?::[0-9]{{1,5}})?"
    rf"(?:/(?:{_PATH_CHARACTER})*)?(?:\?(?:{_QUERY_CHARACTER})*)?(?:#(?:{_QUERY_CHARACTER})*)?$"
)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
RECENT_BATCHES = 8  # two for each of two threads and two columns
_Result = TypeVar("_Result")


class _Recent(Generic[_Result]):
    """A function of a batch of URLs that remembers its results for the last few batches.

    The engine hands the memory of one batch to every function of it, each time as a new array, so
    a batch is recognised by the addresses of its buffers. The array is kept with the result: while
    it is here no other batch can lie at these addresses.
    """

    def __init__(self, function: Callable[[pa.Array], _Result]) -> None:
        self._function = function
        self._results: OrderedDict[tuple[int | None, ...], tuple[pa.Array, _Result]] = OrderedDict()

    def __call__(self, urls: pa.Array) -> _Result:
        buffers = urls.buffers()  # validity (None where no row is NULL), offsets, letters
        addresses = [None if buffer is None else buffer.address for buffer in buffers]
        batch = (len(urls), urls.offset, *addresses)
        remembered = self._results.get(batch)
        if remembered is None:
            remembered = self._results[batch] = (urls, self._function(urls))
            while len(self._results) > RECENT_BATCHES:
                self._results.popitem(last=False)
        return remembered[1]


class _Pairs(NamedTuple):
    """The `key=value` pairs of all queries of a batch."""

    texts: pa.Array  # (pairs,) in the order of the rows
    rows: npt.NDArray[np.int64]  # (pairs,) the row of each


class UrlBatches:
    """What the functions of one query know of the last few batches of URLs.

    A query asks for several parts of the same URLs in turn.
    """

    def __init__(self) -> None:
        self.is_plain = _Recent(_is_plain)
        self.pairs = _Recent(lambda urls: _pairs(urls, self.is_plain(urls)))


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


def extractor(part: str, batches: UrlBatches) -> Kernel:
    """url_extract_protocol, host, path, query or fragment: an absent part is '', a fault NULL."""
    pattern, of, escaped = _PARTS[part]

    def of_plain(urls: pa.Array) -> pa.Array:
        raw = pc.struct_field(pc.extract_regex(urls, pattern), "v")
        return _where_matches(raw, "%", uri_decoded) if escaped else raw

    def of_other(url: str) -> str | None:
        uri = parse_uri(url)
        if uri is None:
            return None
        raw = of(uri) or ""
        return uri.decoded(raw) if escaped else raw

    return lambda urls: _by_kind(urls, batches.is_plain(urls), of_plain, of_other)


def parameter(name: str, batches: UrlBatches) -> Kernel:
    """url_extract_parameter: the first pair of that name in the raw query, its value decoded."""
    # The keys of plain URLs are ASCII without these characters, at which a URL is cut.
    may_be_plain = name.isascii() and not set(name) & set("&=#")

    def of_plain(urls: pa.Array) -> pa.Array:
        return _values_of(name, batches.pairs(urls), len(urls))

    def of_other(url: str) -> str | None:
        uri = parse_uri(url)
        if uri is None or uri.query is None:
            return None
        for pair in uri.query.split("&"):
            key, _, value = pair.partition("=")
            if key == name:
                return form_decoded(value)
        return None

    def kernel(urls: pa.Array) -> pa.Array:
        if not may_be_plain:
            return per_value(of_other, pa.string())(urls)
        return _by_kind(urls, batches.is_plain(urls), of_plain, of_other)

    return kernel


def _by_kind(
    urls: pa.Array,
    is_plain: pa.Array,
    of_plain: Kernel,
    of_other: Callable[[str], str | None],
) -> pa.Array:
    """Plain URLs by one function; the others, NULL among them, one by one by another."""
    if pc.all(is_plain).as_py():
        return of_plain(urls)
    others = pc.if_else(is_plain, pa.scalar(None, pa.string()), urls)
    results_of_others = per_value(of_other, pa.string())(others)
    return pc.if_else(is_plain, of_plain(urls), results_of_others)


def _is_plain(urls: pa.Array) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(urls, PLAIN), False)


def _pairs(urls: pa.Array, is_plain: pa.Array) -> _Pairs:
    """Of plain URLs: what stands after the first ? and before the first #, cut at every &."""
    candidates = _true(pc.and_kleene(is_plain, pc.match_substring(urls, "?")))
    texts = _piece(urls.take(pa.array(candidates)), "#", 0)
    with_query = _true(pc.match_substring(texts, "?"))  # the ? may have stood in the fragment
    queries = _piece(texts.take(pa.array(with_query)), "?", 1)
    pairs = pc.split_pattern(queries, "&")
    rows = candidates[with_query]
    return _Pairs(pairs.flatten(), rows[pc.list_parent_indices(pairs).to_numpy()])


def _piece(texts: pa.Array, delimiter: str, index: int) -> pa.Array:
    """What stands before (0) or after (1) the first delimiter."""
    return pc.list_element(pc.split_pattern(texts, delimiter, max_splits=1), index)


def _values_of(name: str, pairs: _Pairs, count: int) -> pa.Array:
    """The decoded value of each row's first pair of a name, (count,); NULL where there is none."""
    of_name = pc.or_(pc.equal(pairs.texts, name), pc.starts_with(pairs.texts, f"{name}="))
    indices = _true(of_name)
    rows = pairs.rows[indices]
    is_first = np.diff(rows, prepend=-1) != 0  # the pairs of one row stand together
    first_pairs = pairs.texts.take(pa.array(indices[is_first]))
    raw = pc.utf8_slice_codeunits(first_pairs, len(name) + 1)
    values = _where_matches(raw, "[%+]", form_decoded)
    index_of_row = np.full(count, -1, np.int64)
    index_of_row[rows[is_first]] = np.arange(len(values))
    return values.take(pa.array(index_of_row, mask=index_of_row < 0))


def _true(mask: pa.Array) -> npt.NDArray[np.int64]:
    return np.flatnonzero(mask.to_numpy(zero_copy_only=False))


def _where_matches(texts: pa.Array, pattern: str, decode: Callable[[str], str]) -> pa.Array:
    """Decode the texts that match a pattern, each distinct one once."""
    matches = pc.match_substring_regex(texts, pattern)
    if not pc.any(matches).as_py():
        return texts
    decoded = per_value(decode, pa.string())(texts.filter(matches))
    return pc.replace_with_mask(texts, matches, decoded)


def decoded(text: str) -> str:
    """url_decode: Trino's error where a % does not begin an escape."""
    if _BROKEN_ESCAPE.search(text):
        raise TrinoError("INVALID_FUNCTION_ARGUMENT", f"url_decode of {text!r}")
    return form_decoded(text)


@lru_cache(maxsize=1 << 16)
def form_decoded(text: str) -> str:
    """java.net.URLDecoder: %XX by UTF-8, and + is a blank."""
    return uri_decoded(text.replace("+", " "))
