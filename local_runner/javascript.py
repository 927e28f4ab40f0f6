"""The JavaScript of `${...}`: names, members, arithmetic, comparison, `?:` and `typeof`.

`parse` makes an `Expression` or raises `UnsupportedError`, so that whatever was parsed means here
what it means in Digdag.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from local_runner.javascript_names import FORBIDDEN_MEMBERS, GLOBALS, RESERVED
from local_runner.javascript_values import (
    BINARY,
    UNARY,
    UNDEFINED,
    Js,
    Undefined,
    text_of,
    truthy,
    typeof,
)
from local_runner.yaml_types import Value

Scope = Mapping[str, Value]


class UnsupportedError(Exception):
    """An expression outside the subset; the message names what it holds, `at` where it starts."""

    at = 0


class ScriptError(Exception):
    """An error that JavaScript raises too, in its words."""


class Expression(NamedTuple):
    """A parsed expression: its value in a scope, and the free names that it reads."""

    value: Callable[[Scope], Js]
    names: frozenset[str]


_PUNCTUATION = [
    ">>>=",
    "===",
    "!==",
    ">>>",
    "<<=",
    ">>=",
    "**=",
    "...",
    "==",
    "!=",
    "<=",
    ">=",
    "&&",
    "||",
    "++",
    "--",
    "+=",
    "-=",
    "*=",
    "/=",
    "%=",
    "&=",
    "|=",
    "^=",
    "<<",
    ">>",
    "=>",
    "**",
    "??",
    "?.",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    ",",
    "<",
    ">",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "|",
    "^",
    "!",
    "~",
    "?",
    ":",
    "=",
    ".",
    "@",
    "#",
    "`",
    "\\",
]
_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\n]+|/\*.*?\*/)"
    r"|(?P<number>0[xX][0-9a-fA-F]+|(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(?![\w$.])"
    r"|(?P<string>\"(?:[^\"\\\r\n]|\\[nrtbf\\'\"])*\"|'(?:[^'\\\r\n]|\\[nrtbf\\'\"])*')"
    r"|(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)"
    r"|(?P<mark>" + "|".join(map(re.escape, _PUNCTUATION)) + ")",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "\\": "\\", "'": "'", '"': '"'}
_LITERALS: dict[str, Js] = {"true": True, "false": False, "null": None, "undefined": UNDEFINED}
_LEVELS = (
    ("||",),
    ("&&",),
    ("===", "!==", "==", "!="),
    ("<=", ">=", "<", ">"),
    ("+", "-"),
    ("*", "/", "%"),
)


@lru_cache(maxsize=4096)
def parse(code: str) -> Expression:
    """One expression; raises `UnsupportedError`.

    >>> parse("r + 1").value({"r": "0.5"}), parse("2 * r").value({"r": "0.5"})
    ('0.51', 1.0)
    """
    parser = _Parser(_tokens(code))
    value = parser.ternary()
    if parser.kind != "end":
        raise UnsupportedError(f"`{parser.text}`")
    return Expression(value, frozenset(parser.names))


def _tokens(code: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while position < len(code):
        found = _TOKEN.match(code, position)
        if found is None or code.startswith("//", position):
            raise UnsupportedError(f"`{code[position : position + 20]}`")
        position = found.end()
        if found.lastgroup and found.lastgroup != "blank":
            tokens.append((found.lastgroup, found.group()))
    return [*tokens, ("end", "the end")]


class _Parser:
    """Recursive descent; every method returns a function from the scope to a value."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.names: set[str] = set()
        self.kind, self.text = tokens[0]

    def take(self) -> str:
        taken = self.text
        self.tokens = self.tokens[1:] or self.tokens
        self.kind, self.text = self.tokens[0]
        return taken

    def mark(self, *marks: str) -> str | None:
        return self.take() if self.kind == "mark" and self.text in marks else None

    def close(self, mark: str) -> None:
        if not self.mark(mark):
            raise UnsupportedError(f"`{self.text}`, where `{mark}` was expected")

    def ternary(self) -> Callable[[Scope], Js]:
        condition = self.binary(0)
        if not self.mark("?"):
            return condition
        then = self.ternary()
        self.close(":")
        otherwise = self.ternary()
        return lambda scope: (then if truthy(condition(scope)) else otherwise)(scope)

    def binary(self, level: int) -> Callable[[Scope], Js]:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while operator := self.mark(*_LEVELS[level]):
            left = _operation(operator, left, self.binary(level + 1))
        return left

    def unary(self) -> Callable[[Scope], Js]:
        if self.kind == "name" and self.text == "typeof":
            self.take()
            return self._typeof()
        if operator := self.mark("!", "-", "+"):
            operand, function = self.unary(), UNARY[operator]
            return lambda scope: function(operand(scope))
        return self.postfix()

    def _typeof(self) -> Callable[[Scope], Js]:
        if self.text == "(":
            raise UnsupportedError("`typeof (`")
        start = self.tokens
        operand = self.unary()
        name = start[0][1] if start[0][0] == "name" and start[1:] == self.tokens else None
        if name in self.names:
            return lambda scope: typeof(operand(scope)) if name in scope else "undefined"
        return lambda scope: typeof(operand(scope))

    def postfix(self) -> Callable[[Scope], Js]:
        value = self.primary()
        while operator := self.mark(".", "["):
            value = _member(value, self._key(operator))
        if self.kind == "mark" and self.text == "(":
            raise UnsupportedError("a function call")
        return value

    def _key(self, operator: str) -> Callable[[Scope], Js]:
        if operator == "[":
            key = self.ternary()
            self.close("]")
            return key
        if self.kind != "name":
            raise UnsupportedError(f"`.{self.text}`")
        name = self.take()
        if name in FORBIDDEN_MEMBERS:
            raise UnsupportedError(f"the built-in member `.{name}`")
        return lambda scope: name

    def primary(self) -> Callable[[Scope], Js]:
        kind, text = self.kind, self.take()
        if kind == "mark" and text == "(":
            value = self.ternary()
            self.close(")")
            return value
        if kind == "number":
            number = float(int(text, 16)) if text[:2] in ("0x", "0X") else float(text)
            return lambda scope: number
        if kind == "string":
            string = re.sub(r"\\(.)", lambda found: _ESCAPES[found[1]], text[1:-1])
            return lambda scope: string
        if kind == "name":
            return self._name(text)
        raise UnsupportedError(f"`{text}`")

    def _name(self, name: str) -> Callable[[Scope], Js]:
        if name in _LITERALS:
            literal = _LITERALS[name]
            return lambda scope: literal
        if name in RESERVED or name in GLOBALS or name.startswith("__"):
            raise UnsupportedError(f"the JavaScript name `{name}`")
        self.names.add(name)
        return lambda scope: _lookup(scope, name)


def _lookup(scope: Scope, name: str) -> Js:
    if name not in scope:
        raise ScriptError(f"ReferenceError: {name} is not defined")
    return scope[name]


def _member(owner: Callable[[Scope], Js], key: Callable[[Scope], Js]) -> Callable[[Scope], Js]:
    def value(scope: Scope) -> Js:
        of, name = owner(scope), text_of(key(scope))
        if of is None or isinstance(of, Undefined):
            raise ScriptError(f"TypeError: Cannot read property '{name}' of {text_of(of)}")
        if isinstance(of, dict) and name in of:
            return of[name]
        if name in FORBIDDEN_MEMBERS:
            raise ScriptError(f"the built-in member '{name}' is not supported")
        return _element(of, name)

    return value


def _element(of: Js, name: str) -> Js:
    """An item or the length of a list or string; a string is counted in UTF-16 units."""
    if not isinstance(of, list | str):
        return UNDEFINED
    units = of if isinstance(of, list) else of.encode("utf-16-le", "surrogatepass")
    size = 1 if isinstance(of, list) else 2
    if name == "length":
        return float(len(units) // size)
    if not re.fullmatch("0|[1-9][0-9]{0,9}", name) or int(name) >= len(units) // size:
        return UNDEFINED
    at = int(name)
    return (
        units[at]
        if isinstance(units, list)
        else units[2 * at : 2 * at + 2].decode("utf-16-le", "surrogatepass")
    )


def _operation(
    operator: str, left: Callable[[Scope], Js], right: Callable[[Scope], Js]
) -> Callable[[Scope], Js]:
    if operator == "&&":
        return lambda scope: right(scope) if truthy(first := left(scope)) else first
    if operator == "||":
        return lambda scope: first if truthy(first := left(scope)) else right(scope)
    function = BINARY[operator]
    return lambda scope: function(left(scope), right(scope))
