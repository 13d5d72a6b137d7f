"""What the logins may do: the service changes no record and sees one fund; operations read all and change no record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege, UniqueViolation

from builders import City, a_2304, a_2305, a_city, bill_id_of, facts, open_test_resources, reverse, settle
from database import Databases, as_owner, ops_engine, rows_of
from sealing import SIGNER
from services.reconciling import Desk, bureau_line
from serving import registered_clients
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import fund_transaction
from settlement.db.registry import find_fund
from settlement.db.tables import metadata
from settlement.db.worklist import list_open_items
from settlement.domain.money import Money
from settlement.domain.promises import HoldKind
from settlement.domain.settlements import OtherPayer
from settlement.domain.worklist import Action, Done
from settlement.services.access.add_staff import add_staff
from settlement.services.access.open_session import open_session
from settlement.services.access.sign_in import SignInRefused, sign_in
from settlement.services.audit.ask_examination import ask_examination
from settlement.services.audit.keep_examination import examine_when_due
from settlement.services.bills.add_later_payer import AddLaterPayer, add_later_payer
from settlement.services.bills.commands import Brought
from settlement.services.bills.decide_rerating import ProposeRerating, propose_rerating
from settlement.services.bills.promise_bill import PromiseBill, promise_bill
from settlement.services.bills.quote_bill import QuoteBill
from settlement.services.bills.rerate_what_changed import rerate_what_changed
from settlement.services.books.close_books_day import close_books_day
from settlement.services.books.seal_books_days import seal_closed_days
from settlement.services.events.number_events import number_all_events
from settlement.services.members.announce_renewal import announce_renewal
from settlement.services.pending.open_questions import open_questions_of
from settlement.services.plans.acting import Actor
from settlement.services.resources import Resources
from settlement.services.worklist.act_on_item import act_on_item

TABLES = sorted(metadata.tables)
CHANGEABLE = {
    "bill": {
        "state",
        "revision",
        "member_id",
        "hospital_code",
        "encounter_id",
        "charge_batch_no",
        "visit_no",
        "receipt_no",
        "operator",
        "message_id",
        "settled_at",
        "business_date",
        "figures_digest",
        "question",
        "confirmed_at",
        "confirmed_by",
        "cancelling_settlement_id",
        "resettles",
        "replaces_bill_id",
        "replaced_by_bill_id",
        "place_bill_id",
        "event_count",
    },
    "client": {"revoked_at"},
    "staff": {"password_hash", "disabled_at"},
    "sign_in_failure": {"failures", "since"},
    "staff_session": {"used_at", "ended_at"},
    "books_day": {"closed_at"},
    "worklist_item": {"closed_at"},
    "pending_question": {
        "asks",
        "message_id",
        "opened_at",
        "due_at",
        "deadline_at",
        "tries",
        "said",
        "asker_id",
        "leased_until",
        "outcome",
        "closed_at",
    },
    "reconciliation_break": {
        "bill_id",
        "figures",
        "import_id",
        "line",
        "owner",
        "status",
        "resolution",
        "resolved_by",
        "resolved_at",
        "step_count",
    },
    "member": {"created_at"},
    "fund": {"stay_hold_days"},
    "hold": {"state", "ended_at", "bill_id", "asked_until"},
    "rerating": {"state", "decided_by", "decided_at"},
}
"""The columns that the service may change. `member.created_at` is the right to lock a member's row, nothing else."""
RECORDS = sorted(
    {"settlement", "reversal", "posting", "consumption", "event", "event_position", "idempotency", "message_body"}
    | {
        "person",
        "person_number",
        "membership",
        "plan_version",
        "plan_draft",
        "plan_step",
        "uncovered",
        "hold_room",
        "later_payer",
        "rerating_look",
        "unit",
        "hospital",
    }
    | {"hospital_code", "hospital_level", "unit_renewal", "seal"}
    | {"worklist_action", "examination_request", "examination"}
    | {f"reconciliation_{name}" for name in ("line", "import", "run", "found", "step")}
)


KEPT_FOR_A_TIME = ("message_body", "reconciliation_line")


@pytest.fixture(scope="module")
def filled(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, tuple[City, City]]]:
    """A template in which every table has rows of both of its two funds."""
    name = databases.clone()
    try:
        yield name, asyncio.run(_fill(databases.urls(name), tmp_path_factory.mktemp("lists")))
    finally:
        databases.drop(name)


@pytest.fixture
def database(databases: Databases, filled: tuple[str, tuple[City, City]]) -> Iterator[DatabaseUrls]:
    with databases.copy(filled[0]) as urls:
        yield urls


@pytest.fixture
def two_funds(filled: tuple[str, tuple[City, City]]) -> tuple[City, City]:
    return filled[1]


async def _fill(database: DatabaseUrls, folder: Path) -> tuple[City, City]:
    """Give two funds reversed, held and changed bills each."""
    async with open_test_resources(database) as resources:
        cities = (await a_city(resources, code="hz"), await a_city(resources, code="nb"))
        for city in cities:
            output = a_2304(city.member)
            settled = await settle(resources, city, output)
            await settle(resources, city, a_2304(city.member, output["setlinfo"]["setl_id"], allowed="8100.00"))
            await reverse(resources, city, settled, a_2305(output))
            await settle(resources, city, a_2304(city.member), facts(city, discharged_on=None))
            await settle(resources, city, a_2304(city.member, insutype="390"))
            await registered_clients(resources, city)
            quote = QuoteBill(city.caller, Brought(a_2304(city.member), facts(city)))
            await promise_bill(resources, PromiseBill(quote, HoldKind.COUNTER, None))
            assert await open_questions_of(resources, city.fund_id, all_times=True) == 1
            await _rerate(resources, city, database)
            await announce_renewal(resources, city.fund_id, "u1", date(2027, 1, 1))
            await Desk(resources, city, folder).bureau(bureau_line(city, a_2304(city.member)))
            with pytest.raises(SignInRefused):
                await sign_in(resources, city.fund_id, "clerk", "a wrong password")
            await work_at_the_dashboard(resources, city)
        async with ops_engine(database) as ops:
            for city in cities:
                await close_books_day(resources, city.fund_id)
            await seal_closed_days(resources, ops, SIGNER)
            await number_all_events(ops)
            await examine_when_due(ops, None, resources.ids)
    return cities


async def work_at_the_dashboard(resources: Resources, city: City) -> None:
    """Sign in, take an item of the worklist, and ask for an examination."""
    async with fund_transaction(resources.engine, city.fund_id) as connection:
        fund = await find_fund(connection, city.fund_id)
        (item,) = await list_open_items(connection, city.fund_id, None, None, 1)
    assert fund is not None
    await open_session(resources, fund.code, "clerk", city.office.clerk.password)
    await act_on_item(resources, city.office.author, item.item_id, Done(Action.TAKEN))
    operator = await add_staff(resources, city.fund_id, login="op", roles=("operator",), password="a long password")
    await ask_examination(resources, Actor(city.fund_id, operator.staff_id))


async def _rerate(resources: Resources, city: City, database: DatabaseUrls) -> None:
    """Propose a re-rating: a bill was paid nothing while another, reversed since, had the whole of the limit."""
    member, whole = city.members[1], {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "allowed": "60000.00"}
    output = a_2304(member, mdtrt_id="V00000001", **whole)
    first = await settle(resources, city, output)
    poor = await settle(resources, city, a_2304(member, mdtrt_id="V00000002"))
    await reverse(resources, city, first, a_2305(output))
    as_owner(
        database,
        "UPDATE hold SET state = 'released', ended_at = created_at "
        f"WHERE kind = 'successor' AND state = 'open' AND member_id = '{member.member_id}'",
    )
    await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(poor)))
    payer = OtherPayer("惠民保", Money(100))
    await add_later_payer(resources, AddLaterPayer(city.caller, bill_id_of(poor), payer, "HMB-1"))
    async with ops_engine(database) as ops:
        await rerate_what_changed(resources, ops)


def as_login(url: str, statement: str, fund: City | None = None) -> int:
    """Run one statement as a login, bound to a fund or to none; return how many rows it touched or found."""
    with psycopg.connect(url) as connection:
        if fund is not None:
            connection.execute(f"SET LOCAL app.fund = '{fund.fund_id}'".encode())
        return connection.execute(statement.encode()).rowcount


def test_the_list_of_records_and_changeable_tables_is_whole():
    assert set(RECORDS) | set(CHANGEABLE) == set(TABLES)


@pytest.mark.parametrize("login", ["app", "ops"])
async def test_no_record_can_be_updated_deleted_or_truncated(
    database: DatabaseUrls, two_funds: tuple[City, City], login: str
):
    url, (city, _) = getattr(database, login), two_funds
    tables = RECORDS if login == "app" else TABLES
    for table in tables:
        column = next(iter(metadata.tables[table].columns)).name
        for statement in (
            f"UPDATE {table} SET {column} = {column}",
            f"TRUNCATE {table} CASCADE",
            *([] if login == "ops" and table in KEPT_FOR_A_TIME else [f"DELETE FROM {table}"]),
        ):
            with pytest.raises(InsufficientPrivilege):
                as_login(url, statement, city)


async def test_the_head_and_its_like_lose_no_row_and_change_in_named_columns_only(
    database: DatabaseUrls, two_funds: tuple[City, City]
):
    city, _ = two_funds
    for table, changeable in CHANGEABLE.items():
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(InsufficientPrivilege):
                as_login(database.app, statement, city)
        for column in (found.name for found in metadata.tables[table].columns if found.computed is None):
            statement = f"UPDATE {table} SET {column} = {column}"
            if column in changeable:
                assert as_login(database.app, statement, city) > 0
            else:
                with pytest.raises(InsufficientPrivilege):
                    as_login(database.app, statement, city)


async def test_operations_drop_only_messages_whose_time_is_over(database: DatabaseUrls, two_funds: tuple[City, City]):
    as_owner(database, "UPDATE message_body SET expires_at = now() + interval '1 day'")
    assert as_login(database.ops, "DELETE FROM message_body") == 0
    as_owner(database, "UPDATE message_body SET expires_at = now() - interval '1 day' WHERE kind = 'cancellation'")
    assert as_login(database.ops, "DELETE FROM message_body") == 4


async def test_operations_drop_only_lines_of_lists_whose_time_is_over(
    database: DatabaseUrls, two_funds: tuple[City, City]
):
    as_owner(database, "UPDATE reconciliation_line SET expires_at = now() + interval '1 day'")
    assert as_login(database.ops, "DELETE FROM reconciliation_line") == 0
    as_owner(database, "UPDATE reconciliation_line SET expires_at = now() - interval '1 day'")
    assert as_login(database.ops, "DELETE FROM reconciliation_line") == 2


async def test_only_the_worker_numbers_events_and_keeps_examinations_and_it_inserts_nothing_else(
    database: DatabaseUrls, two_funds: tuple[City, City]
):
    city, _ = two_funds
    of_the_worker = {"event_position", "examination"}
    for table in of_the_worker:
        with pytest.raises(InsufficientPrivilege):
            as_login(database.app, _insert_again(table), city)
    for table in set(TABLES) - of_the_worker:
        with pytest.raises(InsufficientPrivilege):
            as_login(database.ops, _insert_again(table))


def _insert_again(table: str) -> str:
    columns = ", ".join(column.name for column in metadata.tables[table].columns if column.computed is None)
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table}"


async def test_with_the_filter_removed_only_the_own_fund_is_seen(database: DatabaseUrls, two_funds: tuple[City, City]):
    for table in TABLES:
        by_fund = dict(rows_of(database, f"SELECT fund_id, count(*) FROM {table} GROUP BY 1"))
        assert len(by_fund) == 2, f"{table} has no rows of both funds"
        for city in two_funds:
            assert as_login(database.app, f"SELECT * FROM {table}", city) == by_fund[city.fund_id], table
        assert as_login(database.ops, f"SELECT * FROM {table}") == sum(by_fund.values())  # type: ignore[misc]


async def test_without_a_fund_nothing_is_seen_and_a_pooled_connection_forgets_its_fund(
    database: DatabaseUrls, two_funds: tuple[City, City]
):
    city, _ = two_funds
    with psycopg.connect(database.app) as connection:
        for table in TABLES:
            assert connection.execute(f"SELECT FROM {table}".encode()).rowcount == 0, table
        connection.execute(f"SET LOCAL app.fund = '{city.fund_id}'".encode())
        assert connection.execute("SELECT FROM bill").rowcount == 4
        connection.commit()
        assert connection.execute("SELECT FROM bill").rowcount == 0


async def test_a_row_of_another_fund_can_be_neither_written_nor_changed(
    database: DatabaseUrls, two_funds: tuple[City, City]
):
    mine, other = two_funds
    insert = (
        "INSERT INTO uncovered (fund_id, tally_id, business_date, door, reason) "
        f"VALUES ('{other.fund_id}', gen_random_uuid(), '2025-03-11', 'api', 'x')"
    )
    with pytest.raises(InsufficientPrivilege, match="row-level security"):
        as_login(database.app, insert, mine)
    assert as_login(database.app, f"UPDATE bill SET state = state WHERE fund_id = '{other.fund_id}'", mine) == 0
    assert as_login(database.app, f"SELECT FROM member WHERE fund_id = '{other.fund_id}' FOR NO KEY UPDATE", mine) == 0


def test_the_logins_are_no_superusers_and_bypass_nothing(database: DatabaseUrls):
    roles = rows_of(
        database,
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles "
        "WHERE rolname LIKE 'settlement_%'",
    )
    assert sorted(str(role[0]) for role in roles) == ["settlement_app", "settlement_ops", "settlement_owner"]
    assert {flag for role in roles for flag in role[1:]} == {False}
    members = (
        "SELECT count(*) FROM pg_auth_members JOIN pg_roles ON member = pg_roles.oid WHERE rolname LIKE 'settlement_%'"
    )
    assert rows_of(database, members) == [(0,)]


def test_the_services_logins_own_nothing_and_create_nothing(database: DatabaseUrls):
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert rows_of(database, owners) == [("settlement_owner",)]
    for url in (database.app, database.ops):
        for statement in (
            "CREATE TABLE mine (x int)",
            "CREATE SCHEMA mine",
            "UPDATE alembic_version SET version_num = 'x'",
        ):
            with pytest.raises(InsufficientPrivilege):
                as_login(url, statement)


def test_every_table_has_row_level_security(database: DatabaseUrls):
    without = (
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
        "AND NOT relrowsecurity"
    )
    assert rows_of(database, without) == [("alembic_version",)]


async def test_the_equation_and_the_limits_of_one_row_are_repeated_by_the_database(
    database: DatabaseUrls, two_funds: tuple[City, City]
):
    spoilt = {
        "settlement_equation": "UPDATE settlement SET billed_fen = billed_fen + 1, allowed_fen = allowed_fen + 1",
        "settlement_composition": "UPDATE settlement SET excluded_fen = excluded_fen + 1",
        "settlement_patient_share": "UPDATE settlement SET patient_share_fen = patient_share_fen + 1",
        "settlement_cash_split": "UPDATE settlement SET cash_before_aid_fen = cash_before_aid_fen + 1, "
        "patient_share_fen = patient_share_fen + 1",
        "settlement_cash_due_not_negative": "UPDATE settlement SET cash_due_fen = -1, "
        "aid_on_bill_fen = aid_on_bill_fen + cash_due_fen + 1",
        "settlement_aid_has_plan": "UPDATE settlement SET plan_version_id = NULL",
        "posting_fen_positive": "UPDATE posting SET fen = 0",
        "posting_two_accounts": "UPDATE posting SET debit = credit",
        "bill_held_has_question": "UPDATE bill SET question = NULL WHERE state = 'held'",
        "bill_live_has_record": "UPDATE bill SET state = 'live', question = NULL WHERE revision = 0",
    }
    for constraint, statement in spoilt.items():
        with pytest.raises(CheckViolation, match=constraint):
            as_login(database.owner, statement)
    with pytest.raises(UniqueViolation, match="bill_once"):
        as_login(database.owner, "UPDATE bill SET insurer_settlement_id = 'x'")


@pytest.mark.parametrize(
    ("scopes", "hospital_codes", "kept"),
    [
        ("{bills:settle,bills:read}", "{}", False),
        ("{bills:settle}", "{H50010302473}", True),
        ("{bills:push,bills:read}", "{}", True),
    ],
)
def test_the_database_keeps_no_client_that_settles_for_every_hospital(
    two_funds: tuple[City, City], database: DatabaseUrls, scopes: str, hospital_codes: str, kept: bool
):
    fund_id = two_funds[0].fund_id
    insert = f"""INSERT INTO client (fund_id, client_id, name, secret_hash, scopes, hospital_codes, created_at)
        VALUES ('{fund_id}', '{fund_id}.new', 'new', '', '{scopes}', '{hospital_codes}', now())"""
    if kept:
        as_owner(database, insert)
        return
    with pytest.raises(CheckViolation, match="client_hospital_bound"):
        as_owner(database, insert)
