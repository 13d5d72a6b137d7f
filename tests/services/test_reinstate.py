"""A reversed bill lives again when the insurer's cancellation was itself undone; never by a guess."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from builders import (
    HANGZHOU_FILE,
    KEYS,
    City,
    Node,
    SteeredClock,
    a_2207,
    a_2304,
    a_2305,
    bill_id_of,
    facts,
    once,
    reverse,
    settle,
    with_one_case,
)
from database import ops_engine, rows_of, until_so_many_wait
from gateway.insurer import Insurer, asking, insurer_on_thread
from services.test_corrections import hold, release
from settlement.db.embedded import DatabaseUrls
from settlement.domain.settlements import ReversalReason
from settlement.services.audit.examine import examine
from settlement.services.bills import bring_again
from settlement.services.bills.commands import Outcome, ReverseBill
from settlement.services.bills.decide_rerating import (
    ApplyRerating,
    ProposeRerating,
    apply_rerating,
    propose_rerating,
)
from settlement.services.bills.errors import CancellationNotSeen, CancellationStands, NothingToReinstate
from settlement.services.bills.push_bills import PushedBill, push_bills
from settlement.services.bills.reinstate_bill import ReinstateBill, reinstate_bill
from settlement.services.bills.reverse_bill import reverse_bill
from settlement.services.funds.lines import Lines
from settlement.services.resources import Resources

WHOLE = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00", "allowed": "60000.00"}
"""A bill that takes the whole of the term's limit, 30,200.00."""
OF_THE_CANCELLATION, OF_THE_NEXT = "H50010302473202503120800000008", "H50010302473202503120800000009"


class Killed(BaseException):
    """The process ends here."""


def a_2601(city: City, **changes: object) -> Node:
    undone = {"psn_no": city.member.insured_person_no, "omsgid": OF_THE_CANCELLATION, "oinfno": "2305", "infcode": "0"}
    return {**undone, **changes}


async def reinstate(resources: Resources, city: City, settled: Outcome, undoing: Node | None, key: Any = None) -> Any:
    lines = Lines({}, resources.clock)
    try:
        command = ReinstateBill(city.caller, bill_id_of(settled), undoing, once(city.caller, key))
        return await reinstate_bill(resources, lines, command)
    finally:
        await lines.close()


async def broken(database: DatabaseUrls) -> list[str]:
    async with ops_engine(database) as engine:
        examination = await examine(engine, KEYS)
    return [finding.invariant.name for finding in examination.broken]


def cancellation_of(output: Node) -> Node:
    return a_2305(output, medins_setl_id=OF_THE_CANCELLATION)


async def test_a_bill_whose_cancellation_was_undone_stands_as_before(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    await reverse(resources, city, settled, cancellation_of(output))
    again = await reinstate(resources, city, settled, a_2601(city))
    assert (again.created, again.answer["state"], again.answer["revision"]) == (True, "live", 2)
    assert again.answer["mutual_aid"] == settled.answer["mutual_aid"]
    assert again.answer["cash_due"] == settled.answer["cash_due"]
    assert again.answer["reversal"] is None
    assert again.answer["cancelling_settlement_id"] is None
    assert rows_of(database, "SELECT kind FROM message_body ORDER BY message_id") == [
        ("settlement",),
        ("cancellation",),
        ("undoing",),
    ]
    assert await broken(database) == []


async def test_a_reinstatement_twice_is_answered_as_the_bill_is(resources: Resources, city: City):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    await reverse(resources, city, settled, cancellation_of(output))
    first = await reinstate(resources, city, settled, a_2601(city), key="reinstate-1")
    assert (await reinstate(resources, city, settled, a_2601(city), key="reinstate-1")).replayed
    again = await reinstate(resources, city, settled, a_2601(city))
    assert (again.created, again.answer) == (False, first.answer)


@pytest.mark.parametrize(
    "changes",
    [
        {"oinfno": "2304"},
        {"oinfno": "2401"},
        {"infcode": "-1"},
        {"psn_no": "ZG9999999999"},
        {"omsgid": "H50010302473202503120800000009"},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_an_undoing_of_anything_else_reinstates_nothing(
    resources: Resources, city: City, database: DatabaseUrls, changes: Node
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    await reverse(resources, city, settled, cancellation_of(output))
    with pytest.raises(CancellationStands):
        await reinstate(resources, city, settled, a_2601(city, **changes))
    assert rows_of(database, "SELECT state, revision FROM bill") == [("reversed", 1)]


async def test_nothing_is_reinstated_on_a_guess(resources: Resources, city: City):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    await reverse(resources, city, settled, cancellation_of(output))
    with pytest.raises(CancellationStands):
        await reinstate(resources, city, settled, None)


def visit(number: int, output: Node) -> Node:
    return {**output, "setlinfo": {**output["setlinfo"], "mdtrt_id": f"V{number:08d}"}}


async def test_a_failed_re_settlement_that_is_rolled_back_leaves_the_first_bill_as_it_was(
    resources: Resources, city: City, database: DatabaseUrls
):
    """The whole correction is rolled back: 2601 of the new bill's 2304, then 2601 of the old one's 2305."""
    old, new = visit(1, a_2304(city.member, **WHOLE)), visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, old)
    await reverse(resources, city, first, cancellation_of(old))
    second = await settle(resources, city, new)
    assert second.answer["replaces"] == first.answer["id"]
    await reverse(resources, city, second, a_2305(new))
    again = await reinstate(resources, city, first, a_2601(city))
    assert (again.answer["state"], again.answer["replaced_by"]) == ("live", None)
    assert again.answer["mutual_aid"]["amount"] == first.answer["mutual_aid"]["amount"] == "30200.00"
    assert rows_of(database, "SELECT count(*) FROM worklist_item") == [(0,)]
    assert await broken(database) == []
    await reverse(resources, city, first, a_2305(old, setl_id="M3"))
    third = await settle(resources, city, visit(1, a_2304(city.member, **WHOLE)))
    assert (third.answer["replaces"], third.answer["mutual_aid"]["amount"]) == (first.answer["id"], "30200.00")
    assert await broken(database) == []


async def test_a_whole_chain_that_is_rolled_back_leaves_the_first_bill_as_it_was(
    resources: Resources, city: City, database: DatabaseUrls
):
    outputs = [visit(1, a_2304(city.member, **WHOLE)) for _ in range(3)]
    bills = []
    for output in outputs:
        bills.append(await settle(resources, city, output))
        if output is not outputs[-1]:
            await reverse(resources, city, bills[-1], cancellation_of(output))
    await reverse(resources, city, bills[2], a_2305(outputs[2]))
    again = await reinstate(resources, city, bills[0], a_2601(city))
    assert (again.answer["state"], again.answer["mutual_aid"]["amount"]) == ("live", "30200.00")
    states = [state for (state,) in rows_of(database, "SELECT state FROM bill ORDER BY bill_id")]
    assert states == ["live", "replaced", "reversed"]
    assert await broken(database) == []


async def test_a_bill_lives_again_beside_its_correction_and_a_person_is_told(
    resources: Resources, city: City, database: DatabaseUrls
):
    """The insurer has two live bills: both stand here, the limit counts once, and each may end first."""
    old, new = visit(1, a_2304(city.member)), visit(1, a_2304(city.member))
    first = await settle(resources, city, old)
    await reverse(resources, city, first, cancellation_of(old))
    second = await settle(resources, city, new)
    again = await reinstate(resources, city, first, a_2601(city))
    assert again.answer["state"] == "live"
    [(kind, figures)] = rows_of(database, "SELECT kind, figures FROM worklist_item")
    assert (kind, figures) == ("reinstated_beside_another", {"other": second.answer["settlement_no"]})
    assert await broken(database) == []
    undone = await reverse(resources, city, first, a_2305(old, setl_id="M3", medins_setl_id=OF_THE_NEXT))
    assert (undone.answer["state"], undone.answer["replaced_by"]) == ("replaced", second.answer["id"])
    assert await broken(database) == []
    assert (await reinstate(resources, city, first, a_2601(city, omsgid=OF_THE_NEXT))).answer["state"] == "live"
    await reverse(resources, city, second, a_2305(new))
    assert rows_of(database, "SELECT count(*) FROM hold WHERE state = 'open'") == [(0,)], "the chain lives on"
    assert await broken(database) == []


async def test_of_two_bills_of_equal_total_the_one_that_was_cancelled_by_mistake_lives_again(
    resources: Resources, city: City, database: DatabaseUrls
):
    one, two = visit(1, a_2207(city.member)), visit(1, a_2207(city.member))
    first = await settle(resources, city, one)
    other = await settle(resources, city, two, facts(city, chrg_bchno="2"))
    await reverse(resources, city, first, cancellation_of(one))
    again = await reinstate(resources, city, first, a_2601(city))
    assert again.answer["state"] == "live"
    assert again.answer["mutual_aid"]["amount"] == first.answer["mutual_aid"]["amount"]
    assert (await settle(resources, city, two, facts(city, chrg_bchno="2"))).answer["state"] == other.answer["state"]
    assert await broken(database) == []


async def test_a_version_that_was_published_between_corrections_is_no_fault_of_their_records(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls, tmp_path: Path
):
    stay = visit(1, a_2304(city.member))
    first = await settle(resources, city, stay)
    clock.forward(hours=3)
    text = HANGZHOU_FILE.read_text().replace("effective_from: 2018-01-01", "effective_from: 2018-01-02", 1)
    file = tmp_path / "newer.yaml"
    file.write_text(with_one_case(text.replace('version: "2018"', 'version: "2018b"', 1)))
    await city.office.publish(resources, file)
    await reverse(resources, city, first, cancellation_of(stay))
    clock.forward(hours=3)
    longer = visit(1, a_2304(city.member, allowed="8100.00"))
    again = await settle(resources, city, longer)
    assert again.answer["plan"]["version"] == "2018"
    await reverse(resources, city, again, a_2305(longer))
    assert (await reinstate(resources, city, first, a_2601(city))).answer["state"] == "live"
    assert await broken(database) == []


async def test_a_live_bill_that_is_cancelled_while_its_reinstatement_waits_is_not_reinstated_unchecked(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    with psycopg.connect(database.owner) as in_the_way:
        in_the_way.execute("SELECT FROM member FOR NO KEY UPDATE")
        reversing = asyncio.create_task(reverse(resources, city, settled, cancellation_of(output)))
        await asyncio.to_thread(until_so_many_wait, database, 1)
        another = a_2601(city, omsgid=OF_THE_NEXT)
        reinstating = asyncio.create_task(reinstate(resources, city, settled, another))
        await asyncio.to_thread(until_so_many_wait, database, 2)
        in_the_way.rollback()
    assert (await reversing).answer["state"] == "reversed"
    with pytest.raises(CancellationStands):
        await reinstating
    assert rows_of(database, "SELECT state, revision FROM bill") == [("reversed", 1)]


async def test_a_bill_that_was_cancelled_before_it_came_is_settled_once_that_was_undone(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    beside = {**facts(city), "init_setl_id": output["setlinfo"]["setl_id"]}
    cancelled = PushedBill(cancellation_of(output), beside, False)
    [unseen] = await push_bills(resources, city.caller, [cancelled])
    assert isinstance(unseen, Outcome)
    with pytest.raises(NothingToReinstate):
        await reinstate(resources, city, unseen, a_2601(city))
    await settle(resources, city, output)
    with pytest.raises(CancellationStands):
        await reinstate(resources, city, unseen, a_2601(city, psn_no=city.members[1].insured_person_no))
    again = await reinstate(resources, city, unseen, a_2601(city), key="undone-1")
    alone = await settle(resources, city, a_2304(city.members[1]))
    aid = again.answer["mutual_aid"]
    assert (again.answer["state"], aid["to_card"]) == ("live", alone.answer["mutual_aid"]["amount"])
    assert (await reinstate(resources, city, unseen, a_2601(city), key="undone-1")).answer == again.answer
    assert (await reinstate(resources, city, unseen, a_2601(city))).answer["state"] == "live"
    [repeated] = await push_bills(resources, city.caller, [cancelled])
    assert isinstance(repeated, Outcome)
    assert repeated.answer["state"] == "live", "the cancellation that was undone comes once more"
    assert await broken(database) == []


async def test_killed_between_holding_and_settling_a_bill_is_settled_by_the_same_command(
    resources: Resources, city: City, database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
):
    async def killed(*_: object) -> Outcome:
        raise Killed

    output = a_2304(city.member)
    held = await settle(resources, city, output, facts(city, discharged_on=None))
    await reverse(resources, city, held, cancellation_of(output))
    with monkeypatch.context() as dying:
        dying.setattr(bring_again, "settle_bill", killed)
        with pytest.raises(Killed):
            await reinstate(resources, city, held, a_2601(city), key="undone-1")
    assert rows_of(database, "SELECT state, question ->> 'code' FROM bill") == [("held", "cancellation_undone")]
    again = await reinstate(resources, city, held, a_2601(city), key="undone-1")
    assert (again.answer["state"], again.answer["mutual_aid"]) == ("held", held.answer["mutual_aid"])
    assert (await settle(resources, city, output)).answer["state"] == "live"
    assert await broken(database) == []


async def test_a_held_bill_whose_cancellation_was_undone_asks_its_question_again(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    held = await settle(resources, city, output, facts(city, discharged_on=None))
    await reverse(resources, city, held, cancellation_of(output))
    again = await reinstate(resources, city, held, a_2601(city))
    assert (again.answer["state"], again.answer["mutual_aid"]) == ("held", held.answer["mutual_aid"])
    assert (await settle(resources, city, output)).answer["state"] == "live"
    assert await broken(database) == []


async def test_a_held_bill_cannot_be_reinstated(resources: Resources, city: City):
    held = await settle(resources, city, a_2304(city.member), facts(city, discharged_on=None))
    with pytest.raises(NothingToReinstate):
        await reinstate(resources, city, held, a_2601(city))


async def test_the_cancellation_that_was_undone_does_not_end_the_bill_again_when_a_file_repeats_it(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    await reverse(resources, city, settled, cancellation_of(output))
    again = await reinstate(resources, city, settled, a_2601(city))
    beside = {**facts(city), "init_setl_id": output["setlinfo"]["setl_id"]}
    [repeated] = await push_bills(resources, city.caller, [PushedBill(cancellation_of(output), beside, False)])
    assert isinstance(repeated, Outcome)
    assert repeated.answer == again.answer
    newer = await reverse(resources, city, settled, a_2305(output, setl_id="799999999999"))
    assert (newer.answer["state"], newer.answer["revision"]) == ("reversed", 2)
    assert await broken(database) == []


@pytest.fixture
def insurer() -> Iterator[Insurer]:
    with insurer_on_thread() as running:
        yield running


def happens_meanwhile(insurer: Insurer, what: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Let something of ours happen while the insurer's answer is on its way."""
    loop = asyncio.get_running_loop()
    insurer.while_answering(lambda: asyncio.run_coroutine_threadsafe(what(), loop).result(timeout=20))


async def test_what_the_insurer_said_before_a_bill_was_reinstated_does_not_end_it_again(
    resources: Resources, city: City, database: DatabaseUrls, insurer: Insurer, tmp_path: Path
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    insurer.says_5203(output, refd_setl_flag="1")

    async def cancelled_and_undone() -> None:
        await reverse(resources, city, settled, cancellation_of(output))
        await reinstate(resources, city, settled, a_2601(city))
        insurer.says_5203(output, refd_setl_flag="0")

    happens_meanwhile(insurer, cancelled_and_undone)
    async with asking(resources, insurer, tmp_path) as (asked, lines):
        command = ReverseBill(city.caller, bill_id_of(settled), ReversalReason.REFUND, None, once(city.caller))
        with pytest.raises(CancellationNotSeen):
            await reverse_bill(asked, lines, command)
    assert len(insurer.asked("5203")) == 2
    assert rows_of(database, "SELECT state, revision FROM bill") == [("live", 2)]
    assert await broken(database) == []


@pytest.mark.parametrize("says_then", ["0", "1"], ids=["it lives", "it is cancelled"])
async def test_where_a_bill_was_changed_while_the_insurer_was_asked_it_is_asked_again(
    resources: Resources, city: City, database: DatabaseUrls, insurer: Insurer, tmp_path: Path, says_then: str
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    await reverse(resources, city, settled, cancellation_of(output))
    insurer.says_5203(output, refd_setl_flag="0")

    async def undone_and_cancelled_again() -> None:
        await reinstate(resources, city, settled, a_2601(city))
        await reverse(resources, city, settled, a_2305(output, setl_id="799999999999"))
        insurer.says_5203(output, refd_setl_flag=says_then)

    happens_meanwhile(insurer, undone_and_cancelled_again)
    async with asking(resources, insurer, tmp_path) as (asked, lines):
        command = ReinstateBill(city.caller, bill_id_of(settled), None, once(city.caller))
        if says_then == "0":
            assert (await reinstate_bill(asked, lines, command)).answer["state"] == "live"
        else:
            with pytest.raises(CancellationStands):
                await reinstate_bill(asked, lines, command)
    stands = ("live", 3) if says_then == "0" else ("reversed", 2)
    assert rows_of(database, "SELECT state, revision FROM bill") == [stands]


async def test_it_lives_again_beside_its_correction_with_less_and_a_person_is_told_of_both(
    resources: Resources, city: City, database: DatabaseUrls
):
    old, new = visit(1, a_2304(city.member, **WHOLE)), visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, old)
    await reverse(resources, city, first, cancellation_of(old))
    second = await settle(resources, city, new)
    assert second.answer["replaces"] == first.answer["id"]
    again = await reinstate(resources, city, first, a_2601(city))
    assert (again.answer["state"], again.answer["mutual_aid"]["amount"]) == ("live", "0.00")
    kinds = rows_of(database, "SELECT kind FROM worklist_item ORDER BY kind")
    assert kinds == [("reinstated_beside_another",), ("reinstated_with_less",)]
    assert await broken(database) == []


async def test_what_a_quote_was_promised_in_its_place_is_kept_when_it_lives_again(
    resources: Resources, city: City, database: DatabaseUrls
):
    old, new = visit(1, a_2304(city.member, **WHOLE)), visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, old)
    await reverse(resources, city, first, cancellation_of(old))
    shown = await hold(resources, city, new)
    assert shown["mutual_aid"]["amount"] == "30200.00"
    again = await reinstate(resources, city, first, a_2601(city))
    assert again.answer["mutual_aid"]["amount"] == "0.00"
    second = await settle(resources, city, new)
    assert second.answer["promise"]["kept"] is True
    assert (second.answer["mutual_aid"]["amount"], second.answer["replaces"]) == ("30200.00", None)
    assert await broken(database) == []


async def test_a_promise_in_its_place_that_is_given_back_leaves_no_place_of_a_living_bill(
    resources: Resources, city: City, database: DatabaseUrls
):
    old, new = visit(1, a_2304(city.member, **WHOLE)), visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, old)
    await reverse(resources, city, first, cancellation_of(old))
    shown = await hold(resources, city, new)
    await reinstate(resources, city, first, a_2601(city))
    await release(resources, city, shown)
    assert rows_of(database, "SELECT count(*) FROM hold WHERE state = 'open'") == [(0,)]
    second = await settle(resources, city, new)
    assert (second.answer["mutual_aid"]["amount"], second.answer["replaces"]) == ("30200.00", None)
    assert await broken(database) == []


@pytest.mark.parametrize("another", [{}, {"inf_time": "20250312090000"}], ids=["as it was", "with another field"])
@pytest.mark.parametrize("lived", [False, True], ids=["it undid one", "it came while the bill lived"])
async def test_a_2601_that_came_before_does_not_undo_the_next_cancellation(
    resources: Resources,
    city: City,
    insurer: Insurer,
    tmp_path: Path,
    clock: SteeredClock,
    another: Node,
    lived: bool,
):
    """The second was seen by asking alone, or repeats the numbers of the first: the old 2601 would fit it."""
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    await reverse(resources, city, settled, cancellation_of(output))
    insurer.says_5203(output, refd_setl_flag="0")
    async with asking(resources, insurer, tmp_path) as (asked, lines):
        if lived:
            await reinstate_bill(asked, lines, ReinstateBill(city.caller, bill_id_of(settled), None, once(city.caller)))
        assert (await reinstate(resources, city, settled, a_2601(city))).answer["state"] == "live"
        clock.forward(hours=5)
        insurer.says_5203(output, refd_setl_flag="1")
        command = ReverseBill(city.caller, bill_id_of(settled), ReversalReason.REFUND, None, once(city.caller))
        assert (await reverse_bill(asked, lines, command)).answer["state"] == "reversed"
        again = ReinstateBill(city.caller, bill_id_of(settled), a_2601(city, **another), once(city.caller))
        with pytest.raises(CancellationStands):
            await reinstate_bill(asked, lines, again)
        insurer.says_5203(output, refd_setl_flag="0")
        assert (await reinstate_bill(asked, lines, again)).answer["state"] == "live"


async def test_one_that_lives_again_with_less_than_it_was_promised_is_re_rated_like_any_other(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    old, other = visit(1, a_2304(city.member, **WHOLE)), visit(2, a_2304(city.member, **WHOLE))
    await hold(resources, city, old)
    first = await settle(resources, city, old)
    assert first.answer["promise"]["reason"]["code"] == "promise_kept"
    await reverse(resources, city, first, cancellation_of(old))
    clock.forward(days=2)
    second = await settle(resources, city, other)
    again = await reinstate(resources, city, first, a_2601(city))
    assert again.answer["mutual_aid"]["amount"] == "0.00"
    assert again.answer["promise"]["reason"]["code"] == "promise_kept_and_changed_since"
    await settle(resources, city, visit(3, a_2304(city.member)))
    await reverse(resources, city, second, a_2305(other, setl_id="M9"))
    clock.forward(days=2)
    proposed = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(first)))
    assert [line["aid_now"] for line in proposed["lines"]] == ["30200.00", "0.00"]
    await apply_rerating(resources, ApplyRerating(city.caller, UUID(str(proposed["rerating_id"]))))
    assert await broken(database) == []


async def test_a_re_rating_of_two_living_bills_of_one_place_leaves_every_record_right(
    resources: Resources, city: City, database: DatabaseUrls
):
    old, new = visit(1, a_2304(city.member)), visit(1, a_2304(city.member))
    first = await settle(resources, city, old)
    await reverse(resources, city, first, cancellation_of(old))
    await settle(resources, city, new)
    await settle(resources, city, visit(2, a_2304(city.member)))
    await reinstate(resources, city, first, a_2601(city))
    proposed = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(first)))
    await apply_rerating(resources, ApplyRerating(city.caller, UUID(str(proposed["rerating_id"]))))
    assert await broken(database) == []


async def test_the_first_of_a_chain_is_not_moved_into_another_place(
    resources: Resources, city: City, database: DatabaseUrls
):
    """B, of the stay of A, was cancelled, corrected by D, and lives again; A is cancelled then: B corrects nothing."""
    outputs = [visit(1, a_2304(city.member)) for _ in range(3)]
    a, b = [await settle(resources, city, output) for output in outputs[:2]]
    await reverse(resources, city, b, cancellation_of(outputs[1]))
    d = await settle(resources, city, outputs[2])
    assert d.answer["replaces"] == b.answer["id"]
    await reinstate(resources, city, b, a_2601(city))
    await reverse(resources, city, a, a_2305(outputs[0], setl_id="M9"))
    assert rows_of(database, f"SELECT state FROM bill WHERE bill_id = '{a.answer['id']}'") == [("reversed",)]
    assert await broken(database) == []
