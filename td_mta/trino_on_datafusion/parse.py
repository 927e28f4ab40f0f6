"""Trino's text to a syntax tree whose functions keep the names that were written.

sqlglot's own reading turns many functions into its portable ones; here each stays `Anonymous`, so
that the allow-list sees Trino's names and arguments, and nothing is translated by surprise.
"""

import sys
from collections.abc import Callable
from typing import ClassVar, cast

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

from td_mta.errors import Refused

_FRAMES = 5000
_LIMIT_BEFORE_OFFSET = (TokenType.LIMIT, TokenType.NUMBER, TokenType.OFFSET)
_WITH_OWN_SYNTAX = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "SUBSTRING")


class _Untranslated(Trino):
    """sqlglot's Trino without its functions: only those with a syntax of their own are parsed."""

    class Parser(Trino.Parser):  # type: ignore[valid-type,misc]
        FUNCTIONS: ClassVar[dict[str, Callable[..., exp.Expression]]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., exp.Expression]]] = {
            name: parser
            for name, parser in Trino.Parser.FUNCTION_PARSERS.items()
            if name in _WITH_OWN_SYNTAX
        }


def parse(sql: str) -> exp.Expression:
    """The one query of a text; comments and a last semicolon are no part of it.

    Raises `Refused` for text that is no query, and for what sqlglot reads but Trino does not.
    """
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _FRAMES))  # 20 calls for one parenthesis
    try:
        tokens = [token.token_type for token in _Untranslated().tokenize(sql)]
        if TokenType.DCOLON in tokens:
            raise Refused("a cast by `::`, which Trino does not have: write cast(... as ...)")
        if _LIMIT_BEFORE_OFFSET in zip(tokens, tokens[1:], tokens[2:], strict=False):
            raise Refused("LIMIT before OFFSET: Trino wants OFFSET first")
        statements = [tree for tree in _Untranslated().parse(sql) if tree is not None]
    except SqlglotError as error:
        raise Refused(f"SQL that cannot be read: {str(error).splitlines()[0]}") from error
    queries = [tree for tree in statements if not isinstance(tree, exp.Semicolon)]
    if len(queries) != 1:
        raise Refused(f"exactly one query is needed, not {len(queries)}")
    (query,) = queries
    if not isinstance(query, exp.Query | exp.Values):
        raise Refused(f"only queries run here, not {query.key.upper()}")
    return cast(exp.Expression, query)


def only(node: exp.Expression, *allowed: str) -> None:
    """Refuse a node that holds any other part than these.

    sqlglot accepts more than Trino and more than is translated here; an ignored part would change
    what a query means.
    """
    for name, part in node.args.items():
        if name not in allowed and part not in (None, False, [], ""):
            raise Refused(f"{name.strip('_').upper()} in {node.sql('trino')[:80]!r}")
