"""The border: shapes of every region close, one fen of change never does, and every refusal names its field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import shapes
from settlement.domain.bills import BillFigures, Certificate, InsurerBill, InsurerFunds, Visit
from settlement.domain.money import ZERO, Money
from settlement.domain.sentences import SENTENCES
from settlement.gateway.mapping import (
    Fetched,
    cancels,
    completed,
    from_5203,
    is_cancellation,
    read_answer_facts,
    read_cancellation,
    read_settlement,
    read_trial,
    read_visit,
)
from settlement.gateway.profile import load_profile
from settlement.gateway.readings import AnswerFacts, Cancellation, NotClosing, QuestionCode, Unreadable

HEBEI = load_profile("hebei")
CHONGQING = load_profile("chongqing")
GUANGDONG = load_profile("guangdong")
FAMILY_BESIDE = HEBEI.model_copy(update={"family_account": "beside"})


def closed(output, profile=HEBEI) -> InsurerBill:
    reading = read_settlement(shapes.received(output), profile)
    assert isinstance(reading, InsurerBill), reading
    return reading


def asked(output, profile=HEBEI) -> NotClosing:
    reading = read_settlement(shapes.received(output), profile)
    assert isinstance(reading, NotClosing), reading
    return reading


def yuan(figures: BillFigures) -> dict[str, str]:
    names = ("billed", "insurer_paid", "provider_absorbed", "patient_share", "account_paid", "cash_before_aid")
    return {name: getattr(figures, name).yuan() for name in names}


def test_a_hebei_2207_closes():
    bill = closed(shapes.hebei_2207())
    assert bill.insurer_settlement_id == "400990001"
    assert bill.encounter_id == "300990001"
    assert bill.settled_at == datetime(2025, 3, 10, 2, 15, 31, tzinfo=UTC)
    assert bill.care_type == "11"
    assert bill.message_id == "H13110200026202503101015300007"
    assert bill.insured.certificate == Certificate("01", "131102198001010016")
    assert (bill.insured.insurance_type, bill.insured.person_type) == ("310", "1101")
    assert yuan(bill.figures) == {
        "billed": "1286.50",
        "insurer_paid": "672.00",
        "provider_absorbed": "0.00",
        "patient_share": "614.50",
        "account_paid": "200.00",
        "cash_before_aid": "414.50",
    }
    assert bill.figures.insurer_deductible == Money(30_000)


def test_a_chongqing_2304_closes_with_its_hospital_share():
    figures = closed(shapes.chongqing_2304(), CHONGQING).figures
    assert figures.provider_absorbed == Money(12_034)
    assert figures.funds == InsurerFunds(hifp=Money(500_000), hifob=Money(150_000))


def test_a_guangdong_fund_total_gives_its_account_money_back():
    figures = closed(shapes.guangdong_2207(), GUANGDONG).figures
    assert figures.insurer_paid == Money(30_000)
    assert figures.funds.unnamed == ZERO
    assert figures.account_paid == Money(8_000)


def test_amounts_as_texts_give_the_same_bill():
    assert closed(shapes.as_text_amounts(shapes.hebei_2207())).figures == closed(shapes.hebei_2207()).figures


def test_a_relatives_account_beside_is_part_of_the_account_paid():
    figures = closed(shapes.family_beside_2207(), FAMILY_BESIDE).figures
    assert (figures.account_paid, figures.family_account_paid) == (Money(30_000), Money(10_000))
    assert figures.cash_before_aid == Money(31_450)


def test_a_relatives_account_inside_is_not_added():
    figures = closed(shapes.hebei_2207(acct_mulaid_pay=50)).figures
    assert (figures.account_paid, figures.family_account_paid) == (Money(20_000), Money(5_000))


def test_funds_without_a_name_are_what_the_total_says_more():
    figures = closed(shapes.hebei_2207(hifp_pay=600, cvlserv_pay=None)).figures
    assert figures.funds.unnamed == Money(7_200)
    assert figures.insurer_paid == Money(67_200)


@pytest.mark.parametrize(
    ("changes", "field", "fen"),
    [
        ({"psn_part_amt": None}, "patient_share", 61_450),
        ({"psn_part_amt": None, "psn_pay": 614.5}, "patient_share", 61_450),
        ({"psn_cash_pay": None}, "cash_before_aid", 41_450),
        ({"hosp_part_amt": None}, "provider_absorbed", 0),
        ({"hosp_part_amt": None, "ownpay_hosp_part": 0}, "provider_absorbed", 0),
        ({"hosp_part_amt": None, "fund_pay_sumamt": 600, "hifp_pay": 600}, "provider_absorbed", 7_200),
        ({"hosp_part_amt": None, "psn_part_amt": None}, "provider_absorbed", 0),
        ({"act_pay_dedc": None}, "insurer_deductible", 0),
    ],
)
def test_what_is_absent_is_derived(changes, field, fen):
    assert getattr(closed(shapes.hebei_2207(**changes)).figures, field) == Money(fen)


def test_a_derived_part_cannot_contradict_its_own_identity():
    """With the patient's part derived from account and cash, B is what finds the wrong cash."""
    question = asked(shapes.hebei_2207(psn_part_amt=None, psn_cash_pay=414.51)).question
    assert (question.code, question.difference) == (QuestionCode.IDENTITY_B_OPEN, Money(-1))


@pytest.mark.parametrize(
    ("changes", "code", "difference"),
    [
        ({"preselfpay_amt": 60.01}, "identity_a_open", -1),
        ({"fund_pay_sumamt": 671.99}, "identity_b_open", 1),
        ({"hosp_part_amt": 0.01}, "identity_b_open", -1),
        ({"psn_cash_pay": 414.49}, "identity_c_open", 1),
        ({"fund_pay_sumamt": 872}, "account_money_other_way", -20_000),
        ({"acct_mulaid_pay": 100, "psn_cash_pay": 314.5}, "family_account_other_way", 10_000),
        ({"acct_mulaid_pay": 200.01}, "family_account_exceeds_account", 1),
        ({"hifp_pay": 700}, "sign_not_allowed", -2_800),
        ({"hifp_pay": 700, "oth_pay": -28}, "sign_not_allowed", -2_800),
        ({"acct_pay": 700, "psn_cash_pay": -85.5}, "sign_not_allowed", -8_550),
        ({"medfee_sumamt": None}, "figure_missing", None),
        ({"acct_pay": None}, "figure_missing", None),
        ({"fund_pay_sumamt": ""}, "figure_missing", None),
        ({"psn_part_amt": None, "psn_cash_pay": None}, "figure_missing", None),
    ],
)
def test_what_does_not_close_asks_one_question(changes, code, difference):
    question = asked(shapes.hebei_2207(**changes)).question
    assert question.code == code
    assert question.difference == (None if difference is None else Money(difference))
    assert question.fields


def test_a_bill_that_closes_only_with_the_account_outside_is_asked_about():
    question = asked(shapes.hebei_2207(), GUANGDONG).question
    assert question.code is QuestionCode.ACCOUNT_MONEY_OTHER_WAY


def test_a_bill_that_closes_only_with_the_relative_inside_is_asked_about():
    question = asked(shapes.hebei_2207(acct_mulaid_pay=50), FAMILY_BESIDE).question
    assert question.code is QuestionCode.FAMILY_ACCOUNT_OTHER_WAY


def test_signs_occur_where_the_profile_says_so():
    package = {"fund_pay_sumamt": 772, "hifp_pay": 772, "hosp_part_amt": -100}
    assert closed(shapes.hebei_2207(**package)).figures.provider_absorbed == Money(-10_000)
    strict = HEBEI.model_copy(update={"negative_allowed": ()})
    assert asked(shapes.hebei_2207(**package), strict).question.fields == ("hosp_part_amt",)


@pytest.mark.parametrize("signed", ["hifp", "unnamed"])
def test_a_single_fund_may_be_negative_where_the_profile_says_so(signed):
    changes = {"hifp": {"hifp_pay": -28, "oth_pay": 700}, "unnamed": {"hifp_pay": 700}}[signed]
    profile = HEBEI.model_copy(update={"negative_allowed": (signed,)})
    assert closed(shapes.hebei_2207(**changes), profile).figures.insurer_paid == Money(67_200)
    assert asked(shapes.hebei_2207(**changes)).question.code is QuestionCode.SIGN_NOT_ALLOWED


def test_a_held_bill_carries_its_identification_and_figures():
    held = asked(shapes.hebei_2207(preselfpay_amt=60.01))
    assert held.insurer_settlement_id == "400990001"
    assert held.encounter_id == "300990001"
    assert held.settled_at is not None
    assert held.care_type == "11"
    assert held.insured.insured_person_no == "13110000000000000101"
    assert held.figures["preselfpay_amt"] == "60.01"
    assert held.figures["medfee_sumamt"] == "1286.50"
    assert held.question.fields[0] == "medfee_sumamt"


@pytest.mark.parametrize(
    "row",
    [
        {"fund_pay_type": "620900", "fund_pay_type_name": "职工医疗互助金", "fund_payamt": 10},
        {"fund_pay_type": "620900", "fund_pay_type_name": "工会基金支付", "fund_payamt": 10},
        {"fund_pay_type": "99999777", "fund_pay_type_name": None, "fund_payamt": 10},
    ],
)
def test_aid_that_the_platform_has_paid_is_not_paid_again(row):
    output = shapes.hebei_2207()
    output["setldetail"].append(row)
    profile = HEBEI.model_copy(update={"union_aid_codes": ("99999777",)})
    question = asked(output, profile).question
    assert (question.code, question.difference) == (QuestionCode.AID_ALREADY_INSIDE, Money(1000))


@pytest.mark.parametrize("name", ["大额医疗互助资金", "大病互助", "账户共济支付"])
def test_statutory_funds_that_are_called_mutual_are_no_aid_of_ours(name):
    output = shapes.hebei_2207()
    output["setldetail"].append({"fund_pay_type": "330100", "fund_pay_type_name": name, "fund_payamt": 10})
    assert closed(output)


@pytest.mark.parametrize(
    ("output", "field", "problem"),
    [
        (shapes.hebei_2207(setl_id=None), "setlinfo.setl_id", "missing"),
        (shapes.hebei_2207(mdtrt_id=""), "setlinfo.mdtrt_id", "missing"),
        (shapes.hebei_2207(psn_cash_pay="414.505"), "setlinfo.psn_cash_pay", "not_money"),
        (shapes.hebei_2207(medfee_sumamt="viel"), "setlinfo.medfee_sumamt", "not_money"),
        (shapes.hebei_2207(setl_time="gestern"), "setlinfo.setl_time", "not_a_time"),
        ({"setlinfo": None}, "setlinfo", "not_an_object"),
        ({"data": {}}, "setlinfo", "missing"),
    ],
)
def test_what_cannot_be_read_names_its_field(output, field, problem):
    unreadable = Unreadable(field, problem)
    received = shapes.received(output)
    assert read_settlement(received, HEBEI) == unreadable
    if field != "setlinfo.setl_id":
        assert read_trial(received, HEBEI) == unreadable
    assert read_cancellation(received, HEBEI) == unreadable
    assert from_5203(received, HEBEI) == unreadable


def test_a_trial_has_no_settlement():
    trial = read_trial(shapes.received(shapes.hebei_2207(setl_id=None, setl_time=None)), HEBEI)
    assert isinstance(trial, InsurerBill)
    assert trial.insurer_settlement_id is None
    assert trial.figures == closed(shapes.hebei_2207()).figures


def test_a_cancellation_with_nulls_takes_its_bill_back():
    bill = closed(shapes.hebei_2207())
    output = shapes.received(shapes.hebei_2208(shapes.hebei_2207(), setl_id="400990002"))
    cancellation = read_cancellation(output, HEBEI)
    assert isinstance(cancellation, Cancellation)
    assert cancellation.insurer_settlement_id == "400990002"
    assert cancellation.encounter_id == bill.encounter_id
    assert cancellation.settled_at == datetime(2025, 3, 12, tzinfo=UTC)
    assert cancellation.figures.billed == Money(128_650)
    assert cancellation.figures.provider_absorbed is None
    assert cancels(cancellation, bill.figures)


def test_a_cancellation_under_local_names_takes_its_bill_back():
    bill = closed(shapes.chongqing_2304(), CHONGQING)
    output = shapes.received(shapes.chongqing_2305(shapes.chongqing_2304()))
    cancellation = read_cancellation(output, CHONGQING)
    assert isinstance(cancellation, Cancellation)
    assert cancellation.figures.provider_absorbed == Money(12_034)
    assert cancellation.figures.patient_share == Money(237_966)
    assert cancels(cancellation, bill.figures)


@pytest.mark.parametrize("profile", [GUANGDONG, FAMILY_BESIDE], ids=["account_inside", "family_beside"])
def test_a_cancellation_is_compared_under_its_profile(profile):
    output = shapes.guangdong_2207() if profile is GUANGDONG else shapes.family_beside_2207()
    output = {**output, "setlinfo": {name: _number(value) for name, value in output["setlinfo"].items()}}
    bill = closed(output, profile)
    cancellation = read_cancellation(shapes.received(shapes.hebei_2208(output)), profile)
    assert isinstance(cancellation, Cancellation)
    assert cancels(cancellation, bill.figures)


def _number(value):
    return float(value) if isinstance(value, str) and "." in value else value


@pytest.mark.parametrize(
    "field",
    ["medfee_sumamt", "hifp_pay", "fund_pay_sumamt", "acct_pay", "psn_cash_pay", "act_pay_dedc", "preselfpay_amt"],
)
def test_a_cancellation_of_another_amount_takes_nothing_back(field):
    bill = shapes.hebei_2207()
    output = shapes.hebei_2208(bill, **{field: -bill["setlinfo"][field] - 0.01})
    cancellation = read_cancellation(shapes.received(output), HEBEI)
    assert isinstance(cancellation, Cancellation)
    assert not cancels(cancellation, closed(bill).figures)


def test_a_cancellation_without_a_total_takes_nothing_back():
    output = {"setlinfo": {"setl_id": "1", "mdtrt_id": "300990001", "medfee_sumamt": None, "psn_cash_pay": -414.5}}
    cancellation = read_cancellation(shapes.received(output), HEBEI)
    assert isinstance(cancellation, Cancellation)
    assert not cancels(cancellation, closed(shapes.hebei_2207()).figures)


def test_positive_amounts_take_nothing_back():
    cancellation = read_cancellation(shapes.received(shapes.hebei_2207()), HEBEI)
    assert isinstance(cancellation, Cancellation)
    assert not cancels(cancellation, closed(shapes.hebei_2207()).figures)


def test_bills_and_cancellations_in_one_stream_are_told_apart():
    bill = shapes.hebei_2207()
    assert not is_cancellation(shapes.received(bill), HEBEI)
    assert is_cancellation(shapes.received(shapes.hebei_2208(bill)), HEBEI)
    assert not is_cancellation(shapes.received(shapes.as_5203(bill, refd_setl_flag="1")), HEBEI)
    assert not is_cancellation({}, HEBEI)


@pytest.mark.parametrize(("flag", "refunded"), [("0", False), ("1", True), (1, True), (None, None), ("x", None)])
def test_5203_tells_whether_the_settlement_was_cancelled(flag, refunded):
    fetched = from_5203(shapes.received(shapes.as_5203(shapes.hebei_2207(), refd_setl_flag=flag)), HEBEI)
    assert isinstance(fetched, Fetched)
    assert fetched.refunded is refunded
    assert isinstance(fetched.reading, InsurerBill)
    assert fetched.reading.figures == closed(shapes.hebei_2207()).figures


def test_5203_tells_about_the_visit():
    fetched = from_5203(shapes.received(shapes.as_5203(shapes.chongqing_2304())), CHONGQING)
    assert isinstance(fetched, Fetched)
    assert fetched.facts == AnswerFacts(
        insured_area="500102",
        hospital_code="H13110200026",
        place_of_payment="2",
        receipt_no=None,
        admitted_on=date(2025, 3, 1),
        discharged_on=date(2025, 3, 11),
    )


def test_5203_of_a_refunds_own_record_is_a_cancellation():
    output = shapes.as_5203(shapes.hebei_2207(), refd_setl_flag="1")
    fetched = from_5203(shapes.received({**output, "setlinfo": shapes.negated(output["setlinfo"])}), HEBEI)
    assert isinstance(fetched, Fetched)
    assert fetched.refunded is True
    assert isinstance(fetched.reading, Cancellation)
    assert cancels(fetched.reading, closed(shapes.hebei_2207()).figures)


def test_facts_in_an_answer_fill_the_gaps_of_a_visit():
    facts = read_answer_facts(shapes.received(shapes.as_5203(shapes.hebei_2207())), HEBEI)
    assert isinstance(facts, AnswerFacts)
    visit = Visit(area="131100", hospital_code="H1", charge_batch_no="1", admitted_on=date(2025, 2, 28))
    assert completed(visit, facts) == replace(
        visit, insured_area="131102", place_of_payment="2", discharged_on=date(2025, 3, 11)
    )


def test_the_facts_of_a_visit_are_read_in_the_insurers_names():
    facts = {
        "mdtrtarea_admvs": "131100",
        "fixmedins_code": "H13110200026",
        "chrg_bchno": 20250310000001,
        "insuplc_admdvs": "131102",
        "recer_sys_code": "",
        "msgid": None,
        "pay_loc": "2",
        "admitted_on": "2025-03-01",
        "discharged_on": date(2025, 3, 11),
        "anything": "else",
    }
    assert read_visit(facts) == Visit(
        area="131100",
        hospital_code="H13110200026",
        charge_batch_no="20250310000001",
        insured_area="131102",
        place_of_payment="2",
        admitted_on=date(2025, 3, 1),
        discharged_on=date(2025, 3, 11),
    )


@pytest.mark.parametrize("name", ["mdtrtarea_admvs", "fixmedins_code", "chrg_bchno"])
def test_a_visit_needs_area_hospital_and_batch(name):
    facts = {"mdtrtarea_admvs": "131100", "fixmedins_code": "H1", "chrg_bchno": "1", name: " "}
    assert read_visit(facts) == Unreadable(name, "missing")
    assert read_visit({**facts, name: "1", "admitted_on": "x"}) == Unreadable("admitted_on", "not_a_time")


def test_every_question_has_a_sentence():
    assert set(QuestionCode) <= SENTENCES.keys()


FEN = st.integers(0, 10**9)


@st.composite
def closing_nodes(draw, profile):
    """A settlement node that closes under the profile, built from its parts."""
    parts = {name: draw(FEN) for name in ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")}
    billed = sum(parts.values())
    absorbed = draw(st.integers(-min(10**6, billed), billed))
    funds = draw(st.integers(0, billed - absorbed))
    share = billed - absorbed - funds
    account = draw(st.integers(0, share))
    family = draw(st.integers(0, account))
    hifp = draw(st.integers(0, funds))
    beside = profile.family_account == "beside"
    return parts | {
        "medfee_sumamt": billed,
        "fund_pay_sumamt": funds + (account if profile.account_money_in_fund_total else 0),
        "hifp_pay": hifp,
        "hosp_part_amt": absorbed,
        "psn_part_amt": share,
        "acct_pay": account - family if beside else account,
        "acct_mulaid_pay": family,
        "psn_cash_pay": share - account,
    }


def written(fen_by_field):
    amounts = {name: Money(fen).yuan() for name, fen in fen_by_field.items()}
    return {"setlinfo": {"mdtrt_id": "1", "setl_id": "2", **amounts}}


PROFILES = {
    "plain": HEBEI,
    "account inside": GUANGDONG,
    "family beside": FAMILY_BESIDE,
    "both": GUANGDONG.model_copy(update={"family_account": "beside"}),
}
MEMBERS = (
    "medfee_sumamt",
    "fulamt_ownpay_amt",
    "overlmt_selfpay",
    "preselfpay_amt",
    "inscp_scp_amt",
    "fund_pay_sumamt",
    "hosp_part_amt",
    "psn_part_amt",
    "acct_pay",
    "psn_cash_pay",
)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(data=st.data())
def test_every_bill_that_adds_up_closes(profile, data):
    fen = data.draw(closing_nodes(profile))
    bill = read_settlement(written(fen), profile)
    assert isinstance(bill, InsurerBill)
    figures = bill.figures
    assert figures.billed == fen["medfee_sumamt"]
    assert figures.billed == figures.insurer_paid + figures.provider_absorbed + figures.patient_share
    assert figures.patient_share == figures.account_paid + figures.cash_before_aid
    assert figures.funds.hifp + figures.funds.unnamed == figures.insurer_paid
    assert figures.family_account_paid <= figures.account_paid


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(data=st.data())
def test_one_fen_of_change_never_closes(profile, data):
    fen = data.draw(closing_nodes(profile))
    field, change = data.draw(st.sampled_from(MEMBERS)), data.draw(st.sampled_from([-1, 1]))
    held = read_settlement(written({**fen, field: fen[field] + change}), profile)
    assert isinstance(held, NotClosing)
    assert held.figures["medfee_sumamt"]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(data=st.data())
def test_the_exact_negation_cancels_and_one_fen_less_does_not(profile, data):
    fen = data.draw(closing_nodes(profile))
    bill = read_settlement(written(fen), profile)
    assert isinstance(bill, InsurerBill)
    negated = {name: -amount for name, amount in fen.items()}
    whole = read_cancellation(written(negated), profile)
    field = data.draw(st.sampled_from(MEMBERS))
    other = read_cancellation(written({**negated, field: negated[field] + 1}), profile)
    assert isinstance(whole, Cancellation)
    assert isinstance(other, Cancellation)
    assert cancels(whole, bill.figures)
    assert not cancels(other, bill.figures)
