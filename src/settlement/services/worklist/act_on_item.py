"""Do one thing with a worklist item: take it, give it back, remark on it, or close it with a reason."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.engine import fund_transaction
from settlement.db.rerating import decide_rerating
from settlement.db.staff import Staff, find_staff_by_id
from settlement.db.worklist import WorklistItem, add_action, find_item, list_actions, lock_item
from settlement.domain.worklist import (
    RERATING_PROPOSED,
    WORKED_BY,
    Action,
    Done,
    Standing,
    allowed_actions,
    is_usable,
)
from settlement.services.access.tokens import TokenInvalid
from settlement.services.plans.acting import Actor
from settlement.services.plans.errors import RoleMissing
from settlement.services.resources import Resources
from settlement.services.transactions import run
from settlement.services.worklist.errors import RemarkUnusable, WorklistActionRefused, WorklistItemUnknown


async def act_on_item(resources: Resources, actor: Actor, item_id: UUID, done: Done) -> None:
    """Record what a person did with an item; nothing recorded about it is ever changed.

    Closing the item of a proposed re-rating declines it. The item is locked in one statement and read in the next, so
    that two people do not take it at once. Raises `WorklistItemUnknown`, `WorklistActionRefused`, `RemarkUnusable`,
    `RoleMissing`, `TokenInvalid` for an account that was disabled meanwhile, and what `run` does.
    """
    _check(done)

    async def transaction() -> None:
        async with fund_transaction(resources.engine, actor.fund_id) as connection:
            if not await lock_item(connection, actor.fund_id, item_id):
                raise WorklistItemUnknown(id=str(item_id))
            account, item = await account_that_may(connection, actor, item_id, done.action)
            before = await list_actions(connection, actor.fund_id, item_id)
            sequence, at = before[-1].sequence + 1 if before else 1, max(resources.clock(), item.opened_at)
            await add_action(connection, actor.fund_id, item_id, sequence, actor.staff_id, done, at)
            if done.action is Action.CLOSED and item.kind == RERATING_PROPOSED:
                by = f"{actor.fund_id}.staff:{account.login}"
                await decide_rerating(connection, actor.fund_id, UUID(item.figures["rerating"]), "declined", by, at)

    await run(transaction)


async def account_that_may(
    connection: AsyncConnection, actor: Actor, item_id: UUID, action: Action
) -> tuple[Staff, WorklistItem]:
    """Return the account and the item, which is locked, if the one may do this with the other.

    Raises `WorklistItemUnknown`, `TokenInvalid`, `RoleMissing`, `WorklistActionRefused`.
    """
    account = await find_staff_by_id(connection, actor.fund_id, actor.staff_id)
    item = await find_item(connection, actor.fund_id, item_id)
    if item is None:
        raise WorklistItemUnknown(id=str(item_id))
    if account is None or account.disabled_at is not None:
        raise TokenInvalid
    if not WORKED_BY & set(account.roles):
        raise RoleMissing(roles=" / ".join(sorted(WORKED_BY)))
    standing = Standing(item.kind, item.closed_at is not None, item.owner)
    if action not in allowed_actions(standing, account.login, account.roles):
        raise WorklistActionRefused(owner=item.owner)
    return account, item


def _check(done: Done) -> None:
    """Raise `RemarkUnusable` unless there is a reason to close, something to say, and nobody named in it."""
    remark = done.remark
    if done.action is Action.REMARKED and remark is None:
        raise RemarkUnusable
    if remark is not None and not is_usable(remark):
        raise RemarkUnusable
    if (done.action is Action.CLOSED) is not (done.reason is not None):
        raise RemarkUnusable
