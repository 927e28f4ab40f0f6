"""Numbers in sentences."""


def counted(number: float, noun: str) -> str:
    """A count and its noun.

    >>> counted(1, "row"), counted(1234, "row"), counted(2, "touch")
    ('1 row', '1,234 rows', '2 touches')
    """
    plural = "" if number == 1 else "es" if noun.endswith("ch") else "s"
    return f"{number:,.0f} {noun}{plural}"
