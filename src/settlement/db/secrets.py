"""How an identity is kept: sealed with SM4-GCM under a named key, and found again by a keyed hash (HMAC-SM3)."""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_SM4_KEY_BYTES = 16
_INDEX_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16


class KeysUnusable(ValueError):
    """The key file is missing something, or a sealed value was made with a key that it does not hold."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed value: the id of its key, and nonce, tag and ciphertext in one."""

    key_id: str
    envelope: bytes


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of this installation. New values are sealed with `active`; older keys still open what they sealed."""

    active: str
    sealing: Mapping[str, bytes]
    index: bytes

    def seal(self, plaintext: bytes, bound_to: bytes) -> Sealed:
        """Seal a value; `bound_to` (the row's key) must be given again to open it, so that no row can be swapped."""
        nonce = os.urandom(_NONCE_BYTES)
        encryptor = Cipher(algorithms.SM4(self.sealing[self.active]), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(bound_to)
        ciphertext = encryptor.update(plaintext) + encryptor.finalize()
        return Sealed(self.active, nonce + encryptor.tag + ciphertext)

    def open(self, sealed: Sealed, bound_to: bytes) -> bytes:
        """Return the plaintext. Raises `KeysUnusable` when the key is unknown or the value was tampered with."""
        key = self.sealing.get(sealed.key_id)
        if key is None:
            raise KeysUnusable(f"a value was sealed with key {sealed.key_id!r}, which the key file does not hold")
        nonce, rest = sealed.envelope[:_NONCE_BYTES], sealed.envelope[_NONCE_BYTES:]
        decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, rest[:_TAG_BYTES])).decryptor()
        decryptor.authenticate_additional_data(bound_to)
        try:
            return decryptor.update(rest[_TAG_BYTES:]) + decryptor.finalize()
        except InvalidTag:
            raise KeysUnusable("a sealed value does not belong to its row, or was changed") from None

    def blind_index(self, *parts: str) -> bytes:
        """Return the keyed hash by which a value is found without being read (HMAC-SM3, 32 bytes)."""
        digest = hmac.HMAC(self.index, hashes.SM3())
        digest.update("\x1f".join(parts).encode())
        return digest.finalize()


def read_key_ring(path: Path) -> KeyRing:
    """Read the key file. Raises `KeysUnusable` with a sentence that says how to mend it."""
    try:
        stored = json.loads(path.read_text())
        ring = KeyRing(
            active=stored["active"],
            sealing={key_id: base64.b64decode(key) for key_id, key in stored["sealing"].items()},
            index=base64.b64decode(stored["index"]),
        )
    except FileNotFoundError:
        raise KeysUnusable(f"There is no key file at {path}. Make one with `settlement db keygen {path}`.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeysUnusable(f"{path} is not a key file. Restore it from its backup; a new one opens nothing.") from None
    sizes_fit = all(len(key) == _SM4_KEY_BYTES for key in ring.sealing.values())
    if ring.active not in ring.sealing or not sizes_fit or len(ring.index) != _INDEX_KEY_BYTES:
        raise KeysUnusable(
            f"{path} has an active key that is missing or of the wrong size. Restore it from its backup."
        )
    return ring


def write_new_key_ring(path: Path) -> None:
    """Write a key file with fresh keys, for its owner alone. Raises `FileExistsError` rather than replace one."""
    first = "k1"
    content = {
        "active": first,
        "sealing": {first: base64.b64encode(secrets.token_bytes(_SM4_KEY_BYTES)).decode()},
        "index": base64.b64encode(secrets.token_bytes(_INDEX_KEY_BYTES)).decode(),
    }
    write_once(path, json.dumps(content, indent=1))


def write_once(path: Path, content: str) -> None:
    """Write a secret for its owner alone, whole or not at all. Raises `FileExistsError` rather than replace one.

    It is written under another name and given its own when it is on the disk. Of two who do it at once, one meets the
    other's whole file; and no crash leaves half a key, which would seal what nothing opens again.
    """
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    finally:
        Path(draft).unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
