"""Ask for an examination of the record: the worker makes it, since only its login sees every fund."""

from __future__ import annotations

from settlement.db.engine import fund_transaction
from settlement.db.examinations import add_request
from settlement.db.staff import find_staff_by_id
from settlement.services.access.add_staff import OPERATOR
from settlement.services.access.tokens import TokenInvalid
from settlement.services.plans.acting import Actor
from settlement.services.plans.errors import RoleMissing
from settlement.services.resources import Resources


async def ask_examination(resources: Resources, actor: Actor) -> None:
    """Record that an operator wants an examination. Raises `RoleMissing`, `TokenInvalid`."""
    async with fund_transaction(resources.engine, actor.fund_id) as connection:
        account = await find_staff_by_id(connection, actor.fund_id, actor.staff_id)
        if account is None or account.disabled_at is not None:
            raise TokenInvalid
        if OPERATOR not in account.roles:
            raise RoleMissing(roles=OPERATOR)
        await add_request(connection, actor.fund_id, resources.ids.new(), actor.staff_id, resources.clock())
