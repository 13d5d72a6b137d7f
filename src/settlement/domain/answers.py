"""The answer about a bill, as plain JSON values: every door and every later reading says the same from the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.ids import BillId
from settlement.domain.money import ZERO, Money
from settlement.domain.promises import Promise
from settlement.domain.sentences import Language, sentence
from settlement.domain.settlements import AidStatus, BillHead, BillState, PricedRecord, SettledBill, Split
from settlement.domain.time import CHINA

Answer = dict[str, Any]


def settlement_answer(settled: SettledBill, language: Language) -> Answer:
    """Return the answer about a recorded bill: amounts in yuan as strings, instants with China's offset.

    A reversed bill shows nothing to pay and nothing to print: what was undone stands under `reversal`.
    """
    head, priced = settled.head, settled.priced
    shown = priced if settled.reversal is None else None
    return {
        "id": str(head.bill_id),
        "settlement_no": head.settlement_no,
        "state": head.state.value,
        "revision": head.revision,
        **_bill_identity(head),
        "confirmed": head.confirmed_at is not None,
        "service_date": _day(priced.service_date if priced else None),
        "business_date": _day(head.business_date),
        "recorded_at": _instant(head.created_at),
        "bill": bill_amounts(priced.figures) if priced else None,
        "mutual_aid": _mutual_aid(settled, language),
        "other_on_bill": shown.split.other_on_bill.yuan() if shown else None,
        "cash_due": shown.split.cash_due.yuan() if shown else None,
        "plan": _plan(priced) if priced else None,
        "promise": _promise(settled, language),
        "reversal": _reversal(settled),
        "replaces": _id(head.replaces_bill_id),
        "replaced_by": _id(head.replaced_by_bill_id),
        "receipt_hash": priced.receipt_hash if priced else None,
        "receipt_values": receipt_values(shown.figures, shown.split) if shown else None,
        "print_lines": print_lines(shown.figures, shown.split) if shown else _lines_without_amounts(settled),
    }


def quote_answer(
    figures: BillFigures, split: Split, plan: Mapping[str, str], service_date: date, language: Language
) -> Answer:
    """Return the answer to a quote: what a settlement with these figures would say now."""
    return {
        "service_date": _day(service_date),
        "bill": bill_amounts(figures),
        "mutual_aid": _aid(split.status, split, _aid_reason(split, language), None),
        "other_on_bill": split.other_on_bill.yuan(),
        "cash_due": split.cash_due.yuan(),
        "plan": dict(plan),
        "receipt_values": receipt_values(figures, split),
        "print_lines": print_lines(figures, split),
    }


def hold_answer(promise: Promise) -> Answer:
    """Return what a caller is told of a hold: until when which amounts are promised, in yuan."""
    return {
        "id": str(promise.hold_id),
        "kind": promise.kind.value,
        "state": promise.state.value,
        "expires_at": _instant(promise.expires_at),
        "aid_on_bill": promise.split.aid_on_bill.yuan(),
        "aid_to_card": promise.split.aid_to_card.yuan(),
        "cash_due": promise.split.cash_due.yuan(),
        "receipt_hash": promise.receipt_hash,
    }


def not_held(code: str, language: Language) -> Answer:
    """Return why a quote that asked for a hold has none."""
    return {"hold": None, "not_held": _reason(code, language)}


def uncovered_answer(reason: str, language: Language) -> Answer:
    """Return the answer about a bill that is not ours: no id, and nothing of it is kept."""
    return {"mutual_aid": _aid(AidStatus.NONE, None, {"code": reason, "sentence": sentence(reason, language)}, None)}


def held_quote_answer(code: str, figures: Mapping[str, str], language: Language) -> Answer:
    """Return the answer to a quote that cannot be computed yet, with the one question."""
    question = {"code": code, "sentence": sentence(code, language, **figures), "figures": dict(figures)}
    return {"mutual_aid": _aid(AidStatus.HELD, None, None, question)}


def bill_amounts(figures: BillFigures) -> Answer:
    """Return what the insurer settled, in yuan."""
    funds = {field.name: getattr(figures.funds, field.name).yuan() for field in fields(InsurerFunds)}
    names = [field.name for field in fields(BillFigures) if field.name != "funds"]
    amounts: Answer = {name: getattr(figures, name).yuan() for name in names}
    return amounts | {"insurer_paid": figures.insurer_paid.yuan(), "funds": funds}


def receipt_values(figures: BillFigures, split: Split) -> dict[str, str]:
    """Return the amounts of the hospital's electronic receipt (医疗收费电子票据), in its own field names, in yuan.

    `fundPay + otherfundPay + accountPay + selfCashPay` is the total billed. Aid stands under other payments; the
    informational `ownPay` and `selfPayAmt` stay the insurer's, though the fund pays part of them.
    """
    outside_scope = figures.excluded + figures.over_limit
    elsewhere = figures.insurer_paid - figures.funds.hifp + figures.provider_absorbed
    return {
        "fundPay": figures.funds.hifp.yuan(),
        "otherfundPay": (elsewhere + split.aid_on_bill + split.other_on_bill).yuan(),
        "accountPay": figures.account_paid.yuan(),
        "selfCashPay": split.cash_due.yuan(),
        "ownPay": outside_scope.yuan(),
        "selfPayAmt": (figures.patient_share - outside_scope).yuan(),
        "selfConceitedAmt": figures.insurer_deductible.yuan(),
        "mutualAidPay": split.aid_on_bill.yuan(),
    }


def who_pays(figures: BillFigures, split: Split) -> list[tuple[str, Money]]:
    """Return what each pays of a bill, in fen, under its Chinese name; the patient's cash is the last.

    Together they are the total billed: the equation of the record.
    """
    return [
        ("医保基金支付", figures.insurer_paid),
        ("医院负担", figures.provider_absorbed),
        ("个人账户支付", figures.account_paid),
        ("职工医疗互助支付", split.aid_on_bill),
        ("其他支付", split.other_on_bill),
        ("个人应付现金", split.cash_due),
    ]


def print_lines(figures: BillFigures, split: Split) -> list[str]:
    """Return the lines that the hospital prints on its receipt, in Chinese; empty shares are left out."""
    *shares, (cash, cash_due) = who_pays(figures, split)
    printed = [("医疗费总额", figures.billed), *shares]
    lines = [f"{label} {amount.yuan()} 元" for label, amount in printed if amount != ZERO]
    lines.append(f"{cash} {cash_due.yuan()} 元")
    if split.aid_to_card != ZERO:
        lines.append(f"职工医疗互助 {split.aid_to_card.yuan()} 元将打入职工银行卡")
    return lines


def _bill_identity(head: BillHead) -> Answer:
    return {
        "area": head.area,
        "insurer_settlement_id": head.insurer_settlement_id,
        "cancelling_settlement_id": head.cancelling_settlement_id,
        "hospital_code": head.hospital_code,
        "encounter_id": head.encounter_id,
        "charge_batch_no": head.charge_batch_no,
        "visit_no": head.visit_no,
        "receipt_no": head.receipt_no,
        "operator": head.operator,
        "message_id": head.message_id,
        "door": head.door.value,
        "settled_at": _instant(head.settled_at),
    }


def _mutual_aid(settled: SettledBill, language: Language) -> Answer:
    head, priced = settled.head, settled.priced
    if head.state is BillState.HELD and head.question is not None:
        code, figures = head.question.code, head.question.figures
        asked = {"code": code, "sentence": sentence(code, language, **figures), "figures": dict(figures)}
        return _aid(AidStatus.HELD, None, None, asked)
    if priced is None:
        return _aid(AidStatus.NONE, None, _reason(head.state.value, language), None)
    if settled.reversal is not None:
        return _aid(AidStatus.NONE, None, _reason(head.state.value, language), None)
    return _aid(
        priced.split.status, priced.split, _aid_reason(priced.split, language, priced.receipt.get("excluded")), None
    )


def _aid_reason(split: Split, language: Language, excluded: str | None = None) -> dict[str, str]:
    """Return where the aid went, or why there is none; which clause pays nothing is the explanation's to say."""
    if excluded is not None:
        return _reason(excluded, language)
    if split.status is not AidStatus.NONE:
        return _reason(f"aid_{split.status.value}", language)
    return _reason("plan_pays_nothing", language)


def _reason(code: str, language: Language) -> dict[str, str]:
    return {"code": code, "sentence": sentence(code, language)}


def _aid(status: AidStatus, split: Split | None, reason: Mapping[str, str] | None, question: Answer | None) -> Answer:
    return {
        "status": status.value,
        "amount": split.aid.yuan() if split else None,
        "on_bill": split.aid_on_bill.yuan() if split else None,
        "to_card": split.aid_to_card.yuan() if split else None,
        "reason": dict(reason) if reason else None,
        "question": question,
    }


def _plan(priced: PricedRecord) -> Answer | None:
    if priced.plan_code is None:
        return None
    return {"code": priced.plan_code, "version": priced.plan_version, "digest": priced.plan_digest}


def _promise(settled: SettledBill, language: Language) -> Answer | None:
    """Return what a hold of this batch had promised, in yuan, and whether the settlement kept it."""
    met = settled.promise
    if met is None:
        return None
    return {
        "hold_id": str(met.hold_id),
        "kept": met.kept,
        "aid_on_bill": met.promised.aid_on_bill.yuan(),
        "aid_to_card": met.promised.aid_to_card.yuan(),
        "cash_due": met.promised.cash_due.yuan(),
        "reason": _reason(settled.promise_reason, language),
    }


def _reversal(settled: SettledBill) -> Answer | None:
    undone, priced = settled.reversal, settled.priced
    if undone is None or priced is None:
        return None
    return {
        "aid_on_bill": priced.split.aid_on_bill.yuan(),
        "aid_to_card": priced.split.aid_to_card.yuan(),
        "cash_due": priced.split.cash_due.yuan(),
        "reason": undone.reason,
        "seen_by": undone.seen_by,
        "cancelling_settlement_id": undone.cancelling_settlement_id,
        "business_date": _day(undone.business_date),
        "recorded_at": _instant(undone.recorded_at),
    }


def _lines_without_amounts(settled: SettledBill) -> Sequence[str]:
    codes = {BillState.HELD: "held_at_counter", BillState.REVERSED: "reversed", BillState.REPLACED: "replaced"}
    code = codes.get(settled.head.state)
    return [sentence(code, Language.CHINESE)] if code else []


def _id(bill_id: BillId | None) -> str | None:
    return str(bill_id) if bill_id else None


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(CHINA).isoformat(timespec="milliseconds") if at else None
