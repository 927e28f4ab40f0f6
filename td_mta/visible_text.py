"""Text from data without what a screen would act on: such characters are shown by their number.

Controls (among them those that begin a terminal's commands) and marks that turn the direction of
writing, by which a name could read as another one.
"""

import re

_ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    """The text with such characters written out.

    >>> visible("Email \\u202egnp.exe"), visible("\\x1b[2J"), visible("快手\\tEmail")
    ('Email [U+202E]gnp.exe', '[U+001B][2J', '快手\\tEmail')
    """
    return _ACTING.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
