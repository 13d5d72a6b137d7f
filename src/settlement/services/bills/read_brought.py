"""Reading what was brought: the insurer's answer and the facts beside it become a bill and a visit, in our words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from settlement.domain.bills import BillFigures, InsurerBill, Visit
from settlement.domain.settlements import total_of_others
from settlement.domain.time import china_date
from settlement.gateway.mapping import (
    completed,
    is_cancellation,
    read_answer_facts,
    read_settlement,
    read_trial,
    read_visit,
)
from settlement.gateway.profile import GatewayProfile
from settlement.gateway.readings import Unreadable
from settlement.plans.stored import figures_to_json
from settlement.services.bills.commands import Brought, Caller
from settlement.services.bills.decide import certificate_of
from settlement.services.bills.errors import (
    HospitalNotYours,
    MessageUnreadable,
    NotSettledYet,
    OtherPayersExceedCash,
    PersonNotNamed,
)
from settlement.services.bills.known import Reading


@dataclass(frozen=True, slots=True)
class ReadBill:
    """A bill as read, with its visit completed from what the answer itself says."""

    bill: Reading
    visit: Visit

    @property
    def figures_digest(self) -> str:
        """A hash of the insurer's figures, by which the same bill through another door is told from a changed one."""
        if isinstance(self.bill, InsurerBill):
            return digest_of_figures(self.bill.figures)
        return _digest(self.bill.figures)


def digest_of_figures(figures: BillFigures) -> str:
    """Return the hash of the figures of a bill that closes.

    Without the deductible: it is information, and an answer may leave it out that 5203 gives.
    """
    told = figures_to_json(figures)
    del told["insurer_deductible"]
    return _digest(told)


def _digest(figures: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(dict(figures), sort_keys=True).encode()).hexdigest()


def read_brought_settlement(brought: Brought, profile: GatewayProfile, caller: Caller) -> ReadBill:
    """Read a bill that the insurer has settled.

    Raises `MessageUnreadable`, `NotSettledYet` for a pre-settlement, `HospitalNotYours`, `PersonNotNamed`,
    `OtherPayersExceedCash`. None of these is a bill that could be kept: its place or its person is not known.
    """
    read = _read_visit(brought, profile, caller)
    if is_cancellation(brought.output, profile):
        raise MessageUnreadable(field="setlinfo.medfee_sumamt", problem="is_a_cancellation")
    bill = read_settlement(brought.output, profile)
    if bill == Unreadable("setlinfo.setl_id", "missing"):
        raise NotSettledYet
    if isinstance(bill, Unreadable):
        raise _unreadable(bill)
    if bill.insurer_settlement_id is None or bill.settled_at is None:
        raise NotSettledYet
    return _checked(ReadBill(bill, read), brought)


def read_brought_trial(brought: Brought, profile: GatewayProfile, caller: Caller) -> ReadBill:
    """Read a pre-settlement; raises as `read_brought_settlement` does."""
    read = _read_visit(brought, profile, caller)
    bill = read_trial(brought.output, profile)
    if isinstance(bill, Unreadable):
        raise _unreadable(bill)
    return _checked(ReadBill(bill, read), brought)


def _read_visit(brought: Brought, profile: GatewayProfile, caller: Caller) -> Visit:
    visit = read_visit(brought.facts)
    if isinstance(visit, Unreadable):
        raise _unreadable(visit)
    if not caller.may_act_for(visit.hospital_code):
        raise HospitalNotYours(hospital_code=visit.hospital_code)
    facts = read_answer_facts(brought.output, profile)
    if isinstance(facts, Unreadable):
        raise _unreadable(facts)
    if facts.hospital_code is not None and not caller.may_act_for(facts.hospital_code):
        raise HospitalNotYours(hospital_code=facts.hospital_code)
    if facts.hospital_code not in (None, visit.hospital_code):
        raise MessageUnreadable(field="fixmedins_code", problem="disagrees")
    return completed(visit, facts)


def _unreadable(read: Unreadable) -> MessageUnreadable:
    return MessageUnreadable(field=read.field, problem=read.problem)


def _check_stay(visit: Visit, settled_at: datetime | None) -> None:
    """Raise `MessageUnreadable` for a stay that cannot be: its dates pick the plan version and the term.

    A day is allowed for platform clocks that run ahead of the hospital's.
    """
    admitted_on, discharged_on = visit.admitted_on, visit.discharged_on
    if admitted_on and discharged_on and admitted_on > discharged_on:
        raise MessageUnreadable(field="discharged_on", problem="before_admission")
    if discharged_on and settled_at and discharged_on > china_date(settled_at) + timedelta(days=1):
        raise MessageUnreadable(field="discharged_on", problem="after_settlement")


def _checked(read: ReadBill, brought: Brought) -> ReadBill:
    _check_stay(read.visit, read.bill.settled_at)
    insured = read.bill.insured
    if (
        insured.certificate is None
        and not insured.insured_person_no
        and certificate_of(read.bill, brought.answers) is None
    ):
        raise PersonNotNamed
    others = total_of_others(brought.others)
    if isinstance(read.bill, InsurerBill) and others > max(read.bill.figures.cash_before_aid, 0):
        raise OtherPayersExceedCash(others=others.yuan(), cash=read.bill.figures.cash_before_aid.yuan())
    return read
