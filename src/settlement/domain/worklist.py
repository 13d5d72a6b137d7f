"""The worklist: each kind of thing that a person has to look at, what to do next about it, and who may do what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONGEST_REMARK = 500
_PERSONS_NUMBER = re.compile(r"\d{11}")
"""So many digits in a row are a certificate, an insured person number, a card or a telephone."""


class Action(StrEnum):
    """What a person did with an item."""

    TAKEN = "taken"
    GIVEN_BACK = "given_back"
    REMARKED = "remarked"
    CLOSED = "closed"


class ClosingReason(StrEnum):
    """Why an item is closed: a list, so that it can be counted."""

    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    DUPLICATE = "duplicate"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of work: its name and the next action in the clerks' words, and the roles that may close it."""

    title: str
    next_action: str
    closed_by: frozenset[str]


WORKED_BY: Final = frozenset({"clerk", "approver"})
"""The roles that take items, give them back and remark on them."""
_HEAD: Final = frozenset({"approver"})
RERATING_PROPOSED: Final = "rerating_proposed"

KINDS: Final[Mapping[str, Kind]] = {
    "bill_changed": Kind(
        "医保金额与已记账单不同",
        "互助仍按原记录。向医院和医保核对哪一份金额正确；原单有误的，请医院先在医保撤销再重新结算。",
        WORKED_BY,
    ),
    "bill_unconfirmed": Kind(
        "医保未能证实此单",
        "互助仍按原记录。向医保局或医院核对此单；确认前不向医院清算。",
        WORKED_BY,
    ),
    "cancellation_unresolved": Kind(
        "未查清医保是否已撤销",
        "互助仍按原记录。请医院核实医保撤销是否成功，再提交撤销结果。",
        WORKED_BY,
    ),
    "message_unresolved": Kind(
        "未查清报文是否已结算",
        "互助未记账。请医院信息科按报文编号向医保核实，再补交或作废。",
        WORKED_BY,
    ),
    "cancellation_unmatched": Kind(
        "医保撤销找不到原单",
        "未冲销任何互助。核对此单是否就是被撤销的单据；如是，请医院提交冲销，如不是，关闭本项。",
        WORKED_BY,
    ),
    "plan_asks": Kind(
        "方案规定由人评定",
        "此项互助尚未支付。按方案条款收齐材料，由负责人评定后关闭。",
        _HEAD,
    ),
    "corrected_with_less": Kind(
        "更正后的单据应得互助较少",
        "互助仍按已显示的金额。由负责人核对新旧两单，决定是否追回差额后关闭。",
        _HEAD,
    ),
    "reinstated_with_less": Kind(
        "恢复的单据互助较少",
        "互助已按剩余额度记账，少于原来所示。由负责人核对，与职工说明后关闭。",
        _HEAD,
    ),
    "reinstated_beside_another": Kind(
        "恢复的单据与其更正单同时有效",
        "两单互助均已记账。请医院核对是否为同一费用：如是，请在医保撤销其中一单；如不是，关闭本项。",
        WORKED_BY,
    ),
    "covered_but_unclear": Kind(
        "名册补录后在保，尚缺资料",
        "此单曾因不在保障期未付互助，名册补录后在保，但还缺一项资料。请医院补齐后重新提交此单。",
        WORKED_BY,
    ),
    RERATING_PROPOSED: Kind(
        "建议重算本期互助",
        "各单互助仍按原记录。由负责人逐单核对重算建议：领取后一次执行，或关闭本项，即不执行。",
        _HEAD,
    ),
    "provisional_cover": Kind(
        "暂按续保结算，待名册确认",
        "互助已按续保结算。向单位工会催交本期名册；到期仍未参保的，由负责人决定是否追回。",
        WORKED_BY,
    ),
}
"""What stands before a colon in an item's kind; what stands after it (a benefit's code) is shown beside the title."""

CLOSING_REASONS: Final[Mapping[ClosingReason, str]] = {
    ClosingReason.DONE: "已处理",
    ClosingReason.NOTHING_TO_DO: "核实后无需处理",
    ClosingReason.DUPLICATE: "与另一项重复",
    ClosingReason.ELSEWHERE: "已转其他渠道办理",
}

ACTIONS: Final[Mapping[Action, str]] = {
    Action.TAKEN: "领取",
    Action.GIVEN_BACK: "退回",
    Action.REMARKED: "备注",
    Action.CLOSED: "关闭",
}


@dataclass(frozen=True, slots=True)
class Done:
    """What a person wants to do with an item."""

    action: Action
    reason: ClosingReason | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How an item stands: of which kind it is, whether it is closed, and the login of its owner."""

    kind: str
    closed: bool
    owner: str | None


def kind_of(kind: str) -> Kind:
    """Return the kind of an item; one that an older release does not know is shown by its code."""
    code = kind.partition(":")[0]
    return KINDS.get(code) or Kind(code, "请联系运维。", _HEAD)


def allowed_actions(standing: Standing, login: str, roles: Sequence[str]) -> tuple[Action, ...]:
    """Return what a person may do with an item now.

    An item is closed by its owner, so that two people do not work on one thing; the owner gives it back, or, when
    the owner is away, an approver does.
    """
    if standing.closed or not WORKED_BY & set(roles):
        return ()
    if standing.owner is None:
        return (Action.TAKEN, Action.REMARKED)
    if standing.owner != login:
        return (Action.GIVEN_BACK, Action.REMARKED) if _HEAD & set(roles) else (Action.REMARKED,)
    closing = (Action.CLOSED,) if kind_of(standing.kind).closed_by & set(roles) else ()
    return (Action.GIVEN_BACK, Action.REMARKED, *closing)


def is_usable(remark: str) -> bool:
    """Say whether a remark can be kept for ever: not empty, not too long, without digits that name a person or card."""
    return 0 < len(remark) <= LONGEST_REMARK and "\x00" not in remark and not _names_a_person(remark)


def _names_a_person(remark: str) -> bool:
    return bool(_PERSONS_NUMBER.search(re.sub(r"[\s-]", "", remark)))
