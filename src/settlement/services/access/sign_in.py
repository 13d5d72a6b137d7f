"""Sign a person of the staff in by password. Unknown, disabled and wrong are one answer, and take one time.

A name that no account can have is answered at once: it costs nobody a hash, and tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from settlement.db.engine import fund_transaction
from settlement.db.staff import Staff, count_sign_in, find_staff, forget_failures, set_password_hash
from settlement.domain.errors import SettlementError
from settlement.domain.ids import ClientId, FundId
from settlement.services.access.add_staff import LOGIN, SCOPES_OF_A_STAFF_ROLE
from settlement.services.access.passwords import LONGEST, fits, hash_password, is_outdated
from settlement.services.access.tokens import ClientRefused, Holder, Tokens, fund_of
from settlement.services.resources import Resources

MOST_FAILURES = 10
WINDOW = timedelta(minutes=15)
MOST_WAITING = 64
"""The last of so many waits about three seconds."""
_BUCKET_BITS = 20


class SignInRefused(SettlementError):
    """User name or password is wrong, or the account was disabled; which one is not told."""

    code = "sign_in_refused"


class SignInBlocked(SettlementError):
    """Too many sign-ins under this name failed lately; `retry_after_seconds` says when the next one is looked at."""

    code = "sign_in_blocked"


class SignInBusy(SettlementError):
    """So many sign-ins are waiting for their hash that this one is not looked at; nothing was counted."""

    code = "sign_in_busy"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A token, and what it lets its holder do."""

    token: str
    scopes: tuple[str, ...]


async def grant_staff_token(resources: Resources, tokens: Tokens, username: str, password: str) -> SignedIn:
    """Return a token for `<fund id>.<login>` and a password. Raises what `sign_in` does."""
    try:
        fund_id = fund_of(username)
    except ClientRefused:
        raise SignInRefused from None
    account = await sign_in(resources, fund_id, username.partition(".")[2], password)
    scopes = tuple(dict.fromkeys(scope.value for role in account.roles for scope in SCOPES_OF_A_STAFF_ROLE[role]))
    holder = Holder(ClientId(f"{fund_id}.staff:{account.login}"), scopes, (), account.staff_id)
    return SignedIn(tokens.issue(fund_id, holder), scopes)


async def sign_in(resources: Resources, fund_id: FundId, login: str, password: str) -> Staff:
    """Return the account whose password this is. Raises `SignInRefused`, `SignInBlocked`, `SignInBusy`.

    The count is kept by a keyed hash of the name, so that unknown names are bounded like known ones, nothing typed by
    mistake is kept, and a fund has a bounded number of rows.
    """
    if not LOGIN.fullmatch(login):
        raise SignInRefused
    with _LINE.place():
        return await _looked_at(resources, fund_id, login, password)


async def _looked_at(resources: Resources, fund_id: FundId, login: str, password: str) -> Staff:
    bucket = _bucket(resources, login)
    now = resources.clock()
    async with fund_transaction(resources.engine, fund_id) as connection:
        blocked_until = await count_sign_in(connection, fund_id, bucket, now, MOST_FAILURES, WINDOW)
        account = await find_staff(connection, fund_id, login)
    if blocked_until is not None:
        raise SignInBlocked(retry_after_seconds=max(1, int((blocked_until - now).total_seconds())))
    verified = account.password_hash if account is not None and account.disabled_at is None else None
    right = await fits(verified, password[: LONGEST + 1])
    if account is None or verified is None or not right:
        raise SignInRefused
    renewed = await hash_password(password) if is_outdated(verified) else None
    async with fund_transaction(resources.engine, fund_id) as connection:
        await forget_failures(connection, fund_id, bucket)
        if renewed is not None:
            # Only in the place of what was verified: the password may have been changed meanwhile.
            await set_password_hash(connection, fund_id, login, renewed, instead_of=verified)
    return account


class _Line:
    """Counts who waits for a hash. A hash takes a tenth of a second, and anybody may ask for one."""

    def __init__(self) -> None:
        self.waiting = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place while the block runs. Raises `SignInBusy` when all are taken."""
        if self.waiting >= MOST_WAITING:
            raise SignInBusy
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1


_LINE = _Line()


def _bucket(resources: Resources, login: str) -> int:
    return int.from_bytes(resources.keys.blind_index("sign-in", ascii(login))[:4], "big") >> (32 - _BUCKET_BITS)
