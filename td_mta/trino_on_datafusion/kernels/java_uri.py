"""java.net.URI's parser: RFC 2396 with its deviations. A fault gives None, never an error.

Letters outside ASCII count as legal unless they are blanks or control characters; an authority that
is no server (`a_b.c`) stays legal but has no host.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from td_mta.errors import Refused

_UNRESERVED = r"A-Za-z0-9\-_.!~*'()"
_ESCAPE_OR_OTHER = r"|%[0-9A-Fa-f]{2}|[^\x00-\x80]"


def _legal(chars: str) -> Callable[[str], bool]:
    """Whether a text has only these characters, escapes and visible ones outside ASCII."""
    match = re.compile(rf"(?:[{_UNRESERVED}{chars}]{_ESCAPE_OR_OTHER})*").fullmatch
    return lambda text: match(text) is not None and not _has_hidden(text)


def _has_hidden(text: str) -> bool:
    """Control characters and blanks outside ASCII."""
    return not text.isascii() and any(
        char > "\x7f" and (unicodedata.category(char) in ("Zs", "Zl", "Zp", "Cc")) for char in text
    )


_is_uric = _legal(r";/?:@&=+$,\[\]")
_is_path = _legal(r":@&=+$,;/")
_is_registry_name = _legal(r"$,;:@&=+")
_is_user_info = _legal(r";:&=+$,")
_has_server_chars = _legal(r";:&=+$,.@\[\]%")
_is_scheme = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*").fullmatch
_is_port = re.compile(r"[0-9]*").fullmatch
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?"
_is_host_name = re.compile(
    rf"(?:{_LABEL}\.?|(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9\-]*[A-Za-z0-9])?\.?)"
).fullmatch
_is_scope = re.compile(r"[A-Za-z0-9_.]+").fullmatch
_is_ipv4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+").fullmatch


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
        if "[" in part and "%" in part:
            raise Refused("a URL part with both [ and %: Java versions decode it differently")
        return uri_decoded(part)


def parse_uri(text: str) -> Uri | None:
    """The parts of a URI, None where Java would throw URISyntaxException."""
    rest, hash_mark, fragment = text.partition("#")
    if hash_mark and not _is_uric(fragment):
        return None
    scheme, rest, opaque = _scheme(rest)
    if scheme is not None and not _is_scheme(scheme):
        return None
    kept = fragment if hash_mark else None
    if opaque:
        return Uri(scheme=scheme, fragment=kept) if rest and _is_uric(rest) else None
    hierarchy, question_mark, query = rest.partition("?")
    if question_mark and not _is_uric(query):
        return None
    tail = bool(question_mark or hash_mark)
    return _hierarchical(scheme, hierarchy, query if question_mark else None, kept, tail)


def _scheme(text: str) -> tuple[str | None, str, bool]:
    """Scheme, what follows it, and whether that is opaque (no slash after the colon)."""
    found = re.match(r"[^/?:]*:", text)
    if not found:
        return None, text, False
    rest = text[found.end() :]
    return found.group()[:-1], rest, not rest.startswith("/")


def _hierarchical(
    scheme: str | None, hierarchy: str, query: str | None, fragment: str | None, tail: bool
) -> Uri | None:
    host = port = None
    if hierarchy.startswith("//"):
        authority, slash, path = hierarchy[2:].partition("/")
        path = slash + path
        if authority:
            server = _server(authority)
            if server is None:
                return None
            host, port = server
        elif not path and not tail:
            return None
    else:
        path = hierarchy
    if not _is_path(path):
        return None
    return Uri(scheme=scheme, host=host, port=port, path=path, query=query, fragment=fragment)


def _server(authority: str) -> tuple[str | None, int | None] | None:
    """Host and port; no host for a registry name; None for a fault."""
    broken = re.search(r"%(?![0-9A-Fa-f]{2})", authority)
    if broken and _is_registry_name(authority[: broken.start()]):
        return None  # Java reads it as a registry name first, up to a bracket
    if _has_server_chars(authority):
        server = _host_and_port(authority)
        if server is not None:
            return server
    return (None, None) if _is_registry_name(authority) else None


def _host_and_port(authority: str) -> tuple[str | None, int | None] | None:
    user, at, server = authority.partition("@")
    if at and not _is_user_info(user):
        return None
    if not at:
        server = authority
    if server.startswith("["):
        host, bracket, port = server.partition("]")
        return _with_port(host + bracket, port) if bracket and _is_ipv6(host[1:]) else None
    host, colon, port = server.partition(":")
    return _with_port(host, colon + port) if _is_host(host) else None


def _with_port(host: str, port: str) -> tuple[str, int | None] | None:
    if not port:
        return host, None
    if not port.startswith(":") or not _is_port(port[1:]) or int(port[1:] or 0) > 2**31 - 1:
        return None
    return host, int(port[1:]) if port[1:] else None


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
    return re.sub(rb"\xed[\xa0-\xbf](?:[\x80-\xbf]|$)", b"\xef\xbf\xbd", raw).decode(
        "utf-8", "replace"
    )
