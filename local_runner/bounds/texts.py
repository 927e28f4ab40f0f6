"""Characters that YAML and JavaScript can make and no process, file or screen takes."""

import argparse
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


def pair(text: str) -> tuple[str, str]:
    """`key=value` of a command line, for argparse.

    >>> pair("a=b=c")
    ('a', 'b=c')
    """
    key, equals, value = text.partition("=")
    if fault := unwritable(text):
        raise argparse.ArgumentTypeError(f"must be a text in UTF-8, got one with {fault}")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f"must be key=value, got {text}")
    return key, value
