"""A clerk's morning at `/ops` in a real browser: sign in, today, a bill that adds up, an item taken and closed.

Scripts are switched off in the browser: every page works without them.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect, sync_playwright

from api.conftest import TwoFunds
from api.test_dashboard_pages import a_proposed_rerating
from builders import KEYS, City, SteeredClock, a_2207, a_2304, a_2305, facts, open_test_resources, reverse, settle
from database import ops_engine, rows_of
from sealing import SIGNER
from services.reconciling import Desk as Reconciling
from services.reconciling import bureau_line
from services.test_promises import hold
from settlement.app import utc_now
from settlement.db.embedded import DatabaseUrls
from settlement.domain.ids import IdSource
from settlement.services.audit.keep_examination import examine_when_due
from settlement.services.books.close_books_day import close_books_day
from settlement.services.books.seal_books_days import seal_closed_days

SCREEN = {"width": 1366, "height": 768}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PICTURES = os.environ.get("SETTLEMENT_PICTURES")
"""A folder in which pictures of the pages are left for people to look at."""


@pytest.fixture
def morning(database: DatabaseUrls, city: City, url: str) -> str:
    """A service with bills of every fate, settled this morning, one of which came again; its URL."""

    async def fill() -> None:
        async with open_test_resources(database, SteeredClock(utc_now()), seed=17) as resources:
            output = a_2304(city.members[0], acct_mulaid_pay="0")
            await settle(resources, city, output)
            await settle(resources, city, a_2304(city.members[0], output["setlinfo"]["setl_id"], allowed="8100.00"))
            undone = a_2304(city.members[1])
            await reverse(resources, city, await settle(resources, city, undone), a_2305(undone))
            await settle(resources, city, a_2304(city.members[2]), facts(city, discharged_on=None))
            await settle(resources, city, a_2304(city.members[3], insutype="390"))
            await settle(resources, city, a_2304(city.members[4]), at_counter=False)
            for number in range(5, 12):
                await settle(resources, city, a_2207(city.members[number]), facts(city, level=number % 3 + 1))
        async with ops_engine(database) as ops:
            await examine_when_due(ops, KEYS, IdSource(utc_now, random.Random(3)))

    asyncio.run(fill())
    return url


@pytest.fixture
def books(morning: str, database: DatabaseUrls, city: City, tmp_path: Path) -> str:
    """The same service with a day that was compared, and books days that are sealed, closed and open."""
    asyncio.run(reconciled_and_sealed(database, city, tmp_path))
    return morning


@pytest.fixture
def proposed(morning: str, database: DatabaseUrls, city: City) -> str:
    """The item of a re-rating that is proposed; its id."""
    return asyncio.run(a_proposed_rerating(database, city))[0]


@pytest.fixture
def page(morning: str) -> Iterator[Page]:
    """A page of Debian's Chromium, or of the one that SETTLEMENT_CHROMIUM names, without scripts."""
    program = os.environ.get("SETTLEMENT_CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on this machine: install Debian's, or name one in SETTLEMENT_CHROMIUM")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=FLAGS)
        context = browser.new_context(viewport=SCREEN, locale="zh-CN", java_script_enabled=False)
        opened = context.new_page()
        opened.set_default_timeout(15_000)
        foreign: list[str] = []
        opened.on("request", lambda request: request.url.startswith(morning) or foreign.append(request.url))
        complaints: list[str] = []
        opened.on("console", lambda message: complaints.append(message.text))
        yield opened
        browser.close()
    assert foreign == [], "a page loads from elsewhere"
    assert [said for said in complaints if "Security" in said] == []


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def sign_in(page: Page, url: str, two_funds: TwoFunds, role: str) -> None:
    username, password = two_funds.people[role]
    page.goto(f"{url}/ops")
    page.get_by_label("基金代码").fill("hz")
    page.get_by_label("用户名").fill(username.partition(".")[2])
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("今日")


def amount(text: str) -> Decimal:
    return Decimal(re.sub(r"[^0-9.-]", "", text))


def test_a_clerks_morning(page: Page, morning: str, two_funds: TwoFunds, database: DatabaseUrls):
    page.goto(f"{morning}/ops")
    picture(page, "1-sign-in")
    sign_in(page, morning, two_funds, "clerk")
    expect(page.get_by_text("医保金额与已记账单不同")).to_be_visible()
    page.goto(f"{morning}/ops/?day=2025-03-11")
    picture(page, "2-today")
    assert_the_sums_add_up(page)

    page.get_by_role("link", name="账单", exact=True).click()
    picture(page, "3-bills")
    page.get_by_label("状态").select_option(label="有效")
    page.get_by_role("button", name="查询").click()
    live = page.locator("table.list tbody tr")
    assert set(live.locator(".state").all_inner_texts()) == {"有效"}
    page.locator("table.list a.number").last.click()
    assert_the_bill_adds_up(page)
    picture(page, "4-bill")

    page.get_by_role("link", name="待办", exact=True).click()
    picture(page, "5-worklist")
    page.locator("table.list").get_by_role("link", name="医保金额与已记账单不同").click()
    page.get_by_role("button", name="领取").click()
    page.get_by_label("备注").fill("医院已更正，见新单据")
    page.get_by_role("button", name="关闭").click()
    expect(page.get_by_role("alert")).to_contain_text("关闭须选原因")
    expect(page.get_by_label("备注")).to_have_value("医院已更正，见新单据")
    picture(page, "6-item")
    page.get_by_label("关闭原因").select_option(label="已处理")
    page.get_by_role("button", name="关闭").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("已关闭")
    expect(page.locator(".timeline")).to_contain_text("医院已更正，见新单据")
    picture(page, "7-closed")
    assert rows_of(database, "SELECT count(*) FROM worklist_item WHERE closed_at IS NULL") == [(0,)]

    page.get_by_role("link", name="不变式", exact=True).click()
    expect(page.locator(".verdict")).to_contain_text(re.compile("全部 [0-9]+ 条成立"))
    picture(page, "8-invariants")
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("alert")).to_contain_text("请重新登录")
    page.go_back()
    page.reload()
    expect(page.get_by_role("button", name="登录")).to_be_visible()


def test_an_approvers_reconciliation_and_seals(books: str, page: Page, two_funds: TwoFunds):
    sign_in(page, books, two_funds, "approver")
    page.get_by_role("link", name="对账", exact=True).click()
    picture(page, "10-reconciliation")
    page.locator("table.list").get_by_role("link", name="2025-03-11").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("未了结")
    picture(page, "11-reconciled-day")
    page.locator("table.list").get_by_role("link", name="金额不符").first.click()
    expect(page.locator("table.sides tr.broken").first).to_contain_text("≠")
    page.get_by_role("button", name="领取").click()
    page.get_by_label("备注").fill("医保已出更正单")
    picture(page, "12-break")
    page.get_by_label("了结为").select_option(label="由医保更正")
    page.get_by_role("button", name="了结").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("已了结")
    expect(page.locator(".timeline")).to_contain_text("医保已出更正单")
    picture(page, "13-resolved")
    page.get_by_role("link", name="2025-03-11").click()
    page.locator("table.list").get_by_role("link", name="本系统缺").first.click()
    picture(page, "14-missing")
    page.get_by_role("button", name="按医保数据补记").click()
    expect(page.locator(".timeline")).to_contain_text("已补记")

    page.get_by_role("link", name="封账", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("已关账而未封账")
    expect(page.locator("table.seals .good").first).to_contain_text("相连")
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREEN["width"]
    picture(page, "15-seals")

    page.goto(f"{books}/ops/bills?state=live")
    page.locator("table.list a.number").first.click()
    expect(page.locator(".promise")).to_contain_text("已兑现")
    expect(page.locator(".now")).to_contain_text("告知患者")
    picture(page, "16-promise")


def test_an_approver_decides_a_re_rating(proposed: str, page: Page, morning: str, two_funds: TwoFunds):
    sign_in(page, morning, two_funds, "approver")
    page.get_by_role("link", name="待办", exact=True).click()
    page.locator("table.list").get_by_role("link", name="建议重算本期互助").click()
    assert page.url.endswith(proposed)
    page.get_by_role("button", name="领取").click()
    picture(page, "17-rerating")
    page.get_by_role("button", name="执行", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("已关闭")
    expect(page.get_by_role("heading", name="重算建议")).to_contain_text("已执行")
    picture(page, "18-rerated")


async def reconciled_and_sealed(database: DatabaseUrls, city: City, folder: Path) -> None:
    """Add two days that are sealed and one that is closed, breaks of several kinds, and a bill under a promise."""
    clock = SteeredClock(utc_now())
    async with open_test_resources(database, clock, seed=19) as resources, ops_engine(database) as ops:
        outputs = [a_2304(member) for member in city.members[20:26]]
        for output in outputs[:4]:
            await settle(resources, city, output)
        reconciling = Reconciling(resources, city, folder)
        setl_id = outputs[0]["setlinfo"]["setl_id"]
        other = a_2304(city.members[20], setl_id, allowed="8100.00")
        await reconciling.bureau(*(bureau_line(city, each) for each in (other, *outputs[1:3], *outputs[4:])))
        for closes in range(3):
            clock.now += timedelta(days=1)
            await close_books_day(resources, city.fund_id)
            if closes < 2:
                await seal_closed_days(resources, ops, SIGNER)
        promised = a_2304(city.members[30])
        await hold(resources, city, promised)
        await settle(resources, city, promised)


def test_bills_of_other_fates_read_well(page: Page, morning: str, two_funds: TwoFunds):
    sign_in(page, morning, two_funds, "auditor")
    for state, said in (("held", "互助款暂未算出"), ("reversed", "互助已冲销")):
        page.goto(f"{morning}/ops/bills?state={state}")
        page.locator("table.list a.number").first.click()
        expect(page.locator(".said").first).to_contain_text(said)
        picture(page, f"9-{state}")


def test_a_bill_prints_on_paper(page: Page, morning: str, two_funds: TwoFunds, tmp_path: Path):
    sign_in(page, morning, two_funds, "clerk")
    page.goto(f"{morning}/ops/bills?state=live")
    page.locator("table.list a.number").last.click()
    try:
        page.pdf(path=Path(PICTURES or tmp_path) / "bill.pdf", format="A4")
    except Error as refused:
        pytest.skip(f"this chromium does not print: {refused}")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="主菜单")).to_be_hidden()
    expect(page.locator("table.shares")).to_be_visible()


def assert_the_bill_adds_up(page: Page) -> None:
    parts = [amount(text) for text in page.locator("table.shares tr.part td.num").all_inner_texts()]
    billed = amount(page.locator("table.shares td.billed").inner_text())
    assert len(parts) > 2
    assert sum(parts) == billed == amount(page.locator("table.shares td.sum").inner_text())
    assert page.locator("table.shares .good").count() == 1
    steps = page.locator("table.steps").first
    computed = [amount(text) for text in steps.locator("tbody td.num").all_inner_texts()]
    assert sum(computed) == amount(steps.locator("tfoot td.num").inner_text())
    assert page.locator(".checks .good").count() == 3
    assert page.locator(".checks .bad").count() == 0


def assert_the_sums_add_up(page: Page) -> None:
    sums = page.locator("table.sums")
    parts = [amount(text) for text in sums.locator("tbody td.num").all_inner_texts()]
    assert sum(parts) == amount(sums.locator("tfoot td.num").inner_text()) > 0
