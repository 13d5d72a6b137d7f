"""Trial and settlement of visits and stays: transactions 2206, 2207, 2303 and 2304."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from settlement.lab.insurer.city import Case, Composition, add_totals, settle
from settlement.lab.insurer.envelope import Message, Refused, as_text, required
from settlement.lab.insurer.persons import Person
from settlement.lab.insurer.platform import Platform, Reply, totals_key
from settlement.lab.insurer.records import Amounts, FeeLine, Settlement, Visit, YearTotals
from settlement.lab.insurer.setlinfo import Entry, entry_of, settlement_output
from settlement.lab.insurer.state import Change
from settlement.lab.insurer.visits import get_visit
from settlement.lab.insurer.wire import read_fen

FIRST_SETTLEMENT = 400_000_000
_DIFFERENCE = 100


def trial_visit(platform: Platform, message: Message) -> Reply:
    """2206: what 2207 would answer; nothing is stored and there is no setl_id yet."""
    return _trial(platform, message, inpatient=False)


def trial_stay(platform: Platform, message: Message) -> Reply:
    """2303: what 2304 would answer, also before discharge; nothing is stored."""
    return _trial(platform, message, inpatient=True)


def settle_visit(platform: Platform, message: Message) -> Reply:
    """2207: settle one charge batch of a visit. Reversible by 2601."""
    return _settle(platform, message, inpatient=False)


def settle_stay(platform: Platform, message: Message) -> Reply:
    """2304: settle all unsettled lines of a stay, after discharge unless it is a settlement on the way.

    Reversible by 2601.
    """
    return _settle(platform, message, inpatient=True)


def account_change(platform: Platform, person: Person, amounts: Amounts, sign: int) -> tuple[int, Change]:
    """Return the person's new balance in fen and the change to it: `sign` -1 takes, +1 gives back.

    A relative's part of the account money never touches the person's own balance.
    """
    balance = platform.balance(person) + sign * (amounts.acct_pay - amounts.acct_mulaid_pay)
    return balance, ("balances", person.psn_no, balance)


def totals_change(platform: Platform, psn_no: str, year: str, used: YearTotals, sign: int) -> Change:
    """Return the change that adds a settlement to a person's year, or with `sign` -1 takes it out."""
    totals = add_totals(platform.year_totals(psn_no, year), used, sign)
    return ("totals", totals_key(psn_no, year), totals)


def _trial(platform: Platform, message: Message, inpatient: bool) -> Reply:
    data = message.node()
    visit = get_visit(platform, data, inpatient)
    lines = _lines_to_settle(platform, visit, data)
    amounts, _ = _compute(platform, message, visit, data, lines, parts=[])
    if visit.psn_no in platform.switches.presettle_differs:
        amounts = amounts._replace(hifp_pay=amounts.hifp_pay - min(_DIFFERENCE, amounts.hifp_pay))
    person = platform.get_person(visit.psn_no)
    balance, _ = account_change(platform, person, amounts, -1)
    begndate, enddate = _dates(message, visit)
    entry = Entry(
        person=person,
        visit=visit,
        amounts=amounts,
        setl_id="",
        setl_time=message.now.text,
        msgid=message.msgid,
        balc=balance,
        refunded=False,
        med_type=_med_type(data, visit),
        begndate=begndate,
        enddate=enddate,
        invono="",
        opter=message.text("opter"),
        opter_name=message.text("opter_name"),
    )
    return Reply(settlement_output(platform, message.infno, entry))


def _settle(platform: Platform, message: Message, inpatient: bool) -> Reply:
    data = message.node()
    visit = get_visit(platform, data, inpatient)
    if inpatient and visit.state != "discharged" and as_text(data.get("mid_setl_flag")) != "1":
        raise Refused("该就诊未办理出院")
    lines = _lines_to_settle(platform, visit, data)
    parts = [name for name in Composition._fields if not inpatient or data.get(name) not in (None, "")]
    amounts, used = _compute(platform, message, visit, data, lines, parts)
    person = platform.get_person(visit.psn_no)
    balance, take = account_change(platform, person, amounts, -1)
    settlement = _new_settlement(platform, message, visit, data, lines, amounts, used, balance)
    changes: list[Change] = [
        ("counters", "setl_id", settlement.serial),
        ("settlements", settlement.setl_id, settlement),
        totals_change(platform, visit.psn_no, message.now.year, used, 1),
        take,
    ]
    output = settlement_output(platform, message.infno, entry_of(platform, settlement))
    return Reply(output, changes, subject=settlement.setl_id, psn_no=visit.psn_no)


def _lines_to_settle(platform: Platform, visit: Visit, data: dict[str, Any]) -> list[FeeLine]:
    lines = platform.state.unsettled_lines(visit.mdtrt_id)
    if not visit.inpatient:
        (batch,) = required(data, "chrg_bchno")
        lines = [line for line in lines if line.chrg_bchno == batch]
    if not lines:
        raise Refused("未查询到任何有效相关的记录")
    return lines


def _compute(
    platform: Platform,
    message: Message,
    visit: Visit,
    data: dict[str, Any],
    lines: list[FeeLine],
    parts: list[str],
) -> tuple[Amounts, YearTotals]:
    """Let the city settle the lines, after comparing the hospital's total and `parts` with the platform's own."""
    composition = Composition(
        sum(line.fulamt_ownpay_amt for line in lines),
        sum(line.overlmt_amt for line in lines),
        sum(line.preselfpay_amt for line in lines),
        sum(line.inscp_scp_amt for line in lines),
    )
    _compare(data, "medfee_sumamt", sum(composition))
    for name in parts:
        _compare(data, name, getattr(composition, name))
    if sum(composition) <= 0:
        raise Refused("零费用报销,不能走医保报销流程")
    return settle(_case(platform, message, visit, data, composition))


def _compare(data: dict[str, Any], name: str, own_fen: int) -> None:
    if data.get(name) in (None, "") or read_fen(data[name]) != own_fen:
        raise Refused(f"上传的{name}与平台计算值不一致", infcode=-1)


def _case(platform: Platform, message: Message, visit: Visit, data: dict[str, Any], composition: Composition) -> Case:
    person = platform.get_person(visit.psn_no)
    family = platform.switches.family_account_fen or {}
    mark = f"{platform.options.seed}|{visit.psn_no}|{visit.begntime[:10]}|{sum(composition)}"
    return Case(
        insutype=visit.insutype,
        retired=person.psn_type.startswith("12"),
        civil_servant=person.cvlserv_flag == "1",
        assisted=person.psn_idet_type != "",
        inpatient=visit.inpatient,
        level=platform.get_hospital(visit.fixmedins_code).level,
        composition=composition,
        used=platform.year_totals(visit.psn_no, message.now.year),
        balance_fen=platform.balance(person),
        use_account=as_text(data.get("acct_used_flag")) == "1",
        luck=crc32(mark.encode()) % 10_000,
        family_fen=family.get(visit.psn_no, 0),
    )


def _new_settlement(
    platform: Platform,
    message: Message,
    visit: Visit,
    data: dict[str, Any],
    lines: list[FeeLine],
    amounts: Amounts,
    used: YearTotals,
    balance: int,
) -> Settlement:
    serial = platform.state.next_number("setl_id")
    begndate, enddate = _dates(message, visit)
    ordinal = str(len(platform.state.live_settlements(visit.mdtrt_id)) + 1)
    return Settlement(
        setl_id=str(FIRST_SETTLEMENT + serial),
        serial=serial,
        infno=message.infno,
        state="live",
        mdtrt_id=visit.mdtrt_id,
        psn_no=visit.psn_no,
        msgid=message.msgid,
        setl_time=message.now.text,
        chrg_bchno=ordinal if visit.inpatient else as_text(data.get("chrg_bchno")),
        line_sns=[line.feedetl_sn for line in lines],
        amounts=amounts,
        used=used,
        balc=balance,
        recer_sys_code=message.text("recer_sys_code"),
        invono=as_text(data.get("invono")),
        opter=message.text("opter"),
        opter_name=message.text("opter_name"),
        psn_setlway=as_text(data.get("psn_setlway")),
        med_type=_med_type(data, visit),
        begndate=begndate,
        enddate=enddate,
    )


def _med_type(data: dict[str, Any], visit: Visit) -> str:
    return visit.med_type if visit.inpatient else as_text(data.get("med_type")) or visit.med_type


def _dates(message: Message, visit: Visit) -> tuple[str, str]:
    end = visit.endtime if visit.inpatient and visit.endtime else message.now.text
    return visit.begntime[:10], end[:10]
