"""Bills that cannot be computed yet: each is held with its one question, and its aid goes to the card when answered."""

from __future__ import annotations

from typing import Any

import pytest

from builders import City, a_2304, a_2305, a_person, bill_id_of, facts, once, settle
from database import as_owner, rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.domain.money import Money
from settlement.domain.settlements import Door, OtherPayer
from settlement.services.bills.answer_bill import AnswerBill, answer_bill
from settlement.services.bills.commands import Outcome
from settlement.services.bills.errors import (
    AnswerUnusable,
    BillNotFound,
    MessageDropped,
    MessageUnreadable,
    NothingAsked,
)
from settlement.services.resources import Resources

INSIDE = [{"fund_pay_type": "999001", "fund_pay_type_name": "职工医疗互助", "fund_payamt": 100}]


async def answer(
    resources: Resources,
    city: City,
    held: Outcome,
    *,
    facts: dict[str, Any] | None = None,
    answers: dict[str, Any] | None = None,
    output: dict[str, Any] | None = None,
    key: str | None = None,
) -> Outcome:
    command = AnswerBill(city.caller, bill_id_of(held), facts or {}, answers or {}, output, once(city.caller, key))
    return await answer_bill(resources, command)


def question(outcome: Outcome) -> str | None:
    asked = outcome.answer["mutual_aid"]["question"]
    return asked["code"] if asked else None


async def held(resources: Resources, city: City, output: dict[str, Any] | None = None, **beside: object) -> Outcome:
    """Settle a bill that lacks something, and check that it is held and how it says so."""
    outcome = await settle(resources, city, output or a_2304(city.member), facts(city, **beside))
    assert outcome.created
    assert outcome.answer["state"] == "held"
    assert outcome.answer["mutual_aid"]["status"] == "held"
    assert outcome.answer["mutual_aid"]["amount"] is None
    assert outcome.answer["cash_due"] is None
    assert outcome.answer["print_lines"] == ["互助款暂未算出，请按医保现金数收费，算出后打入职工银行卡。"]
    return outcome


FACT_MISSING = [
    pytest.param({"insuplc_admdvs": None}, {"insu_admdvs": None}, "insured_area_missing", id="insured area"),
    pytest.param({"recer_sys_code": None}, {}, "system_code_missing", id="receiver system"),
    pytest.param({"discharged_on": None}, {}, "discharged_on_missing", id="date of discharge"),
    pytest.param({}, {"insutype": None}, "insurance_type_missing", id="insurance type"),
    pytest.param({}, {"psn_type": None}, "person_type_missing", id="person type"),
    pytest.param({}, {"med_type": None}, "care_type_missing", id="care type"),
    pytest.param({"fixmedins_code": "H99999999999"}, {}, "hospital_level_missing", id="hospital level"),
]


@pytest.mark.parametrize(("beside", "changes", "asked"), FACT_MISSING)
async def test_a_bill_that_lacks_a_fact_is_held_with_that_question(resources, city, beside, changes, asked):
    outcome = await held(resources, city, a_2304(city.member, **changes), **beside)
    assert question(outcome) == asked


@pytest.mark.parametrize(
    ("changes", "asked", "figures"),
    [
        pytest.param({"medfee_sumamt": 9000.01}, "identity_a_open", {"difference": "0.01"}, id="parts do not add up"),
        pytest.param({"hosp_part_amt": 120.33}, "identity_b_open", {"difference": "0.01"}, id="payers do not add up"),
        pytest.param({"acct_pay": 299.99}, "identity_c_open", {"difference": "0.01"}, id="the burden does not add up"),
        pytest.param(
            {"fund_pay_sumamt": 6800}, "account_money_other_way", {"difference": "-300.00"}, id="account money"
        ),
        pytest.param({"medfee_sumamt": None}, "figure_missing", {"fields": "medfee_sumamt"}, id="no total"),
    ],
)
async def test_a_bill_that_does_not_close_is_held_with_its_figures(resources, city, changes, asked, figures):
    outcome = await held(resources, city, a_2304(city.member, **changes))
    assert question(outcome) == asked
    shown = outcome.answer["mutual_aid"]["question"]["figures"]
    assert figures.items() <= shown.items()
    assert shown["psn_cash_pay"] == "2079.66"


async def test_aid_that_the_platform_has_already_paid_is_asked_about(resources: Resources, city: City):
    outcome = await held(resources, city, {**a_2304(city.member), "setldetail": INSIDE})
    assert question(outcome) == "aid_already_inside"


async def test_an_injury_waits_for_the_declaration_and_then_pays_to_the_card(resources: Resources, city: City):
    waiting = await held(resources, city, a_2304(city.member, med_type="22"))
    assert question(waiting) == "liability_declaration"
    released = await answer(resources, city, waiting, answers={"third_party_liable": False})
    assert released.answer["mutual_aid"]["status"] == "to_card"
    assert released.answer["mutual_aid"]["to_card"] == "389.83"


async def test_an_injury_for_which_somebody_else_is_liable_ends_with_no_aid(
    resources: Resources, city: City, database: DatabaseUrls
):
    waiting = await held(resources, city, a_2304(city.member, med_type="22"))
    released = await answer(resources, city, waiting, answers={"third_party_liable": True})
    assert released.answer["state"] == "live"
    assert released.answer["mutual_aid"]["reason"]["code"] == "third_party_liable"
    assert released.answer["mutual_aid"]["amount"] == "0.00"
    assert released.answer["plan"] is None
    assert rows_of(database, "SELECT count(*) FROM consumption") == [(0,)]


async def test_the_answer_releases_the_aid_to_the_card_and_leaves_the_cash_as_it_was_charged(
    resources: Resources, city: City, database: DatabaseUrls
):
    waiting = await held(resources, city, discharged_on=None)
    released = await answer(resources, city, waiting, facts={"discharged_on": "2025-03-11"})
    assert not released.created
    assert released.answer["id"] == waiting.answer["id"]
    assert released.answer["state"] == "live"
    assert released.answer["mutual_aid"]["status"] == "to_card"
    assert released.answer["mutual_aid"]["to_card"] == "389.83"
    assert released.answer["cash_due"] == "2079.66"
    assert rows_of(database, "SELECT type FROM event ORDER BY sequence") == [
        ("settlement.held.v1",),
        ("settlement.settled.v1",),
    ]


async def test_a_bill_that_lacks_two_facts_asks_one_after_the_other(resources: Resources, city: City):
    waiting = await held(resources, city, recer_sys_code=None, discharged_on=None)
    assert question(waiting) == "system_code_missing"
    still = await answer(resources, city, waiting, facts={"recer_sys_code": "YBXT"})
    assert question(still) == "discharged_on_missing"
    released = await answer(resources, city, waiting, facts={"discharged_on": "2025-03-11"})
    assert released.answer["mutual_aid"]["to_card"] == "389.83"


async def test_a_fact_that_was_not_asked_for_yet_is_kept_until_the_bill_can_be_computed(
    resources: Resources, city: City
):
    waiting = await held(resources, city, recer_sys_code=None, discharged_on=None)
    still = await answer(resources, city, waiting, facts={"discharged_on": "2025-03-11"})
    assert question(still) == "system_code_missing"
    released = await answer(resources, city, waiting, facts={"recer_sys_code": "YBXT"})
    assert released.answer["mutual_aid"]["to_card"] == "389.83"


async def test_bringing_the_bill_again_with_the_fact_releases_it(resources: Resources, city: City):
    output = a_2304(city.member)
    waiting = await held(resources, city, output, discharged_on=None)
    released = await settle(resources, city, output, facts(city))
    assert released.answer["id"] == waiting.answer["id"]
    assert released.answer["mutual_aid"]["status"] == "to_card"
    assert released.answer["mutual_aid"]["to_card"] == "389.83"


async def test_bringing_again_only_the_missing_fact_keeps_what_was_known(resources: Resources, city: City):
    output = a_2304(city.member)
    await held(resources, city, output, recer_sys_code=None)
    beside = facts(city, discharged_on=None, admitted_on=None)
    released = await settle(resources, city, output, beside)
    assert released.answer["mutual_aid"]["to_card"] == "389.83"
    assert released.answer["service_date"] == "2025-03-11"


async def test_what_other_payers_paid_at_the_counter_stays_on_the_bill_when_it_is_released(
    resources: Resources, city: City
):
    output, others = a_2304(city.member), (OtherPayer("惠民保", Money(100_000)),)
    await settle(resources, city, output, facts(city, discharged_on=None), other_payers=others)
    released = await settle(
        resources, city, output, facts(city), door=Door.EXCHANGE, at_counter=False, confirmed_by="exchange"
    )
    assert released.answer["other_on_bill"] == "1000.00"
    assert released.answer["cash_due"] == "1079.66"
    assert released.answer["mutual_aid"]["to_card"] == "389.83"


async def test_corrected_figures_release_a_bill_that_did_not_close(resources: Resources, city: City):
    wrong = a_2304(city.member, medfee_sumamt=9000.01)
    waiting = await held(resources, city, wrong)
    corrected = {**wrong, "setlinfo": {**wrong["setlinfo"], "medfee_sumamt": 9000}}
    released = await answer(resources, city, waiting, output=corrected)
    assert released.answer["bill"]["billed"] == "9000.00"
    assert released.answer["mutual_aid"]["to_card"] == "389.83"


async def test_a_masked_certificate_is_held_and_its_full_number_finds_the_member(resources: Resources, city: City):
    waiting = await held(resources, city, a_2304(city.member, certno="990101********000X"))
    assert question(waiting) == "certificate_masked"
    certificate = {"type": "01", "number": city.member.certificate.number}
    released = await answer(resources, city, waiting, answers={"certificate": certificate})
    assert released.answer["mutual_aid"]["to_card"] == "389.83"


async def test_an_answered_certificate_is_remembered_while_another_question_is_open(resources: Resources, city: City):
    output = a_2304(city.member, certno="990101********000X")
    waiting = await held(resources, city, output, discharged_on=None)
    certificate = {"type": "01", "number": city.member.certificate.number}
    still = await answer(resources, city, waiting, answers={"certificate": certificate})
    assert question(still) == "discharged_on_missing"
    released = await settle(resources, city, output, facts(city))
    assert released.answer["mutual_aid"]["to_card"] == "389.83"


async def test_a_masked_certificate_of_somebody_who_is_no_member_ends_with_no_aid(resources: Resources, city: City):
    waiting = await held(resources, city, a_2304(a_person(99), certno="990101********000X"))
    certificate = {"type": "01", "number": a_person(99).certificate.number}
    released = await answer(resources, city, waiting, answers={"certificate": certificate})
    assert released.answer["mutual_aid"]["status"] == "none"
    assert released.answer["mutual_aid"]["reason"]["code"] == "not_a_member"


async def test_a_name_that_disagrees_is_held_until_a_person_says_it_is_the_same(resources: Resources, city: City):
    waiting = await held(resources, city, a_2304(city.member, psn_name="另一人"))
    assert question(waiting) == "name_disagrees"
    still = await answer(resources, city, waiting, answers={"same_person": False})
    assert question(still) == "name_disagrees"
    released = await answer(resources, city, waiting, answers={"same_person": True})
    assert released.answer["mutual_aid"]["to_card"] == "389.83"


async def test_a_fault_of_ours_holds_the_bill_and_bringing_it_again_after_mending_releases_it(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    person = f"UPDATE person SET key_id = '{{}}' WHERE person_id = '{city.member.member_id}'"
    as_owner(database, person.format("lost"))
    waiting = await held(resources, city, output)
    assert question(waiting) == "our_fault"
    as_owner(database, person.format("k1"))
    released = await settle(resources, city, output)
    assert released.answer["mutual_aid"]["to_card"] == "389.83"


async def test_a_bill_held_still_changes_nothing_when_it_comes_again(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    first = await held(resources, city, output, discharged_on=None)
    again = await settle(resources, city, output, facts(city, discharged_on=None))
    assert (again.created, again.answer) == (False, first.answer)
    assert rows_of(database, "SELECT count(*) FROM event UNION ALL SELECT count(*) FROM message_body") == [(1,), (1,)]


async def test_a_held_bill_takes_no_room(resources: Resources, city: City):
    plain = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00", "allowed": "60000.00"}
    waiting = await held(resources, city, a_2304(city.member, **plain), discharged_on=None)
    whole = await settle(resources, city, a_2304(city.member, **plain))
    assert whole.answer["mutual_aid"]["amount"] == "30200.00"
    released = await answer(resources, city, waiting, facts={"discharged_on": "2025-03-11"})
    assert released.answer["mutual_aid"]["amount"] == "0.00"


async def test_answers_are_given_once(resources: Resources, city: City):
    waiting = await held(resources, city, discharged_on=None)
    given = {"facts": {"discharged_on": "2025-03-11"}, "key": "answer-key"}
    first = await answer(resources, city, waiting, **given)
    again = await answer(resources, city, waiting, **given)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.answer == first.answer


async def test_what_cannot_be_answered_is_refused(resources: Resources, city: City, database: DatabaseUrls):
    waiting = await held(resources, city, discharged_on=None)
    with pytest.raises(AnswerUnusable):
        await answer(resources, city, waiting)
    settled = await settle(resources, city, a_2304(city.member))
    with pytest.raises(NothingAsked):
        await answer(resources, city, settled, facts={"discharged_on": "2025-03-11"})
    unknown = Outcome({"id": "00000000-0000-7000-8000-000000000000"}, created=False)
    with pytest.raises(BillNotFound):
        await answer(resources, city, unknown, facts={"discharged_on": "2025-03-11"})
    as_owner(database, "DELETE FROM message_body")
    with pytest.raises(MessageDropped):
        await answer(resources, city, waiting, facts={"discharged_on": "2025-03-11"})
    assert rows_of(database, "SELECT state FROM bill ORDER BY bill_id") == [("held",), ("live",)]


@pytest.mark.parametrize(
    "unasked", [{"same_person": True}, {"third_party_liable": False}, {"certificate": {"type": "01", "number": "1"}}]
)
async def test_a_declaration_that_nobody_asked_for_changes_nothing(resources, city, database, unasked):
    waiting = await held(resources, city, discharged_on=None)
    before = rows_of(database, "SELECT * FROM bill")
    with pytest.raises(AnswerUnusable):
        await answer(resources, city, waiting, facts={"discharged_on": "2025-03-10"}, answers=unasked)
    assert rows_of(database, "SELECT * FROM bill") == before


async def test_another_bills_message_is_no_answer(resources, city, database):
    waiting = await held(resources, city, discharged_on=None)
    with pytest.raises(AnswerUnusable):
        await answer(resources, city, waiting, output=a_2304(city.members[1]))
    assert rows_of(database, "SELECT state FROM bill") == [("held",)]


async def test_a_number_is_not_learnt_for_a_certificate_that_a_person_typed_in(resources, city, database):
    masked = a_2304(city.member)
    masked["setlinfo"]["certno"] = masked["setlinfo"]["certno"][:6] + "********" + masked["setlinfo"]["certno"][14:]
    waiting = await held(resources, city, masked)
    typed = {"certificate": {"type": "01", "number": city.member.certificate.number}}
    released = await answer(resources, city, waiting, answers=typed)
    assert released.answer["state"] == "live"
    assert rows_of(database, "SELECT count(*) FROM person_number") == [(0,)]


async def test_a_message_that_names_another_hospital_than_its_facts_is_refused(resources, city):
    output = a_2304(city.member, fixmedins_code="H50010309999")
    with pytest.raises(MessageUnreadable):
        await settle(resources, city, output)


async def test_a_cancellation_cannot_be_settled(resources, city):
    with pytest.raises(MessageUnreadable):
        await settle(resources, city, a_2305(a_2304(city.member)))


async def test_other_payers_who_did_not_pay_after_all_are_taken_back_by_stating_none(resources: Resources, city: City):
    output, others = a_2304(city.member), (OtherPayer("惠民保", Money(100_000)),)
    await settle(resources, city, output, facts(city, discharged_on=None), other_payers=others)
    released = await settle(resources, city, output, facts(city), other_payers=())
    assert released.answer["other_on_bill"] == "0.00"


@pytest.mark.parametrize(
    "impossible", [{"admitted_on": "2025-03-12"}, {"discharged_on": "2025-03-13"}, {"discharged_on": "2025-02-28"}]
)
async def test_a_stay_that_cannot_be_is_refused(resources, city, impossible):
    with pytest.raises(MessageUnreadable):
        await settle(resources, city, a_2304(city.member), facts(city, **impossible))


async def test_a_mistyped_date_leaves_the_bill_held_for_the_right_one(resources, city, database):
    waiting = await held(resources, city, discharged_on=None)
    with pytest.raises(MessageUnreadable):
        await answer(resources, city, waiting, facts={"discharged_on": "2024-03-11"})
    assert rows_of(database, "SELECT state FROM bill") == [("held",)]
    released = await answer(resources, city, waiting, facts={"discharged_on": "2025-03-11"})
    assert released.answer["mutual_aid"]["to_card"] == "389.83"
