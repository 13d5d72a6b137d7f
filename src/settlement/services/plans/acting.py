"""What all commands about plans share: one at a time in a fund, by a person who may, once under a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.engine import fund_transaction
from settlement.db.plans import add_answer, lock_plans
from settlement.db.settling import StoredAnswer
from settlement.db.staff import Staff, find_staff_by_id
from settlement.domain.answers import Answer
from settlement.domain.ids import FundId, StaffId
from settlement.services.access.add_staff import APPROVER, CLERK
from settlement.services.access.tokens import TokenInvalid
from settlement.services.bills.commands import CREATED, Once, Outcome
from settlement.services.bills.settle_bill import answered_before
from settlement.services.plans.errors import RoleMissing
from settlement.services.resources import Resources
from settlement.services.transactions import run

MAY_DRAFT = frozenset({CLERK, APPROVER})
MAY_APPROVE = frozenset({APPROVER})

Does = Callable[[AsyncConnection, Staff], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Actor:
    """The person of a fund's staff who gives a command."""

    fund_id: FundId
    staff_id: StaffId


async def act(resources: Resources, actor: Actor, roles: frozenset[str], once: Once | None, does: Does) -> Outcome:
    """Do one command about a fund's plans in a transaction of its own, and keep its answer under its key.

    The account is looked at here, and not only when its token was given: it may have been disabled since. The lock is
    one statement and what is decided on is read in the next. Raises `TokenInvalid`, `RoleMissing`, `KeyReused`, what
    `does` raises, and what `run` does.
    """

    async def transaction() -> Outcome:
        async with fund_transaction(resources.engine, actor.fund_id) as connection:
            await lock_plans(connection, actor.fund_id)
            before = await answered_before(connection, actor.fund_id, once)
            if before is not None:
                return before
            account = await find_staff_by_id(connection, actor.fund_id, actor.staff_id)
            if account is None or account.disabled_at is not None:
                raise TokenInvalid
            if not roles & set(account.roles):
                raise RoleMissing(roles=" / ".join(sorted(roles)))
            answer = await does(connection, account)
            if once is not None:
                stored = StoredAnswer(once.fingerprint, CREATED, answer)
                await add_answer(connection, actor.fund_id, once.command, stored, resources.clock())
            return Outcome(answer, created=True)

    return await run(transaction)
