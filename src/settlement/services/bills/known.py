"""What the database knows about a bill's person and hospital, opened for the decision."""

from __future__ import annotations

from settlement.db.people import open_identity
from settlement.db.secrets import KeyRing
from settlement.db.settling import Reading
from settlement.domain.ids import FundId, MemberId
from settlement.services.bills.decide import Known


def what_is_known(keys: KeyRing, fund_id: FundId, member_id: MemberId | None, reading: Reading) -> Known:
    """Return what is known, with the member's identity unsealed for the comparison with the bill's."""
    person = reading.person
    return Known(
        member_id=member_id,
        identity=open_identity(keys, fund_id, member_id, person.sealed) if person and member_id else None,
        number_owner=reading.number_owner,
        person_category=person.person_category if person else None,
        hospital_level=reading.hospital_level,
        used=reading.used,
    )
