"""A plan version comes into force by two people: every step, every refusal, and what the database refuses by itself."""

from __future__ import annotations

import asyncio
import threading
from datetime import date
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation

from builders import (
    HANGZHOU_FILE,
    KEYS,
    City,
    SteeredClock,
    a_2304,
    facts,
    once,
    open_test_resources,
    settle,
    with_one_case,
)
from database import ops_engine, rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.db.plans import StepTaken
from settlement.domain.answers import Answer
from settlement.domain.errors import SettlementError
from settlement.domain.ids import DraftId
from settlement.plans.checks import run
from settlement.plans.checks.registry import Check, Place
from settlement.plans.compile import compile_version
from settlement.plans.examine import examine_plan
from settlement.plans.findings import Finding, PlanRefused, Severity
from settlement.plans.model import Plan
from settlement.services.access.add_staff import add_staff
from settlement.services.audit.examine import examine
from settlement.services.bills.errors import KeyReused
from settlement.services.plans import submit_draft as submitting
from settlement.services.plans.acting import Actor
from settlement.services.plans.decide_draft import approve_draft, reject_draft, withdraw_draft
from settlement.services.plans.errors import (
    CorrectionUnusable,
    PlanOfAnotherFund,
    RoleMissing,
    SecondPersonNeeded,
    StartTaken,
    StayDateChanged,
    StepRefused,
    VersionChanged,
    VersionKnown,
    VersionNotNamed,
)
from settlement.services.plans.publish_draft import publish_draft
from settlement.services.plans.publish_file import publish_file
from settlement.services.plans.read_plans import read_plans
from settlement.services.plans.submit_draft import SubmitDraft, submit_draft
from settlement.services.resources import Resources

PLAN = HANGZHOU_FILE.read_text(encoding="utf-8")


def a_version(name: str, first_day: str = "2018-01-01", rate: str = "20%", text: str = PLAN) -> str:
    """Return Hangzhou's plan with its version under another name, first day, and rate of the first band.

    With another rate the plan's own cases would fail: it then carries one that holds at every rate.
    """
    version = text.replace('version: "2018"', f'version: "{name}"').replace("2018-01-01", first_day)
    if rate == "20%":
        return version
    return with_one_case(version.replace('rate: "20%"', f'rate: "{rate}"'))


async def submitted(
    resources: Resources, actor: Actor, source: str, corrects: str | None = None, version: str | None = None
) -> Answer:
    return (await submit_draft(resources, actor, SubmitDraft(source, version, corrects))).answer


def id_of(draft: Answer) -> DraftId:
    return DraftId(UUID(draft["draft_id"]))


async def published(resources: Resources, city: City, source: str, corrects: str | None = None) -> Answer:
    draft = await submitted(resources, city.office.author, source, corrects)
    await approve_draft(resources, city.office.approver, id_of(draft))
    return (await publish_draft(resources, city.office.author, id_of(draft))).answer


async def another(resources: Resources, city: City, login: str, *roles: str) -> Actor:
    account = await add_staff(resources, city.fund_id, login=login, roles=roles, password="a long enough password")
    return Actor(city.fund_id, account.staff_id)


async def test_a_version_goes_from_draft_to_force_and_each_step_is_kept(resources: Resources, city: City):
    draft = await submitted(resources, city.office.author, a_version("2026", "2026-01-01"))
    assert (draft["state"], draft["errors"], draft["in_force"]) == ("checked", 0, None)
    approved = (await approve_draft(resources, city.office.approver, id_of(draft), "已核对")).answer
    assert approved["state"] == "approved"
    answer = (await publish_draft(resources, city.office.author, id_of(draft))).answer
    assert (answer["state"], answer["late"], answer["touched_count"]) == ("published", False, 0)
    assert answer["in_force"] == {"first_day": "2026-01-01", "until": None}
    assert [(step["kind"], step["actor"], step["remark"]) for step in answer["steps"]] == [
        ("checked", "clerk", None),
        ("approved", "head", "已核对"),
        ("published", "clerk", None),
    ]
    shown = await read_plans(resources, city.fund_id, None, 10)
    assert [(plan["version"], plan["in_force"]) for plan in shown] == [
        ("2026", {"first_day": "2026-01-01", "until": None}),
        ("2018", {"first_day": "2018-01-01", "until": "2026-01-01"}),
    ]


async def test_nobody_approves_a_draft_of_his_own_whatever_his_roles(resources: Resources, city: City):
    both = await another(resources, city, "both", "clerk", "approver")
    draft = await submitted(resources, both, a_version("2026", "2026-01-01"))
    with pytest.raises(SecondPersonNeeded):
        await approve_draft(resources, both, id_of(draft))
    await approve_draft(resources, city.office.approver, id_of(draft))


async def test_the_database_refuses_an_approval_by_the_author_and_a_version_that_nobody_approved(
    resources: Resources, city: City, database: DatabaseUrls
):
    draft = await submitted(resources, city.office.author, a_version("2026", "2026-01-01"))
    of_draft = f"draft_id = '{draft['draft_id']}'"
    head = city.office.approver.staff_id
    step = (
        "INSERT INTO plan_step (fund_id, draft_id, kind, rests_on, author_id, digest, actor_id, errors, findings, at) "
        "SELECT fund_id, draft_id, '{kind}', {rests_on}, {author}, digest, {actor}, 0, '[]', now() "
        f"FROM plan_draft WHERE {of_draft}"
    )
    version = (
        "INSERT INTO plan_version (fund_id, plan_version_id, plan_code, version, effective_from, document, digest, "
        "published_at, draft_id, step) SELECT fund_id, draft_id, plan_code, version, effective_from, document, digest, "
        f"now(), {{draft}}, 'published' FROM plan_draft WHERE {of_draft}"
    )
    approval = {"kind": "approved", "rests_on": "'checked'"}
    refusals: list[tuple[str, type[psycopg.Error], str]] = [
        (step.format(**approval, author="author_id", actor="author_id"), CheckViolation, "plan_step_two_people"),
        (step.format(**approval, author=f"'{head}'", actor="author_id"), ForeignKeyViolation, "plan_step_draft_fk"),
        (
            step.format(kind="approved", rests_on="NULL", author="author_id", actor=f"'{head}'"),
            CheckViolation,
            "plan_step_order",
        ),
        (
            step.format(kind="published", rests_on="'approved'", author="author_id", actor=f"'{head}'"),
            ForeignKeyViolation,
            "plan_step_rests_fk",
        ),
        (version.format(draft="NULL"), NotNullViolation, "draft_id"),
        (version.format(draft="draft_id"), ForeignKeyViolation, "plan_version_step_fk"),
    ]
    for statement, refusal, name in refusals:
        with psycopg.connect(database.app) as connection:
            connection.execute(f"SET LOCAL app.fund = '{city.fund_id}'".encode())
            with pytest.raises(refusal, match=name):
                connection.execute(statement.encode())
    await withdraw_draft(resources, city.office.author, id_of(draft))
    with psycopg.connect(database.app) as connection:
        connection.execute(f"SET LOCAL app.fund = '{city.fund_id}'".encode())
        connection.execute(step.format(**approval, author="author_id", actor=f"'{head}'").encode())
        with pytest.raises(UniqueViolation, match="plan_step_one_end"):
            connection.execute(
                step.format(kind="published", rests_on="'approved'", author="author_id", actor=f"'{head}'").encode()
            )


async def test_of_people_who_race_to_approve_or_reject_one_does(
    resources: Resources, city: City, database: DatabaseUrls
):
    draft = await submitted(resources, city.office.author, a_version("2026", "2026-01-01"))
    heads = [await another(resources, city, f"head-{number}", "approver") for number in range(3)]
    async with open_test_resources(database, SteeredClock(), seed=50) as other:
        results = await asyncio.gather(
            *(approve_draft(where, head, id_of(draft)) for where in (resources, other) for head in heads),
            *(reject_draft(where, head, id_of(draft), "不同意") for where in (resources, other) for head in heads),
            return_exceptions=True,
        )
    refused = [result for result in results if isinstance(result, (StepRefused, StepTaken))]
    assert len(refused) == len(results) - 1
    assert rows_of(database, "SELECT count(*) FROM plan_step WHERE kind IN ('approved', 'rejected')") == [(2,)]


async def test_of_two_drafts_published_at_once_for_one_day_one_comes_into_force(
    resources: Resources, city: City, database: DatabaseUrls
):
    drafts = []
    for name in ("2026a", "2026b"):
        draft = await submitted(resources, city.office.author, a_version(name, "2026-01-01"))
        await approve_draft(resources, city.office.approver, id_of(draft))
        drafts.append(id_of(draft))
    async with open_test_resources(database, SteeredClock(), seed=51) as other:
        results = await asyncio.gather(
            *(
                publish_draft(where, city.office.author, draft)
                for where, draft in zip((resources, other), drafts, strict=True)
            ),
            return_exceptions=True,
        )
    assert sorted(type(result).__name__ for result in results) == ["Outcome", "StartTaken"]


async def test_only_an_approver_approves_and_only_the_author_withdraws(resources: Resources, city: City):
    auditor = await another(resources, city, "auditor", "auditor")
    second = await another(resources, city, "second", "clerk")
    with pytest.raises(RoleMissing):
        await submitted(resources, auditor, a_version("2026", "2026-01-01"))
    draft = await submitted(resources, city.office.author, a_version("2026", "2026-01-01"))
    for who in (second, auditor):
        with pytest.raises(RoleMissing):
            await approve_draft(resources, who, id_of(draft))
        with pytest.raises(RoleMissing):
            await reject_draft(resources, who, id_of(draft), "不同意")
    with pytest.raises(StepRefused):
        await withdraw_draft(resources, second, id_of(draft))
    assert (await withdraw_draft(resources, city.office.author, id_of(draft))).answer["state"] == "withdrawn"
    with pytest.raises(StepRefused):
        await approve_draft(resources, city.office.approver, id_of(draft))


async def test_what_is_not_approved_or_published_already_is_not_published(resources: Resources, city: City):
    draft = await submitted(resources, city.office.author, a_version("2026", "2026-01-01"))
    with pytest.raises(StepRefused):
        await publish_draft(resources, city.office.author, id_of(draft))
    await reject_draft(resources, city.office.approver, id_of(draft), "比例有误")
    with pytest.raises(StepRefused):
        await publish_draft(resources, city.office.author, id_of(draft))
    again = await submitted(resources, city.office.author, a_version("2026", "2026-01-01", "25%"))
    await approve_draft(resources, city.office.approver, id_of(again))
    await publish_draft(resources, city.office.author, id_of(again))
    with pytest.raises(StepRefused):
        await publish_draft(resources, city.office.author, id_of(again))


async def test_a_draft_with_an_error_is_kept_and_cannot_be_approved(resources: Resources, city: City):
    gap = a_version("2026", "2026-01-01").replace("above: 1000, up_to: 10000", "above: 1001, up_to: 10000")
    draft = await submitted(resources, city.office.author, gap)
    assert draft["state"] == "faulty"
    assert draft["errors"] > 0
    assert {"severity", "line", "clause", "zh", "en"} == set(draft["findings"][0])
    with pytest.raises(StepRefused):
        await approve_draft(resources, city.office.approver, id_of(draft))
    with pytest.raises(PlanRefused) as refused:
        await submitted(resources, city.office.author, "versions: [")
    assert refused.value.figures["findings"]

    assert refused.value.figures["findings"]


async def test_a_draft_whose_worked_cases_fail_is_faulty_and_not_published(resources: Resources, city: City):
    wrong = a_version("2026", "2026-01-01").replace('rate: "20%"', 'rate: "21%"')
    draft = await submitted(resources, city.office.author, wrong)
    assert draft["state"] == "faulty"
    assert "HZ edge" in next(found["en"] for found in draft["findings"] if found["severity"] == "error")
    with pytest.raises(StepRefused):
        await approve_draft(resources, city.office.approver, id_of(draft))
    with pytest.raises(PlanRefused):
        await publish_file(resources, city.office.author, city.office.approver, wrong)
    assert len(await read_plans(resources, city.fund_id, None, 10)) == 2


async def test_a_plan_is_read_and_checked_beside_the_loop_that_serves_bills(
    resources: Resources, city: City, monkeypatch: pytest.MonkeyPatch
):
    threads = []

    def check_and_tell(plan: Plan) -> list[Finding]:
        threads.append(threading.current_thread())
        return examine_plan(plan)

    monkeypatch.setattr(submitting, "examine_plan", check_and_tell)
    await submitted(resources, city.office.author, a_version("2026", "2026-01-01"))
    assert threads
    assert threading.main_thread() not in threads


async def test_a_check_that_is_new_stops_drafts_and_no_bill_of_a_published_version(
    resources: Resources, city: City, database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
):
    draft = await submitted(resources, city.office.author, a_version("2026", "2026-01-01"))
    new = Check("new", Severity.ERROR, lambda survey: iter([Place(("version",), None, "新", "new")]))
    monkeypatch.setattr(run, "CHECKS", [new])
    compile_version.cache_clear()
    async with open_test_resources(database) as restarted:
        assert (await settled_version(restarted, city, 0, "2025-03-10"))[0] == "2018"
        with pytest.raises(PlanRefused):
            await approve_draft(restarted, city.office.approver, id_of(draft))


@pytest.mark.parametrize(
    ("source", "corrects", "error"),
    [
        pytest.param(PLAN, None, VersionKnown, id="the_version_in_force"),
        pytest.param(a_version("2018", rate="30%"), None, VersionChanged, id="its_name_with_other_rules"),
        pytest.param(a_version("2018b"), None, StartTaken, id="its_first_day_without_saying_that_it_corrects"),
        pytest.param(a_version("2018b"), "2017", CorrectionUnusable, id="a_correction_of_what_is_not"),
        pytest.param(a_version("2026", "2026-01-01"), "2018", CorrectionUnusable, id="a_correction_of_another_day"),
        pytest.param(
            a_version("2026", "2026-01-01").replace("stay_date: discharge", "stay_date: admission"),
            None,
            StayDateChanged,
            id="another_date_of_a_stay",
        ),
        pytest.param(PLAN.replace("code: hangzhou", "code: other"), None, PlanOfAnotherFund, id="another_plan"),
    ],
)
async def test_what_cannot_take_its_place_is_refused_when_it_is_submitted(
    resources: Resources, city: City, source: str, corrects: str | None, error: type[SettlementError]
):
    with pytest.raises(error):
        await submitted(resources, city.office.author, source, corrects)


async def test_a_file_with_several_new_versions_says_which_is_meant(resources: Resources, city: City):
    first, second = a_version("2026", "2026-01-01"), a_version("2027", "2027-01-01")
    body = second[second.index('  - version: "2027"') : second.index("\ncase_facts:")]
    both = first.replace("\ncase_facts:", "\n" + body + "\ncase_facts:")
    with pytest.raises(VersionNotNamed):
        await submitted(resources, city.office.author, both)
    draft = await submitted(resources, city.office.author, both, version="2027")
    assert (draft["version"], draft["effective_from"]) == ("2027", "2027-01-01")


async def test_the_same_command_under_one_key_is_done_once(resources: Resources, city: City, database: DatabaseUrls):
    source = a_version("2026", "2026-01-01")
    key = once(city.caller, "plan-key-1")
    first = await submit_draft(resources, city.office.author, SubmitDraft(source), key)
    again = await submit_draft(resources, city.office.author, SubmitDraft(source), key)
    assert again.answer == first.answer
    assert (first.replayed, again.replayed) == (False, True)
    other = once(city.caller, "plan-key-1", "another body")
    with pytest.raises(KeyReused):
        await submit_draft(resources, city.office.author, SubmitDraft(source), other)
    await approve_draft(resources, city.office.approver, id_of(first.answer))
    publication = once(city.caller, "plan-key-2")
    results = await asyncio.gather(
        *(publish_draft(resources, city.office.author, id_of(first.answer), publication) for _ in range(4))
    )
    assert [result.answer for result in results] == [results[0].answer] * 4
    assert rows_of(database, "SELECT count(*) FROM plan_version WHERE version = '2026'") == [(1,)]


async def settled_version(resources: Resources, city: City, number: int, day: str) -> tuple[str, str]:
    """Settle a stay that ended on a day; return the version that priced it, and the aid."""
    answer = (
        await settle(
            resources,
            city,
            a_2304(city.members[number], setl_time=f"{day} 10:00:00"),
            facts(city, admitted_on=day, discharged_on=day),
        )
    ).answer
    return answer["plan"]["version"], answer["mutual_aid"]["amount"]


async def test_the_version_on_the_service_date_is_used_whatever_is_newest(
    resources: Resources, city: City, database: DatabaseUrls
):
    await published(resources, city, a_version("2026", "2026-01-01", "40%"))
    await published(resources, city, a_version("2025", "2025-01-01", "30%"))
    await published(resources, city, a_version("2025-corrected", "2025-01-01", "35%"), "2025")
    expected = [("2024-12-31", "2018"), ("2025-01-01", "2025-corrected"), ("2025-12-31", "2025-corrected")]
    rules = await resources.rules.of(city.fund_id)
    for day, version in [*expected, ("2026-01-01", "2026")]:
        in_force = rules.version_on(date.fromisoformat(day))
        assert in_force is not None
        assert in_force.plan.version == version
    assert await settled_version(resources, city, 0, "2025-03-10") == ("2025-corrected", "539.83")
    async with open_test_resources(database, SteeredClock(), seed=52) as other:
        assert await settled_version(other, city, 1, "2025-03-11") == ("2025-corrected", "539.83")


async def test_a_correction_counts_though_the_clock_of_who_publishes_it_is_behind(
    resources: Resources, city: City, database: DatabaseUrls
):
    await published(resources, city, a_version("2025", "2025-01-01", "30%"))
    slow = SteeredClock()
    slow.forward(days=-1)
    async with open_test_resources(database, slow, seed=53) as behind:
        await published(behind, city, a_version("2025b", "2025-01-01", "35%"), "2025")
    assert await settled_version(resources, city, 0, "2025-03-10") == ("2025b", "539.83")


async def test_a_correction_is_corrected_by_naming_it_and_not_what_it_corrected(resources: Resources, city: City):
    await published(resources, city, a_version("2018b", rate="30%"), "2018")
    with pytest.raises(CorrectionUnusable):
        await submitted(resources, city.office.author, a_version("2018c", rate="35%"), "2018")
    answer = await published(resources, city, a_version("2018c", rate="35%"), "2018b")
    assert answer["in_force"] == {"first_day": "2018-01-01", "until": None}
    shown = {plan["version"]: plan["in_force"] for plan in await read_plans(resources, city.fund_id, None, 10)}
    assert (shown["2018"], shown["2018b"]) == (None, None)


async def test_a_published_plan_file_is_published_once(resources: Resources, city: City, tmp_path: Path):
    file = tmp_path / "plan.yaml"
    file.write_text(a_version("2026", "2026-01-01"), encoding="utf-8")
    assert [answer["version"] for answer in await city.office.publish(resources, file)] == ["2026"]
    assert await city.office.publish(resources, file) == []


async def test_no_law_is_broken_by_drafts_of_every_fate_and_a_correction_between_settlements(
    resources: Resources, city: City, database: DatabaseUrls
):
    await settled_version(resources, city, 0, "2025-03-10")
    for number, ending in enumerate(("rejected", "withdrawn", "faulty", "published")):
        source = a_version(f"2018{number}", rate="30%")
        if ending == "faulty":
            source = source.replace("above: 1000, up_to: 10000", "above: 1001, up_to: 10000")
        command = SubmitDraft(source, None, "2018")
        draft = (await submit_draft(resources, city.office.author, command, once(city.caller))).answer
        if ending == "rejected":
            await reject_draft(resources, city.office.approver, id_of(draft), "不同意", once(city.caller))
        if ending == "withdrawn":
            await withdraw_draft(resources, city.office.author, id_of(draft), None, once(city.caller))
        if ending == "published":
            await approve_draft(resources, city.office.approver, id_of(draft), None, once(city.caller))
            await publish_draft(resources, city.office.author, id_of(draft), once(city.caller))
    assert await settled_version(resources, city, 1, "2025-03-10") == ("20183", "489.83")
    async with ops_engine(database) as ops:
        assert (await examine(ops, KEYS)).broken == ()
