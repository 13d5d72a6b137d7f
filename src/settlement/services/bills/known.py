"""What the database knows about a bill's person and hospital, opened for the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from settlement.db.people import Identity, open_identity
from settlement.db.secrets import KeyRing
from settlement.db.settling import Reading as UnderLock
from settlement.domain.benefits import Taking
from settlement.domain.bills import InsurerBill
from settlement.domain.cover import CoverSpan
from settlement.domain.ids import FundId, MemberId
from settlement.domain.promises import KeptPlace
from settlement.gateway.readings import NotClosing

Reading = InsurerBill | NotClosing
"""A bill as read: it closes under its profile, or it does not and says so."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows about the bill's person and hospital, read under the member's lock."""

    member_id: MemberId | None
    identity: Identity | None
    number_owner: MemberId | None
    covers: tuple[CoverSpan, ...]
    hospital_level: int | None
    takings: Sequence[Taking]
    chain: KeptPlace | None
    """The place that is kept for the bill, because the one it corrects was cancelled."""


def what_is_known(keys: KeyRing, fund_id: FundId, member_id: MemberId | None, reading: UnderLock) -> Known:
    """Return what is known, with the member's identity unsealed for the comparison with the bill's."""
    person = reading.person
    return Known(
        member_id=member_id,
        identity=open_identity(keys, fund_id, member_id, person.sealed) if person and member_id else None,
        number_owner=reading.number_owner,
        covers=reading.covers,
        hospital_level=reading.hospital_level,
        takings=reading.takings,
        chain=reading.chain,
    )
