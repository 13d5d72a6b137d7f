"""The keys of the seals in tests: a signer, what verifies its seals, and another key that nobody trusts."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from settlement.services.books.seal_keys import Signer, Verifier, key_id_of


def a_signer(number: int) -> Signer:
    """Return a signer whose key is always the same for a number."""
    private_key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    return Signer(key_id_of(private_key.public_key()), private_key)


SIGNER = a_signer(1)
VERIFIER = Verifier({SIGNER.key_id: SIGNER.private_key.public_key()})
ANOTHER = a_signer(2)
