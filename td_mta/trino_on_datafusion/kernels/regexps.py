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
from td_mta.trino_on_datafusion.kernels.distinct import each_once
from td_mta.trino_on_datafusion.types import Kernel

_CLASSES = "dDwWsS"
_END = r"(?:\n?\z)"  # in Java $ stands before a last newline too
_WITHOUT_WIDTH = ("^", r"\b", _END)
_SPACE = {"s": r"[\t\n\x0b\f\r ]", "S": r"[^\t\n\x0b\f\r ]"}  # RE2's \s lacks \x0b
_CHARACTER_SET = re.compile(r"\[\^?(?:[^\]\[\\&^\-]|-|\\[dwsnrt.\[\]{}()*+?^$|/\\\-&])+\]")
_PLAIN_RANGE = re.compile(r"[A-Za-z0-9]-[A-Za-z0-9]")
_INNER_HYPHEN = re.compile(r"(?<!\\)-(?![\]])")
_QUANTIFIER = re.compile(r"(?:[*+?]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})\??")
_LITERAL_ESCAPES = r"\.[]{}()*+-?^$|/&%#@!~=:;,<>\"'_ `"
# Letters whose other case is, or begins with, an ASCII letter: Kelvin sign, long s, ligatures, ...
_FOLDS_TO_ASCII = (
    "\u0130\u0131\u017f\u212a\u00df\u1e9e\u0149\u01f0\u1e96\u1e97\u1e98\u1e99\u1e9a"
    + ("\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06")
)


@dataclass
class _Group:
    """A group that is not closed yet."""

    number: int | None  # None where it does not capture
    optional: bool  # whether a match may leave out the groups in it
    first_inside: int  # the number of the first group that opens in it, itself included


@dataclass
class Pattern:
    """A pattern that passed: RE2's text in pieces, and what to check in the texts.

    `Refused` names the first construct that the two engines may read differently.
    """

    text: str
    pieces: list[str] = field(default_factory=list)  # `(#3` opens the capturing group 3
    ascii_only: bool = False  # holds \w, \d, \s or \b: the engines agree on ASCII alone
    any_case: bool = False  # begins with (?i)
    has_end: bool = False  # holds $
    optional: set[int] = field(default_factory=set)  # groups that a match may leave out
    groups: int = 0

    def __post_init__(self) -> None:
        _Reader(self).read()

    def expression(self, group: int | None = None) -> str:
        """RE2's text; the wanted group is called v, 0 is the whole match, no other captures."""
        body = "".join(self._opened(piece, group) for piece in self.pieces)
        if group == 0:
            body = f"(?P<v>{body})"
        return f"{self.flags}{body}"

    def with_numbered_groups(self) -> str:
        """RE2's text in which every group captures."""
        pieces = ["(" if piece.startswith("(#") else piece for piece in self.pieces]
        return self.flags + "".join(pieces)

    @property
    def flags(self) -> str:
        """RE2's flags, which stand before the pattern."""
        return "(?i)" if self.any_case else ""

    @staticmethod
    def _opened(piece: str, group: int | None) -> str:
        if not piece.startswith("(#"):
            return piece
        return "(?P<v>" if piece == f"(#{group}" else "(?:"

    def check(self, texts: pa.Array, *, like: bool) -> None:
        """Refuse texts on which the two engines may differ.

        `like`: it only matters whether they match, not what.
        """
        if self.has_end and not like and pc.any(pc.ends_with(texts, "\n")).as_py():
            raise Refused(
                f"regular expression {self.text!r} with $ on a text that ends in a newline"
            )
        if not (self.ascii_only or self.any_case):
            return
        if pc.all(pc.string_is_ascii(texts)).as_py() is not False:  # None: all are NULL
            return
        if self.ascii_only:
            raise Refused(f"regular expression {self.text!r} on non-ASCII text")
        if pc.any(pc.match_substring_regex(texts, f"[{_FOLDS_TO_ASCII}]")).as_py():
            raise Refused(f"regular expression {self.text!r} on letters that fold to ASCII")

    @property
    def may_be_empty(self) -> bool:
        """Whether it may match the empty string, after which engines go on differently."""
        with_width = [piece for piece in self.pieces if piece not in _WITHOUT_WIDTH]
        body = "".join(self._opened(piece, None) for piece in with_width)
        empty = pa.array([""])
        return bool(pc.match_substring_regex(empty, rf"\A(?:{body})\z")[0].as_py())


class _Reader:
    """Reads a pattern from left to right and fills in its pieces."""

    def __init__(self, pattern: Pattern) -> None:
        self.pattern, self.text = pattern, pattern.text
        self.index = 0  # of the next letter
        self.open: list[_Group] = []
        self.after_atom = False  # whether a quantifier may follow
        self.closed_groups: list[int] = []  # of the group that was just closed, with those in it
        self.has_alternatives = False  # outside of all groups

    def read(self) -> None:
        """All of the pattern."""
        if self.text.startswith("(?i)"):
            self.pattern.any_case, self.index = True, len("(?i)")
            if not self.text.isascii():
                self._refuse("(?i) with non-ASCII letters")
        while self.index < len(self.text):
            self._step()
        if self.open:
            self._refuse("a group that is not closed")
        if self.has_alternatives:
            self.pattern.optional.update(range(1, self.pattern.groups + 1))

    def _step(self) -> None:
        char = self.text[self.index]
        match char:
            case "\\":
                self._escape()
            case "[":
                self._set()
            case "(":
                self._opening()
            case ")":
                self._closing()
            case "|":
                self._alternative()
            case "^":
                self._add("^", 1, atom=False)
            case "$":
                self._end()
            case ".":
                self._add(".", 1, atom=True)
            case "*" | "+" | "?" | "{":
                self._quantifier()
            case "}" | "]":
                self._refuse(f"an unmatched {char}")
            case _:
                self._add(re.escape(char), 1, atom=True)

    def _add(self, piece: str, length: int, *, atom: bool) -> None:
        """Go on behind so many letters, which RE2 writes as the piece."""
        self.pattern.pieces.append(piece)
        self.index += length
        self.after_atom = atom
        self.closed_groups = []

    def _escape(self) -> None:
        char = self.text[self.index + 1 : self.index + 2]
        if char and char in _CLASSES:
            self.pattern.ascii_only = True
            self._add(f"\\{char}" if char not in "sS" else _SPACE[char], 2, atom=True)
        elif char == "b":
            self.pattern.ascii_only = True
            self._add(r"\b", 2, atom=False)
        elif self.text.startswith(r"\p{L}", self.index):
            self._add(r"\p{L}", 5, atom=True)
        elif char in ("n", "t", "r") and char:
            self._add(f"\\{char}", 2, atom=True)
        elif char and char in _LITERAL_ESCAPES:
            self._add(re.escape(char), 2, atom=True)
        else:
            self._refuse(f"\\{char}")

    def _set(self) -> None:
        match = _CHARACTER_SET.match(self.text, self.index)
        if not match:
            self._refuse("this character set")
        character_set = match.group()
        without_ranges = _PLAIN_RANGE.sub("", character_set[1:-1]).lstrip("-^")
        if _INNER_HYPHEN.search(without_ranges):
            self._refuse("this range")
        if re.search(r"\\[dws]", character_set):
            self.pattern.ascii_only = True
        piece = character_set.replace(r"\s", r"\t\n\x0b\f\r ")
        # A hyphen at either end is a letter; RE2 is told so.
        piece = re.sub(r"^(\[\^?)-", r"\1\\-", piece.replace("-]", r"\-]"))
        self._add(piece, len(character_set), atom=True)

    def _opening(self) -> None:
        if self.text.startswith("(?:", self.index):
            self.open.append(_Group(None, False, first_inside=self.pattern.groups + 1))
            self._add("(?:", len("(?:"), atom=False)
        elif self.text.startswith("(?", self.index):
            self._refuse(self.text[self.index : self.index + 3])
        else:
            self.pattern.groups += 1
            number = self.pattern.groups
            self.open.append(_Group(number, False, first_inside=number))
            self._add(f"(#{number}", 1, atom=False)

    def _closing(self) -> None:
        if not self.open:
            self._refuse("an unmatched )")
        group = self.open.pop()
        inside = list(range(group.first_inside, self.pattern.groups + 1))
        if group.optional:
            self.pattern.optional.update(number for number in inside if number != group.number)
        self._add(")", 1, atom=True)
        self.closed_groups = inside

    def _alternative(self) -> None:
        if self.open:
            self.open[-1].optional = True
        else:
            self.has_alternatives = True
        self._add("|", 1, atom=False)

    def _end(self) -> None:
        if self.text[self.index + 1 : self.index + 2] not in ("", ")", "|"):
            self._refuse("$ before the end")
        self.pattern.has_end = True
        self._add(_END, 1, atom=False)

    def _quantifier(self) -> None:
        match = _QUANTIFIER.match(self.text, self.index)
        if not self.after_atom or not match:
            self._refuse("this quantifier")
        next_char = self.text[match.end() : match.end() + 1]
        if next_char in ("*", "+", "?", "{"):
            self._refuse("a possessive or doubled quantifier")
        # A group that repeats may match no time, or keep another repetition than Java keeps.
        self.pattern.optional.update(self.closed_groups)
        self._add(match.group(), len(match.group()), atom=False)

    def _refuse(self, what: str) -> NoReturn:
        raise Refused(f"regular expression {self.text!r}: {what} at position {self.index + 1}")


def like(text: str) -> Kernel:
    """regexp_like: whether any part matches."""
    pattern = Pattern(text)
    expression = pattern.expression()

    def kernel(texts: pa.Array) -> pa.Array:
        if texts.null_count == len(texts):
            return pa.nulls(len(texts), pa.bool_())
        pattern.check(texts, like=True)
        return pc.match_substring_regex(texts, expression)

    return each_once(kernel)


def extract(text: str, group: int = 0) -> Kernel:
    """regexp_extract: the first match's group; NULL where nothing matches."""
    pattern = Pattern(text)
    if not 0 <= group <= pattern.groups or group in pattern.optional:
        raise Refused(
            f"regular expression {text!r}: group {group}, which does not exist or may not match"
        )
    expression = pattern.expression(group)

    def kernel(texts: pa.Array) -> pa.Array:
        pattern.check(texts, like=False)
        return pc.struct_field(pc.extract_regex(texts, expression), "v")

    return each_once(kernel)


def replace(text: str, replacement: str = "") -> Kernel:
    """regexp_replace: every match, $1 to $9 standing for groups."""
    pattern = Pattern(text)
    if pattern.may_be_empty:
        raise Refused(
            f"regexp_replace with {text!r}, which may match the empty string: write + for *"
        )
    if "\\" in replacement or re.search(r"\$(?![1-9](?![0-9]))", replacement):
        raise Refused(f"regexp_replace with the replacement {replacement!r}")
    used = {int(number) for number in re.findall(r"\$([1-9])", replacement)}
    if any(number > pattern.groups or number in pattern.optional for number in used):
        raise Refused(f"regexp_replace with the replacement {replacement!r}: no such group")
    expression = pattern.with_numbered_groups()
    rewrite = re.sub(r"\$([1-9])", r"\\\1", replacement)  # RE2 writes groups as \1

    def kernel(texts: pa.Array) -> pa.Array:
        pattern.check(texts, like=False)
        return pc.replace_substring_regex(texts, expression, rewrite)

    return each_once(kernel)
