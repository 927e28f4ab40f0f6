"""Splits a text of SQL into statements: what each does, which table it writes, its query's text.

Digdag sends `DROP TABLE IF EXISTS "t";` and `CREATE TABLE "t" AS` with a query as one job. Only the
beginning of a statement is parsed here, token by token; the query's text is not changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from td_emulator.engines.protocol import EngineError

Kind = Literal["query", "show", "create", "create_as", "insert", "drop", "other"]
_READS = {"SELECT", "WITH", "VALUES", "(", "TABLE"}
_SHOWS = {"SHOW", "DESCRIBE", "DESC", "EXPLAIN"}
_DEPTH = {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement."""

    kind: Kind
    text: str  # with the comments before it
    words: str  # from its first word on
    database: str = ""  # of the table that it writes
    table: str = ""  # that it writes
    query: str = ""  # the text of its query
    columns: tuple[tuple[str, str], ...] = ()  # of create: name and type; of insert: name and ""
    lenient: bool = False  # IF EXISTS, IF NOT EXISTS

    @property
    def writes(self) -> bool:
        """Whether it changes a table, or may do so."""
        return self.kind not in ("query", "show")


def statements(sql: str, database: str) -> list[Statement]:
    """The statements of a text, at least one; a table without a database is in `database`.

    Raises `EngineError` SYNTAX_ERROR.
    """
    parsed = [
        _StatementReader(sql, start, end, tokens, database).statement()
        for start, end, tokens in _split(sql)
    ]
    if not parsed:
        raise EngineError("SYNTAX_ERROR", "line 1:1: there is no statement in this text")
    return parsed


def _split(sql: str) -> Iterator[tuple[int, int, list[Token]]]:
    """Where each statement starts and ends, and its tokens."""
    try:
        tokens = list(Trino().tokenize(sql))
    except SqlglotError as error:
        message = f"line 1:1: text that cannot be read: {str(error).splitlines()[0]}"
        raise EngineError("SYNTAX_ERROR", message) from error
    start = 0
    current: list[Token] = []
    for token in tokens:
        if token.token_type != TokenType.SEMICOLON:
            current.append(token)
            continue
        if current:
            yield start, token.start, current
        start, current = token.end + 1, []
    if current:
        yield start, len(sql), current


class _StatementReader:
    """Parses the beginning of one statement: `position` is the index of the next token."""

    def __init__(self, sql: str, start: int, end: int, tokens: list[Token], database: str) -> None:
        self.sql, self.end, self.text = sql, end, sql[start:end]
        self.words = sql[tokens[0].start : end]
        self.tokens, self.database, self.position = tokens, database, 0

    def statement(self) -> Statement:
        """The statement; of a kind that is not known here it is `other`."""
        first = self._word()
        if first in _READS:
            return self._of_kind("query", query=self.text)
        if first in _SHOWS:
            return self._of_kind("show")
        if self._take("CREATE", "TABLE"):
            return self._create(lenient=self._take("IF", "NOT", "EXISTS"))
        if self._take("INSERT", "INTO"):
            return self._insert()
        if self._take("DROP", "TABLE"):
            lenient = self._take("IF", "EXISTS")
            database, table = self._name()
            return self._of_kind("drop", database=database, table=table, lenient=lenient)
        return self._of_kind("other")

    def _of_kind(self, kind: Kind, **parts: Any) -> Statement:
        return Statement(kind=kind, text=self.text, words=self.words, **parts)

    def _create(self, *, lenient: bool) -> Statement:
        database, table = self._name()
        columns = self._definitions() if self._word() == "(" else ()
        if self._take("WITH"):
            self._skip_parentheses()
        has_query = self._take("AS")
        return self._of_kind(
            "create_as" if has_query else "create",
            database=database,
            table=table,
            columns=columns,
            lenient=lenient,
            query=self._query_text() if has_query else "",
        )

    def _insert(self) -> Statement:
        database, table = self._name()
        names: tuple[tuple[str, str], ...] = ()
        if self._word() == "(" and self._word(1) not in _READS:
            names = tuple((item.split()[0], "") for item in self._items())
        query = self._query_text()
        return self._of_kind("insert", database=database, table=table, query=query, columns=names)

    def _definitions(self) -> tuple[tuple[str, str], ...]:
        """Names and types of the columns of a `create table`."""
        pairs = (item.partition(" ") for item in self._items())
        return tuple((name, kind.strip()) for name, _, kind in pairs)

    def _items(self) -> list[str]:
        """The items of a list in parentheses, each as its words in lower case."""
        start = self.position + 1
        end = self._skip_parentheses()
        items, depth = [""], 0
        for token in self.tokens[start:end]:
            depth += _DEPTH.get(token.token_type, 0)
            if token.text == "," and depth == 0:
                items.append("")
            else:
                items[-1] = f"{items[-1]} {token.text.lower()}".strip()
        return items

    def _skip_parentheses(self) -> int:
        """Move past a list in parentheses; returns the index of the closing one."""
        depth = 0
        for index in range(self.position, len(self.tokens)):
            depth += _DEPTH.get(self.tokens[index].token_type, 0)
            if depth == 0:
                self.position = index + 1
                return index
        raise EngineError("SYNTAX_ERROR", f"a parenthesis is not closed: {self.text[:80]!r}")

    def _name(self) -> tuple[str, str]:
        """A table's name as database and table; a catalog before them is left out."""
        names = [self._identifier()]
        while self._word() == ".":
            self.position += 1
            names.append(self._identifier())
        return (names[-2] if len(names) > 1 else self.database), names[-1]

    def _identifier(self) -> str:
        if self.position >= len(self.tokens):
            raise EngineError("SYNTAX_ERROR", f"a table's name is missing: {self.text[-80:]!r}")
        self.position += 1
        return self.tokens[self.position - 1].text.lower()

    def _query_text(self) -> str:
        """The text from the next token on."""
        if self.position >= len(self.tokens):
            raise EngineError("SYNTAX_ERROR", f"the query is missing: {self.text[-80:]!r}")
        return self.sql[self.tokens[self.position].start : self.end]

    def _take(self, *words: str) -> bool:
        """Move past these words, if they are the next ones."""
        if any(self._word(ahead) != word for ahead, word in enumerate(words)):
            return False
        self.position += len(words)
        return True

    def _word(self, ahead: int = 0) -> str:
        """A token in upper case; empty for a quoted name or past the end."""
        index = self.position + ahead
        if index >= len(self.tokens) or self.tokens[index].token_type == TokenType.IDENTIFIER:
            return ""
        return self.tokens[index].text.upper()
