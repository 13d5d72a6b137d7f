"""The steps of a bill's life as they are read at the counter, codes among them in words."""

from __future__ import annotations

from typing import Any

import pytest

from settlement.domain.sentences import Language
from settlement.domain.timeline import step_in_words


@pytest.mark.parametrize(
    ("type_", "payload", "zh", "en"),
    [
        (
            "settlement.settled.v1",
            {"aid_on_bill": "1.00", "aid_to_card": "2.00", "cash_due": "3.00"},
            "互助已结算：记入本单 1.00 元，打入银行卡 2.00 元，应付现金 3.00 元。",
            "Settled: 1.00 on the bill, 2.00 to the card, cash due 3.00.",
        ),
        (
            "settlement.reversed.v1",
            {"reason": "refund", "seen_by": "brought"},
            "医保已撤销（医院提交），互助已冲销：退费。",
            "The insurer cancelled (the hospital brought it); the aid was reversed: refund.",
        ),
        (
            "settlement.reversed.v1",
            {"reason": "other", "by": "exchange", "seen_by": None},
            "医保已撤销（医保推送），互助已冲销：其他。",
            "The insurer cancelled (the insurer's platform); the aid was reversed: another reason.",
        ),
        (
            "settlement.revised.v1",
            {"revision": 2, "reason": "rerated", "aid_on_bill": "1.00", "aid_to_card": "2.00", "cash_due": "3.00"},
            "互助已重记为第 2 版（前面的账单有变动，重新核算）："
            "记入本单 1.00 元，打入银行卡 2.00 元，应付现金 3.00 元。",
            "Recorded anew as revision 2 (computed anew because earlier bills changed): 1.00 on the bill, "
            "2.00 to the card, cash due 3.00.",
        ),
        (
            "settlement.confirmed.v1",
            {"by": "bureau_file"},
            "金额已由医保确认（医保每日清单）。",
            "The figures were confirmed by the insurer (the bureau's daily list).",
        ),
        (
            "settlement.resolved.v1",
            {"outcome": "cancelled"},
            "查询结果：医保曾结算，现已撤销。",
            "Found out: The insurer had settled and has cancelled it.",
        ),
        (
            "settlement.resolved.v1",
            {"outcome": "cancelled", "bill_id": "b"},
            "单据 b。查询结果：医保曾结算，现已撤销。",
            "The bill is b. Found out: The insurer had settled and has cancelled it.",
        ),
        (
            "settlement.cancelled_while_held.v1",
            {"reason": "insurer_cancelled"},
            "待补期间医保已撤销：医保撤销。",
            "The insurer cancelled while the bill was held: cancelled by the insurer.",
        ),
        (
            "settlement.came_after_cancellation.v1",
            {},
            "账单在其撤销之后到达，不予支付。",
            "The bill arrived after its cancellation; nothing is paid.",
        ),
    ],
)
def test_a_step_is_told_in_either_language(type_: str, payload: dict[str, Any], zh: str, en: str):
    assert step_in_words(type_, payload, Language.CHINESE) == zh
    assert step_in_words(type_, payload, Language.ENGLISH) == en


def test_a_held_bill_is_told_with_its_question_in_words():
    told = step_in_words("settlement.held.v1", {"question": "aid_already_inside"}, Language.CHINESE)
    assert told.startswith("单据待补：")
    assert "aid_already_inside" not in told
