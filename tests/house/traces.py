"""Looking for a person's data in files, in every form in which it might lie there."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

_GZIP = b"\x1f\x8b\x08"
_SHORTEST_BASE64 = 8


def forms_of(text: str) -> dict[str, bytes]:
    """Return what a text looks like in a file: by encoding, as a JSON escape, and within Base64 at any alignment."""
    forms = {"UTF-8": text.encode(), "UTF-16LE": text.encode("utf-16-le"), "UTF-16BE": text.encode("utf-16-be")}
    escaped = json.dumps(text)[1:-1].encode()
    if escaped != forms["UTF-8"]:
        forms |= {"escapes": escaped, "escapes in capitals": _capitals(escaped)}
    for shift in range(3):
        within = base64.b64encode(b"\0" * shift + text.encode())
        whole = within[(shift * 8 + 5) // 6 : len(within) // 4 * 4 - 4]
        assert len(whole) >= _SHORTEST_BASE64, f"{text!r} is too short to be found in Base64"
        forms[f"Base64 at {shift}"] = whole
        forms[f"Base64url at {shift}"] = whole.translate(bytes.maketrans(b"+/", b"-_"))
    return forms


def _capitals(escaped: bytes) -> bytes:
    return escaped.upper().replace(b"\\U", b"\\u")


def found_in(files: Iterable[Path], wanted: Mapping[str, str]) -> set[tuple[str, str, str]]:
    """Return which wanted texts (by label) lie in which files in which form, gzip members opened."""
    needles = [(label, form, needle) for label, text in wanted.items() for form, needle in forms_of(text).items()]
    found = set()
    for file in files:
        content = file.read_bytes()
        for part, data in (("", content), *[("gzip, ", opened) for opened in _gzip_members(content)]):
            found |= {(file.name, label, part + form) for label, form, needle in needles if needle in data}
    return found


def _gzip_members(content: bytes) -> list[bytes]:
    members, at = [], content.find(_GZIP)
    while at >= 0:
        with suppress(zlib.error):
            members.append(zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(content[at:]))
        at = content.find(_GZIP, at + 1)
    return members


def plant(folder: Path, mark: str) -> list[Path]:
    """Write a mark into files, one in each form; return the files."""
    contents = {f"form-{number}": b"before " + form + b" after" for number, form in enumerate(forms_of(mark).values())}
    contents["gzip"] = b"before" + gzip.compress(f"...{mark}...".encode()) + b"after"
    for shift in range(3):
        contents[f"base64-{shift}"] = base64.b64encode(b"x" * shift + mark.encode() + b"yyy")
    files = []
    for name, content in contents.items():
        files.append(folder / name)
        files[-1].write_bytes(content)
    return files
