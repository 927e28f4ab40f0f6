"""Channels that are one but for how they are written: `Paid Search`, `paid search`, `PAID_SEARCH`.

Letter case, blanks, `_` and `-` do not tell names apart here. The twin of the steps `named` and
`spellings` of `queries/shapley_rules.sql`.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping

_BETWEEN = re.compile(r"[-_ \t\xa0\u2009\u202f\u3000]+")


def joined_name(name: str) -> str:
    """What the spellings of a name share.

    >>> joined_name("PAID_SEARCH")
    'paid search'
    """
    return _BETWEEN.sub(" ", name).lower()


def alike(rows: Mapping[str, int]) -> list[list[str]]:
    """The groups of names that are one but for their spelling, the most frequent name first.

    `rows` has the rows of each name; equally frequent names are in order of their code points.

    >>> alike({"email": 2, "Email": 3, "Social": 1})
    [['Email', 'email']]
    """
    return _groups(rows, joined_name)


def look_alike(rows: Mapping[str, int]) -> list[list[str]]:
    """Groups of names that look the same and are stored as other characters of Unicode.

    >>> look_alike({"Büro": 2, unicodedata.normalize("NFD", "Büro"): 3, "Social": 1}) != []
    True
    """
    groups = _groups(rows, lambda name: joined_name(unicodedata.normalize("NFKC", name)))
    return [names for names in groups if len({joined_name(name) for name in names}) > 1]


def _groups(rows: Mapping[str, int], shared: Callable[[str], str]) -> list[list[str]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(rows, key=lambda name: (-rows[name], name)):
        groups[shared(name)].append(name)
    return sorted(group for group in groups.values() if len(group) > 1)


def spelling(rows: Mapping[str, int]) -> dict[str, str]:
    """The most frequent spelling of each name that has another.

    >>> spelling({"email": 2, "Email": 3, "Social": 1})
    {'email': 'Email'}
    """
    return {name: most for most, *others in alike(rows) for name in others}
