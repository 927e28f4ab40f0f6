"""Numbers and lists in sentences."""

from collections.abc import Sequence


def counted(number: float, noun: str) -> str:
    """A count and its noun.

    >>> counted(1, "row"), counted(1234, "row"), counted(2, "touch")
    ('1 row', '1,234 rows', '2 touches')
    """
    plural = "" if number == 1 else "es" if noun.endswith("ch") else "s"
    return f"{number:,.0f} {noun}{plural}"


def listed(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are.

    >>> listed(["A", "B", "C"], 3), listed(["A", "B", "C"], 1)
    ('A, B, C', 'A and 2 more')
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
