"""Columns found by the names that exports usually give them, letter case and units aside."""

import re
from collections.abc import Sequence

_UNIT = re.compile(r"\([^)]*\)|\[[^]]*\]")  # Cost (EUR)
_CURRENCY = re.compile(r"_(eur|usd|gbp|chf|jpy|cny|inr|brl|cad|aud|sek|nok|dkk|pln|czk)$")


def without_unit(name: str) -> str:
    """A name without letter case, unit and punctuation.

    >>> without_unit("Cost (EUR)"), without_unit("Impr."), without_unit("spend_eur")
    ('cost', 'impr', 'spend')
    """
    words = re.sub(r"[\W_]+", "_", _UNIT.sub("", name).strip().casefold()).strip("_")
    return _CURRENCY.sub("", words)


def unit_removed(name: str) -> str:
    """A name as it stands, less its unit.

    >>> unit_removed("TV Spend (EUR)"), unit_removed("TV_spend_USD")
    ('TV Spend', 'TV_spend')
    """
    bare = _UNIT.sub("", name).strip()
    return bare[: -len("_eur")] if _CURRENCY.search(bare.lower().replace(" ", "_")) else bare


def find(columns: Sequence[str], usual: Sequence[str]) -> str | None:
    """The column with the first of the usual names that any has; None where none has one.

    >>> find(["Day", "Cost (EUR)", "amount"], ["spend", "cost", "amount"])
    'Cost (EUR)'
    """
    by_plain: dict[str, str] = {}
    for column in columns:
        by_plain.setdefault(without_unit(column), column)
    return next((by_plain[name] for name in usual if name in by_plain), None)
