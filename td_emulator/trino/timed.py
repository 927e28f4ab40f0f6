"""The time of a job in its text: TD_SCHEDULED_TIME and TD_INTERVAL mean the job's, not now."""

from itertools import pairwise

from sqlglot.dialects.trino import Trino
from sqlglot.tokens import TokenType

# With the job's time as first argument (functions.sql).
_WITH_TIME = {
    "td_scheduled_time": "td_scheduled_time_at({now}",
    "td_interval": "td_interval_at({now}, ",
}


def timed(sql: str, now: int) -> str:
    """The same text with these functions' calls given the time, in unix seconds.

    >>> timed("select 'td_interval(' where TD_Interval (t, '-1d')", 60)
    "select 'td_interval(' where td_interval_at(60, t, '-1d')"
    """
    tokens = list(Trino().tokenize(sql))
    parts, at = [], 0
    for name, opening in pairwise(tokens):
        call = _WITH_TIME.get(name.text.lower())
        if call and name.token_type == TokenType.VAR and opening.token_type == TokenType.L_PAREN:
            parts += [sql[at : name.start], call.format(now=now)]
            at = opening.end + 1
    return "".join([*parts, sql[at:]])
