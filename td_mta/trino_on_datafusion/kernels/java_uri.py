"""java.net.URI's parser: RFC 2396 with its deviations. A fault gives None, never an error.

Letters outside ASCII count as legal unless they are blanks or control characters; an authority that
is no server (`a_b.c`) stays legal but has no host. Checks and their order are those of
java.net.URI.Parser.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from td_mta.errors import Refused

_UNRESERVED = r"A-Za-z0-9\-_.!~*'()"
_ESCAPE_OR_OTHER = r"|%[0-9A-Fa-f]{2}|[^\x00-\x80]"
_HIDDEN_CATEGORIES = ("Zs", "Zl", "Zp", "Cc")  # Unicode's blanks and control characters


def _legal(characters: str) -> Callable[[str], bool]:
    """Whether a text has only these characters, escapes and visible ones outside ASCII."""
    matches = re.compile(rf"(?:[{_UNRESERVED}{characters}]{_ESCAPE_OR_OTHER})*").fullmatch
    return lambda text: matches(text) is not None and not _has_hidden(text)


def _has_hidden(text: str) -> bool:
    """Control characters and blanks outside ASCII."""
    beyond_ascii = [char for char in text if char > "\x7f"]
    return any(unicodedata.category(char) in _HIDDEN_CATEGORIES for char in beyond_ascii)


_is_uric = _legal(r";/?:@&=+$,\[\]")
_is_path = _legal(r":@&=+$,;/")
_is_registry_name = _legal(r"$,;:@&=+")
_is_user_info = _legal(r";:&=+$,")
_has_server_characters = _legal(r";:&=+$,.@\[\]%")
_is_scheme = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*").fullmatch
_is_port = re.compile(r"[0-9]*").fullmatch
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?"  # of a host name, between two dots
_is_host_name = re.compile(
    rf"(?:{LABEL}\.?|(?:{LABEL}\.)+[A-Za-z](?:[A-Za-z0-9\-]*[A-Za-z0-9])?\.?)"
).fullmatch
_is_scope = re.compile(r"[A-Za-z0-9_.]+").fullmatch
_is_ipv4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+").fullmatch
_LARGEST_PORT = 2**31 - 1  # Java reads the port as an int


@dataclass(frozen=True)
class Uri:
    """The raw parts; None where a part is absent."""

    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    path: str | None = None
    query: str | None = None
    fragment: str | None = None

    def decoded(self, part: str) -> str:
        """A raw part with its escapes decoded, as URI.getPath() and its like give it."""
        if "[" in part and "%" in part:
            raise Refused("a URL part with both [ and %: Java versions decode it differently")
        return uri_decoded(part)


class _Server(NamedTuple):
    """Both None for a registry name, which is an authority that names no server."""

    host: str | None
    port: int | None


def parse_uri(text: str) -> Uri | None:
    """The parts of a URI, None where Java would throw URISyntaxException."""
    before_fragment, hash_mark, after_hash = text.partition("#")
    if hash_mark and not _is_uric(after_hash):
        return None
    fragment = after_hash if hash_mark else None
    scheme, after_scheme = _scheme(before_fragment)
    if scheme is not None and not _is_scheme(scheme):
        return None
    if scheme is not None and not after_scheme.startswith("/"):
        return _opaque(scheme, after_scheme, fragment)
    hierarchy, question_mark, after_mark = after_scheme.partition("?")
    if question_mark and not _is_uric(after_mark):
        return None
    query = after_mark if question_mark else None
    return _hierarchical(scheme, hierarchy, query, fragment)


def _scheme(text: str) -> tuple[str | None, str]:
    """Scheme, and what follows its colon."""
    scheme = re.match(r"[^/?:]*:", text)
    if not scheme:
        return None, text
    return scheme.group()[:-1], text[scheme.end() :]


def _opaque(scheme: str, specific_part: str, fragment: str | None) -> Uri | None:
    """A URI without a slash after the colon, such as mailto:a@b.c, has no other parts."""
    if not specific_part or not _is_uric(specific_part):
        return None
    return Uri(scheme=scheme, fragment=fragment)


def _hierarchical(
    scheme: str | None, hierarchy: str, query: str | None, fragment: str | None
) -> Uri | None:
    server, path = _Server(None, None), hierarchy
    if hierarchy.startswith("//"):
        authority, slash, after_slash = hierarchy[2:].partition("/")
        path = slash + after_slash
        if authority:
            parsed = _server(authority)
            if parsed is None:
                return None
            server = parsed
        elif not path and query is None and fragment is None:
            return None  # "http://" alone: an authority was expected
    if not _is_path(path):
        return None
    return Uri(scheme, server.host, server.port, path, query, fragment)


def _server(authority: str) -> _Server | None:
    """Host and port; no host for a registry name; None for a fault."""
    broken_escape = re.search(r"%(?![0-9A-Fa-f]{2})", authority)
    if broken_escape and _is_registry_name(authority[: broken_escape.start()]):
        return None  # Java reads it as a registry name first, up to a bracket
    if _has_server_characters(authority):
        server = _host_and_port(authority)
        if server is not None:
            return server
    return _Server(None, None) if _is_registry_name(authority) else None


def _host_and_port(authority: str) -> _Server | None:
    user, at_sign, after_sign = authority.partition("@")
    if at_sign and not _is_user_info(user):
        return None
    server = after_sign if at_sign else authority
    if server.startswith("["):
        address, bracket, port = server.partition("]")
        return _with_port(address + bracket, port) if bracket and _is_ipv6(address[1:]) else None
    host, colon, port = server.partition(":")
    return _with_port(host, colon + port) if _is_host(host) else None


def _with_port(host: str, colon_and_port: str) -> _Server | None:
    if not colon_and_port:
        return _Server(host, None)
    colon, port = colon_and_port[:1], colon_and_port[1:]
    if colon != ":" or not _is_port(port) or int(port or 0) > _LARGEST_PORT:
        return None
    return _Server(host, int(port) if port else None)


def _is_host(host: str) -> bool:
    if _is_ipv4(host) and all(int(byte) <= 255 for byte in host.split(".")):
        return True
    return _is_host_name(host) is not None


def _is_ipv6(text: str) -> bool:
    address, percent, scope = text.partition("%")
    if percent and not _is_scope(scope):
        return False
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return True


def uri_decoded(text: str) -> str:
    """%XX by UTF-8, faults replaced as Java replaces them."""
    return _java_text(unquote_to_bytes(text)) if "%" in text else text


def _java_text(raw: bytes) -> str:
    """UTF-8 as Java reads it: an encoded surrogate is one replacement character, not three."""
    without_surrogates = re.sub(rb"\xed[\xa0-\xbf](?:[\x80-\xbf]|$)", b"\xef\xbf\xbd", raw)
    return without_surrogates.decode("utf-8", "replace")
