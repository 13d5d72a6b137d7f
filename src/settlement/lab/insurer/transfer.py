"""Files between hospital and platform: upload (9101) and download (9102)."""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

from settlement.lab.insurer.envelope import Message, Refused, required
from settlement.lab.insurer.platform import Platform, Reply
from settlement.lab.insurer.state import Change

_FOLDER = "exchange"


class StoredFile(NamedTuple):
    """A file that the platform keeps: what the answer says about it, and the change that remembers it."""

    shown: dict[str, object]
    changes: list[Change]


def upload(platform: Platform, message: Message) -> Reply:
    """9101: take a file, as a Base64 string or as a list of bytes (signed or not); answers its query number."""
    data = message.node("fsUploadIn")
    filename, code = required(data, "filename", "fixmedins_code")
    stored = _store(platform, message, _read_bytes(data.get("in")), filename)
    return Reply({**stored.shown, "fixmedins_code": code}, stored.changes)


def download(platform: Platform, message: Message) -> Reply:
    """9102: answer the bytes of a file in place of JSON."""
    (number,) = required(message.node("fsDownloadIn"), "file_qury_no")
    return Reply(None, blob=read_upload(platform, number))


def read_upload(platform: Platform, number: str) -> bytes:
    """Return the bytes of a file by its query number. Refuses the message when there is none."""
    known = platform.state.files.get(number)
    if known is None:
        raise Refused("文件不存在")
    return (platform.folder / _FOLDER / known["stored"]).read_bytes()


def store_download(platform: Platform, message: Message, data: bytes) -> StoredFile:
    """Keep a file that the platform made, under a name of its own."""
    return _store(platform, message, data, f"{message.now.milliseconds_stamp}.txt.zip")


def _store(platform: Platform, message: Message, data: bytes, filename: str) -> StoredFile:
    serial = platform.state.next_number("files")
    number = f"fsi/plc/{serial:030x}"
    folder = platform.folder / _FOLDER
    folder.mkdir(exist_ok=True)
    (folder / f"{serial}.zip").write_bytes(data)
    shown: dict[str, object] = {
        "file_qury_no": number,
        "filename": filename,
        "dld_endtime": f"{message.now.day} 23:59:59",
    }
    kept = {"stored": f"{serial}.zip", "filename": filename}
    return StoredFile(shown, [("counters", "files", serial), ("files", number, kept)])


def _read_bytes(value: Any) -> bytes:
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
        if isinstance(value, list):
            return bytes(octet % 256 for octet in value)
    except (binascii.Error, TypeError) as error:
        raise Refused("文件数据格式错误") from error
    raise Refused("文件数据格式错误")
