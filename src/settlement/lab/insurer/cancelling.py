"""Cancellation of settlements: transactions 2208 and 2305."""

from __future__ import annotations

from settlement.lab.insurer.envelope import Message, Refused, required
from settlement.lab.insurer.platform import Platform, Reply
from settlement.lab.insurer.records import Refund, Settlement
from settlement.lab.insurer.setlinfo import entry_of, settlement_output
from settlement.lab.insurer.settling import FIRST_SETTLEMENT, account_change, totals_change
from settlement.lab.insurer.state import Change

ALREADY_CANCELLED = "该笔结算已撤销，请勿重复办理"
LATER_FIRST = "存在后续结算记录，请先撤销后续结算"
CLEARED = "该笔结算已清算，不允许撤销"
NOT_FOUND = "未查询到结算信息"


def cancel_visit_settlement(platform: Platform, message: Message) -> Reply:
    """2208: cancel an outpatient settlement; the answer is its negative. Reversible by 2601."""
    return _cancel(platform, message, "2207")


def cancel_stay_settlement(platform: Platform, message: Message) -> Reply:
    """2305: cancel the settlement of a stay; the answer is its negative. Reversible by 2601."""
    return _cancel(platform, message, "2304")


def undo_changes(platform: Platform, settlement: Settlement) -> tuple[int, list[Change]]:
    """Return the balance after a settlement's money and year are given back, and the changes that do it."""
    person = platform.get_person(settlement.psn_no)
    balance, give_back = account_change(platform, person, settlement.amounts, 1)
    year = settlement.setl_time[:4]
    return balance, [totals_change(platform, settlement.psn_no, year, settlement.used, -1), give_back]


def refuse_if_final(platform: Platform, settlement: Settlement) -> None:
    """Refuse to take back a settlement that was cleared, or that a later one rests on."""
    switches = platform.switches
    day = settlement.setl_time[:10]
    if settlement.setl_id in switches.cleared or day <= switches.cleared_through:
        raise Refused(CLEARED, infcode=-1)
    if switches.lifo != "off" and _has_later(platform, settlement):
        raise Refused(LATER_FIRST, infcode=-1)


def _cancel(platform: Platform, message: Message, infno: str) -> Reply:
    setl_id, mdtrt_id, psn_no = required(message.node(), "setl_id", "mdtrt_id", "psn_no")
    settlement = platform.state.settlements.get(setl_id)
    if settlement is None or settlement.state == "voided" or settlement.infno != infno:
        raise Refused(NOT_FOUND)
    if (settlement.mdtrt_id, settlement.psn_no) != (mdtrt_id, psn_no):
        raise Refused(NOT_FOUND)
    if settlement.state == "cancelled":
        raise Refused(ALREADY_CANCELLED, infcode=-1)
    refuse_if_final(platform, settlement)
    balance, changes = undo_changes(platform, settlement)
    refund = _new_refund(platform, message, settlement, balance)
    changes += [
        ("counters", "setl_id", refund.serial),
        ("settlements", setl_id, settlement._replace(state="cancelled")),
        ("refunds", refund.refund_key, refund),
    ]
    output = settlement_output(platform, message.infno, entry_of(platform, settlement, refund))
    return Reply(output, changes, subject=refund.refund_key, psn_no=psn_no)


def _new_refund(platform: Platform, message: Message, settlement: Settlement, balance: int) -> Refund:
    serial = platform.state.next_number("setl_id")
    own_id = str(FIRST_SETTLEMENT + serial)
    return Refund(
        refund_key=own_id,
        setl_id=own_id if platform.switches.new_setl_id else settlement.setl_id,
        init_setl_id=settlement.setl_id,
        serial=serial,
        infno=message.infno,
        state="live",
        msgid=message.msgid,
        setl_time=message.now.text,
        balc=balance,
        recer_sys_code=message.text("recer_sys_code"),
        opter=message.text("opter"),
        opter_name=message.text("opter_name"),
    )


def _has_later(platform: Platform, settlement: Settlement) -> bool:
    state = platform.state
    visits = [settlement.mdtrt_id] if platform.switches.lifo == "visit" else state.visits_of[settlement.psn_no]
    return any(
        later.serial > settlement.serial and later.setl_time[:4] == settlement.setl_time[:4]
        for mdtrt_id in visits
        for later in state.live_settlements(mdtrt_id)
    )
