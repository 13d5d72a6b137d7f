"""Undoing a settlement: only what the insurer has cancelled, exactly once, and its room is free again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from builders import City, a_2304, a_2305, bill_id_of, facts, once, reverse, settle
from database import as_owner, rows_of
from gateway.insurer import Insurer, asking, insurer_on_thread
from settlement.db.embedded import DatabaseUrls
from settlement.domain.errors import GatewayUnavailable
from settlement.domain.settlements import ReversalReason
from settlement.services.bills.commands import Outcome, ReverseBill
from settlement.services.bills.errors import (
    BillNotFound,
    CancellationNotSeen,
    CancellationOfAnother,
    CancelledAtInsurer,
    GatewayNotAsked,
    HospitalNotYours,
    InsurerRefused,
    NothingToReverse,
)
from settlement.services.bills.fetch_bill import FetchBill, fetch_bill
from settlement.services.bills.reverse_bill import reverse_bill
from settlement.services.funds.lines import Lines
from settlement.services.resources import Resources

STATE = "SELECT state, (SELECT count(*) FROM reversal), (SELECT count(*) FROM posting) FROM bill"


async def test_a_brought_cancellation_reverses_the_bill(resources: Resources, city: City, database: DatabaseUrls):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    undone = await reverse(resources, city, settled, a_2305(output))
    assert undone.created
    assert undone.answer["state"] == "reversed"
    assert undone.answer["mutual_aid"]["reason"]["code"] == "reversed"
    assert undone.answer["mutual_aid"]["status"] == "none"
    assert undone.answer["print_lines"] == ["本单互助已冲销，请按医保退费结果退款。"]
    assert undone.answer["reversal"] == {
        "aid_on_bill": "389.83",
        "aid_to_card": "0.00",
        "cash_due": "1689.83",
        "reason": "refund",
        "seen_by": "brought",
        "cancelling_settlement_id": output["setlinfo"]["setl_id"] + "9",
        "business_date": "2025-03-13",
        "recorded_at": undone.answer["reversal"]["recorded_at"],
    }
    assert undone.answer["bill"] == settled.answer["bill"]
    sums = """SELECT account, sum(fen) FROM (
        SELECT debit AS account, fen FROM posting UNION ALL SELECT credit, -fen FROM posting) AS sides GROUP BY 1"""
    assert {fen for _, fen in rows_of(database, sums)} == {0}


@pytest.mark.parametrize("changes", [{"medfee_sumamt": -9000.01}, {"psn_cash_pay": -2079.65}, {"mdtrt_id": "1"}])
async def test_a_cancellation_of_other_figures_or_another_visit_releases_nothing(
    resources: Resources, city: City, database: DatabaseUrls, changes: dict[str, Any]
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    before = rows_of(database, STATE)
    with pytest.raises(CancellationOfAnother):
        await reverse(resources, city, settled, a_2305(output, **changes))
    assert rows_of(database, STATE) == before
    assert before[0][:2] == ("live", 0)


@pytest.mark.parametrize("changes", [{"medfee_sumamt": -9000.01}, {"mdtrt_id": "1"}])
async def test_a_held_bill_is_not_ended_by_the_cancellation_of_another(
    resources: Resources, city: City, database: DatabaseUrls, changes: dict[str, Any]
):
    output = a_2304(city.member)
    held = await settle(resources, city, output, facts(city, discharged_on=None))
    with pytest.raises(CancellationOfAnother):
        await reverse(resources, city, held, a_2305(output, **changes))
    assert rows_of(database, "SELECT state FROM bill") == [("held",)]


async def test_a_held_bill_that_the_insurer_cancelled_ends_without_aid(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    held = await settle(resources, city, output, facts(city, discharged_on=None))
    ended = await reverse(resources, city, held, a_2305(output))
    assert (ended.answer["state"], ended.answer["mutual_aid"]["status"]) == ("cancelled_unseen", "none")
    again = await settle(resources, city, output)
    assert again.answer["state"] == "cancelled_unseen"
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(0,)]


async def test_the_room_of_a_reversed_bill_is_free_for_a_later_one_of_its_visit(resources: Resources, city: City):
    plain = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00", "allowed": "60000.00"}
    output = a_2304(city.member, **plain)
    whole = await settle(resources, city, output)
    assert whole.answer["mutual_aid"]["amount"] == "30200.00"
    elsewhere = a_2304(city.member, mdtrt_id="V00000002")
    assert (await settle(resources, city, elsewhere)).answer["mutual_aid"]["amount"] == "0.00"
    await reverse(resources, city, whole, a_2305(output))
    free = await settle(resources, city, a_2304(city.member, **plain))
    assert free.answer["mutual_aid"]["amount"] == "30200.00"


async def test_the_same_reversal_again_is_answered_from_the_record_and_another_is_refused(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    first = await reverse(resources, city, settled, a_2305(output), key="reversal-key")
    again = await reverse(resources, city, settled, a_2305(output), key="reversal-key")
    assert (first.replayed, again.replayed, again.answer) == (False, True, first.answer)
    with pytest.raises(NothingToReverse):
        await reverse(resources, city, settled, a_2305(output), key="another-key")
    assert rows_of(database, "SELECT count(*) FROM reversal") == [(1,)]


async def test_a_reversed_bill_brought_again_stays_reversed(resources: Resources, city: City):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    undone = await reverse(resources, city, settled, a_2305(output))
    assert (await settle(resources, city, output)).answer == undone.answer


async def test_a_bill_that_is_not_there_cannot_be_reversed(resources: Resources, city: City):
    unknown = Outcome({"id": "00000000-0000-7000-8000-000000000000"}, created=False)
    with pytest.raises(BillNotFound):
        await reverse(resources, city, unknown, a_2305(a_2304(city.member)))


async def test_without_credentials_to_ask_with_a_reversal_needs_the_cancellation(resources: Resources, city: City):
    settled = await settle(resources, city, a_2304(city.member))
    with pytest.raises(CancellationNotSeen) as refused:
        await reverse(resources, city, settled, None)
    assert refused.value.figures["asked"] == "no"


@pytest.fixture
def insurer() -> Iterator[Insurer]:
    with insurer_on_thread() as running:
        yield running


async def reverse_asking(resources: Resources, city: City, lines: Lines, settled: Outcome) -> Outcome:
    command = ReverseBill(city.caller, bill_id_of(settled), ReversalReason.REFUND, None, once(city.caller))
    return await reverse_bill(resources, lines, command)


async def test_a_cancellation_seen_at_the_insurer_reverses_the_bill(
    resources: Resources, city: City, insurer: Insurer, tmp_path: Path
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    insurer.says_5203(output, refd_setl_flag="1")
    async with asking(resources, insurer, tmp_path) as (resources, lines):
        undone = await reverse_asking(resources, city, lines, settled)
    assert undone.answer["state"] == "reversed"
    assert undone.answer["reversal"]["seen_by"] == "5203"
    assert undone.answer["reversal"]["business_date"] == "2025-03-11"
    asked = insurer.asked("5203")[-1]
    assert asked["setl_id"] == output["setlinfo"]["setl_id"]
    assert asked["psn_no"] == city.member.insured_person_no


@pytest.mark.parametrize("flag", ["0", None])
async def test_a_bill_that_the_insurer_has_not_cancelled_is_not_reversed(
    resources: Resources, city: City, database: DatabaseUrls, insurer: Insurer, tmp_path: Path, flag: str | None
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    before = rows_of(database, STATE)
    insurer.says_5203(output, refd_setl_flag=flag)
    async with asking(resources, insurer, tmp_path) as (resources, lines):
        with pytest.raises(CancellationNotSeen) as refused:
            await reverse_asking(resources, city, lines, settled)
    assert refused.value.figures["asked"] == "yes"
    assert rows_of(database, STATE) == before


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [("refuses", InsurerRefused), ("fails", GatewayUnavailable), ("hangs up", GatewayUnavailable)],
)
async def test_when_the_insurer_does_not_say_nothing_is_released(
    resources: Resources,
    city: City,
    database: DatabaseUrls,
    insurer: Insurer,
    tmp_path: Path,
    answers: str,
    refusal: type[Exception],
):
    settled = await settle(resources, city, a_2304(city.member))
    insurer.behaves(answers)
    async with asking(resources, insurer, tmp_path) as (resources, lines):
        with pytest.raises(refusal):
            await reverse_asking(resources, city, lines, settled)
    assert rows_of(database, "SELECT state FROM bill") == [("live",)]


def fetch(city: City, output: dict[str, Any], key: str | None = None, **beside: object) -> FetchBill:
    return FetchBill(
        city.caller,
        insured_person_no=output["setlinfo"]["psn_no"],
        insurer_settlement_id=output["setlinfo"]["setl_id"],
        encounter_id=output["setlinfo"]["mdtrt_id"],
        facts=facts(city, **beside),
        other_payers=(),
        once=once(city.caller, key),
    )


async def test_a_fetched_bill_is_confirmed_and_its_aid_is_on_the_bill(
    resources: Resources, city: City, insurer: Insurer, tmp_path: Path
):
    output = a_2304(city.member)
    insurer.says_5203(output)
    async with asking(resources, insurer, tmp_path) as (resources, lines):
        outcome = await fetch_bill(resources, lines, fetch(city, output, "fetch-key"))
        assert (outcome.created, outcome.answer["confirmed"]) == (True, True)
        assert outcome.answer["mutual_aid"]["question"] is None
        assert outcome.answer["mutual_aid"]["on_bill"] == "389.83"
        assert outcome.answer["cash_due"] == "1689.83"
        questions = len(insurer.asked("5203"))
        again = await fetch_bill(resources, lines, fetch(city, output, "fetch-key"))
    assert (again.replayed, again.answer) == (True, outcome.answer)
    assert len(insurer.asked("5203")) == questions


async def test_a_bill_that_the_insurer_has_cancelled_is_not_settled_by_fetching(
    resources: Resources, city: City, database: DatabaseUrls, insurer: Insurer, tmp_path: Path
):
    output = a_2304(city.member)
    insurer.says_5203(output, refd_setl_flag="1")
    async with asking(resources, insurer, tmp_path) as (resources, lines):
        with pytest.raises(CancelledAtInsurer):
            await fetch_bill(resources, lines, fetch(city, output))
    assert rows_of(database, "SELECT count(*) FROM bill") == [(0,)]


async def test_another_hospitals_bill_cannot_be_fetched_by_its_ids(
    resources: Resources, city: City, database: DatabaseUrls, insurer: Insurer, tmp_path: Path
):
    output = a_2304(city.member)
    insurer.says_5203(output, fixmedins_code=city.hospitals[2])
    bound = replace(city, caller=replace(city.caller, hospital_codes=frozenset({city.hospitals[3]})))
    async with asking(resources, insurer, tmp_path) as (resources, lines):
        with pytest.raises(HospitalNotYours):
            await fetch_bill(resources, lines, fetch(bound, output))
    assert rows_of(database, "SELECT count(*) FROM bill") == [(0,)]


async def test_where_the_bureau_issued_no_credentials_nothing_is_fetched(resources: Resources, city: City):
    lines = Lines({}, resources.clock)
    with pytest.raises(GatewayNotAsked):
        await fetch_bill(resources, lines, fetch(city, a_2304(city.member)))
    await lines.close()


async def test_a_message_that_was_dropped_does_not_keep_a_brought_cancellation_from_reversing(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    as_owner(database, "DELETE FROM message_body")
    assert (await reverse(resources, city, settled, a_2305(output))).answer["state"] == "reversed"
    assert rows_of(database, "SELECT business_date FROM reversal") == [(date(2025, 3, 13),)]


async def test_rules_read_anew_keep_the_line_to_the_insurer_and_its_sign_in(
    resources: Resources, city: City, insurer: Insurer, tmp_path: Path
):
    output = a_2304(city.member)
    insurer.says_5203(output)
    async with asking(resources, insurer, tmp_path) as (resources, lines):
        first = lines.to(await resources.rules.of(city.fund_id))
        await fetch_bill(resources, lines, fetch(city, output))
        assert lines.to(await resources.rules.read_anew(city.fund_id)) is first
        await fetch_bill(resources, lines, fetch(city, output))
        assert insurer.sign_ins == 1
        changed = insurer.profile().replace('opter = "settlement"', 'opter = "another"')
        (tmp_path / "chongqing.toml").write_text(changed)
        second = lines.to(await resources.rules.read_anew(city.fund_id))
        assert second is not first
        await fetch_bill(resources, lines, fetch(city, output))
        assert insurer.sign_ins == 2
    assert first.http.is_closed
    assert second.http.is_closed


async def test_one_cancellation_undoes_one_bill_and_no_twin_of_it(
    resources: Resources, city: City, database: DatabaseUrls
):
    first, twin = a_2304(city.member), a_2304(city.member)
    settled, other = await settle(resources, city, first), await settle(resources, city, twin)
    cancellation = a_2305(first)
    await reverse(resources, city, settled, cancellation)
    with pytest.raises(CancellationOfAnother):
        await reverse(resources, city, other, cancellation)
    assert sorted(state for (state,) in rows_of(database, "SELECT state FROM bill")) == ["live", "replaced"]


async def test_a_cancellation_that_names_another_settlement_of_ours_undoes_nothing(resources: Resources, city: City):
    first, twin = a_2304(city.member), a_2304(city.member)
    settled, _ = await settle(resources, city, first), await settle(resources, city, twin)
    with pytest.raises(CancellationOfAnother):
        await reverse(resources, city, settled, a_2305(first, setl_id=twin["setlinfo"]["setl_id"]))


async def test_a_cancellation_of_another_person_undoes_nothing(resources: Resources, city: City):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    with pytest.raises(CancellationOfAnother):
        await reverse(resources, city, settled, a_2305(output, psn_no="somebody else's"))
