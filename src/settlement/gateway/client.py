"""The line to the insurer: one method per question, and no way to send anything else.

Pure transport: it reads envelopes, not bills. Nothing is repeated, except a question that was surely not taken: refused
for a stale sign-in or for a message id that was used before. Bodies are never logged.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from settlement.domain.time import CHINA, Clock
from settlement.gateway.breaker import Breaker, LineRests
from settlement.gateway.fields import Malformed, Message
from settlement.gateway.messages import (
    FeeQuestion,
    LocalAnswer,
    NotJson,
    PersonQuestion,
    RequestEnvelope,
    ResponseEnvelope,
    SettlementQuestion,
    SignInOutput,
    SignInQuestion,
    VisitQuestion,
    read_answer,
)
from settlement.gateway.outcome import Answered, NoAnswer, NotSent, Outcome, Refused
from settlement.gateway.profile import GatewayProfile
from settlement.gateway.signing import authentication_headers

_log = logging.getLogger(__name__)

_FIRST_SERVER_ERROR = 500
_MESSAGE_ID_TAKEN = NotSent("the message id was used before")
_NO_DEFINITE_REFUSAL = NoAnswer("infcode -1 that is no definite refusal")


def open_line(profile: GatewayProfile) -> httpx.AsyncClient:
    """Return the HTTP client for a profile, to be closed by the caller."""
    timeout = httpx.Timeout(profile.answer_timeout_seconds, connect=profile.connect_timeout_seconds)
    return httpx.AsyncClient(transport=AiohttpTransport(trust_env=False), timeout=timeout, trust_env=False)


@dataclass(frozen=True, slots=True)
class Place:
    """The areas that a question is about: where care was given, and where the person is insured (known from 1101)."""

    area: str
    insured_area: str = ""


@dataclass(slots=True)
class GatewayClient:
    """Asks the insurer, with credentials that the bureau issued to this service.

    `secrets` holds the variables that the profile names; `next_serial` counts up and need not start at zero; `nonce`
    returns a fresh random text. All instants come from `clock`.
    """

    profile: GatewayProfile
    http: httpx.AsyncClient
    secrets: Mapping[str, str] = field(repr=False)
    clock: Clock
    next_serial: Callable[[], int]
    nonce: Callable[[], str]
    _sign_ins: dict[tuple[str, date], str] = field(default_factory=dict, init=False, repr=False)
    _signing_in: asyncio.Task[str | NotSent] | None = field(default=None, init=False, repr=False)
    _breaker: Breaker = field(init=False, repr=False)

    def __post_init__(self) -> None:
        profile = self.profile
        self._breaker = Breaker(
            profile.breaker_failures, profile.breaker_rest_seconds, profile.asked_at_once, self.clock
        )

    @property
    def can_ask(self) -> bool:
        """Whether the bureau issued what we need to ask; where it did not, bills are brought, never fetched."""
        return not self.profile.missing_to_ask(self.secrets)

    async def ask_person(self, question: PersonQuestion, place: Place) -> Outcome:
        """Ask 1101: who is this, and how insured?"""
        return await self._ask("1101", "data", question, place)

    async def ask_visits(self, question: VisitQuestion, place: Place) -> Outcome:
        """Ask 5201: which visits had this person?"""
        return await self._ask("5201", "data", question, place)

    async def ask_settlement(self, question: SettlementQuestion, place: Place) -> Outcome:
        """Ask 5203: what became of this settlement? Read the answer with `mapping.from_5203`."""
        return await self._ask("5203", "data", question, place)

    async def ask_fees(self, question: FeeQuestion, place: Place) -> Outcome:
        """Ask 5204: which fee lines has this visit, and by which settlement were they settled?"""
        return await self._ask("5204", "data", question, place)

    async def _ask(self, infno: str, node: str, question: Message, place: Place) -> Outcome:
        """Send a question, unless the line rests: then say so at once."""
        missing = self.profile.missing_to_ask(self.secrets)
        if missing:
            return NotSent(f"the bureau issued no credentials to ask with: {', '.join(missing)} not set")
        try:
            with self._breaker.question():
                return await self._ask_signed_in(infno, node, question, place)
        except LineRests as rests:
            return NotSent(str(rests), rests.retry_after_seconds)

    async def _ask_signed_in(self, infno: str, node: str, question: Message, place: Place) -> Outcome:
        """Send a question; once more with a new message id where the first was surely not taken."""
        sign_no = await self._signed_in(place, stale=None)
        if not isinstance(sign_no, str):
            return sign_no
        outcome = await self._send(infno, node, question, place, sign_no)
        if outcome == _MESSAGE_ID_TAKEN:
            return await self._send(infno, node, question, place, sign_no)
        if not (self.profile.sign_in and _is_stale_sign_in(outcome, self.profile)):
            return outcome
        sign_no = await self._signed_in(place, stale=sign_no)
        return await self._send(infno, node, question, place, sign_no) if isinstance(sign_no, str) else sign_no

    async def _signed_in(self, place: Place, stale: str | None) -> str | NotSent:
        """Return the sign-in number of our operator for today in China; all who wait share one 9001 and its fate.

        A number that somebody else has already renewed is taken as it is.
        """
        if not self.profile.sign_in:
            return ""
        key = (self.profile.opter, self._china_now().date())
        held = self._sign_ins.get(key)
        if held is not None and held != stale:
            return held
        if self._signing_in is None or self._signing_in.done():
            self._signing_in = asyncio.create_task(self._sign_in(key, place))
        return await asyncio.shield(self._signing_in)

    async def _sign_in(self, key: tuple[str, date], place: Place) -> str | NotSent:
        question = SignInQuestion(opter_no=self.profile.opter, mac=self.profile.sign_in_mac, ip=self.profile.sign_in_ip)
        outcome = await self._send("9001", "signIn", question, place, sign_no="")
        sign_no = _sign_no(outcome)
        if sign_no is None:
            if not _is_there(outcome):
                self._breaker.rest()
            return NotSent(f"not signed in: {_reason(outcome)}")
        self._sign_ins = {key: sign_no}
        return sign_no

    async def _send(self, infno: str, node: str, question: Message, place: Place, sign_no: str) -> Outcome:
        """Send one message and tell its outcome; the deadline is on the whole answer, not on its next byte."""
        url = self.profile.url_for(infno)
        if url is None:
            return NotSent(f"the profile has no path for {infno}")
        envelope = self._envelope(infno, {node: question.model_dump()}, place, sign_no)
        body = json.dumps(envelope.model_dump(), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        headers |= authentication_headers(self.profile, self.secrets, int(self.clock().timestamp()), self.nonce())
        deadline = self.profile.connect_timeout_seconds + self.profile.answer_timeout_seconds
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(deadline):
                response = await self.http.post(url, content=body, headers=headers)
        except TimeoutError:
            outcome: Outcome = NoAnswer("no answer in time")
        except httpx.HTTPError as error:
            reason = type(error).__name__
            outcome = NotSent(f"not connected: {reason}") if _never_sent(error) else NoAnswer(f"lost: {reason}")
        except httpx.InvalidURL:
            outcome = NotSent("the profile's url is not a URL")
        except aiohttp.ClientError as error:
            outcome = NoAnswer(f"not understood: {type(error).__name__}")
        else:
            outcome = read_outcome(response.status_code, response.content, self.profile)
        _log.info("asked %s: %s", infno, type(outcome).__name__)
        slow = loop.time() - began > self.profile.slow_answer_seconds
        if slow or not _is_there(outcome):
            self._breaker.failed()
        else:
            self._breaker.answered()
        return outcome

    def _envelope(self, infno: str, node: Mapping[str, Any], place: Place, sign_no: str) -> RequestEnvelope:
        profile, now = self.profile, self._china_now()
        return RequestEnvelope(
            infno=infno,
            msgid=self._message_id(now),
            mdtrtarea_admvs=place.area,
            insuplc_admdvs=place.insured_area,
            recer_sys_code=profile.recer_sys_code,
            infver=profile.infver,
            opter_type=profile.opter_type,
            opter=profile.opter,
            opter_name=profile.opter_name,
            inf_time=f"{now:%Y-%m-%d %H:%M:%S}",
            fixmedins_code=profile.fixmedins_code,
            fixmedins_name=profile.fixmedins_name,
            sign_no=sign_no,
            input=node,
        )

    def _message_id(self, now: datetime) -> str:
        """Return code, second and a serial of our own range: a hospital's own messages share code and second."""
        first, last = self.profile.serial_first, self.profile.serial_last
        serial = first + self.next_serial() % (last - first + 1)
        return f"{self.profile.fixmedins_code}{now:%Y%m%d%H%M%S}{serial:04d}"

    def _china_now(self) -> datetime:
        return self.clock().astimezone(CHINA)


def read_outcome(status: int, body: bytes, profile: GatewayProfile) -> Outcome:
    """Tell the outcome from an HTTP answer (docs/gateway.md 6): only an envelope with infcode 0 has answered.

    -1 covers ordinary refusals as well as failures after the effect, so only texts that the profile lists are refusals;
    any other code refuses, since a question leaves nothing behind that might need reversing. A message id that was
    used before was not taken.
    """
    if status >= _FIRST_SERVER_ERROR:
        return NoAnswer(f"HTTP {status}")
    if not body.strip():
        return NoAnswer("empty body")
    try:
        answer = read_answer(body)
    except (NotJson, Malformed):
        return NoAnswer(f"HTTP {status} without an envelope")
    if isinstance(answer, LocalAnswer):
        return NoAnswer(f"HTTP {status} without an envelope, code {answer.code or 'none'}")
    code, message = answer.infcode or "", answer.err_msg or ""
    if code == "0":
        return _answered(answer)
    if _contains(message, profile.duplicate_message_texts):
        return _MESSAGE_ID_TAKEN
    definite = (*profile.refusal_texts, *profile.stale_sign_in_texts)
    if code == "-1" and not _contains(message, definite):
        return _NO_DEFINITE_REFUSAL
    return Refused(code, message)


def _answered(answer: ResponseEnvelope) -> Outcome:
    if isinstance(answer.output, list):
        return Answered({"result": answer.output})
    if answer.output is None or isinstance(answer.output, Mapping):
        return Answered(answer.output or {})
    return NoAnswer("the output is encrypted or not an object")


def _contains(message: str, texts: tuple[str, ...]) -> bool:
    return any(text in message for text in texts)


def _is_there(outcome: Outcome) -> bool:
    """Say whether the far end works: it answered, refused, or failed with this one question in its own words."""
    return isinstance(outcome, Answered | Refused) or outcome in (_MESSAGE_ID_TAKEN, _NO_DEFINITE_REFUSAL)


def _is_stale_sign_in(outcome: Outcome, profile: GatewayProfile) -> bool:
    return isinstance(outcome, Refused) and _contains(outcome.message, profile.stale_sign_in_texts)


def _sign_no(outcome: Outcome) -> str | None:
    if not isinstance(outcome, Answered):
        return None
    try:
        return SignInOutput.read(outcome.output).signinoutb.sign_no
    except Malformed:
        return None


def _reason(outcome: Outcome) -> str:
    if isinstance(outcome, Refused):
        return f"refused with {outcome.code}"
    return "no sign-in number in the answer" if isinstance(outcome, Answered) else outcome.reason


def _never_sent(error: httpx.HTTPError) -> bool:
    """Say whether an error came before the first byte was sent.

    The transport calls every broken connection `ConnectTimeout`, also one lost while waiting for the answer, so its
    cause decides.
    """
    if isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol):
        return True
    return isinstance(error.__cause__, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
