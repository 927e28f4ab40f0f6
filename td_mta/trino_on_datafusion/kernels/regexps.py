"""Regular expressions. Trino's are Java's (by Joni), here they run on RE2.

A pattern is read construct by construct; only those that mean the same to both pass. Where they
agree on ASCII alone (\\w, \\d, \\s, \\b, letter case) a text beyond it is refused when it comes.
"""

import re
from dataclasses import dataclass, field
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.errors import Refused
from td_mta.trino_on_datafusion.types import Kernel

_CLASSES = "dDwWsS"
_END = r"(?:\n?\z)"  # $ stands before a last newline too
_WIDTHLESS = ("^", r"\b", _END)
_LITERAL_ESCAPES = r"\.[]{}()*+-?^$|/&%#@!~=:;,<>\"'_ `"
_FOLDS_TO_ASCII = (
    "\u0130\u0131\u017f\u212a\u00df\u1e9e\u0149\u01f0\u1e96\u1e97\u1e98\u1e99\u1e9a"
    + ("\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06")
)


@dataclass
class _Group:
    """An open group: its number, and whether a match may leave it out."""

    number: int | None
    optional: bool
    start: int


@dataclass
class Pattern:
    """A pattern that passed: RE2's text with capturing groups, and what to watch for."""

    text: str
    pieces: list[str] = field(default_factory=list)
    ascii_only: bool = False
    any_case: bool = False
    ends: bool = False
    optional: set[int] = field(default_factory=set)
    groups: int = 0

    def __post_init__(self) -> None:
        _Reader(self).read()

    def expression(self, group: int | None = None) -> str:
        """RE2's text; the wanted group is called v, the others do not capture."""
        pieces = [
            piece if not piece.startswith("(#") else ("(?P<v>" if piece == f"(#{group}" else "(?:")
            for piece in self.pieces
        ]
        body = "".join(pieces)
        return f"(?i){body}" if self.any_case else body

    def check(self, texts: pa.Array, *, like: bool) -> None:
        """Refuse texts on which the two engines may differ."""
        if self.ends and not like and pc.any(pc.ends_with(texts, "\n")).as_py():
            raise Refused(
                f"regular expression {self.text!r} with $ on a text that ends in a newline"
            )
        if not (self.ascii_only or self.any_case):
            return
        if pc.all(pc.string_is_ascii(texts)).as_py() is not False:
            return
        if self.ascii_only:
            raise Refused(f"regular expression {self.text!r} on text beyond ASCII")
        if pc.any(pc.match_substring_regex(texts, f"[{_FOLDS_TO_ASCII}]")).as_py():
            raise Refused(f"regular expression {self.text!r} on letters that fold to ASCII")

    @property
    def may_be_empty(self) -> bool:
        """Whether it may match nothing at all, where engines go on differently."""
        solid = "".join(
            "(?:" if piece.startswith("(#") else "" if piece in _WIDTHLESS else piece
            for piece in self.pieces
        )
        return bool(pc.match_substring_regex(pa.array([""]), rf"\A(?:{solid})\z")[0].as_py())


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: Pattern) -> None:
        self.pattern, self.text, self.at = pattern, pattern.text, 0
        self.open: list[_Group] = []
        self.atom = False
        self.last_group: list[int] = []
        self.alternatives = False

    def read(self) -> None:
        if self.text.startswith("(?i)"):
            self.pattern.any_case, self.at = True, 4
            if not self.text.isascii():
                self._refuse("(?i) with letters beyond ASCII")
        while self.at < len(self.text):
            self._step()
        if self.open:
            self._refuse("an open group")
        if self.alternatives:
            self.pattern.optional.update(range(1, self.pattern.groups + 1))

    def _step(self) -> None:
        char = self.text[self.at]
        handler = {
            "\\": self._escape,
            "[": self._set,
            "(": self._opening,
            ")": self._closing,
            "|": self._alternative,
            "^": self._anchor,
            "$": self._end,
            ".": self._dot,
        }.get(char)
        if handler:
            handler()
        elif char in "*+?{":
            self._quantifier()
        elif char in "}]":
            self._refuse(f"a lone {char}")
        else:
            self._add(re.escape(char), 1, atom=True)

    def _add(self, piece: str, length: int, *, atom: bool) -> None:
        self.pattern.pieces.append(piece)
        self.at += length
        self.atom = atom
        self.last_group = []

    def _escape(self) -> None:
        char = self.text[self.at + 1 : self.at + 2]
        if char and char in _CLASSES:
            self.pattern.ascii_only = True
            self._add(f"\\{char}" if char not in "sS" else _SPACE[char], 2, atom=True)
        elif char == "b":
            self.pattern.ascii_only = True
            self._add(r"\b", 2, atom=False)
        elif self.text.startswith(r"\p{L}", self.at):
            self._add(r"\p{L}", 5, atom=True)
        elif char in ("n", "t", "r") and char:
            self._add(f"\\{char}", 2, atom=True)
        elif char and char in _LITERAL_ESCAPES:
            self._add(re.escape(char), 2, atom=True)
        else:
            self._refuse(f"\\{char}")

    def _set(self) -> None:
        found = re.compile(r"\[\^?(?:[^\]\[\\&^\-]|-|\\[dwsnrt.\[\]{}()*+?^$|/\\\-&])+\]").match(
            self.text, self.at
        )
        if not found:
            self._refuse("this character set")
        body = found.group()
        if re.search(
            r"(?<!\\)-(?![\]])", re.sub(r"[A-Za-z0-9]-[A-Za-z0-9]", "", body[1:-1]).lstrip("-^")
        ):
            self._refuse("this range")
        if re.search(r"\\[dws]", body):
            self.pattern.ascii_only = True
        piece = body.replace(r"\s", r"\t\n\x0b\f\r ").replace("-]", r"\-]")
        self._add(re.sub(r"^(\[\^?)-", r"\1\\-", piece), len(body), atom=True)

    def _opening(self) -> None:
        if self.text.startswith("(?:", self.at):
            group, length, piece = None, 3, "(?:"
        elif self.text.startswith("(?", self.at):
            self._refuse(self.text[self.at : self.at + 3])
        else:
            self.pattern.groups += 1
            group, length = self.pattern.groups, 1
            piece = f"(#{group}"
        self.open.append(_Group(group, False, self.pattern.groups + (group is None)))
        self._add(piece, length, atom=False)

    def _closing(self) -> None:
        if not self.open:
            self._refuse("a lone )")
        group = self.open.pop()
        inside = list(range(group.start, self.pattern.groups + 1))
        if group.optional:
            self.pattern.optional.update(n for n in inside if n != group.number)
        self._add(")", 1, atom=True)
        self.last_group = inside

    def _alternative(self) -> None:
        if self.open:
            self.open[-1].optional = True
        else:
            self.alternatives = True
        self._add("|", 1, atom=False)

    def _anchor(self) -> None:
        self._add("^", 1, atom=False)

    def _end(self) -> None:
        if self.text[self.at + 1 : self.at + 2] not in ("", ")", "|"):
            self._refuse("$ before the end")
        self.pattern.ends = True
        self._add(_END, 1, atom=False)

    def _dot(self) -> None:
        self._add(".", 1, atom=True)

    def _quantifier(self) -> None:
        found = re.compile(r"(?:[*+?]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})\??").match(self.text, self.at)
        if not self.atom or not found:
            self._refuse("this quantifier")
        if self.text[found.end() : found.end() + 1] in ("*", "+", "?", "{") and found.end() < len(
            self.text
        ):
            self._refuse("a possessive or doubled quantifier")
        self.pattern.optional.update(self.last_group)
        self._add(found.group(), len(found.group()), atom=False)

    def _refuse(self, what: str) -> NoReturn:
        raise Refused(f"regular expression {self.text!r}: {what}")


_SPACE = {"s": r"[\t\n\x0b\f\r ]", "S": r"[^\t\n\x0b\f\r ]"}


def like(text: str) -> Kernel:
    """regexp_like: whether any part matches."""
    pattern = Pattern(text)
    expression = pattern.expression()

    def run(texts: pa.Array) -> pa.Array:
        pattern.check(texts, like=True)
        return pc.match_substring_regex(texts, expression)

    return run


def extract(text: str, group: int = 0) -> Kernel:
    """regexp_extract: the first match's group; NULL where nothing matches."""
    pattern = Pattern(text)
    if not 0 <= group <= pattern.groups or group in pattern.optional:
        raise Refused(
            f"regular expression {text!r}: group {group}, which is none or may be left out"
        )
    expression = pattern.expression(group)
    if group == 0:
        flags, body = ("(?i)", expression[4:]) if pattern.any_case else ("", expression)
        expression = f"{flags}(?P<v>{body})"

    def run(texts: pa.Array) -> pa.Array:
        pattern.check(texts, like=False)
        return pc.struct_field(pc.extract_regex(texts, expression), "v")

    return run


def replace(text: str, replacement: str = "") -> Kernel:
    """regexp_replace: every match, $1 to $9 standing for groups."""
    pattern = Pattern(text)
    if pattern.may_be_empty:
        raise Refused(f"regexp_replace with {text!r}, which may match nothing")
    if "\\" in replacement or re.search(r"\$(?![1-9](?![0-9]))", replacement):
        raise Refused(f"regexp_replace with the replacement {replacement!r}")
    used = {int(number) for number in re.findall(r"\$([1-9])", replacement)}
    if any(number > pattern.groups or number in pattern.optional for number in used):
        raise Refused(f"regexp_replace with the replacement {replacement!r}: no such group")
    flags = "(?i)" if pattern.any_case else ""
    body = "".join("(" if piece.startswith("(#") else piece for piece in pattern.pieces)
    rewrite = re.sub(r"\$([1-9])", r"\\\1", replacement)

    def run(texts: pa.Array) -> pa.Array:
        pattern.check(texts, like=False)
        return pc.replace_substring_regex(texts, flags + body, rewrite)

    return run
