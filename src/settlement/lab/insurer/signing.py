"""Signing in and out: transactions 9001 and 9002."""

from __future__ import annotations

from settlement.lab.insurer.envelope import Message, Refused, required
from settlement.lab.insurer.platform import Platform, Reply


def sign_in(platform: Platform, message: Message) -> Reply:
    """9001: give an operator a sign-in number for the day."""
    (operator,) = required(message.node("signIn"), "opter_no")
    number = platform.state.next_number("sign_no")
    sign_no = str(350_000 + number)
    return Reply(
        {"signinoutb": {"sign_no": sign_no, "sign_time": message.now.text}},
        [("counters", "sign_no", number), ("sign_ins", sign_no, operator)],
    )


def sign_out(platform: Platform, message: Message) -> Reply:
    """9002: end a sign-in."""
    sign_no, operator = required(message.node("signOut"), "sign_no", "opter_no")
    if platform.state.sign_ins.get(sign_no) != operator:
        raise Refused("签到编号无效")
    return Reply({"signoutoutb": {"sign_time": message.now.text}}, [("sign_ins", sign_no, "")])
