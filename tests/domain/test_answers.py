"""The answer about a bill: the whole of it for each fate, word for word, and the sums that a cashier relies on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bill_builders import (
    FIGURES,
    HEAD,
    QUESTION,
    REVERSAL,
    SPLIT,
    a_bill_without_record,
    a_reversed_bill,
    a_settled_bill,
    bills_with_aid,
)
from hypothesis import given

from settlement.domain.answers import (
    held_quote_answer,
    print_lines,
    quote_answer,
    receipt_values,
    settlement_answer,
    uncovered_answer,
)
from settlement.domain.bills import InsurerFunds
from settlement.domain.errors import InvariantViolation
from settlement.domain.ids import HoldId
from settlement.domain.money import ZERO, Money
from settlement.domain.sentences import SENTENCES, Language
from settlement.domain.settlements import BillState, PromiseMet, SettledBill, Split

ENGLISH, CHINESE = Language.ENGLISH, Language.CHINESE
HELD_LINES = ["互助款暂未算出，请按医保现金数收费，算出后打入职工银行卡。"]
REVERSED_LINES = ["本单互助已冲销，请按医保退费结果退款。"]

IDENTITY = {
    "id": "01957f3e-2d00-7000-8000-000000000001",
    "settlement_no": "HZ20250312-00000001",
    "area": "500103",
    "insurer_settlement_id": "700000000001",
    "cancelling_settlement_id": None,
    "hospital_code": "H50010302473",
    "encounter_id": "E1",
    "charge_batch_no": "3",
    "visit_no": "V1",
    "receipt_no": "R1",
    "operator": "O1",
    "message_id": "M1",
    "door": "catch_up",
    "settled_at": "2025-03-12T00:30:05.678+08:00",
    "confirmed": True,
    "business_date": "2025-03-12",
    "recorded_at": "2025-03-12T00:30:05.678+08:00",
}
AMOUNTS = {
    "billed": "9000.00",
    "excluded": "600.00",
    "over_limit": "300.00",
    "upfront_share": "110.00",
    "allowed": "7990.00",
    "insurer_deductible": "800.00",
    "provider_absorbed": "120.34",
    "patient_share": "2379.66",
    "account_paid": "300.00",
    "family_account_paid": "50.00",
    "cash_before_aid": "2079.66",
    "insurer_paid": "6500.00",
    "funds": {
        "hifp": "6000.00",
        "cvlserv": "1.00",
        "hifes": "200.00",
        "hifmi": "30.00",
        "hifob": "100.00",
        "hifdm": "5.00",
        "maf": "70.00",
        "oth": "80.00",
        "unnamed": "14.00",
    },
}
RECEIPT = {
    "fundPay": "6000.00",
    "otherfundPay": "1110.18",
    "accountPay": "300.00",
    "selfCashPay": "1589.82",
    "ownPay": "900.00",
    "selfPayAmt": "1479.66",
    "selfConceitedAmt": "800.00",
    "mutualAidPay": "389.83",
}
LINES = [
    "医疗费总额 9000.00 元",
    "医保基金支付 6500.00 元",
    "医院负担 120.34 元",
    "个人账户支付 300.00 元",
    "职工医疗互助支付 389.83 元",
    "其他支付 100.01 元",
    "个人应付现金 1589.82 元",
    "职工医疗互助 10.17 元将打入职工银行卡",
]
AID = {
    "status": "split",
    "amount": "400.00",
    "on_bill": "389.83",
    "to_card": "10.17",
    "reason": {"code": "aid_split", "sentence": SENTENCES["aid_split"].en},
    "question": None,
}
PLAN = {"code": "hangzhou", "version": "2025", "digest": "d1"}
NOTHING_PAID = {"other_on_bill": None, "cash_due": None, "receipt_values": None}


def no_aid(code: str, language: Language = ENGLISH) -> dict[str, Any]:
    """Return what an answer says about aid where there is none."""
    reason = {"code": code, "sentence": getattr(SENTENCES[code], language.value)}
    return {"status": "none", "amount": None, "on_bill": None, "to_card": None, "reason": reason, "question": None}


def held(sentence: str) -> dict[str, Any]:
    """Return what an answer says about aid that waits for an answer to the builders' question."""
    question = {"code": "identity_b_open", "sentence": sentence, "figures": {"difference": "0.01"}}
    return {"status": "held", "amount": None, "on_bill": None, "to_card": None, "reason": None, "question": question}


HELD = held(
    "The mutual aid is not computed yet; charge the insurer's cash amount, the aid goes to the card. "
    "The total differs from what funds, hospital and patient pay by 0.01 yuan; check the answer."
)


def test_a_settled_bill_is_answered_whole():
    assert settlement_answer(a_settled_bill(), ENGLISH) == IDENTITY | {
        "state": "live",
        "revision": 2,
        "service_date": "2025-03-11",
        "bill": AMOUNTS,
        "mutual_aid": AID,
        "other_on_bill": "100.01",
        "cash_due": "1589.82",
        "plan": PLAN,
        "promise": None,
        "reversal": None,
        "replaces": None,
        "replaced_by": None,
        "receipt_hash": "h1",
        "receipt_values": RECEIPT,
        "print_lines": LINES,
    }


def test_a_reversed_bill_keeps_its_amounts_under_reversal_and_has_nothing_to_pay():
    settled = a_settled_bill()
    assert settlement_answer(a_reversed_bill(), ENGLISH) == settlement_answer(settled, ENGLISH) | NOTHING_PAID | {
        "state": "reversed",
        "cancelling_settlement_id": "7000000000019",
        "mutual_aid": no_aid("reversed"),
        "reversal": {
            "aid_on_bill": "389.83",
            "aid_to_card": "10.17",
            "cash_due": "1589.82",
            "reason": "refund",
            "seen_by": "brought",
            "cancelling_settlement_id": "7000000000019",
            "business_date": "2025-03-13",
            "recorded_at": "2025-03-12T00:30:05.678+08:00",
        },
        "print_lines": REVERSED_LINES,
    }


@pytest.mark.parametrize(
    ("kept", "lost_fen", "code"),
    [
        (True, 0, "promise_kept"),
        (True, 1, "promise_kept_and_changed_since"),
        (False, 0, "promise_of_other_figures"),
    ],
)
def test_a_promise_is_answered_with_what_became_of_it(kept: bool, lost_fen: int, code: str):
    settled = a_settled_bill()
    assert settled.priced is not None
    promised = replace(settled.priced.split, aid_to_card=settled.priced.split.aid_to_card + Money(lost_fen))
    met = PromiseMet(HoldId(UUID(int=5)), kept, promised)
    assert settlement_answer(replace(settled, promise=met), ENGLISH)["promise"] == {
        "hold_id": "00000000-0000-0000-0000-000000000005",
        "kept": kept,
        "aid_on_bill": promised.aid_on_bill.yuan(),
        "aid_to_card": promised.aid_to_card.yuan(),
        "cash_due": promised.cash_due.yuan(),
        "reason": {"code": code, "sentence": SENTENCES[code].en},
    }


def test_a_held_bill_asks_its_question_and_has_no_amounts():
    settled = a_bill_without_record(BillState.HELD, QUESTION)
    names = ("service_date", "bill", "plan", "promise", "reversal", "replaces", "replaced_by", "receipt_hash")
    nothing = dict.fromkeys(names)
    expected = {"state": "held", "revision": 0, "mutual_aid": HELD, "print_lines": HELD_LINES}
    assert settlement_answer(settled, ENGLISH) == IDENTITY | nothing | NOTHING_PAID | expected


def test_a_bill_that_was_held_once_shows_its_aid_when_it_is_settled():
    settled = a_settled_bill(head={"question": QUESTION})
    assert settlement_answer(settled, ENGLISH)["mutual_aid"] == AID


def test_a_held_bill_without_a_question_is_our_own_fault():
    with pytest.raises(InvariantViolation, match=r"^no sentence for held$"):
        settlement_answer(a_bill_without_record(BillState.HELD), ENGLISH)


@pytest.mark.parametrize(
    ("state", "lines"),
    [
        (BillState.REPLACED, ["本单互助已由更正后的账单代替，请查看新账单。"]),
        (BillState.PENDING, []),
        (BillState.CANCELLED_UNSEEN, []),
        (BillState.REVERSED, REVERSED_LINES),
    ],
)
def test_a_bill_without_a_record_says_what_became_of_it(state, lines):
    answer = settlement_answer(a_bill_without_record(state), CHINESE)
    assert answer["mutual_aid"] == no_aid(state.value, CHINESE)
    assert answer["print_lines"] == lines


def test_a_reversal_without_a_record_shows_no_amounts():
    bill = SettledBill(replace(HEAD, state=BillState.REVERSED), None, REVERSAL)
    answer = settlement_answer(bill, ENGLISH)
    assert answer["reversal"] is None
    assert answer["mutual_aid"] == no_aid("reversed")


def test_what_is_not_known_of_a_bill_is_null():
    settled = a_settled_bill(head={"settled_at": None, "business_date": None, "confirmed_at": None}, plan_code=None)
    answer = settlement_answer(settled, ENGLISH)
    assert [answer[name] for name in ("settled_at", "business_date", "plan")] == [None, None, None]
    assert answer["confirmed"] is False


@pytest.mark.parametrize(
    ("split", "code"),
    [
        (Split(ZERO, ZERO, Money(10_001), Money(197_965)), "plan_pays_nothing"),
        (Split(Money(5), ZERO, ZERO, Money(207_961)), "aid_on_bill"),
        (Split(ZERO, Money(5), ZERO, Money(207_966)), "aid_to_card"),
    ],
)
@pytest.mark.parametrize("language", Language)
def test_the_reason_says_where_the_aid_went(split, code, language):
    aid = settlement_answer(a_settled_bill(split=split), language)["mutual_aid"]
    assert aid["reason"] == {"code": code, "sentence": getattr(SENTENCES[code], language.value)}
    assert aid["amount"] == split.aid.yuan()


def test_a_bill_that_turned_out_not_to_be_ours_says_why():
    split = Split(ZERO, ZERO, ZERO, Money(207_966))
    settled = a_settled_bill(split=split, plan_code=None, receipt={"excluded": "pharmacy"})
    aid = settlement_answer(settled, ENGLISH)["mutual_aid"]
    assert aid == no_aid("pharmacy") | {"amount": "0.00", "on_bill": "0.00", "to_card": "0.00"}


def test_a_quote_says_what_the_settlement_would():
    quote = quote_answer(FIGURES, SPLIT, PLAN, date(2025, 3, 11), ENGLISH)
    settled = settlement_answer(a_settled_bill(), ENGLISH)
    assert quote == {name: settled[name] for name in quote}
    assert set(quote) == {
        "service_date",
        "bill",
        "mutual_aid",
        "other_on_bill",
        "cash_due",
        "plan",
        "receipt_values",
        "print_lines",
    }


def test_a_quote_that_cannot_be_computed_asks_as_the_bill_would():
    assert held_quote_answer(QUESTION.code, QUESTION.figures, ENGLISH) == {"mutual_aid": HELD}
    chinese = f"{HELD_LINES[0]}医疗费总额与基金、医院、个人负担之和不符，相差 0.01 元，请核对医保返回。"
    assert held_quote_answer(QUESTION.code, QUESTION.figures, CHINESE) == {"mutual_aid": held(chinese)}


@pytest.mark.parametrize("language", Language)
def test_a_bill_that_is_not_ours_is_answered_with_the_reason_alone(language):
    assert uncovered_answer("pharmacy", language) == {"mutual_aid": no_aid("pharmacy", language)}


@given(bills_with_aid())
def test_the_four_payments_of_the_receipt_are_the_total_billed(bill):
    figures, split = bill
    values = {name: Decimal(amount) for name, amount in receipt_values(figures, split).items()}
    four = [values[name] for name in ("fundPay", "otherfundPay", "accountPay", "selfCashPay")]
    assert sum(four) == Decimal(figures.billed.yuan())
    assert values["ownPay"] + values["selfPayAmt"] == Decimal(figures.patient_share.yuan())
    assert values["mutualAidPay"] == Decimal(split.aid_on_bill.yuan())


@given(bills_with_aid())
def test_the_printed_payments_add_up_to_the_printed_total(bill):
    figures, split = bill
    printed = dict(line.split(" ")[:2] for line in print_lines(figures, split))
    card = printed.pop("职工医疗互助", "0.00")
    paid = {label: Decimal(amount) for label, amount in printed.items()}
    assert sum(paid.values()) == 2 * paid.get("医疗费总额", 0)
    assert card == split.aid_to_card.yuan()


def test_empty_shares_are_not_printed_and_cash_always_is():
    figures = replace(FIGURES, funds=InsurerFunds(hifp=Money(870_000)), provider_absorbed=ZERO, cash_before_aid=ZERO)
    assert print_lines(figures, Split(ZERO, ZERO, ZERO, ZERO)) == [
        "医疗费总额 9000.00 元",
        "医保基金支付 8700.00 元",
        "个人账户支付 300.00 元",
        "个人应付现金 0.00 元",
    ]
