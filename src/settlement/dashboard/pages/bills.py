"""账单: the list with its search, and one bill as the patient would see it, with its proof. Nobody is named."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from settlement.dashboard.access import READERS, ResourcesDep, Visitor, visitor_in
from settlement.dashboard.menu import BILLS, menu_for
from settlement.dashboard.rendering import day_of, page, who
from settlement.dashboard.words import EQUATION, FUNDS, STATES
from settlement.db.bills import find_settled_bill
from settlement.db.engine import fund_transaction
from settlement.db.pending import find_newest_question
from settlement.db.registry import list_hospitals
from settlement.db.reports import BillSearch, RecordedEvent, list_bill_rows, list_events_of_bill, list_postings
from settlement.db.worklist import list_items_of_bill
from settlement.domain.answers import settlement_answer, who_pays
from settlement.domain.ids import BillId
from settlement.domain.money import ZERO, total
from settlement.domain.pending import PendingQuestion, standing_of
from settlement.domain.sentences import Language, sentence
from settlement.domain.settlements import BillState, PricedRecord, SettledBill
from settlement.domain.timeline import step_in_words
from settlement.domain.worklist import kind_of
from settlement.services.audit.prove_bill import explain_bill, prove_bill
from settlement.services.bills.errors import BillNotFound

router = APIRouter()

PAGE = 50
_Reader = Annotated[Visitor, Depends(visitor_in(READERS))]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the search form holds, as text; empty does not limit."""

    settlement_no: str = ""
    insurer_settlement_id: str = ""
    business_date: str = ""
    state: str = ""
    hospital: str = ""

    def search(self) -> BillSearch | None:
        """Return what to look for; `None` for a date or a state that is none."""
        day = day_of(self.business_date.strip())
        if (self.business_date.strip() and day is None) or (self.state and self.state not in set(map(str, BillState))):
            return None
        return BillSearch(
            frozenset({self.hospital}) if self.hospital else frozenset(),
            business_date=day,
            state=BillState(self.state) if self.state else None,
            insurer_settlement_id=self.insurer_settlement_id.strip() or None,
            settlement_no=self.settlement_no.strip().upper() or None,
        )

    def query(self, **more: str) -> str:
        """Return the search as the query of a link."""
        return urlencode({name: value for name, value in {**asdict(self), **more}.items() if value})


@router.get("/bills")
async def list_bills(
    request: Request,
    resources: ResourcesDep,
    visitor: _Reader,
    asked: Annotated[Asked, Depends(Asked)],
    before: UUID | None = None,
) -> Response:
    """Show the bills that are looked for, the newest first, a page at a time."""
    fund_id, search = visitor.staff.fund_id, asked.search()
    async with fund_transaction(resources.engine, fund_id) as connection:
        hospitals = await list_hospitals(connection, fund_id)
        rows = []
        if search is not None:
            after = BillId(before) if before else None
            rows = await list_bill_rows(connection, fund_id, search, after, PAGE + 1)
    shown, more = rows[:PAGE], len(rows) > PAGE
    return page(
        request,
        "bills.html",
        visitor=visitor,
        menu=menu_for(visitor),
        here=BILLS,
        asked=asked,
        unreadable=search is None,
        hospitals=[(code, hospital.name) for hospital in hospitals for code in hospital.codes],
        choices=list(STATES.items()),
        rows=shown,
        first=before is None,
        newest=asked.query(),
        older=asked.query(before=str(shown[-1].bill_id)) if more else None,
    )


@router.get("/bills/{bill_id}")
async def show_bill(request: Request, resources: ResourcesDep, visitor: _Reader, bill_id: UUID) -> Response:
    """Show one bill: who pays what, why, what happened, and the proof. Another fund's is not found."""
    fund_id, id_ = visitor.staff.fund_id, BillId(bill_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        settled = await find_settled_bill(connection, fund_id, id_)
        if settled is None:
            raise BillNotFound(id=str(bill_id))
        events = await list_events_of_bill(connection, fund_id, id_)
        recorded = await list_postings(connection, fund_id, id_)
        question = await find_newest_question(connection, fund_id, id_)
        items = await list_items_of_bill(connection, fund_id, id_)
        hospitals = await list_hospitals(connection, fund_id)
    priced = settled.priced
    rules = await resources.rules.knowing(fund_id, priced.plan_digest if priced else None)
    proof = prove_bill(settled, recorded, rules)
    names = {code: hospital.name for hospital in hospitals for code in hospital.codes}
    return page(
        request,
        "bill.html",
        visitor=visitor,
        menu=menu_for(visitor),
        here=BILLS,
        head=settled.head,
        hospital=names.get(settled.head.hospital_code or ""),
        answer=settlement_answer(settled, Language.CHINESE),
        now=_now(settled, question),
        promise=_promise(settled),
        shares=_shares(settled),
        benefits=explain_bill(settled, rules)["benefits"],
        steps=[_step(event) for event in events],
        proof=proof,
        equation=_equation(proof["equation"]),
        items=[(item, kind_of(item.kind)) for item in items],
    )


def _shares(settled: SettledBill) -> dict[str, Any] | None:
    """Return the table of who pays what, with the sum of its lines; a reversed bill's as it was before."""
    priced = settled.priced
    if priced is None:
        return None
    payers = who_pays(priced.figures, priced.split)
    *others, (_, cash) = payers
    return {
        "billed": priced.figures.billed,
        "lines": [(label, amount) for label, amount in others if amount != ZERO],
        "funds": _funds(priced),
        "cash": cash,
        "sum": total(amount for _, amount in payers),
        "to_card": priced.split.aid_to_card if priced.split.aid_to_card != ZERO else None,
    }


def _now(settled: SettledBill, question: PendingQuestion | None) -> dict[str, Any]:
    """Return what is known of the bill now, what to tell the patient, and how the insurer is asked about it."""
    standing = standing_of(settled.head, question)
    asked = question if question is not None and question.outcome is None else None
    return {
        "known": sentence(standing.known, Language.CHINESE, tries=asked.tries or None if asked else None),
        "tell": sentence(standing.tell, Language.CHINESE),
        "asked": asked,
    }


def _promise(settled: SettledBill) -> dict[str, Any] | None:
    """Return what had been promised beside what was settled, with the difference of each amount."""
    met, priced = settled.promise, settled.priced
    if met is None or priced is None:
        return None
    names = {"aid_on_bill": "互助记入本单", "aid_to_card": "互助打入银行卡", "cash_due": "个人应付现金"}
    amounts = [(label, getattr(met.promised, name), getattr(priced.split, name)) for name, label in names.items()]
    return {
        "kept": met.kept,
        "said": sentence(settled.promise_reason, Language.CHINESE),
        "lines": [(label, promised, paid, paid - promised) for label, promised, paid in amounts],
    }


def _funds(priced: PricedRecord) -> list[tuple[str, Any]]:
    """Return what each of the insurer's funds paid, if there is more than the one that always does."""
    found = [(label, getattr(priced.figures.funds, code)) for code, label in FUNDS.items()]
    paid = [(label, amount) for label, amount in found if amount != ZERO]
    return paid if len(paid) > 1 else []


def _equation(amounts: dict[str, str] | None) -> tuple[str, list[tuple[str, str]]] | None:
    """Return the total and the parts that are not nothing, each with its name."""
    if amounts is None:
        return None
    parts = [(EQUATION[code], amount) for code, amount in amounts.items() if code != "billed" and amount != "0.00"]
    return amounts["billed"], parts


def _step(event: RecordedEvent) -> dict[str, Any]:
    return {
        "at": event.recorded_at,
        "said": step_in_words(event.type, event.payload, Language.CHINESE),
        "by": who(event.actor),
    }
