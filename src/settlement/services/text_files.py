"""Text files as people send them: UTF-8, with or without a mark, or GB18030, as older Chinese programs write."""

from __future__ import annotations

import codecs
from pathlib import Path

_BLOCK = 1 << 20


def encoding_of(path: Path) -> str:
    """Return UTF-8 where the whole file is that, else GB18030."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "gb18030"
    return "utf-8-sig"
