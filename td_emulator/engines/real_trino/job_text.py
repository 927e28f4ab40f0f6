"""A job's SQL for a Trino in which Treasure Data's functions are routines (functions.sql).

TD_SCHEDULED_TIME and TD_INTERVAL get the job's own time. A bare NULL gets a type, since Trino
cannot choose between the forms of a routine by it. The rest of the text is unchanged.
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
    parts, copied = [], 0  # letters of `sql` that are in `parts` already
    for first, last, replacement in _replacements(list(Trino().tokenize(sql)), now):
        parts += [sql[copied:first], replacement]
        copied = last + 1
    return "".join([*parts, sql[copied:]])


def _replacements(tokens: list[Token], now: int) -> Iterator[tuple[int, int, str]]:
    """Pieces of the text, by the positions of first and last letter, and what replaces them."""
    calls: list[str] = []  # the functions whose parentheses are open, the innermost last
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
