"""The frame of messages: what is required, what is refused, which paths and credentials are accepted."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from lab.builders import MORNING, a_visit_bill
from lab.running import City, insurer_on_thread
from settlement.lab.his import Refused, Unanswered
from settlement.lab.his.gateway import Gateway, apikey_headers, open_client, x_tif_headers
from settlement.lab.insurer.auth import check_auth, x_tif_signature
from settlement.lab.insurer.transactions import SERVICE_PATHS, TRANSACTIONS, infno_of_path


async def post(city: City, message: dict[str, Any], path: str = "/") -> dict[str, Any]:
    response = await city.http.post(city.url + path, json=message)
    assert response.status_code == httpx.codes.OK
    answer: dict[str, Any] = response.json()
    return answer


def sign_in(city: City) -> dict[str, Any]:
    return city.hospital().message("9001", {"signIn": {"opter_no": "1", "mac": "-", "ip": "-"}}, at=MORNING)


@pytest.mark.parametrize(
    "path",
    ["/", "/9001", "/ebus/gdyb_api/prd/hsa/hgs/9001", "/fsi/api/signInSignOutService/signIn", "/x/poc-hsa-hgs-9001"],
)
async def test_a_message_is_accepted_on_every_kind_of_path(shared_city: City, path: str) -> None:
    assert (await post(shared_city, sign_in(shared_city), path))["infcode"] == 0


@pytest.mark.parametrize("path", ["/1101", "/ebus/rio_fsi/fsi/api/fsiPsnInfoService/queryPsnInfo"])
async def test_path_and_body_must_agree(shared_city: City, path: str) -> None:
    answer = await post(shared_city, sign_in(shared_city), path)
    assert (answer["infcode"], answer["err_msg"]) == (-1, "交易编号与请求地址不一致")


def test_every_service_path_names_a_transaction_that_exists() -> None:
    assert set(SERVICE_PATHS.values()) <= set(TRANSACTIONS)
    assert infno_of_path("/ebus/rio_fsi/fsi/api/outpatientSettleService/saveSettletmentV2") == "2207"
    assert infno_of_path("/a/2203A") == "2203A"
    assert infno_of_path("/CSB") is None


async def test_the_answer_has_the_frame_of_the_real_ones(shared_city: City) -> None:
    answer = await post(shared_city, sign_in(shared_city))
    assert list(answer) == [
        "infcode", "inf_refmsgid", "refmsg_time", "respond_time", "enctype", "signtype", "err_msg", "output",
    ]  # fmt: skip
    assert answer["inf_refmsgid"].startswith("37160020261123093015")
    assert len(answer["inf_refmsgid"]) == 30
    assert answer["refmsg_time"] == "20261123093015000"


@pytest.mark.parametrize("field", ["msgid", "inf_time", "opter", "fixmedins_code", "recer_sys_code", "input"])
async def test_a_missing_field_of_the_frame_is_a_system_error(shared_city: City, field: str) -> None:
    for message in (sign_in(shared_city), sign_in(shared_city) | {field: ""}):
        if message[field]:
            del message[field]
        answer = await post(shared_city, message)
        assert (answer["infcode"], answer["err_msg"]) == (-1, f"报文头缺少必填项:{field}")
        assert "output" not in answer


async def test_the_insured_area_is_required_with_a_person(shared_city: City) -> None:
    message = shared_city.hospital().message("5206", {"data": {"psn_no": "1"}}, at=MORNING)
    answer = await post(shared_city, message | {"insuplc_admdvs": ""})
    assert answer["err_msg"] == "报文头缺少必填项:insuplc_admdvs"


async def test_a_message_id_is_accepted_once(shared_city: City) -> None:
    message = sign_in(shared_city)
    assert (await post(shared_city, message))["infcode"] == 0
    answer = await post(shared_city, message)
    assert (answer["infcode"], answer["err_msg"]) == (-1, "报文ID重复")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"'])
async def test_what_is_not_a_message_is_refused(shared_city: City, body: bytes) -> None:
    answer = (await shared_city.http.post(shared_city.url, content=body)).json()
    assert (answer["infcode"], answer["err_msg"]) == (-1, "报文格式错误")


async def test_an_unknown_transaction_or_node_is_a_business_error(shared_city: City) -> None:
    hospital = shared_city.hospital()
    refusals: list[tuple[str, dict[str, Any], str]] = [
        ("7777", {"data": {}}, "不支持的交易"),
        ("9001", {"data": {}}, "交易输入缺少节点:signIn"),
        ("2206", {"data": {"psn_no": "1"}}, "交易输入缺少必填项:mdtrt_id"),
        ("2204", {"feedetail": []}, "费用明细List不能为空"),
        ("2204", {"feedetail": [1]}, "交易输入缺少节点:feedetail"),
    ]
    for infno, input_, text in refusals:
        with pytest.raises(Refused, match=text) as refused:
            await hospital.send(infno, input_, at=MORNING)
        assert refused.value.infcode == -2


async def test_only_post_is_spoken(shared_city: City) -> None:
    assert (await shared_city.http.get(f"{shared_city.url}/2207")).status_code == 405


async def test_a_request_over_several_lines_is_one_line_of_the_raw_log(tmp_path: Path) -> None:
    with insurer_on_thread(tmp_path) as server:
        async with open_client() as http:
            city = await City(server.url, http).load()
            pretty = json.dumps(sign_in(city), indent=2).replace("\n", "\r\n")
            await http.post(server.url, content=pretty)
            await http.post(server.url, content=b"not\njson")
        lines = (tmp_path / "raw.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["infno"] for line in lines] == ["9001", ""]
    assert json.loads(lines[0])["request"]["input"]["signIn"]["opter_no"] == "1"


async def test_an_apikey_opens_the_gateway(tmp_path: Path) -> None:
    with insurer_on_thread(tmp_path, auth="apikey", secret="the key") as server:
        async with open_client() as http:
            city = await City(server.url, http).load()
            city.gateway = Gateway(server.url, http, headers=apikey_headers("the key"))
            await city.hospital().outpatient(city.person(), a_visit_bill(), at=MORNING)
            for headers, text in [({}, "鉴权参数不完整，请求不合法。"), ({"apikey": "x"}, "鉴权失败，鉴权信息有误。")]:
                response = await http.post(server.url, json=sign_in(city), headers=headers)
                assert (response.status_code, response.json()) == (500, {"code": 400001, "msg": text})


async def test_signed_headers_open_the_gateway(tmp_path: Path) -> None:
    with insurer_on_thread(tmp_path, auth="x-tif", secret="s3") as server:
        async with open_client() as http:
            city = await City(server.url, http).load()
            city.gateway = Gateway(server.url, http, headers=x_tif_headers("pass", "s3"))
            await city.hospital().outpatient(city.person(), a_visit_bill(), at=MORNING)
            city.gateway = Gateway(server.url, http, headers=x_tif_headers("pass", "other"))
            with pytest.raises(Unanswered, match="HTTP 500"):
                await city.hospital().outpatient(city.person(), a_visit_bill(), at=MORNING)


def test_a_signature_is_good_for_three_minutes_either_way() -> None:
    assert x_tif_signature("1700000000", "test-secret", "abc123XYZ") == (
        "aef5d58172633680022b00633acb0e62d44863bb305f9ba203b905855e9a49f6"
    )
    headers = [
        (b"x-tif-paasid", b"p"),
        (b"x-tif-timestamp", b"1700000000"),
        (b"x-tif-nonce", b"abc123XYZ"),
        (b"x-tif-signature", x_tif_signature("1700000000", "test-secret", "abc123XYZ").upper().encode()),
    ]
    for offset, passes in [(0, True), (180, True), (-180, True), (181, False), (-181, False)]:
        clock = partial(float, 1_700_000_000 + offset)
        denied = check_auth("x-tif", "test-secret", headers, clock)
        assert (denied is None) == passes
    assert check_auth("x-tif", "test-secret", headers[:3]) is not None
