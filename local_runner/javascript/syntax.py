"""The JavaScript of `${...}`: ECMAScript 5's expressions, and functions of a few statements.

`recognise` lets pass only what means the same to any engine: no later edition's syntax, no names
that Digdag's engine may know and ours may not. What the code computes is the engine's business.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

from local_runner.bounds import limits
from local_runner.javascript.names import CHANGING, GLOBALS, UNKNOWN_METHODS, words
from local_runner.javascript.tokens import (
    UnsupportedError,
    known_member,
    known_name,
    regexp_end,
    token,
)


class Expression(NamedTuple):
    """Code within the subset, its free names, and those of them that it assigns.

    `changes` is true where it may change an object, which then must not be seen by later code.
    """

    code: str
    names: frozenset[str]
    assigned: frozenset[str]
    changes: bool


# Which of them binds closer is the engine's business.
_BINARY = words("|| && | ^ & === !== == != <= >= < > in instanceof << >> >>> + - * / %")
_ASSIGNMENTS = words("= += -= *= /= %= <<= >>= >>>= &= ^= |=")
_UNARY = words("! - + ~ typeof void")
_CREATED = words("Array Date Object")  # with `new`
_LITERALS = words("true false null")


@lru_cache(maxsize=4096)
def recognise(code: str) -> Expression:
    """One expression; raises `UnsupportedError`.

    >>> sorted(recognise("rows.map(function (row) { return row.n * by; })").names)
    ['by', 'rows']
    """
    if "<!--" in code or "-->" in code:
        raise UnsupportedError("`<!--` or `-->`")
    reader = _Reader(code)
    reader.sequence()
    if reader.kind != "end":
        raise UnsupportedError(f"`{reader.text}`")
    (names, _), assigned = reader.frames[0], reader.assigned
    return Expression(code, frozenset(names), frozenset(assigned), reader.changes)


class _Reader:
    """Recursive descent. Methods that read an operand return `name`, `member` or `value`."""

    def __init__(self, code: str) -> None:
        self.code, self.end = code, 0
        self.kind = self.text = ""
        self.frames: list[tuple[set[str], set[str]]] = [(set(), set())]  # used, declared
        self.assigned: set[str] = set()
        self.changes = False
        self.depth = 0
        self.take()

    def take(self) -> str:
        taken = self.text
        self.kind, self.text, self.start, self.end = token(self.code, self.end)
        return taken

    def mark(self, *marks: str) -> str | None:
        """Take one of these marks or names, if it comes next."""
        return self.take() if self.kind in ("mark", "name") and self.text in marks else None

    def need(self, mark: str) -> None:
        if not self.mark(mark):
            raise UnsupportedError(f"`{self.text}`, where `{mark}` was expected")

    def list_of(self, read: Callable[[], object], close: str) -> None:
        """Comma-separated, up to the closing mark; none may be left out."""
        if not self.mark(close):
            self.commas(read)
            self.need(close)

    def commas(self, read: Callable[[], object]) -> None:
        read()
        while self.mark(","):
            read()

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level down, of as many as there may be."""
        self.depth += 1
        if self.depth > limits.current().nesting:
            raise UnsupportedError(
                f"code nested more than {self.depth - 1} deep ({limits.raising('nesting')})"
            )
        yield
        self.depth -= 1

    def sequence(self) -> None:
        self.commas(self.assignment)

    def assignment(self) -> str:
        with self.deeper():
            return self.assigned_or_not()

    def assigned_or_not(self) -> str:
        start, target = self.start, self.conditional()
        if self.kind != "mark" or self.text not in _ASSIGNMENTS:
            return target
        self.assign(target, self.code[start : self.start].strip())
        self.take()
        self.assignment()
        return "value"

    def assign(self, target: str, text: str) -> None:
        if target == "value" or text in GLOBALS or text.startswith("this"):
            raise UnsupportedError(f"an assignment to {text}")
        self.changes |= target == "member"
        if target == "name" and not any(text in declared for _, declared in self.frames[1:]):
            self.assigned.add(text)

    def conditional(self) -> str:
        kind = self.binary()
        if not self.mark("?"):
            return kind
        self.assignment()
        self.need(":")
        self.assignment()
        return "value"

    def binary(self) -> str:
        kind = self.unary()
        while self.mark(*_BINARY):
            self.unary()
            kind = "value"
        return kind

    def unary(self) -> str:
        is_computed = False
        while self.mark(*_UNARY):
            is_computed = True
        kind = self.update()
        return "value" if is_computed else kind

    def update(self) -> str:
        counts = self.mark("++", "--")
        start, kind, end = self.start, self.postfix(), self.start
        if not counts and not self.mark("++", "--"):
            return kind
        self.assign(kind, self.code[start:end].strip())
        return "value"

    def postfix(self) -> str:
        kind = self.primary()
        while operator := self.mark(".", "[", "("):
            if operator == "(":
                self.list_of(self.assignment, ")")
            elif operator == "[":
                self.key()
            else:
                self.member()
            kind = "value" if operator == "(" else "member"
        return kind

    def key(self) -> None:
        """`[...]` after an object; a built-in member must not come in by its text."""
        if self.kind == "string":
            known_member(self.text[1:-1])
        self.sequence()
        self.need("]")

    def member(self) -> None:
        if self.kind != "name":
            raise UnsupportedError(f"`.{self.text}`")
        known_member(self.text)
        self.changes |= self.text in CHANGING
        method = self.take()
        if self.text == "(" and method in UNKNOWN_METHODS:
            raise UnsupportedError(f"the built-in member `.{method}`")

    def primary(self) -> str:
        if self.mark("("):
            self.sequence()
            self.need(")")
            return "value"
        if self.mark("["):
            self.list_of(self.assignment, "]")
            return "value"
        if self.mark("{"):
            self.list_of(self.property, "}")
            return "value"
        if self.kind == "mark" and self.text in ("/", "/="):
            return self.regexp()
        if self.kind in ("number", "string"):
            self.take()
            return "value"
        if self.kind == "name":
            return self.name()
        raise UnsupportedError(f"`{self.text}`")

    def name(self) -> str:
        word = self.take()
        if word in _LITERALS:
            return "value"
        readers = {"function": self.function, "new": self.new, "this": self.this}
        if word in readers:
            return readers[word]()
        self.frames[-1][0].add(known_name(word))
        return "name"

    def regexp(self) -> str:
        self.end = regexp_end(self.code, self.start)
        self.take()
        return "value"

    def new(self) -> str:
        if self.text not in _CREATED:
            raise UnsupportedError(f"`new {self.text}`")
        self.frames[-1][0].add(self.take())
        self.need("(")
        self.list_of(self.assignment, ")")
        return "value"

    def this(self) -> str:
        """Outside of functions it holds the parameters: `this['my-key']`, `this.name`."""
        mark = None if len(self.frames) > 1 else self.mark("[", ".")
        wanted = {"[": "string", ".": "name"}.get(mark or "")
        key = self.text[1:-1] if mark == "[" else self.text
        if self.kind != wanted or not re.fullmatch(r"[\w -]+", key, re.ASCII):
            raise UnsupportedError("`this`, but for this.name and this['a-name']")
        self.frames[0][0].add(known_name(key))
        self.take()
        if mark == "[":
            self.need("]")
        return "value"

    def property(self) -> None:
        if self.kind not in ("name", "string", "number"):
            raise UnsupportedError(f"`{self.text}` as a key")
        if self.take().strip("'\"") == "__proto__":
            raise UnsupportedError("`__proto__`")
        self.need(":")
        self.assignment()

    def function(self) -> str:
        self.frames.append((set(), set()))
        if self.kind == "name":
            raise UnsupportedError("a function with a name")
        self.need("(")
        self.list_of(self.declare, ")")
        self.block()
        used, declared = self.frames.pop()
        self.frames[-1][0].update(used - declared)
        return "value"

    def declare(self) -> None:
        if self.kind != "name" or self.text in GLOBALS:
            raise UnsupportedError(f"`{self.text}` as a variable")
        self.frames[-1][1].add(known_name(self.take()))

    def block(self) -> None:
        self.need("{")
        while not self.mark("}"):
            self.statement()

    def statement(self) -> None:
        with self.deeper():
            self.any_statement()

    def any_statement(self) -> None:
        if self.kind == "mark" and self.text == "{":
            self.block()
        elif self.mark("var"):
            self.commas(self.variable)
            self.close()
        elif self.mark("return"):
            if "\n" in self.code[: self.start].rpartition("return")[2]:
                raise UnsupportedError("a line break after `return`")
            if self.text not in (";", "}"):
                self.sequence()
            self.close()
        elif self.mark("if"):
            self.condition()
        else:
            self.sequence()
            self.close()

    def condition(self) -> None:
        self.need("(")
        self.sequence()
        self.need(")")
        self.statement()
        if self.mark("else"):
            self.statement()

    def variable(self) -> None:
        self.declare()
        if self.mark("="):
            self.assignment()

    def close(self) -> None:
        """A semicolon; only the last one of a block may be missing."""
        if not (self.kind == "mark" and self.text == "}"):
            self.need(";")
