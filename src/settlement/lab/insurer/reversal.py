"""Reversal of one message whose answer the hospital does not know: transaction 2601.

It acts by the original's number: a settlement is voided, a cancellation is undone so that the settlement lives again,
an admission is deleted.
"""

from __future__ import annotations

from settlement.lab.insurer.cancelling import refuse_if_final, undo_changes
from settlement.lab.insurer.envelope import Message, Refused, required
from settlement.lab.insurer.platform import Platform, Reply
from settlement.lab.insurer.records import Effect
from settlement.lab.insurer.settling import account_change, totals_change
from settlement.lab.insurer.state import Change
from settlement.lab.insurer.visits import cancelled_admission

NOT_FOUND = "未查询到原交易"


def reverse(platform: Platform, message: Message) -> Reply:
    """2601: take back the effect of one message, found by its msgid, person and transaction number.

    "Not found" proves nothing: the original may still be on its way.
    """
    psn_no, omsgid, oinfno = required(message.node(), "psn_no", "omsgid", "oinfno")
    effect = platform.state.effects.get(omsgid)
    if effect is None or effect.psn_no != psn_no or effect.infno != oinfno:
        raise Refused(NOT_FOUND, infcode=-1)
    if effect.reversed:
        raise Refused("原交易已冲正", infcode=-1)
    changes = _undo(platform, effect)
    return Reply({}, [*changes, ("effects", omsgid, effect._replace(reversed=True))])


def _undo(platform: Platform, effect: Effect) -> list[Change]:
    if effect.infno == "2401":
        return [cancelled_admission(platform, platform.state.visits[effect.subject])]
    if effect.infno in ("2207", "2304"):
        return _void(platform, effect.subject)
    return _restore(platform, effect.subject)


def _void(platform: Platform, setl_id: str) -> list[Change]:
    settlement = platform.state.settlements[setl_id]
    if settlement.state != "live":
        raise Refused("原交易已撤销", infcode=-1)
    refuse_if_final(platform, settlement)
    _, changes = undo_changes(platform, settlement)
    return [*changes, ("settlements", setl_id, settlement._replace(state="voided"))]


def _restore(platform: Platform, refund_key: str) -> list[Change]:
    state = platform.state
    refund = state.refunds[refund_key]
    settlement = state.settlements[refund.init_setl_id]
    unsettled = {line.feedetl_sn for line in state.unsettled_lines(settlement.mdtrt_id)}
    if not unsettled.issuperset(settlement.line_sns):
        raise Refused("费用已重新结算或已删除，不能冲正", infcode=-1)
    person = platform.get_person(settlement.psn_no)
    balance, take = account_change(platform, person, settlement.amounts, -1)
    if balance < 0:
        raise Refused("个人账户余额不足", infcode=-1)
    return [
        take,
        totals_change(platform, settlement.psn_no, settlement.setl_time[:4], settlement.used, 1),
        ("refunds", refund_key, refund._replace(state="voided")),
        ("settlements", settlement.setl_id, settlement._replace(state="live")),
    ]
