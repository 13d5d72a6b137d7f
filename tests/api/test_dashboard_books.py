"""What 对账, 封账 and the page of one bill say of differences, seals, promises and what is not certain."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.conftest import TwoFunds
from builders import City, SteeredClock, a_2304, bill_id_of, facts, open_test_resources, settle
from database import as_owner, ops_engine, rows_of
from desk import Desk, desk_of, text_of
from sealing import ANOTHER, SIGNER
from services.reconciling import DAY, bureau_line, cancelling_line
from services.reconciling import Desk as Reconciling
from services.test_promises import hold
from serving import served
from settlement.dashboard.pages import reconciliation, seals
from settlement.db.embedded import DatabaseUrls
from settlement.domain.reconciliation import BreakKind
from settlement.services.books.close_books_day import close_books_day
from settlement.services.books.seal_books_days import seal_closed_days
from settlement.services.books.seal_keys import Signer, public_file

PAGE = f"/reconciliation/days/{DAY}"


@pytest.fixture
def breaks(database: DatabaseUrls, city: City, url: str, tmp_path: Path) -> dict[BreakKind, str]:
    """A day with a bill that we lack, one of other amounts and one that the bureau cancelled; breaks by kind."""

    async def fill() -> dict[BreakKind, str]:
        async with open_test_resources(database, seed=31) as resources:
            outputs = [a_2304(member) for member in city.members[:3]]
            await settle(resources, city, outputs[0])
            await settle(resources, city, outputs[1])
            other = a_2304(city.members[0], outputs[0]["setlinfo"]["setl_id"], allowed="8100.00")
            undoing = a_2304(city.members[1])
            undoing["setlinfo"] |= {"medfee_sumamt": "-9000.00"}
            desk = Reconciling(resources, city, tmp_path)
            lines = [bureau_line(city, other), bureau_line(city, outputs[2])]
            await desk.bureau(*lines, cancelling_line(city, undoing, outputs[1]))
            return {found.kind: str(found.break_id) for found in await desk.breaks()}

    return asyncio.run(fill())


@pytest.fixture
def desk(url: str, two_funds: TwoFunds) -> Iterator[Desk]:
    with desk_of(url, "hz", two_funds.people["clerk"]) as opened:
        yield opened


def test_a_day_says_its_lists_and_its_breaks_by_kind(desk: Desk, breaks: dict[BreakKind, str]):
    assert set(breaks) == {BreakKind.MISSING_HERE, BreakKind.AMOUNT, BreakKind.CANCELLED_ON_ONE_SIDE}
    assert re.search(f"{DAY} 3 ", text_of(desk.get("/reconciliation")))
    page = text_of(desk.get(PAGE))
    for said in ("未了结 3", "医保清单 3 0", "医保清单 本系统缺 1 0", "医保清单 金额不符 1 0", "医保清单 单方撤销 1 0"):
        assert said in page
    assert "本系统 —，清单 9,000.00" in page
    only = desk.get(f"{PAGE}?kind=amount&status=open").text
    assert [kind for kind, id_ in breaks.items() if id_ in only] == [BreakKind.AMOUNT]
    assert "没有符合条件的差异" in desk.get(f"{PAGE}?status=resolved").text
    assert "这一日没有对过账" in desk.get("/reconciliation/days/2024-01-01").text
    assert desk.get(f"{PAGE}?kind=odd").status_code == 422


def test_breaks_are_turned_page_by_page_and_each_is_shown_once(
    desk: Desk, breaks: dict[BreakKind, str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reconciliation, "PAGE", 1)
    seen: list[str] = []
    where = f"{PAGE}?status=open"
    for _ in range(3):
        page = desk.get(where).text
        seen += [id_ for id_ in breaks.values() if id_ in page]
        where = page.partition('rel="next"')[0].rpartition('href="/ops')[2].partition('"')[0].replace("&amp;", "&")
    assert sorted(seen) == sorted(breaks.values())
    assert 'rel="next"' not in page


def test_a_clerk_takes_hands_over_and_resolves_a_break(desk: Desk, breaks: dict[BreakKind, str]):
    path = f"/reconciliation/breaks/{breaks[BreakKind.AMOUNT]}"
    page = text_of(desk.get(path))
    assert "双方金额不一致" in page
    assert "按医保数据补记" not in page
    assert re.search(r"符合政策范围 ≠ [\d.,]+ 8,100.00", page)
    assert desk.post(path, action="taken").status_code == 303
    assert "交 clerk 办理" in text_of(desk.get(path))
    assert desk.post(path, action="assign", owner="nobody-here").status_code == 422
    assert desk.post(path, action="assign", owner="head").status_code == 303
    assert desk.post(path, action="given_back").status_code == 303
    for unusable in (
        {"action": "resolve"},
        {"action": "resolve", "resolution": "no_longer_seen"},
        {"action": "resolve", "resolution": "accepted", "remark": "电话 138 0013 8000 1"},
        {"action": "assign"},
        {"action": "burn"},
    ):
        answer = desk.post(path, **unusable)
        assert (answer.status_code, "未作任何改动" in answer.text) == (422, True), unusable
    answer = desk.post(path, action="resolve", resolution="corrected_at_bureau", remark="医保已出更正单")
    assert answer.status_code == 303
    page = text_of(desk.get(path))
    for said in ("已了结", "了结：由医保更正 医保已出更正单 clerk", "退回，无人经办", "交 head 办理"):
        assert said in page
    assert 'name="action"' not in desk.get(path).text
    assert desk.post(path, mark_of="/", action="resolve", resolution="accepted").status_code == 409


def test_repairs_are_offered_where_they_fit_and_lead_to_the_bill(
    desk: Desk, breaks: dict[BreakKind, str], database: DatabaseUrls
):
    missing = f"/reconciliation/breaks/{breaks[BreakKind.MISSING_HERE]}"
    cancelled = f"/reconciliation/breaks/{breaks[BreakKind.CANCELLED_ON_ONE_SIDE]}"
    assert "按医保数据补记" in desk.get(missing).text
    assert "冲销本单互助" in desk.get(cancelled).text
    assert desk.post(missing, action="reverse").status_code == 409
    assert desk.post(missing, action="settle").status_code == 303
    page = desk.get(missing)
    assert "了结：已补记" in text_of(page)
    ((bill_id,),) = rows_of(database, "SELECT bill_id FROM bill WHERE door = 'catch_up'")
    assert f"/ops/bills/{bill_id}" in page.text
    ((actor,),) = rows_of(database, "SELECT resolved_by FROM reconciliation_break WHERE status = 'resolved'")
    assert str(actor).endswith(".staff:clerk"), "the same name as over HTTP"


async def seal_days(database: DatabaseUrls, city: City, signer: Signer | None, days: int) -> None:
    clock = SteeredClock()
    async with open_test_resources(database, clock, seed=41) as resources:
        for number in range(days):
            await settle(resources, city, a_2304(city.members[number]))
            clock.now += timedelta(days=1)
            await close_books_day(resources, city.fund_id)
        if signer is not None:
            async with ops_engine(database) as ops:
                await seal_closed_days(resources, ops, signer)


def test_a_closed_day_without_a_seal_stands_out(desk: Desk, city: City, database: DatabaseUrls):
    assert "1 未关账" in text_of(desk.get("/seals"))
    asyncio.run(seal_days(database, city, None, 2))
    page = text_of(desk.get("/seals"))
    assert "2 个账务日已关账而未封账（第 1、2 日）" in page
    assert "已关账，未封账" in page
    assert "未配置封账公钥" in page
    assert re.search(r"1 0 389.83 0.00 0.00 0.00 — — —", page)


def test_a_seal_says_its_hash_key_signature_and_chain(
    desk: Desk, city: City, database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
):
    asyncio.run(seal_days(database, city, SIGNER, 3))
    page = text_of(desk.get("/seals"))
    for (hash_,) in rows_of(database, "SELECT seal_hash FROM seal"):
        assert str(hash_) in page
    assert page.count("已封账 ") == page.count(SIGNER.key_id) == page.count("— 未验证") == 3
    assert (page.count("✓ 相连"), page.count("✓ 首日"), "断开" in page) == (2, 1, False)
    assert "已关账而未封账" not in page
    monkeypatch.setattr(seals, "PAGE", 2)
    assert "✓ 相连" in text_of(desk.get("/seals")), "the day before stands on the next page"
    assert 'href="/ops/seals?before=3"' in desk.get("/seals").text


def test_a_signature_is_verified_by_the_public_keys_alone(
    database: DatabaseUrls, city: City, two_funds: TwoFunds, tmp_path: Path
):
    asyncio.run(seal_days(database, city, SIGNER, 2))
    for signer, said in ((SIGNER, "✓ 有效"), (ANOTHER, "✗ 无效")):
        file = tmp_path / f"{signer.key_id}.pub"
        file.write_bytes(signer.private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        with (
            served(database, settlement_seal_public_keys=file) as url,
            desk_of(url, "hz", two_funds.people["operator"]) as desk,
        ):
            page = text_of(desk.get("/seals"))
            assert page.count(said) == 2
            assert "未验证" not in page
    as_owner(database, "UPDATE seal SET aid_on_bill_fen = aid_on_bill_fen + 1 WHERE books_day = 2")
    beside = tmp_path / "seal.key"
    (tmp_path / f"{SIGNER.key_id}.pub").rename(public_file(beside))
    with (
        served(database, settlement_seal_key_file=beside) as url,
        desk_of(url, "hz", two_funds.people["operator"]) as desk,
    ):
        page = text_of(desk.get("/seals"))
    assert (page.count("✗ 无效"), page.count("✗ 断开"), page.count("✓ 有效")) == (1, 1, 1)


def test_a_bill_says_whether_its_promise_was_kept_and_what_is_known(desk: Desk, city: City, database: DatabaseUrls):
    async def fill() -> tuple[str, str]:
        async with open_test_resources(database, seed=43) as resources:
            kept, anew = a_2304(city.members[0]), a_2304(city.members[1])
            await hold(resources, city, kept)
            first = await settle(resources, city, kept)
            await hold(resources, city, anew)
            larger = a_2304(city.members[1], anew["setlinfo"]["setl_id"], allowed="8100.00")
            larger["setlinfo"] |= {name: anew["setlinfo"][name] for name in ("mdtrt_id",)}
            second = await settle(resources, city, larger, facts(city))
            return str(bill_id_of(first)), str(bill_id_of(second))

    first, second = asyncio.run(fill())
    page = text_of(desk.get(f"/bills/{first}"))
    assert "预留 已兑现 互助与预结算显示的一致" in page
    assert "互助记入本单 389.83 389.83 0.00" in page
    assert "尚待医保确认" in page
    assert "告知患者：请按本单应付现金收费" in page
    page = text_of(desk.get(f"/bills/{second}"))
    assert "预留 已重算 本单与预结算不同" in page
    assert not re.search(r"互助记入本单 389.83 389.83 0.00", page)
