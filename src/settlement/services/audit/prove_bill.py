"""Explaining and proving one recorded bill: it is computed anew from its receipt, and its postings are added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from settlement import ENGINE_VERSION
from settlement.db.reports import RecordedPosting
from settlement.domain.benefits import Benefit
from settlement.domain.bills import InsurerFunds
from settlement.domain.postings import Posting, postings_of, purses_of, swapped
from settlement.domain.settlements import PricedRecord, PromiseMet, SettledBill
from settlement.plans.explain import explain
from settlement.plans.next_yuan import NextYuan, next_yuan
from settlement.plans.receipt import Inputs, make_receipt, replay
from settlement.plans.stored import used_from_json
from settlement.services.funds.rules import FundRules, VersionInForce


def explain_bill(settled: SettledBill, rules: FundRules) -> dict[str, Any]:
    """Return the plan and, per benefit, base, steps, used room and sentences, as plain values."""
    priced = settled.priced
    if priced is None or priced.plan_digest is None:
        return {"plan": None, "excluded": priced.receipt.get("excluded") if priced else None, "benefits": []}
    version = rules.version_by_digest(priced.plan_digest)
    limits = version.plan.limits if version else {}
    benefits = recomputed(priced, rules) or ()
    following = _next_yuan(priced, version) if version else {}
    return {
        "plan": {"code": priced.plan_code, "version": priced.plan_version, "digest": priced.plan_digest},
        "excluded": None,
        "benefits": [explanation.to_json() for explanation in explain(benefits, limits, following)],
    }


def _next_yuan(priced: PricedRecord, version: VersionInForce) -> Mapping[str, NextYuan]:
    inputs = Inputs.from_json(priced.receipt["inputs"])
    return next_yuan(version.plan, inputs.figures, inputs.facts, used_from_json(priced.receipt["used_before"]))


def recomputed(priced: PricedRecord, rules: FundRules) -> tuple[Benefit, ...] | None:
    """Adjudicate a settlement again from its receipt; `None` when its plan version is not known here."""
    version = rules.version_by_digest(priced.plan_digest) if priced.plan_digest else None
    if version is None:
        return None
    inputs = Inputs.from_json(priced.receipt["inputs"])
    return replay(version.plan, inputs, used_from_json(priced.receipt["used_before"]))


def replays(priced: PricedRecord, rules: FundRules) -> bool:
    """Say whether the same plan and inputs give the same fen today, and the same receipt from the same engine."""
    benefits = recomputed(priced, rules)
    version = rules.version_by_digest(priced.plan_digest) if priced.plan_digest else None
    if benefits is None or version is None:
        return False
    aid = sum(int(benefit.amount) for benefit in benefits)
    if priced.engine_version != ENGINE_VERSION:
        return aid == priced.split.aid
    used = used_from_json(priced.receipt["used_before"])
    receipt = make_receipt(version.plan, Inputs.from_json(priced.receipt["inputs"]), used, benefits)
    return aid == priced.split.aid and receipt.hash == priced.receipt_hash


def prove_bill(settled: SettledBill, recorded: Sequence[RecordedPosting], rules: FundRules) -> dict[str, Any]:
    """Return the equation in yuan, the postings, and what was checked: closing, balance, replay."""
    priced = settled.priced
    return {
        "equation": _equation(priced) if priced else None,
        "closes": priced is None or _closes(priced),
        "postings": [
            {
                "revision": line.revision,
                "record": line.record,
                "debit": line.posting.debit,
                "credit": line.posting.credit,
                "amount": line.posting.fen.yuan(),
            }
            for line in recorded
        ],
        "postings_balance": _postings_fit(settled, recorded),
        "promise": _promise(settled.promise) if settled.promise else None,
        "receipt_hash": priced.receipt_hash if priced else None,
        "replays_to_the_same_fen": replays(priced, rules) if priced and priced.plan_digest else None,
    }


def _equation(priced: PricedRecord) -> dict[str, str]:
    funds = {field.name: getattr(priced.figures.funds, field.name).yuan() for field in fields(InsurerFunds)}
    return {
        "billed": priced.figures.billed.yuan(),
        **funds,
        "provider_absorbed": priced.figures.provider_absorbed.yuan(),
        "account_paid": priced.figures.account_paid.yuan(),
        "mutual_aid_on_bill": priced.split.aid_on_bill.yuan(),
        "other_on_bill": priced.split.other_on_bill.yuan(),
        "cash_due": priced.split.cash_due.yuan(),
    }


def _promise(met: PromiseMet) -> dict[str, Any]:
    return {
        "hold_id": str(met.hold_id),
        "kept": met.kept,
        "aid_on_bill": met.promised.aid_on_bill.yuan(),
        "aid_to_card": met.promised.aid_to_card.yuan(),
        "cash_due": met.promised.cash_due.yuan(),
    }


def _closes(priced: PricedRecord) -> bool:
    figures, split = priced.figures, priced.split
    paid = figures.insurer_paid + figures.provider_absorbed + figures.account_paid
    return figures.billed == paid + split.aid_on_bill + split.other_on_bill + split.cash_due


def _postings_fit(settled: SettledBill, recorded: Sequence[RecordedPosting]) -> bool:
    """Check the shown revision's postings against its amounts, a reversal's against the settlement's, and that those
    of the revisions before it come to nothing."""
    priced = settled.priced
    if priced is None:
        return not recorded
    for revision in range(1, priced.revision):
        taken_back = swapped(_posted(recorded, "settlement", revision))
        if _posted(recorded, "reversal", revision) != taken_back:
            return False
    expected = postings_of(priced.figures, priced.split, purses_of(priced.receipt))
    found = _posted(recorded, "settlement", priced.revision)
    undone = _posted(recorded, "reversal", priced.revision)
    return found == expected and undone == (swapped(expected) if settled.reversal else ())


def _posted(recorded: Sequence[RecordedPosting], record: str, revision: int) -> tuple[Posting, ...]:
    return tuple(line.posting for line in recorded if (line.record, line.revision) == (record, revision))
