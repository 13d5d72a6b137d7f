"""Sign a person of the staff in by password. Unknown, disabled and wrong are one answer, and take one time."""

from __future__ import annotations

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
_BUCKET_BITS = 20


class SignInRefused(SettlementError):
    """User name or password is wrong, or the account was disabled; which one is not told."""

    code = "sign_in_refused"


class SignInBlocked(SettlementError):
    """Too many sign-ins under this name failed lately; `retry_after_seconds` says when the next one is looked at."""

    code = "sign_in_blocked"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A token, and what it lets its holder do."""

    token: str
    scopes: tuple[str, ...]


async def grant_staff_token(resources: Resources, tokens: Tokens, username: str, password: str) -> SignedIn:
    """Return a token for `<fund id>.<login>` and a password. Raises `SignInRefused`, `SignInBlocked`."""
    try:
        fund_id = fund_of(username)
    except ClientRefused:
        await fits(None, password[:LONGEST])
        raise SignInRefused from None
    account = await sign_in(resources, fund_id, username.partition(".")[2], password)
    scopes = tuple(dict.fromkeys(scope.value for role in account.roles for scope in SCOPES_OF_A_STAFF_ROLE[role]))
    holder = Holder(ClientId(f"{fund_id}.staff:{account.login}"), scopes, (), account.staff_id)
    return SignedIn(tokens.issue(fund_id, holder), scopes)


async def sign_in(resources: Resources, fund_id: FundId, login: str, password: str) -> Staff:
    """Return the account whose password this is. Raises `SignInRefused`, `SignInBlocked`.

    The count is kept by a keyed hash of the name, so that unknown names are bounded like known ones, nothing typed by
    mistake is kept, and a fund has a bounded number of rows.
    """
    bucket = _bucket(resources, login)
    now = resources.clock()
    async with fund_transaction(resources.engine, fund_id) as connection:
        blocked_until = await count_sign_in(connection, fund_id, bucket, now, MOST_FAILURES, WINDOW)
        account = await find_staff(connection, fund_id, login) if LOGIN.fullmatch(login) else None
    if blocked_until is not None:
        raise SignInBlocked(retry_after_seconds=max(1, int((blocked_until - now).total_seconds())))
    usable = account is not None and account.disabled_at is None
    right = await fits(account.password_hash if account and usable else None, password[: LONGEST + 1])
    if account is None or not usable or not right:
        raise SignInRefused
    renewed = await hash_password(password) if is_outdated(account.password_hash or "") else None
    async with fund_transaction(resources.engine, fund_id) as connection:
        await forget_failures(connection, fund_id, bucket)
        if renewed is not None:
            await set_password_hash(connection, fund_id, login, renewed)
    return account


def _bucket(resources: Resources, login: str) -> int:
    return int.from_bytes(resources.keys.blind_index("sign-in", ascii(login))[:4], "big") >> (32 - _BUCKET_BITS)
