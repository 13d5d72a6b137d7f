"""The line to the insurer, against a real socket: every way a question can end is its own type."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from gateway.line import FarEnd, Http, Raw, Script, Slow, far_end
from gateway.shapes import envelope
from settlement.gateway.client import GatewayClient, Place, open_line
from settlement.gateway.messages import FeeQuestion, PersonQuestion, SettlementQuestion, VisitQuestion
from settlement.gateway.outcome import Answered, NoAnswer, NotSent, Refused
from settlement.gateway.profile import GatewayProfile, load_profile
from settlement.gateway.signing import tif_signature

PLACE = Place("371600", "371602")
QUESTION = SettlementQuestion(psn_no="37160000000000000007", setl_id="400990001", mdtrt_id="300990001")
EVENING = datetime(2025, 3, 10, 15, 59, 59, tzinfo=UTC)
QUICK = {"connect_timeout_seconds": 0.2, "answer_timeout_seconds": 0.2}


class StoppedClock:
    def __init__(self) -> None:
        self.now = EVENING

    def __call__(self) -> datetime:
        return self.now


def signing_in(then: Script) -> Script:
    """Answer sign-ins with numbers that count up, and everything else by the script."""
    numbers = itertools.count(359_754)

    def script(message):
        if message["infno"] != "9001":
            return then(message)
        return Http(envelope({"signinoutb": {"sign_no": str(next(numbers)), "sign_time": "2025-03-10 23:59:59"}}))

    return script


@asynccontextmanager
async def line(script: Script, **changes: object) -> AsyncIterator[tuple[GatewayClient, FarEnd]]:
    async with far_end(script) as end:
        profile = load_profile("simulator").model_copy(update={"url": end.url, **changes})
        async with open_line(profile) as http:
            yield a_client(profile, http), end


def a_client(profile: GatewayProfile, http, clock=None) -> GatewayClient:
    secrets = {"PAASID": "p", "SECRET": "test-secret", "KEY": "k-123"}
    return GatewayClient(
        profile=profile,
        http=http,
        secrets=secrets,
        clock=clock or StoppedClock(),
        next_serial=itertools.count(998).__next__,
        nonce=lambda: "abc123XYZ",
    )


def always(reply):
    return signing_in(lambda message: reply)


async def test_a_question_is_answered():
    async with line(always(Http(envelope({"setlinfo": {"setl_id": "1"}})))) as (client, end):
        assert await client.ask_settlement(QUESTION, PLACE) == Answered({"setlinfo": {"setl_id": "1"}})
    (asked,) = end.asked("5203")
    assert asked["input"] == {"data": QUESTION.model_dump()}
    assert asked["mdtrtarea_admvs"] == "371600"
    assert asked["insuplc_admdvs"] == "371602"
    assert asked["inf_time"] == "2025-03-10 23:59:59"
    assert asked["sign_no"] == "359754"
    assert asked["opter_name"] == "职工互助结算"


async def test_each_question_has_its_own_method_and_nothing_else_can_be_sent():
    async with line(always(Http(envelope({})))) as (client, end):
        await client.ask_person(PersonQuestion(mdtrt_cert_type="02", mdtrt_cert_no="1"), PLACE)
        await client.ask_visits(VisitQuestion(psn_no="1", begntime="", endtime="", med_type="11"), PLACE)
        await client.ask_settlement(QUESTION, PLACE)
        await client.ask_fees(FeeQuestion(psn_no="1", mdtrt_id="2"), PLACE)
        assert [message["infno"] for message in end.messages] == ["9001", "1101", "5201", "5203", "5204"]
        fields = {"profile", "http", "secrets", "clock", "next_serial", "nonce"}
        public = {name for name in dir(client) if not name.startswith("_")} - fields
    assert public == {"ask_person", "ask_visits", "ask_settlement", "ask_fees", "can_ask"}


async def test_message_ids_are_our_code_the_second_in_china_and_a_serial_of_our_range():
    async with line(always(Http(envelope({})))) as (client, end):
        await client.ask_settlement(QUESTION, PLACE)
        await client.ask_settlement(QUESTION, PLACE)
    head = "H3716990000120250310235959"
    assert [message["msgid"] for message in end.messages] == [f"{head}9998", f"{head}9999", f"{head}9000"]


async def test_fifty_questions_at_once_sign_in_once():
    async with line(always(Http(envelope({})))) as (client, end):
        outcomes = await asyncio.gather(*(client.ask_settlement(QUESTION, PLACE) for _ in range(50)))
    assert outcomes == [Answered({})] * 50
    assert len(end.asked("9001")) == 1
    assert {message["sign_no"] for message in end.asked("5203")} == {"359754"}


async def test_a_sign_in_is_for_one_day_in_china():
    clock = StoppedClock()
    async with far_end(always(Http(envelope({})))) as end:
        profile = load_profile("simulator").with_url(end.url)
        async with open_line(profile) as http:
            client = a_client(profile, http, clock)
            await client.ask_settlement(QUESTION, PLACE)
            clock.now = datetime(2025, 3, 10, 16, 0, 0, tzinfo=UTC)
            await client.ask_settlement(QUESTION, PLACE)
    assert [message["sign_no"] for message in end.asked("5203")] == ["359754", "359755"]


async def test_a_stale_sign_in_is_renewed_once_with_a_new_message_id():
    def stale_first(message):
        fresh = message["sign_no"] == "359755"
        return Http(envelope({}) if fresh else envelope(None, -1, "签到编号无效"))

    async with line(signing_in(stale_first)) as (client, end):
        assert await client.ask_settlement(QUESTION, PLACE) == Answered({})
        assert await client.ask_settlement(QUESTION, PLACE) == Answered({})
    assert len(end.asked("9001")) == 2
    assert len({message["msgid"] for message in end.messages}) == len(end.messages) == 5


async def test_a_sign_in_that_stays_stale_is_a_refusal():
    async with line(always(Http(envelope(None, -1, "签到编号无效")))) as (client, end):
        assert await client.ask_settlement(QUESTION, PLACE) == Refused("-1", "签到编号无效")
    assert len(end.asked("9001")) == len(end.asked("5203")) == 2


async def test_a_message_id_that_was_used_before_is_replaced_once():
    replies = iter([envelope(None, -1, "报文ID重复"), envelope({})])
    async with line(signing_in(lambda message: Http(next(replies)))) as (client, end):
        assert await client.ask_settlement(QUESTION, PLACE) == Answered({})
    assert len({message["msgid"] for message in end.asked("5203")}) == 2


async def test_a_question_whose_ids_were_all_used_before_was_not_sent():
    async with line(always(Http(envelope(None, -1, "报文ID重复")))) as (client, end):
        assert isinstance(await client.ask_settlement(QUESTION, PLACE), NotSent)
    assert len(end.asked("5203")) == 2


@pytest.mark.parametrize(
    "reply",
    [
        Http(envelope(None, -2, "操作员不存在")),
        Http(envelope({"signinoutb": {}})),
        Http(envelope({})),
        Http("", 500),
        Raw(b""),
    ],
    ids=["refused", "no_number", "no_node", "http_500", "lost"],
)
async def test_without_a_sign_in_nothing_is_sent_and_all_who_wait_share_its_fate(reply):
    async def slowly(message):
        await asyncio.sleep(0.02)
        return reply

    async with line(slowly) as (client, end):
        outcomes = await asyncio.gather(*(client.ask_settlement(QUESTION, PLACE) for _ in range(20)))
    assert all(isinstance(outcome, NotSent) and outcome.reason.startswith("not signed in") for outcome in outcomes)
    assert len(end.messages) == 1


async def test_a_caller_who_gives_up_does_not_take_the_sign_in_with_him():
    async def slowly(message):
        await asyncio.sleep(0.05)
        return Http(envelope({"signinoutb": {"sign_no": "7"}}))

    async with line(slowly) as (client, end):
        impatient = asyncio.create_task(client.ask_settlement(QUESTION, PLACE))
        await asyncio.sleep(0.01)
        patient = asyncio.create_task(client.ask_settlement(QUESTION, PLACE))
        await asyncio.sleep(0.01)
        impatient.cancel()
        assert isinstance(await patient, Answered)
    assert len(end.asked("9001")) == 1


async def test_where_no_sign_in_is_needed_none_is_made():
    async with line(lambda message: Http(envelope({})), sign_in=False) as (client, end):
        assert await client.ask_settlement(QUESTION, PLACE) == Answered({})
    assert [message["sign_no"] for message in end.messages] == [""]


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (envelope(None, -2, "业务错误"), Refused("-2", "业务错误")),
        (envelope(None, "-2", "业务错误"), Refused("-2", "业务错误")),
        (envelope(None, -99, "别的"), Refused("-99", "别的")),
        (envelope(None, -1, "【1101】该参保人的基本信息为空"), Refused("-1", "【1101】该参保人的基本信息为空")),
        ('{"infcode": -2, "message": "业务错误"}', Refused("-2", "业务错误")),
        (envelope(None, "0"), Answered({})),
        ('{"infcode": 0}', Answered({})),
        (envelope([{"setl_id": "1"}]), Answered({"result": [{"setl_id": "1"}]})),
    ],
)
async def test_what_the_insurer_said_is_told_apart(body, outcome):
    async with line(always(Http(body))) as (client, _):
        assert await client.ask_settlement(QUESTION, PLACE) == outcome


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Http(envelope(None, -1, "系统异常")), id="minus_one_that_is_no_refusal"),
        pytest.param(Http(envelope(None, -1, "")), id="minus_one_without_text"),
        pytest.param(Http('{"code":500159,"success":false,"message":"x"}'), id="no_envelope"),
        pytest.param(Http('{"code":400001,"msg":"鉴权失败"}', 500), id="http_500"),
        pytest.param(Http(envelope({}), 502), id="http_502_with_an_envelope"),
        pytest.param(Http("<html>not found</html>", 404), id="html"),
        pytest.param(Http(""), id="empty_body"),
        pytest.param(Http("[]"), id="a_list"),
        pytest.param(Http(envelope("RW5jcnlwdGVk")), id="encrypted_output"),
        pytest.param(Raw(b""), id="closed_without_an_answer"),
        pytest.param(Raw(b"HTTP/1.1 200 X\r\nContent-Length: 500\r\n\r\n{"), id="closed_in_the_middle"),
        pytest.param(Raw(b"Guten Tag\r\n\r\n"), id="not_http"),
    ],
)
async def test_what_decides_nothing_is_no_answer(reply):
    async with line(always(reply)) as (client, end):
        assert isinstance(await client.ask_settlement(QUESTION, PLACE), NoAnswer)
    assert len(end.asked("5203")) == 1


async def test_an_answer_that_comes_too_late_is_no_answer():
    async def late(message):
        await asyncio.sleep(1)
        return Http(envelope({}))

    async with line(lambda message: late(message), sign_in=False, **QUICK) as (client, end):
        assert isinstance(await client.ask_settlement(QUESTION, PLACE), NoAnswer)
    assert len(end.messages) == 1


async def test_an_answer_that_comes_in_drops_is_no_answer():
    async with line(lambda message: Slow(), sign_in=False, **QUICK) as (client, _):
        assert await client.ask_settlement(QUESTION, PLACE) == NoAnswer("no answer in time")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://no-such-host.invalid/", "ftp://127.0.0.1/", "nowhere"]
)
async def test_without_a_connection_nothing_was_sent(url):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        profile = load_profile("simulator").model_copy(update={"url": url.format(port=port), "sign_in": False})
        async with open_line(profile) as http:
            outcome = await a_client(profile, http).ask_settlement(QUESTION, PLACE)
    assert isinstance(outcome, NotSent)


async def test_a_connection_that_is_never_taken_was_not_sent():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        changes = {"url": f"http://127.0.0.1:{address[1]}/", "sign_in": False, **QUICK}
        profile = load_profile("simulator").model_copy(update=changes)
        async with open_line(profile) as http:
            outcome = await a_client(profile, http).ask_settlement(QUESTION, PLACE)
        for one in waiting:
            one.close()
    assert isinstance(outcome, NotSent)


async def test_a_question_without_a_path_is_not_sent():
    async with line(always(Http(envelope({}))), paths={"9001": "fsi/signIn"}) as (client, end):
        assert isinstance(await client.ask_settlement(QUESTION, PLACE), NotSent)
    assert end.paths == []


async def test_a_template_puts_the_transaction_into_the_path():
    async with far_end(always(Http(envelope({})))) as end:
        profile = load_profile("simulator").with_url(end.url + "hgs/{infno}")
        async with open_line(profile) as http:
            await a_client(profile, http).ask_settlement(QUESTION, PLACE)
    assert end.paths == ["/hgs/9001", "/hgs/5203"]


async def test_without_credentials_of_our_own_nothing_is_sent():
    changes = {"authentication": "apikey", "apikey_variable": "NOT_ISSUED"}
    async with line(always(Http(envelope({}))), **changes) as (client, end):
        assert not client.can_ask
        outcome = await client.ask_settlement(QUESTION, PLACE)
    assert isinstance(outcome, NotSent)
    assert "NOT_ISSUED" in outcome.reason
    assert end.messages == []


def test_the_signature_is_that_of_the_test_vector():
    expected = "aef5d58172633680022b00633acb0e62d44863bb305f9ba203b905855e9a49f6"
    assert tif_signature("1700000000", "test-secret", "abc123XYZ") == expected


async def test_x_tif_signs_each_message():
    changes = {"authentication": "x-tif", "tif_paasid_variable": "PAASID", "tif_secret_variable": "SECRET"}
    async with line(always(Http(envelope({}))), **changes) as (client, end):
        assert client.can_ask
        await client.ask_settlement(QUESTION, PLACE)
    timestamp = str(int(EVENING.timestamp()))
    for headers in end.headers:
        assert headers["x-tif-paasid"] == "p"
        assert headers["x-tif-timestamp"] == timestamp
        assert headers["x-tif-nonce"] == "abc123XYZ"
        assert headers["x-tif-signature"] == tif_signature(timestamp, "test-secret", "abc123XYZ")


async def test_an_apikey_is_a_header():
    async with line(always(Http(envelope({}))), authentication="apikey", apikey_variable="KEY") as (client, end):
        await client.ask_settlement(QUESTION, PLACE)
    assert [headers["apikey"] for headers in end.headers] == ["k-123", "k-123"]
    assert all("x-tif-signature" not in headers for headers in end.headers)


async def test_amounts_in_an_answer_are_never_binary_floats():
    async with line(always(Http('{"infcode":0,"output":{"setlinfo":{"medfee_sumamt":0.1}}}'))) as (client, _):
        outcome = await client.ask_settlement(QUESTION, PLACE)
    assert isinstance(outcome, Answered)
    assert str(outcome.output["setlinfo"]["medfee_sumamt"]) == "0.1"


async def test_no_log_line_holds_a_person_an_answer_or_a_secret(caplog):
    body = envelope({"baseinfo": {"psn_name": "张三丰", "certno": "110101199003070038"}})
    secret = {"authentication": "apikey", "apikey_variable": "KEY"}
    with caplog.at_level(logging.DEBUG):
        async with line(always(Http(body)), **secret) as (client, _):
            await client.ask_person(PersonQuestion(mdtrt_cert_type="02", mdtrt_cert_no="110101199003070038"), PLACE)
            logging.getLogger("planted").info("found: %r", client)
        async with line(always(Http(envelope(None, -2, "张三丰未参保"))), **secret) as (client, _):
            await client.ask_settlement(QUESTION, PLACE)
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert "found: " in text
    assert "asked 1101: Answered" in text
    assert not re.search("张三丰|110101199003070038|37160000000000000007|k-123|test-secret", text)
    assert json.dumps("张三丰")[1:-1] not in text
