"""A text of SQL statements as its statements: which table each writes, and its query's own text.

Digdag sends `DROP TABLE IF EXISTS "t";` and `CREATE TABLE "t" AS` with a query as one job. Only the
beginning of a statement is read here, token by token; the query's text stays as it was written.
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
    """One statement. `table` is the one that it writes; `query` is its query's text.

    `text` has the comments before it; `words` starts with its first word.
    """

    kind: Kind
    text: str
    words: str
    database: str = ""
    table: str = ""
    query: str = ""
    columns: tuple[tuple[str, str], ...] = ()  # of create: name and type; of insert: name and ""
    lenient: bool = False  # IF EXISTS, IF NOT EXISTS

    @property
    def writes(self) -> bool:
        return self.kind not in ("query", "show")


def statements(sql: str, database: str) -> list[Statement]:
    """The statements of a text; a table without a database is in `database`."""
    return [_Reader(sql, *piece, database).statement() for piece in _pieces(sql)]


def _pieces(sql: str) -> Iterator[tuple[int, int, list[Token]]]:
    """Where each statement starts and ends, and its tokens."""
    try:
        tokens = list(Trino().tokenize(sql))
    except SqlglotError as error:
        message = f"line 1:1: text that cannot be read: {str(error).splitlines()[0]}"
        raise EngineError("SYNTAX_ERROR", message) from error
    start = 0
    piece: list[Token] = []
    for token in tokens:
        if token.token_type != TokenType.SEMICOLON:
            piece.append(token)
            continue
        if piece:
            yield start, token.start, piece
        start, piece = token.end + 1, []
    if piece:
        yield start, len(sql), piece


class _Reader:
    """Reads the beginning of one statement."""

    def __init__(self, sql: str, start: int, end: int, tokens: list[Token], database: str) -> None:
        self.sql, self.end, self.text = sql, end, sql[start:end]
        self.words = sql[tokens[0].start : end]
        self.tokens, self.database, self.at = tokens, database, 0

    def statement(self) -> Statement:
        first = self._word()
        if first in _READS:
            return self._made("query", query=self.text)
        if first in _SHOWS:
            return self._made("show")
        if self._take("CREATE", "TABLE"):
            return self._create(lenient=self._take("IF", "NOT", "EXISTS"))
        if self._take("INSERT", "INTO"):
            return self._insert()
        if self._take("DROP", "TABLE"):
            lenient = self._take("IF", "EXISTS")
            database, table = self._name()
            return self._made("drop", database=database, table=table, lenient=lenient)
        return self._made("other")

    def _made(self, kind: Kind, **parts: Any) -> Statement:
        return Statement(kind=kind, text=self.text, words=self.words, **parts)

    def _create(self, *, lenient: bool) -> Statement:
        database, table = self._name()
        columns = self._definitions() if self._word() == "(" else ()
        if self._take("WITH"):
            self._skip_parentheses()
        as_query = {"query": self._rest()} if self._take("AS") else {}
        return self._made(
            "create_as" if as_query else "create",
            database=database,
            table=table,
            columns=columns,
            lenient=lenient,
            **as_query,
        )

    def _insert(self) -> Statement:
        database, table = self._name()
        names: tuple[tuple[str, str], ...] = ()
        if self._word() == "(" and self._word(1) not in _READS:
            names = tuple((part.split()[0], "") for part in self._parts())
        return self._made(
            "insert", database=database, table=table, query=self._rest(), columns=names
        )

    def _definitions(self) -> tuple[tuple[str, str], ...]:
        pairs = (part.partition(" ") for part in self._parts())
        return tuple((name, kind.strip()) for name, _, kind in pairs)

    def _parts(self) -> list[str]:
        """The parts of a list in parentheses, each as its words; names in lower case."""
        start = self.at + 1
        end = self._skip_parentheses()
        parts, depth = [""], 0
        for token in self.tokens[start:end]:
            depth += _DEPTH.get(token.token_type, 0)
            if token.text == "," and depth == 0:
                parts.append("")
            else:
                parts[-1] = f"{parts[-1]} {token.text.lower()}".strip()
        return parts

    def _skip_parentheses(self) -> int:
        """Past a list in parentheses; gives the place of the closing one."""
        depth = 0
        for place in range(self.at, len(self.tokens)):
            depth += _DEPTH.get(self.tokens[place].token_type, 0)
            if depth == 0:
                self.at = place + 1
                return place
        raise EngineError("SYNTAX_ERROR", f"a parenthesis is not closed: {self.text[:80]!r}")

    def _name(self) -> tuple[str, str]:
        """A table's name as database and table; a catalog before them is left out."""
        names = [self._identifier()]
        while self._word() == ".":
            self.at += 1
            names.append(self._identifier())
        return (names[-2] if len(names) > 1 else self.database), names[-1]

    def _identifier(self) -> str:
        if self.at >= len(self.tokens):
            raise EngineError("SYNTAX_ERROR", f"a table's name is missing: {self.text[-80:]!r}")
        self.at += 1
        return self.tokens[self.at - 1].text.lower()

    def _rest(self) -> str:
        if self.at >= len(self.tokens):
            raise EngineError("SYNTAX_ERROR", f"the query is missing: {self.text[-80:]!r}")
        return self.sql[self.tokens[self.at].start : self.end]

    def _take(self, *words: str) -> bool:
        if any(self._word(place) != word for place, word in enumerate(words)):
            return False
        self.at += len(words)
        return True

    def _word(self, ahead: int = 0) -> str:
        """A token in upper case; nothing for a quoted name or past the end."""
        place = self.at + ahead
        if place >= len(self.tokens) or self.tokens[place].token_type == TokenType.IDENTIFIER:
            return ""
        return self.tokens[place].text.upper()
