"""From the bytes of a request to the bytes of its answer, with the exchange in the raw log before either is seen."""

from __future__ import annotations

from typing import Any, NamedTuple

from settlement.lab.insurer.clock import system_moment
from settlement.lab.insurer.envelope import Message, Refused, answer, as_text, find_psn_no
from settlement.lab.insurer.platform import Answered, Parked, Platform
from settlement.lab.insurer.transactions import infno_of_path
from settlement.lab.insurer.wire import Malformed, parse


class Request(NamedTuple):
    """One request as it came: its path, its bytes, and its envelope, empty when the bytes are no message."""

    path: str
    body: bytes
    fields: dict[str, Any]

    @property
    def infno(self) -> str:
        """The transaction number that the envelope names."""
        return as_text(self.fields.get("infno"))


def read_request(path: str, body: bytes) -> Request:
    """Read a request; one that is not JSON has no fields and will be refused."""
    try:
        return Request(path, body, parse(body))
    except Malformed:
        return Request(path, body, {})


def person_no(platform: Platform, request: Request) -> str:
    """Return the person a request is about, by number or by certificate; empty when it names nobody."""
    input_ = request.fields.get("input")
    if found := find_psn_no(input_):
        return found
    data = input_.get("data") if isinstance(input_, dict) else None
    number = as_text(data.get("mdtrt_cert_no")) if isinstance(data, dict) else ""
    person = platform.find_by_certificate(number)
    return person.psn_no if person else ""


def answer_request(platform: Platform, request: Request, delivered: bool = True) -> Answered:
    """Do what a request asks and log the exchange. `delivered` False says that the answer will not leave."""
    message, answered = _perform(platform, request)
    _log(platform, request, message, answered, delivered)
    return answered


def answer_with_error(platform: Platform, request: Request) -> Answered:
    """Do what a request asks, then answer -1 with a message id as if the platform had failed.

    What the platform refuses anyway is answered as it is.
    """
    message, answered = _perform(platform, request)
    if answered.infcode == 0 and message is not None:
        refmsgid = platform.next_refmsgid(message.now)
        text = answer(message.now, refmsgid, None, -1, "系统异常，请稍后再试")
        answered = Answered(text, -1)
    _log(platform, request, message, answered, delivered=True)
    return answered


def log_unanswered(platform: Platform, request: Request, response: str | None = None) -> None:
    """Log a request that had no effect, with the text that was answered in place of an envelope, if any."""
    at = as_text(request.fields.get("inf_time")) if platform.options.clock == "message" else ""
    platform.raw.add(at or system_moment().text, request.infno, _loggable(request), response, delivered=False)


def park(platform: Platform, request: Request, seconds: float) -> None:
    """Keep a request whose effect is to come late, and log that it had no answer."""
    log_unanswered(platform, request)
    platform.late[as_text(request.fields.get("msgid"))] = Parked(request.path, request.fields, request.body, seconds)


def take_late(platform: Platform, msgid: str) -> tuple[Request, float] | None:
    """Return a late request and the seconds it still needs, once; or None."""
    parked = platform.late.pop(msgid, None)
    return None if parked is None else (Request(parked.path, parked.body, parked.fields), parked.seconds)


def reversed_msgid(request: Request, answered: Answered) -> str:
    """Return the msgid that a 2601 asked for and did not find, else an empty text."""
    if request.infno != "2601" or answered.infcode == 0:
        return ""
    input_ = request.fields.get("input")
    data = input_.get("data") if isinstance(input_, dict) else None
    return as_text(data.get("omsgid")) if isinstance(data, dict) else ""


def _perform(platform: Platform, request: Request) -> tuple[Message | None, Answered]:
    try:
        if not request.fields:
            raise Refused("报文格式错误", infcode=-1)
        message = platform.open_message(request.fields)
        named = infno_of_path(request.path)
        if named is not None and named != message.infno:
            raise Refused("交易编号与请求地址不一致", infcode=-1)
    except Refused as refusal:
        return None, platform.refuse(None, refusal)
    return message, platform.perform(message)


def _log(platform: Platform, request: Request, message: Message | None, answered: Answered, delivered: bool) -> None:
    at = message.now.text if message is not None else system_moment().text
    response = answered.text if answered.blob is None else f'{{"octets":{len(answered.blob)}}}'
    platform.raw.add(at, request.infno, _loggable(request), response, delivered)


def _loggable(request: Request) -> bytes:
    """Return the body, or null for a body that would make the log line unreadable."""
    return request.body if request.fields else b"null"
