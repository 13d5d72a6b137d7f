"""`settlement plan submit|approve|reject|withdraw|publish|list|diff|touched`: how a plan comes into force.

A module that opens the database is imported when a command does, so that checking a plan does not wait for it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from settlement.cli.asking import ask_password
from settlement.cli.telling import BROKEN, Json, fail, tell, tell_rows
from settlement.plans.diff import Difference, diff_versions
from settlement.plans.findings import PlanRefused
from settlement.plans.model import read_plan

if TYPE_CHECKING:
    from settlement.db.registry import Fund
    from settlement.domain.ids import DraftId
    from settlement.services.plans.acting import Actor
    from settlement.services.resources import Resources

FundCode = Annotated[str, typer.Option("--fund", help="Code of the fund.")]
As = Annotated[str, typer.Option("--as", help="Name of the staff account that acts; its password is asked for.")]
Version = Annotated[str, typer.Argument(help="Name of a version.")]
Corrects = Annotated[
    str | None, typer.Option(help="The version in force from the same first day whose place the new one takes.")
]
Remark = Annotated[str | None, typer.Option(help="About the plan; no names of members.")]
Answer = dict[str, Any]
T = TypeVar("T")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the group `plan`."""
    for name, command in (
        ("submit", submit),
        ("approve", approve),
        ("reject", reject),
        ("withdraw", withdraw),
        ("publish", publish),
        ("list", show),
        ("diff", diff),
        ("touched", touched),
    ):
        app.command(name)(command)


def submit(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A plan file (YAML).")],
    fund_code: FundCode,
    login: As,
    version: Annotated[str | None, typer.Option(help="Which version; needed where several are new.")] = None,
    corrects: Corrects = None,
    as_json: Json = False,
) -> None:
    """Submit a version as a draft, and check it (exit code 1 if the check finds errors)."""
    from settlement.services.plans.submit_draft import SubmitDraft, submit_draft

    command = SubmitDraft(_text_of(file), version, corrects, str(file))
    password = ask_password(login)

    async def use(resources: Resources, of: Fund) -> Answer:
        return (await submit_draft(resources, await _signed_in(resources, of, login, password), command)).answer

    draft = _with_fund(fund_code, use)
    _tell_draft(as_json, draft)
    if draft["errors"]:
        raise typer.Exit(BROKEN)


def approve(version: Version, fund_code: FundCode, login: As, remark: Remark = None, as_json: Json = False) -> None:
    """Approve the draft of a version that somebody else wrote, warnings included."""
    from settlement.services.plans.decide_draft import approve_draft

    password = ask_password(login)

    async def use(resources: Resources, of: Fund) -> Answer:
        actor = await _signed_in(resources, of, login, password)
        return (await approve_draft(resources, actor, await _draft_of(resources, of, version), remark)).answer

    _tell_draft(as_json, _with_fund(fund_code, use))


def reject(
    version: Version,
    fund_code: FundCode,
    login: As,
    remark: Annotated[str, typer.Option(help="What is to be mended.")],
    as_json: Json = False,
) -> None:
    """Reject the draft of a version for good; a mended one is another draft."""
    from settlement.services.plans.decide_draft import reject_draft

    password = ask_password(login)

    async def use(resources: Resources, of: Fund) -> Answer:
        actor = await _signed_in(resources, of, login, password)
        return (await reject_draft(resources, actor, await _draft_of(resources, of, version), remark)).answer

    _tell_draft(as_json, _with_fund(fund_code, use))


def withdraw(version: Version, fund_code: FundCode, login: As, remark: Remark = None, as_json: Json = False) -> None:
    """Take one's own draft of a version back."""
    from settlement.services.plans.decide_draft import withdraw_draft

    password = ask_password(login)

    async def use(resources: Resources, of: Fund) -> Answer:
        actor = await _signed_in(resources, of, login, password)
        return (await withdraw_draft(resources, actor, await _draft_of(resources, of, version), remark)).answer

    _tell_draft(as_json, _with_fund(fund_code, use))


def publish(
    what: Annotated[str, typer.Argument(metavar="VERSION|FILE", help="An approved version, or a plan file.")],
    fund_code: FundCode,
    login: Annotated[str | None, typer.Option("--as", help="Who publishes an approved version.")] = None,
    author: Annotated[str | None, typer.Option(help="Who submits the file's new versions.")] = None,
    approver: Annotated[str | None, typer.Option(help="Who approves them: somebody else.")] = None,
    corrects: Corrects = None,
    as_json: Json = False,
) -> None:
    """Put an approved version in force (--as), or what is new in a file by two people (--author, --approver)."""
    if login is not None and author is None and approver is None:
        answers = [_publish_version(what, fund_code, login)]
    elif login is None and author is not None and approver is not None:
        answers = _publish_file(Path(what), fund_code, author, approver, corrects)
    else:
        fail("Give --as NAME for an approved version, or --author NAME and --approver NAME for a file.")
    names = ", ".join(answer["version"] for answer in answers)
    said = [f"Published {names}." if answers else "Every version of the file is published already."]
    said += [_touched_said(answer) for answer in answers if answer["late"]]
    tell(as_json, {"published": [answer["version"] for answer in answers], "plans": answers}, "\n".join(said))


def show(fund_code: FundCode, as_json: Json = False) -> None:
    """Show drafts and versions with their states, newest first."""
    from settlement.services.plans.read_plans import read_plans

    async def use(resources: Resources, of: Fund) -> list[Answer]:
        return await read_plans(resources, of.fund_id, None, 500)

    found = _with_fund(fund_code, use)
    if as_json:
        tell(True, {"plans": found}, "")
        return
    rows = [
        {
            "version": plan["version"],
            "state": plan["state"],
            "in force": _span_said(plan["in_force"]),
            "corrects": plan["corrects"] or "",
            "author": plan["author"],
            "approved by": ", ".join(step["actor"] for step in plan["steps"] if step["kind"] == "approved"),
            "warnings": plan["warnings"],
        }
        for plan in found
    ]
    tell_rows(False, "plans", rows)


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A version's name, or a plan file.")],
    after: Annotated[str, typer.Argument(metavar="B", help="A version's name, or a plan file.")],
    fund_code: Annotated[str | None, typer.Option("--fund", help="Code of the fund, for versions by name.")] = None,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    as_json: Json = False,
) -> None:
    """Show what differs from A to B, part by part. Of a file, its newest version; FILE@VERSION names another."""
    old, new = _document(before, fund_code), _document(after, fund_code)
    differences = diff_versions(old, new)
    if as_json:
        shown = [difference.to_json() for difference in differences]
        tell(True, {"differences": shown}, "")
        return
    for difference in differences:
        print(_line(difference, language))
    if not differences:
        print("A and B say the same.")


def touched(version: Version, fund_code: FundCode, as_json: Json = False) -> None:
    """List the settlements that a version touches, computed again under it; nothing is changed.

    With --json a line for each, and the sums as the last line. Of a version that is not published, its newest draft.
    """
    from settlement.services.plans.list_touched import PAGE, TouchedBill, TouchedSums, what_touches

    def told(bills: list[TouchedBill]) -> None:
        for bill in bills:
            shown = bill.to_json()
            now = shown["aid_now"] or f"? ({shown['missing_fact']})"
            person = (
                f"{shown['service_date']}  {shown['settlement_no']}  {shown['recorded_under']}  "
                f"{shown['aid_recorded']} → {now}  {shown['difference'] or ''}"
            )
            tell(as_json, shown, person.rstrip())

    async def use(resources: Resources, of: Fund) -> TouchedSums:
        touching = await what_touches(resources, of.fund_id, version)
        sums, after = TouchedSums(), None
        while True:
            bills = await touching.page(resources, after)
            told(bills)
            sums.add(bills)
            if len(bills) < PAGE:
                return sums
            after = (bills[-1].recorded.service_date, bills[-1].recorded.bill_id)

    sums = _with_fund(fund_code, use).to_json()
    tell(as_json, {"version": version, "touched": sums}, _sums_said(version, sums))


def _publish_version(version: str, fund_code: str, login: str) -> Answer:
    from settlement.services.plans.publish_draft import publish_draft

    password = ask_password(login)

    async def use(resources: Resources, of: Fund) -> Answer:
        actor = await _signed_in(resources, of, login, password)
        return (await publish_draft(resources, actor, await _draft_of(resources, of, version))).answer

    return _with_fund(fund_code, use)


def _publish_file(file: Path, fund_code: str, author: str, approver: str, corrects: str | None) -> list[Answer]:
    from settlement.services.plans.publish_file import publish_file

    source = _text_of(file)
    passwords = {author: ask_password(author)}
    if approver not in passwords:
        passwords[approver] = ask_password(approver)

    async def use(resources: Resources, of: Fund) -> list[Answer]:
        writes, approves = [await _signed_in(resources, of, name, passwords[name]) for name in (author, approver)]
        return await publish_file(resources, writes, approves, source, str(file), corrects)

    return _with_fund(fund_code, use)


def _with_fund(fund_code: str, use: Callable[[Resources, Fund], Awaitable[T]]) -> T:
    from settlement.cli.shell import with_fund

    return with_fund(fund_code, use)


async def _signed_in(resources: Resources, of: Fund, login: str, password: str) -> Actor:
    from settlement.services.access.sign_in import sign_in
    from settlement.services.plans.acting import Actor

    return Actor(of.fund_id, (await sign_in(resources, of.fund_id, login, password)).staff_id)


async def _draft_of(resources: Resources, of: Fund, version: str) -> DraftId:
    from settlement.services.plans.read_plans import get_version

    return (await get_version(resources, of.fund_id, version)).draft_id


def _document(named: str, fund_code: str | None) -> str:
    """Return the canonical text of a version: of a file (its newest, or the one after `@`), else of the fund's plan."""
    path, _, version = named.rpartition("@") if not Path(named).is_file() else (named, "", "")
    if path and Path(path).is_file():
        try:
            versions = read_plan(Path(path)).versions
        except PlanRefused as refused:
            fail(str(refused))
        found = [known for known in versions if known.version == version] if version else versions[-1:]
        if not found:
            fail(f"{path} has no version {version!r}.")
        return found[0].canonical()
    if fund_code is None:
        fail(f"There is no file {named!r}; give --fund for a version by its name.")

    async def use(resources: Resources, of: Fund) -> str:
        from settlement.services.plans.read_plans import get_version

        return (await get_version(resources, of.fund_id, named)).document

    return _with_fund(fund_code, use)


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        fail(f"{file} is not text in UTF-8; save it as UTF-8.")
    except OSError as refused:
        fail(f"{file} cannot be read: {refused.strerror}.")


def _tell_draft(as_json: bool, draft: Answer) -> None:
    if as_json:
        print(json.dumps(draft, ensure_ascii=False))
        return
    for finding in draft["findings"]:
        line = f"line {finding['line']}: " if finding["line"] else ""
        print(f"{line}{finding['severity']}: {finding['zh']} / {finding['en']}")
    counted = f"{draft['errors']} errors, {draft['warnings']} warnings"
    print(
        f"{draft['version']} from {draft['effective_from']}: {draft['state']} ({counted}), draft {draft['draft_id']}."
    )


def _touched_said(answer: Answer) -> str:
    version = answer["version"]
    return (
        f"{version} touches {answer['touched_count']} settlements. "
        f"`settlement plan touched {version} --fund …` lists them; nothing was changed."
    )


def _sums_said(version: str, sums: Answer) -> str:
    uncomputed = f", {sums['not_computable']} of them lack a fact" if sums["not_computable"] else ""
    return (
        f"{version} touches {sums['count']} settlements{uncomputed}: "
        f"aid {sums['aid_recorded']} → {sums['aid_now']}, difference {sums['difference']}."
    )


def _span_said(span: Answer | None) -> str:
    return f"{span['first_day']} to {span['until'] or '…'}" if span else ""


def _line(difference: Difference, language: str) -> str:
    return difference.en if language == "en" else difference.zh
