"""Numbers in sentences."""


def counted(number: float, noun: str) -> str:
    """A count and its noun.

    >>> counted(1, "row"), counted(1234, "row")
    ('1 row', '1,234 rows')
    """
    plural = "" if number == 1 else "s"
    return f"{number:,.0f} {noun}{plural}"
