"""Keep a fund's staff accounts: add one in its roles, give it another password, disable it."""

from __future__ import annotations

import re

from settlement.db import staff as accounts
from settlement.db.engine import fund_transaction
from settlement.db.sessions import end_sessions_of
from settlement.db.staff import Staff
from settlement.domain.errors import SettlementError
from settlement.domain.ids import FundId, StaffId
from settlement.services.access.passwords import LONGEST, SHORTEST, hash_password
from settlement.services.access.tokens import Scope
from settlement.services.resources import Resources

CLERK, APPROVER, AUDITOR, OPERATOR = "clerk", "approver", "auditor", "operator"
_RECONCILING = (Scope.RECONCILIATION_READ, Scope.RECONCILIATION_BRING, Scope.RECONCILIATION_WORK)
SCOPES_OF_A_STAFF_ROLE: dict[str, tuple[Scope, ...]] = {
    CLERK: (
        Scope.PLANS_READ,
        Scope.PLANS_DRAFT,
        Scope.READ,
        Scope.ELIGIBILITY,
        Scope.AID_PROPOSE,
        *_RECONCILING,
    ),
    APPROVER: (
        Scope.PLANS_READ,
        Scope.PLANS_DRAFT,
        Scope.PLANS_APPROVE,
        Scope.READ,
        Scope.ELIGIBILITY,
        Scope.AID_PROPOSE,
        Scope.AID_APPROVE,
        *_RECONCILING,
    ),
    AUDITOR: (Scope.PLANS_READ, Scope.READ, Scope.EVENTS, Scope.OPS, Scope.RECONCILIATION_READ),
    OPERATOR: (Scope.PLANS_READ, Scope.EVENTS, Scope.OPS),
}
LOGIN = re.compile(r"[a-z][a-z0-9-]{1,40}")


class StaffUnusable(SettlementError):
    """What was given of an account cannot be used; `why` says what to mend."""

    code = "staff_unusable"


class StaffUnknown(SettlementError):
    """There is no account of this name that may sign in; `settlement staff list` shows the accounts."""

    code = "staff_unknown"


async def add_staff(
    resources: Resources, fund_id: FundId, *, login: str, roles: tuple[str, ...], password: str
) -> Staff:
    """Register an account in its roles, which never change. Raises `StaffUnusable`, `AlreadyRegistered`."""
    if not LOGIN.fullmatch(login):
        raise StaffUnusable(why="the name must be 2 to 41 small letters, digits or hyphens, a letter first")
    if not roles or set(roles) - set(SCOPES_OF_A_STAFF_ROLE):
        raise StaffUnusable(why=f"the roles must be among {', '.join(SCOPES_OF_A_STAFF_ROLE)}, at least one of them")
    password_hash = await _hashed(login, password)
    now = resources.clock()
    new = Staff(StaffId(resources.ids.new()), login, tuple(dict.fromkeys(roles)), password_hash, now, None)
    async with fund_transaction(resources.engine, fund_id) as connection:
        await accounts.add_staff(connection, fund_id, new)
    return new


async def change_password(resources: Resources, fund_id: FundId, login: str, password: str) -> None:
    """Give an account another password and end its sessions. Raises `StaffUnusable`, `StaffUnknown`."""
    password_hash = await _hashed(login, password)
    async with fund_transaction(resources.engine, fund_id) as connection:
        if not await accounts.set_password_hash(connection, fund_id, login, password_hash):
            raise StaffUnknown(name=login)
        await end_sessions_of(connection, fund_id, login, resources.clock())


async def disable_staff(resources: Resources, fund_id: FundId, login: str) -> None:
    """Disable an account: it signs in no more, its sessions end, and a token that it has changes nothing.

    Raises `StaffUnknown`.
    """
    async with fund_transaction(resources.engine, fund_id) as connection:
        if not await accounts.disable_staff(connection, fund_id, login, resources.clock()):
            raise StaffUnknown(name=login)
        await end_sessions_of(connection, fund_id, login, resources.clock())


async def _hashed(login: str, password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise StaffUnusable(why=f"the password must be {SHORTEST} to {LONGEST} characters")
    if login in password.lower():
        raise StaffUnusable(why="the password must not contain the name")
    return await hash_password(password)
