"""Passwords of staff: argon2id hashes, computed in threads of their own because one takes a tenth of a second."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=32, salt_len=16, type=Type.ID)
"""The second choice of RFC 9106, section 4: argon2id, 3 passes over 64 MiB in 4 lanes, a salt of 128 bits."""
SHORTEST, LONGEST = 12, 200

_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
"""So many at once: each takes 64 MiB, and the event loop settles bills meanwhile."""


async def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, with its parameters and a fresh salt in it."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, HASHER.hash, password)


async def fits(password_hash: str | None, password: str) -> bool:
    """Say whether a password has this hash; without one (no such account) take as long and say no."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _fits, password_hash, password)


def is_outdated(password_hash: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(password_hash)


def generated_password() -> str:
    """Return a random password of 120 bits for whoever wants none of their own."""
    return secrets.token_urlsafe(15)


def _fits(password_hash: str | None, password: str) -> bool:
    try:
        verified = HASHER.verify(password_hash or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return verified and password_hash is not None


@cache
def _nobodys_hash() -> str:
    return HASHER.hash(secrets.token_urlsafe(32))
