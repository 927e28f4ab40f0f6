"""Characters that YAML and JavaScript can make and no process, file or screen takes."""

import re

_NUL = "\0"
_HALF = re.compile("[\ud800-\udfff]")


def unwritable(text: str) -> str | None:
    """What such a character is; None where a text has none.

    >>> unwritable("a" + chr(0)), unwritable("a")
    ('the character U+0000', None)
    """
    if _NUL in text:
        return "the character U+0000"
    return "half a character" if _HALF.search(text) else None
