"""Apply the re-rating that a worklist item proposes: its owner's decision, whose role must still allow it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.engine import fund_transaction
from settlement.db.worklist import find_item
from settlement.domain.worklist import RERATING_PROPOSED, Action
from settlement.services.bills.commands import Caller
from settlement.services.bills.decide_rerating import ApplyRerating, apply_rerating
from settlement.services.plans.acting import Actor
from settlement.services.resources import Resources
from settlement.services.worklist.act_on_item import account_that_may
from settlement.services.worklist.errors import WorklistActionRefused, WorklistItemUnknown


async def apply_item(resources: Resources, caller: Caller, actor: Actor, item_id: UUID) -> None:
    """Apply it, which closes the item; one that has lapsed is closed, too, and proposed anew as another item.

    Whose item it is and whether the account stands is looked at once the item is locked. Raises `WorklistItemUnknown`,
    `WorklistActionRefused` for another kind of item or another person, `RoleMissing`, `TokenInvalid`, and what
    `apply_rerating` raises.
    """
    async with fund_transaction(resources.engine, actor.fund_id) as connection:
        item = await find_item(connection, actor.fund_id, item_id)
    if item is None:
        raise WorklistItemUnknown(id=str(item_id))
    if item.kind != RERATING_PROPOSED:
        raise WorklistActionRefused(owner=item.owner)

    async def is_its_owners(locked: AsyncConnection) -> None:
        await account_that_may(locked, actor, item_id, Action.CLOSED)

    command = ApplyRerating(caller, UUID(item.figures["rerating"]))
    await apply_rerating(resources, command, within=is_its_owners)
