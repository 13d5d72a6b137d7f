"""The message envelope: what a request must carry, and the frame of every answer."""

from __future__ import annotations

from typing import Any, NamedTuple

from settlement.lab.insurer.clock import Moment, is_moment
from settlement.lab.insurer.wire import Malformed, encode

_REQUIRED = (
    "infno",
    "msgid",
    "mdtrtarea_admvs",
    "recer_sys_code",
    "infver",
    "opter_type",
    "opter",
    "opter_name",
    "inf_time",
    "fixmedins_code",
    "fixmedins_name",
    "input",
)
_MSGID_LENGTH = 30


class Refused(Exception):
    """The platform says no: -2 is a business error, -1 what it calls a system error; nothing was changed."""

    def __init__(self, text: str, infcode: int = -2) -> None:
        super().__init__(text)
        self.text = text
        self.infcode = infcode


class Message(NamedTuple):
    """One request whose envelope is in order. `fields` is the whole envelope, `now` the platform's time for it."""

    infno: str
    msgid: str
    fields: dict[str, Any]
    input: dict[str, Any]
    now: Moment

    def text(self, field: str) -> str:
        """Return an envelope field as text, empty when absent."""
        return as_text(self.fields.get(field))

    def node(self, name: str = "data") -> dict[str, Any]:
        """Return an object of the input. Refuses the message when it is missing."""
        node = self.input.get(name)
        if isinstance(node, list) and node and isinstance(node[0], dict):
            node = node[0]
        if not isinstance(node, dict):
            raise Refused(f"交易输入缺少节点:{name}")
        return node

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return a list of objects of the input; one object alone counts as a list of one."""
        rows = self.input.get(name)
        if isinstance(rows, dict):
            return [rows]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Refused(f"交易输入缺少节点:{name}")
        return rows


def as_text(value: object) -> str:
    """Read a field that the interface calls a string; clients also send numbers, null or nothing."""
    return "" if value is None else str(value)


def required(node: dict[str, Any], *names: str) -> list[str]:
    """Return required input fields as text. Refuses the message when one is missing or empty."""
    values = [as_text(node.get(name)) for name in names]
    if "" in values:
        raise Refused(f"交易输入缺少必填项:{names[values.index('')]}")
    return values


def check_envelope(fields: dict[str, Any]) -> None:
    """Refuse an envelope that lacks a required field, as a system error of the platform."""
    for name in _REQUIRED:
        if fields.get(name) in (None, ""):
            raise Refused(f"报文头缺少必填项:{name}", infcode=-1)
    if not isinstance(fields["input"], dict):
        raise Refused("报文头缺少必填项:input", infcode=-1)
    if len(as_text(fields["msgid"])) > _MSGID_LENGTH:
        raise Refused("报文ID超长", infcode=-1)
    if not is_moment(fields["inf_time"]):
        raise Refused("交易时间格式错误", infcode=-1)
    if find_psn_no(fields["input"]) and not fields.get("insuplc_admdvs"):
        raise Refused("报文头缺少必填项:insuplc_admdvs", infcode=-1)


def find_psn_no(input_: object) -> str:
    """Return the person number that the input names in its first node, empty when it names none."""
    if not isinstance(input_, dict):
        return ""
    for node in input_.values():
        first = node[0] if isinstance(node, list) and node else node
        if isinstance(first, dict) and first.get("psn_no"):
            return as_text(first["psn_no"])
    return ""


def answer(
    now: Moment, refmsgid: str, output: dict[str, object] | None, infcode: int = 0, err_msg: str | None = None
) -> str:
    """Write an answer; `output` None leaves the member out, as the platform does where there is nothing to say."""
    frame: dict[str, object] = {
        "infcode": infcode,
        "inf_refmsgid": refmsgid,
        "refmsg_time": now.milliseconds_stamp,
        "respond_time": now.milliseconds_stamp,
        "enctype": "",
        "signtype": "",
        "err_msg": err_msg,
    }
    if output is not None:
        frame["output"] = output
    return encode(frame)


def as_refusal(error: Malformed) -> Refused:
    """Turn an unreadable amount inside a message into the platform's answer to it."""
    return Refused(f"报文格式错误:{error}")
