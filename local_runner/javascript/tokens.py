"""The tokens of ECMAScript 5, as far as templates may use them; a longer mark goes first."""

import re
from typing import NamedTuple

from local_runner.javascript.names import RESERVED, UNKNOWN_GLOBALS, UNKNOWN_MEMBERS


class UnsupportedError(Exception):
    """An expression outside the subset; the message names what it holds.

    `position` is where it starts in the text around it.
    """

    position = 0


class Token(NamedTuple):
    """`kind` is number, string, name, mark or end; `start` and `end` are positions in the code."""

    kind: str
    text: str
    start: int
    end: int


_MARKS = """
>>>= ... === !== >>> <<= >>= **= == != <= >= && || ++ -- += -= *= /= %= &= |= ^= << >> => ** ?? ?.
{ } ( ) [ ] ; , < > + - * / % & | ^ ! ~ ? : = . @ # ` \\
"""
_STRING = r"(?:[^{0}\\\r\n\u2028\u2029]|\\[nrtbfv/\\'\"]|\\x[0-9a-fA-F]{{2}}|\\u[0-9a-fA-F]{{4}})*"
_TOKEN = re.compile(
    r"(?P<number>0[xX][0-9a-fA-F]+|(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(?![\w$.])"
    r"|(?P<string>" + "|".join(quote + _STRING.format(quote) + quote for quote in "'\"") + ")"
    r"|(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)"
    r"|(?P<mark>" + "|".join(map(re.escape, _MARKS.split())) + ")",
)
_BLANK = re.compile(r"(?:[ \t\r\n]+|/\*.*?\*/)*", re.DOTALL)
# Classes, groups, quantifiers and escapes of ECMAScript 5, without back references.
_REGEXP = re.compile(
    r"/(?![*?+])(?:\\[dDwWsSbBnrtfv^$\\.*+?()\[\]{}|/\-]|\[\^?(?:\\[dDwWsSnrtfv^$\\.*+?()\[\]{}|/\-]"
    r"|[^\]\[\\\r\n\u0080-\U0010ffff])+\]|\((?!\?)|\(\?[:=!]|[^\[\\/\r\n(\u0080-\U0010ffff])+/"
    r"(?P<flags>[gim]{0,3})(?![\w$])"
)


def token(code: str, position: int) -> Token:
    """The next token from a position; a `/` is a division. Raises `UnsupportedError`."""
    blank = _BLANK.match(code, position)
    start = blank.end() if blank else position
    if start == len(code):
        return Token("end", "the end", start, start)
    match = _TOKEN.match(code, start)
    if match is None or match.lastgroup is None or code.startswith("//", start):
        raise UnsupportedError(f"`{code[start : start + 20]}`")
    return Token(match.lastgroup, match.group(), start, match.end())


def regexp_end(code: str, start: int) -> int:
    """Where the regular expression that starts here ends; raises `UnsupportedError`."""
    match = _REGEXP.match(code, start)
    has_flag_twice = match is not None and len(set(match["flags"])) < len(match["flags"])
    if match is None or has_flag_twice:
        raise UnsupportedError(f"the regular expression {code[start : start + 20]}")
    return match.end()


def known_name(name: str) -> str:
    """A name that may be a parameter's; raises `UnsupportedError`."""
    if name in RESERVED or name in UNKNOWN_GLOBALS or name.startswith("__"):
        raise UnsupportedError(f"the JavaScript name `{name}`")
    return name


def known_member(name: str) -> None:
    """Raises `UnsupportedError` for a member that is not certain to be the same."""
    if name in UNKNOWN_MEMBERS:
        raise UnsupportedError(f"the built-in member `.{name}`")
