"""What the pages at `/ops` say: the record's own figures, in order, escaped, and nobody's name."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import httpx
import pytest

from api.conftest import TwoFunds
from builders import City, a_2304, a_2305, bill_id_of, facts, open_test_resources, reverse, settle
from calling import Callers
from database import as_owner, ops_engine, rows_of
from desk import Desk, desk_of, text_of
from settlement.app import utc_now
from settlement.dashboard.pages import bills, worklist
from settlement.db.embedded import DatabaseUrls
from settlement.domain.ids import IdSource
from settlement.domain.money import Money
from settlement.domain.settlements import OtherPayer
from settlement.services.audit.keep_examination import examine_when_due
from settlement.services.bills.decide_rerating import ProposeRerating, propose_rerating

DAY = "2025-03-11"


@pytest.fixture
def settled(database: DatabaseUrls, city: City, url: str) -> dict[str, str]:
    """Bills of every fate, by what became of them."""

    async def fill() -> dict[str, str]:
        async with open_test_resources(database, seed=23) as resources:
            live = await settle(resources, city, a_2304(city.members[0]))
            card = await settle(resources, city, a_2304(city.members[1]), at_counter=False)
            other = await settle(
                resources, city, a_2304(city.members[2]), other_payers=(OtherPayer("惠民保", Money(10_000)),)
            )
            undone = a_2304(city.members[3])
            reversed_ = await settle(resources, city, undone)
            await reverse(resources, city, reversed_, a_2305(undone))
            held = await settle(resources, city, a_2304(city.members[4]), facts(city, discharged_on=None))
            await settle(resources, city, a_2304(city.members[5], insutype="390"))
        outcomes = {"live": live, "card": card, "other": other, "reversed": reversed_, "held": held}
        return {name: str(bill_id_of(outcome)) for name, outcome in outcomes.items()}

    return asyncio.run(fill())


@pytest.fixture
def desk(url: str, two_funds: TwoFunds, settled: dict[str, str]) -> Iterator[Desk]:
    with desk_of(url, "hz", two_funds.people["clerk"]) as opened:
        yield opened


async def test_today_says_what_the_summary_of_the_api_says(
    callers: Callers, url: str, two_funds: TwoFunds, settled: dict[str, str]
):
    summary = (await callers.get("staff", "/v1/ops/summary", business_date=DAY)).json()
    with desk_of(url, "hz", two_funds.people["operator"]) as desk:
        page = text_of(desk.get(f"/?day={DAY}"))
    assert f"单据 {sum(summary['bills'].values())} 张" in page
    for name, label in (
        ("insurer_paid", "医保基金"),
        ("provider_absorbed", "医院负担"),
        ("account_paid", "个人账户"),
        ("mutual_aid_on_bill", "互助记入本单"),
        ("mutual_aid_to_card", "互助打入银行卡"),
        ("other_on_bill", "其他支付"),
        ("cash_due", "个人应付现金"),
        ("billed", "医疗费总额"),
    ):
        whole, fraction = summary["amounts"][name].split(".")
        assert f"{label} {int(whole):,}.{fraction}" in page, name
    assert "待补 1 已冲销 1" in page
    assert "本单按居民医保结算" in page
    assert "1 张互助暂未算出" in page
    assert "账务日第 1 日" in page


def test_another_day_is_another_page_and_a_date_that_is_none_is_today(desk: Desk):
    assert "单据 0 张" in text_of(desk.get("/?day=2024-01-01"))
    assert text_of(desk.get("/?day=soon")).startswith(text_of(desk.get("/"))[:30])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"live", "card", "other", "reversed", "held"}),
        ("state=held", {"held"}),
        (f"business_date={DAY}&state=reversed", {"reversed"}),
        ("business_date=2024-01-01", set()),
        ("hospital=H50010302473", {"live", "card", "other", "reversed", "held"}),
        ("hospital=H50010302471", set()),
        ("settlement_no=nothing", set()),
        ("insurer_settlement_id=%27%3B--", set()),
    ],
)
def test_bills_are_found_by_what_the_form_asks(desk: Desk, settled: dict[str, str], query: str, found: set[str]):
    page = desk.get(f"/bills?{query}").text
    assert {name for name, id_ in settled.items() if f"/ops/bills/{id_}" in page} == found


def test_a_bill_is_found_by_its_number_and_by_the_insurers(desk: Desk, settled: dict[str, str], database: DatabaseUrls):
    ((number, insurers),) = rows_of(
        database, f"SELECT settlement_no, insurer_settlement_id FROM bill WHERE bill_id = '{settled['live']}'"
    )
    for query in (f"settlement_no=%20{str(number).lower()}", f"insurer_settlement_id={insurers}%20"):
        page = desk.get(f"/bills?{query}").text
        assert [name for name, id_ in settled.items() if f"/ops/bills/{id_}" in page] == ["live"]


@pytest.mark.parametrize("query", ["business_date=11.3.2025", "state=lost"])
def test_a_search_that_cannot_be_read_finds_nothing_and_says_so(desk: Desk, query: str):
    page = desk.get(f"/bills?{query}")
    assert page.status_code == 200
    assert "日期或状态无法识别" in page.text
    assert "/ops/bills/0" not in page.text


def test_the_list_is_turned_page_by_page_and_shows_every_bill_once(
    desk: Desk, settled: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bills, "PAGE", 2)
    seen: list[str] = []
    where = "/bills?hospital=H50010302473"
    for _ in range(3):
        page = desk.get(where).text
        seen += [name for name, id_ in settled.items() if f"/ops/bills/{id_}" in page]
        following = page.partition('rel="next"')[0].rpartition('href="/ops')[2].partition('"')[0]
        where = following.replace("&amp;", "&")
    assert sorted(seen) == sorted(settled)
    assert 'rel="next"' not in page


def test_one_bill_says_where_its_money_went(desk: Desk, settled: dict[str, str]):
    said = {
        "live": ("互助已记入本单", "职工医疗互助支付 389.83", "✓ 与合计相等", "按原方案和原数据重算"),
        "card": ("互助款将打入职工银行卡", "另有互助 389.83 元打入职工银行卡", "个人应付现金 2,079.66"),
        "other": ("其他支付 100.00",),
        "reversed": ("互助已冲销", "下表是冲销前的金额", "冲销 1 医疗费 付款：基本医保统筹基金 6,500.00"),
        "held": ("缺少出院日期", "尚无金额记录"),
    }
    for name, sentences in said.items():
        page = text_of(desk.get(f"/bills/{settled[name]}"))
        for sentence in sentences:
            assert sentence in page, f"{name}: {sentence}"


def test_no_page_names_a_person(
    url: str, two_funds: TwoFunds, city: City, settled: dict[str, str], database: DatabaseUrls
):
    items = [str(id_) for (id_,) in rows_of(database, "SELECT item_id FROM worklist_item")]
    with desk_of(url, "hz", two_funds.people["auditor"]) as desk:
        pages = ["/", f"/?day={DAY}", "/bills", "/worklist", "/invariants"]
        pages += [f"/bills/{id_}" for id_ in settled.values()] + [f"/worklist/{id_}" for id_ in items]
        text = "".join(desk.get(path).text for path in pages)
    for member in city.members[:6]:
        for personal in (member.name, member.certificate.number, member.insured_person_no, str(member.member_id)):
            assert personal not in text


def test_what_others_wrote_is_shown_as_text_and_never_runs(desk: Desk, database: DatabaseUrls, settled: dict[str, str]):
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    as_owner(
        database,
        "ALTER TABLE hospital DISABLE TRIGGER USER",
        f"UPDATE hospital SET name = '{hostile.replace(chr(39), chr(39) * 2)}'",
        f"UPDATE fund SET name = '{hostile.replace(chr(39), chr(39) * 2)}'",
    )
    for path in ("/", "/bills", f"/bills/{settled['live']}", "/nowhere"):
        page = desk.get(path).text
        assert "<script" not in page
        assert "<img" not in page
    again = httpx.get(f"{desk.url}/ops/sign-in", params={"fund": hostile}, trust_env=False).text
    assert "<script" not in again
    assert "&lt;script&gt;" in again


def test_an_operator_asks_for_an_examination_and_everybody_sees_what_it_found(
    url: str, two_funds: TwoFunds, database: DatabaseUrls, settled: dict[str, str]
):
    async def examined() -> int | None:
        async with ops_engine(database) as ops:
            return await examine_when_due(ops, None, IdSource(utc_now, random.Random(5)))

    with desk_of(url, "hz", two_funds.people["operator"]) as desk:
        assert "还没有检查过" in desk.get("/invariants").text
        assert asyncio.run(examined()) == 0
        assert "条中没有不成立的，3 条未查" in text_of(desk.get("/invariants"))
        assert desk.post("/invariants").status_code == 303
        assert "等待后台完成" in desk.get("/invariants").text
        as_owner(database, f"UPDATE settlement SET receipt_hash = repeat('0', 64) WHERE bill_id = '{settled['live']}'")
        assert (asyncio.run(examined()) or 0) >= 1
        assert "不成立，请立即联系运维" in text_of(desk.get("/invariants"))
    with desk_of(url, "hz", two_funds.people["auditor"]) as desk:
        assert f'href="/ops/bills/{settled["live"]}"' in desk.get("/invariants").text


async def a_proposed_rerating(database: DatabaseUrls, city: City) -> tuple[str, str]:
    """Return the ids of the item of a proposal and of the bill that it would raise."""
    async with open_test_resources(database, seed=29) as resources:
        first, later = (a_2304(city.member, mdtrt_id=f"V{number}", setl_id=f"R{number}") for number in (1, 2))
        gone, poor = await settle(resources, city, first), await settle(resources, city, later)
        await reverse(resources, city, gone, a_2305(first))
        as_owner(
            database,
            "UPDATE hold SET created_at = created_at - interval '3 days', expires_at = created_at - interval '1 day'",
        )
        proposed = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(poor)))
    ((item_id,),) = rows_of(
        database, f"SELECT item_id FROM worklist_item WHERE figures ->> 'rerating' = '{proposed['rerating_id']}'"
    )
    return str(item_id), str(bill_id_of(poor))


@pytest.mark.parametrize("decision", ["apply", "decline"])
async def test_a_proposed_rerating_is_shown_bill_by_bill_and_its_owner_decides_it(
    url: str, two_funds: TwoFunds, city: City, database: DatabaseUrls, decision: str
):
    item_id, bill_id = await a_proposed_rerating(database, city)
    path = f"/worklist/{item_id}"
    with desk_of(url, "hz", two_funds.people["approver"]) as desk:
        page = text_of(desk.get(path))
        assert "重算建议 待决定" in page
        assert "689.83 389.83" in page
        assert "差额合计 -300.00 元，职工多得，执行后由基金追回。" in page
        assert "执行 全部单据" not in page, "it is nobody's yet"
        assert desk.post(f"{path}/application", mark_of=path).status_code == 409
        assert desk.post(path, action="taken").status_code == 303
        assert "执行 全部单据一次改记" in text_of(desk.get(path))
        if decision == "apply":
            assert desk.post(f"{path}/application", mark_of=path).status_code == 303
        else:
            assert desk.post(path, action="closed", reason="nothing_to_do").status_code == 303
        shown = text_of(desk.get(path))
        assert ("重算建议 已执行" in shown, "重算建议 不执行" in shown) == (decision == "apply", decision == "decline")
        assert "已关闭" in shown
        assert "下一步" not in shown, "there is none, and what it says is not so any more"
        assert desk.post(f"{path}/application", mark_of="/").status_code == 409
    aid = f"SELECT revision, aid_on_bill_fen + aid_to_card_fen FROM settlement WHERE bill_id = '{bill_id}'"
    expected = [(1, 68983)] + ([(2, 38983)] if decision == "apply" else [])
    assert rows_of(database, f"{aid} ORDER BY revision") == expected


def test_what_is_still_asked_of_a_bill_is_told_in_words():
    told = worklist._fact("question", "liability_declaration")
    assert told == ("还缺什么", "外伤费用须先确认无第三方责任、非工伤，请职工提交声明。", None)
