"""The key that signs seals, and those that verify them: files that are named by settings and never in the database."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from settlement.db.secrets import KeysUnusable, write_once
from settlement.domain.books import Seal, Statement

_PUBLIC_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----\s*", re.DOTALL)
_KEY_ID_LETTERS = 16


@dataclass(frozen=True, slots=True)
class Signer:
    """The private key of the seals, with the id of its public half."""

    key_id: str
    private_key: Ed25519PrivateKey

    def sign(self, statement: Statement) -> Seal:
        """Return the seal that states this. The statement names this key."""
        signature = self.private_key.sign(statement.canonical())
        return Seal(statement, statement.hash(), base64.b64encode(signature).decode("ascii"))


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public keys by which seals are verified, by their ids."""

    public_keys: Mapping[str, Ed25519PublicKey]

    def verifies(self, seal: Seal) -> bool:
        """Say whether the seal's signature is of its statement, by the key that it names and that is known here."""
        key = self.public_keys.get(seal.statement.key_id)
        if key is None:
            return False
        try:
            key.verify(base64.b64decode(seal.signature, validate=True), seal.statement.canonical())
        except (InvalidSignature, ValueError):
            return False
        return True


def write_new_key(file: Path) -> str:
    """Write a fresh private key for its owner alone, and its public half beside it as `FILE.pub`; return the key's id.

    Raises `FileExistsError` rather than replace one, `OSError`.
    """
    private_key = Ed25519PrivateKey.generate()
    private_pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_once(file, private_pem.decode("ascii"))
    public_pem = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public_file(file).write_bytes(public_pem)
    return key_id_of(private_key.public_key())


def public_file(file: Path) -> Path:
    """Return where the public half of a key file lies."""
    return file.with_name(f"{file.name}.pub")


def read_signer(file: Path) -> Signer:
    """Read the private key. Raises `KeysUnusable` with a sentence that says how to mend it."""
    try:
        private_key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as refused:
        raise KeysUnusable(
            f"The seal key {file} cannot be read ({refused.strerror}). `settlement seal new-key FILE` makes one."
        ) from None
    except (ValueError, TypeError):
        raise KeysUnusable(f"{file} is not a private key in PEM. Restore it from its copy.") from None
    if not isinstance(private_key, Ed25519PrivateKey):
        raise KeysUnusable(f"{file} is not an Ed25519 key. `settlement seal new-key FILE` makes one.")
    return Signer(key_id_of(private_key.public_key()), private_key)


def read_verifier(public_keys: Path | None, signer: Signer | None) -> Verifier | None:
    """Read the public keys, one or several in one file; the signer's own is known too. `None` when there is none.

    Raises `KeysUnusable` with a sentence that says how to mend it.
    """
    known = [signer.private_key.public_key()] if signer else []
    if public_keys is not None:
        known += _read_public_keys(public_keys)
    return Verifier({key_id_of(key): key for key in known}) if known else None


def _read_public_keys(file: Path) -> list[Ed25519PublicKey]:
    try:
        found = [load_pem_public_key(pem) for pem in _PUBLIC_PEM.findall(file.read_bytes())]
    except OSError as refused:
        raise KeysUnusable(f"The public keys {file} cannot be read ({refused.strerror}).") from None
    except ValueError:
        raise KeysUnusable(f"{file} holds something that is not a public key in PEM.") from None
    keys = [key for key in found if isinstance(key, Ed25519PublicKey)]
    if not keys or len(keys) != len(found):
        raise KeysUnusable(f"{file} must hold Ed25519 public keys in PEM, one after the other.")
    return keys


def key_id_of(key: Ed25519PublicKey) -> str:
    """Return the id of a public key: the beginning of the SHA-256 of its 32 bytes."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:_KEY_ID_LETTERS]
