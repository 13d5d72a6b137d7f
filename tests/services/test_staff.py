"""Staff accounts: argon2id, one answer and one time for every refusal, and a bound on guessing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from builders import HANGZHOU_FILE, City, SteeredClock
from database import rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.db.registry import AlreadyRegistered
from settlement.domain.ids import FundId
from settlement.services.access import passwords
from settlement.services.access import sign_in as signing_in
from settlement.services.access.add_staff import (
    StaffUnknown,
    StaffUnusable,
    add_staff,
    change_password,
    disable_staff,
)
from settlement.services.access.sign_in import (
    MOST_FAILURES,
    MOST_WAITING,
    WINDOW,
    SignInBlocked,
    SignInBusy,
    SignInRefused,
    grant_staff_token,
    sign_in,
)
from settlement.services.access.tokens import TokenInvalid, Tokens
from settlement.services.plans.acting import Actor
from settlement.services.plans.submit_draft import SubmitDraft, submit_draft
from settlement.services.resources import Resources

PASSWORD = "a long enough password"


async def added(resources: Resources, city: City, login: str = "zhang", role: str = "clerk") -> None:
    await add_staff(resources, city.fund_id, login=login, roles=(role,), password=PASSWORD)


def tokens_of(resources: Resources) -> Tokens:
    return Tokens("k" * 48, timedelta(minutes=10), resources.clock)


@pytest.mark.usefixtures("shipped_passwords")
async def test_a_password_is_kept_as_argon2id_with_the_parameters_of_rfc_9106(
    resources: Resources, city: City, database: DatabaseUrls
):
    await added(resources, city)
    (kept,) = rows_of(database, "SELECT password_hash FROM staff WHERE login = 'zhang'")[0]
    parameters = extract_parameters(str(kept))
    assert parameters.type is Type.ID
    assert (parameters.time_cost, parameters.memory_cost, parameters.parallelism) == (3, 65536, 4)
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)
    assert PASSWORD not in str(kept)


async def test_a_hash_of_other_parameters_is_renewed_when_its_owner_signs_in(
    resources: Resources, city: City, monkeypatch: pytest.MonkeyPatch, database: DatabaseUrls
):
    await added(resources, city)
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=2048, parallelism=1))
    await sign_in(resources, city.fund_id, "zhang", PASSWORD)
    (kept,) = rows_of(database, "SELECT password_hash FROM staff WHERE login = 'zhang'")[0]
    assert extract_parameters(str(kept)).memory_cost == 2048
    await sign_in(resources, city.fund_id, "zhang", PASSWORD)


async def test_a_token_carries_the_scopes_of_the_roles_and_names_the_account(resources: Resources, city: City):
    await add_staff(resources, city.fund_id, login="li", roles=("clerk", "auditor"), password=PASSWORD)
    tokens = tokens_of(resources)
    granted = await grant_staff_token(resources, tokens, f"{city.fund_id}.li", PASSWORD)
    bearer = tokens.read(granted.token)
    assert bearer.client_id == f"{city.fund_id}.staff:li"
    assert bearer.staff_id is not None
    assert bearer.scopes == {
        "plans:read",
        "plans:draft",
        "bills:read",
        "eligibility:read",
        "events:read",
        "ops:read",
        "aid:propose",
        "reconciliation:read",
        "reconciliation:bring",
        "reconciliation:work",
    }


@pytest.mark.usefixtures("shipped_passwords")
async def test_unknown_disabled_and_wrong_are_refused_alike_and_each_verifies_one_hash(
    resources: Resources, city: City, monkeypatch: pytest.MonkeyPatch
):
    await added(resources, city)
    await added(resources, city, "wang")
    await disable_staff(resources, city.fund_id, "wang")
    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
            verified.append(str(hash))
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "HASHER", Counting(time_cost=3, memory_cost=65536, parallelism=4))
    nobody = FundId(resources.ids.new())
    tries = [
        (city.fund_id, "zhang", "a wrong password"),
        (city.fund_id, "nobody", PASSWORD),
        (city.fund_id, "wang", PASSWORD),
        (nobody, "zhang", PASSWORD),
    ]
    for number, (fund_id, login, password) in enumerate(tries, 1):
        with pytest.raises(SignInRefused) as refused:
            await sign_in(resources, fund_id, login, password)
        assert refused.value.figures == {}
        assert len(verified) == number
    assert {extract_parameters(hash_).memory_cost for hash_ in verified} == {65536}
    for username in ("no fund at all", f"{city.fund_id}.", f"{city.fund_id}.\x00", f"{city.fund_id}.{'a' * 1000}"):
        with pytest.raises(SignInRefused):
            await grant_staff_token(resources, tokens_of(resources), username, PASSWORD)
    assert len(verified) == len(tries)


async def test_more_sign_ins_than_the_line_holds_are_turned_away_and_not_counted(resources: Resources, city: City):
    await added(resources, city)
    nobodies = [FundId(resources.ids.new()) for _ in range(MOST_WAITING + 5)]
    tries = [sign_in(resources, nobody, "zhang", PASSWORD) for nobody in nobodies]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, SignInBusy) for result in results) == 5
    assert sum(isinstance(result, SignInRefused) for result in results) == MOST_WAITING
    with pytest.raises(SignInRefused):
        await sign_in(resources, city.fund_id, "zhang", "a wrong password")


async def test_a_renewed_hash_does_not_bring_back_a_password_that_was_changed_meanwhile(
    resources: Resources, city: City, monkeypatch: pytest.MonkeyPatch
):
    await added(resources, city)
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=2048, parallelism=1))

    async def slow_hash(password: str) -> str:
        await change_password(resources, city.fund_id, "zhang", "another long password")
        return await passwords.hash_password(password)

    monkeypatch.setattr(signing_in, "hash_password", slow_hash)
    await sign_in(resources, city.fund_id, "zhang", PASSWORD)
    with pytest.raises(SignInRefused):
        await sign_in(resources, city.fund_id, "zhang", PASSWORD)
    await sign_in(resources, city.fund_id, "zhang", "another long password")


@pytest.mark.parametrize("login", ["zhang", "nobody"])
async def test_after_ten_failures_a_name_is_not_looked_at_for_a_while_known_or_not(
    resources: Resources, city: City, clock: SteeredClock, login: str
):
    await added(resources, city)
    for _ in range(MOST_FAILURES):
        with pytest.raises(SignInRefused):
            await sign_in(resources, city.fund_id, login, "a wrong password")
    with pytest.raises(SignInBlocked) as blocked:
        await sign_in(resources, city.fund_id, login, PASSWORD)
    assert 0 < int(str(blocked.value.figures["retry_after_seconds"])) <= WINDOW.total_seconds()
    clock.forward(seconds=WINDOW.total_seconds())
    if login == "zhang":
        await sign_in(resources, city.fund_id, login, PASSWORD)
    else:
        with pytest.raises(SignInRefused):
            await sign_in(resources, city.fund_id, login, PASSWORD)


async def test_guesses_sent_at_once_do_not_all_pass(resources: Resources, city: City):
    await added(resources, city)
    guesses = (sign_in(resources, city.fund_id, "zhang", f"guess number {number}") for number in range(40))
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(result, SignInRefused) for result in results) == MOST_FAILURES
    assert sum(isinstance(result, SignInBlocked) for result in results) == 40 - MOST_FAILURES


async def test_a_sign_in_that_succeeds_forgets_the_failures(resources: Resources, city: City):
    await added(resources, city)
    for _ in range(2):
        for _ in range(6):
            with pytest.raises(SignInRefused):
                await sign_in(resources, city.fund_id, "zhang", "a wrong password")
        await sign_in(resources, city.fund_id, "zhang", PASSWORD)


async def test_a_token_of_an_account_that_was_disabled_changes_nothing(
    resources: Resources, city: City, database: DatabaseUrls
):
    await added(resources, city)
    account = await sign_in(resources, city.fund_id, "zhang", PASSWORD)
    await disable_staff(resources, city.fund_id, "zhang")
    source = HANGZHOU_FILE.read_text().replace("2018", "2019")
    with pytest.raises(TokenInvalid):
        await submit_draft(resources, Actor(city.fund_id, account.staff_id), SubmitDraft(source))
    assert rows_of(database, "SELECT count(*) FROM plan_draft") == [(1,)]


async def test_a_password_can_be_changed_and_an_account_disabled_once(resources: Resources, city: City):
    await added(resources, city)
    await change_password(resources, city.fund_id, "zhang", "another long password")
    with pytest.raises(SignInRefused):
        await sign_in(resources, city.fund_id, "zhang", PASSWORD)
    await sign_in(resources, city.fund_id, "zhang", "another long password")
    await disable_staff(resources, city.fund_id, "zhang")
    for again in (
        disable_staff(resources, city.fund_id, "zhang"),
        change_password(resources, city.fund_id, "zhang", PASSWORD),
    ):
        with pytest.raises(StaffUnknown):
            await again
    with pytest.raises(AlreadyRegistered):
        await added(resources, city)


@pytest.mark.parametrize(
    ("login", "roles", "password"),
    [
        ("Zhang", ("clerk",), PASSWORD),
        ("zhang", (), PASSWORD),
        ("zhang", ("head",), PASSWORD),
        ("zhang", ("clerk",), "short"),
        ("zhang", ("clerk",), "zhang-zhang-zhang"),
        ("zhang", ("clerk",), "x" * 201),
    ],
)
async def test_an_account_that_cannot_be_used_is_refused(
    resources: Resources, city: City, login: str, roles: tuple[str, ...], password: str
):
    with pytest.raises(StaffUnusable) as refused:
        await add_staff(resources, city.fund_id, login=login, roles=roles, password=password)
    assert refused.value.figures["why"]
