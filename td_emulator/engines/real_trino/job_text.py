"""A job's SQL as Trino's routines of Treasure Data's functions (functions.sql) want it.

TD_SCHEDULED_TIME and TD_INTERVAL get the job's own time, and a bare NULL a type, since Trino cannot
choose between the forms of a routine by it. All else stays letter by letter as it was written.
"""

from collections.abc import Iterator
from itertools import pairwise

from sqlglot.dialects.trino import Trino
from sqlglot.tokens import Token, TokenType

_WITH_TIME = {
    "td_scheduled_time": "td_scheduled_time_at({now}",
    "td_interval": "td_interval_at({now}, ",
}
_OF_SEVERAL_FORMS = ("td_time_range", "td_time_add")


def job_text(sql: str, now: int) -> str:
    """The same text for a job at a time in unix seconds.

    >>> job_text("select 'td_interval(' where TD_Interval (t, '-1d')", 60)
    "select 'td_interval(' where td_interval_at(60, t, '-1d')"
    >>> job_text("td_time_range(time, null, '2026-03-01')", 60)
    "td_time_range(time, cast(null as bigint), '2026-03-01')"
    """
    parts, at = [], 0
    for start, end, text in _replaced(list(Trino().tokenize(sql)), now):
        parts += [sql[at:start], text]
        at = end + 1
    return "".join([*parts, sql[at:]])


def _replaced(tokens: list[Token], now: int) -> Iterator[tuple[int, int, str]]:
    """Pieces of the text, by their first and last letter, and what stands there instead."""
    calls: list[str] = []
    for before, token in pairwise(tokens):
        if token.token_type == TokenType.L_PAREN:
            name = before.text.lower() if before.token_type == TokenType.VAR else ""
            calls.append(name)
            if name in _WITH_TIME:
                yield before.start, token.end, _WITH_TIME[name].format(now=now)
        elif token.token_type == TokenType.R_PAREN and calls:
            calls.pop()
        elif (
            token.token_type == TokenType.NULL
            and before.token_type in (TokenType.L_PAREN, TokenType.COMMA)
            and calls
            and calls[-1] in _OF_SEVERAL_FORMS
        ):
            yield token.start, token.end, "cast(null as bigint)"
