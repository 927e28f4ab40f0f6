"""Text of any encoding as UTF-8, block by block.

UTF-8 and UTF-16 tell themselves; a file that is neither is taken for cp1252, the encoding of
Western Europe's Windows (latin-1 with a euro sign), where that can be.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from td_mta.errors import DataError

BLOCK = 1 << 20
UTF8 = "utf-8"
MARKS = {  # byte order marks, the longest first
    codecs.BOM_UTF8: UTF8,
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SAME_AS = {"iso8859-1": "cp1252", "utf-8-sig": UTF8}  # what says latin-1 is mostly cp1252
HIGH = re.compile(rb"[\x80-\xff]+")
UTF8_LETTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
NOT_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
REMEDY = "set file_encoding (such as cp1252, shift_jis, gbk or koi8-r), or save it as CSV UTF-8"


def find(path: Path) -> str:
    """The encoding of a file; raises `DataError` with the line where it is none of ours."""
    with open(path, "rb") as file:
        head = file.read(BLOCK)
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    wide = _wide(head)
    if wide:
        return wide
    bad_byte = _first_bad_byte(path)
    if bad_byte is None:
        return UTF8
    if _may_be_cp1252(path):
        return "cp1252"
    raise DataError(
        f"line {line_of(path, bad_byte)} is no UTF-8, and the file is no Windows-1252 "
        f"either: {REMEDY}"
    )


def check_utf8(path: Path) -> None:
    """Raise `DataError` with the line where a file that is said to be UTF-8 is not."""
    bad_byte = _first_bad_byte(path)
    if bad_byte is not None:
        raise DataError(f"line {line_of(path, bad_byte)} is no UTF-8: {REMEDY}")


def canonical(encoding: str) -> str:
    """Python's own name of an encoding."""
    name = codecs.lookup(encoding).name
    return SAME_AS.get(name, name)


def to_utf8(path: Path, encoding: str, target: BinaryIO) -> None:
    """Write the text to `target`; raises `DataError` with the line that cannot be read."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 0
    try:
        for number, block in enumerate(_blocks(path)):
            text = decoder.decode(block)
            _refuse_nul(text, lines)
            lines += text.count("\n")
            target.write((text if number else text.removeprefix("\ufeff")).encode(UTF8))
        target.write(decoder.decode(b"", final=True).encode(UTF8))
    except UnicodeError as error:
        before = error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
        lines += before.decode(encoding, "ignore").count("\n")
        raise DataError(f"line {lines + 1} is no {encoding}: {REMEDY}") from None


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of plain letters is zero."""
    pairs = len(head) // 2
    if not pairs:
        return None
    even, odd = (head[start : 2 * pairs : 2].count(0) / pairs for start in (0, 1))
    if odd > 0.2 and even < 0.02:
        return "utf-16-le"
    return "utf-16-be" if even > 0.2 and odd < 0.02 else None


def _first_bad_byte(path: Path) -> int | None:
    """Where a file stops being UTF-8; a zero byte is refused too."""
    decoder = codecs.getincrementaldecoder(UTF8)()
    before = 0  # bytes
    for block in _blocks(path):
        if b"\0" in block:
            line = line_of(path, before + block.index(b"\0"))
            raise DataError(f"line {line} holds a zero byte: the file is damaged, save it again")
        pending = len(decoder.getstate()[0])
        if pending or not block.isascii():
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                return before - pending + error.start
        before += len(block)
    return before if decoder.getstate()[0] else None


def _may_be_cp1252(path: Path) -> bool:
    """No byte that it lacks, and single letters of its own rather than whole words of them."""
    total = in_words = as_utf8 = 0  # bytes above 127
    for block in _blocks(path):
        if NOT_IN_CP1252.search(block):
            return False
        runs = HIGH.findall(block)
        total += sum(map(len, runs))
        in_words += sum(len(run) for run in runs if len(run) > 2)
        as_utf8 += sum(map(len, UTF8_LETTER.findall(block)))
    return 2 * in_words < total and 2 * as_utf8 < total


def _refuse_nul(text: str, lines: int) -> None:
    if "\0" in text:
        line = lines + text[: text.index("\0")].count("\n") + 1
        raise DataError(f"line {line} holds a zero byte: the file is damaged, or {REMEDY}")


def line_of(path: Path, byte: int) -> int:
    """The number of the line with a byte, from 1."""
    feeds = returns = left = 0
    for block in _blocks(path):
        before = block[: max(0, byte - left)]
        left += len(block)
        feeds, returns = feeds + before.count(b"\n"), returns + before.count(b"\r")
    return 1 + (feeds or returns)


def _blocks(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            yield block
