"""The commands that close, seal for witnesses and check, as a shell calls them."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from typer.testing import CliRunner

from builders import City, a_2304, open_test_resources, settle
from cities import city_template
from database import Databases, as_owner, ops_engine
from serving import TOKEN_KEY, write_keys
from settlement.cli import app
from settlement.db.embedded import DatabaseUrls
from settlement.services.books.seal_books_days import seal_closed_days
from settlement.services.books.seal_keys import read_signer

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def registered(databases: Databases) -> Iterator[tuple[str, City]]:
    with city_template(databases) as name_and_city:
        yield name_and_city


@pytest.fixture
def database(databases: Databases, registered: tuple[str, City]) -> Iterator[DatabaseUrls]:
    with databases.copy(registered[0]) as urls:
        yield urls


@pytest.fixture
def run(database: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on a database of the test's own."""
    for name in list(os.environ):
        if name.startswith(("SETTLEMENT_", "DATABASE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", database.app)
    monkeypatch.setenv("DATABASE_OPS_URL", database.ops)
    monkeypatch.setenv("SETTLEMENT_KEY_FILE", str(write_keys(tmp_path)))
    monkeypatch.setenv("SETTLEMENT_TOKEN_KEY", TOKEN_KEY)
    runner = CliRunner()
    return lambda *words: runner.invoke(app, list(words))


def told(result: Result, code: int = 0) -> Any:
    """Return the JSON object that a command printed as its last line."""
    assert result.exit_code == code, (result.output, result.exception)
    return json.loads(result.stdout.splitlines()[-1])


def settle_and_seal(database: DatabaseUrls, city: City, key: Path) -> None:
    async def work() -> None:
        async with open_test_resources(database) as resources, ops_engine(database) as ops:
            await settle(resources, city, a_2304(city.member))
            await seal_closed_days(resources, ops, read_signer(key))

    asyncio.run(work())


def finding(told: Any, name: str) -> Any:
    return next(found for found in told["findings"] if found["name"] == name)


def test_a_day_is_closed_sealed_handed_to_a_witness_and_checked_against_it(
    run: Run,
    database: DatabaseUrls,
    registered: tuple[str, City],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    key, witness = tmp_path / "seal.pem", tmp_path / "witness.jsonl"
    made = told(run("seal", "new-key", str(key), "--json"))
    assert told(run("books", "close", "--fund", "hz", "--json")) == {"fund": "hz", "closed": 1, "open": 2}
    assert run("books", "close", "--fund", "hz").exit_code == 3
    assert finding(told(run("doctor", "--json")), "seals_form_a_chain")["not_examined"] == 1
    settle_and_seal(database, registered[1], key)
    exported = run("seal", "export", "--fund", "hz")
    assert exported.exit_code == 0
    witness.write_text(exported.stdout)
    [line] = map(json.loads, exported.stdout.splitlines())
    assert (line["books_day"], line["key_id"]) == (1, made["key_id"])
    assert run("seal", "export", "--fund", "hz", "--day", "1").stdout == exported.stdout
    assert run("seal", "export", "--fund", "hz", "--since", "2").stdout == ""
    assert run("seal", "export", "--fund", "hz", "--day", "2").exit_code == 3
    monkeypatch.setenv("SETTLEMENT_SEAL_PUBLIC_KEYS", made["public_file"])
    clean = told(run("doctor", "--chain", "--witness", str(witness), "--json"))
    assert clean["invariants_broken"] == 0
    for name in ("seals_form_a_chain", "seals_are_signed", "sealed_days_unchanged", "seals_as_witnessed"):
        assert finding(clean, name)["examined"] == 1, name
    as_owner(database, "UPDATE seal SET counts = '{\"settlement\": 9}'")
    broken = told(run("doctor", "--witness", str(witness), "--json"), 1)
    assert {found["name"] for found in broken["findings"] if not found["holds"]} == {
        "seals_form_a_chain",
        "seals_are_signed",
        "sealed_days_unchanged",
    }
    witness.write_text("{}")
    assert run("doctor", "--chain", "--witness", str(witness)).exit_code == 3


def test_a_new_key_is_for_its_owner_alone_and_never_replaces_one(run: Run, tmp_path: Path):
    key = tmp_path / "seal.pem"
    told(run("seal", "new-key", str(key), "--json"))
    kept = key.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert b"PRIVATE" not in (tmp_path / "seal.pem.pub").read_bytes()
    assert run("seal", "new-key", str(key)).exit_code == 3
    assert key.read_bytes() == kept
    assert run("seal", "new-key", str(tmp_path / "nowhere" / "seal.pem")).exit_code == 3


@pytest.mark.parametrize("setting", ["SETTLEMENT_SEAL_KEY_FILE", "SETTLEMENT_SEAL_PUBLIC_KEYS"])
@pytest.mark.parametrize("content", [None, "nothing", "another kind of key"])
def test_a_key_that_cannot_be_used_is_refused_with_a_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, content: str | None
):
    file = tmp_path / "key.pem"
    if content == "another kind of key":
        elliptic = generate_private_key(SECP256R1())
        private = elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = elliptic.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        file.write_bytes(private if setting.endswith("FILE") else public)
    elif content is not None:
        file.write_text(content)
    monkeypatch.setenv(setting, str(file))
    refused = run("doctor")
    assert refused.exit_code == 3
    assert str(file) in refused.stderr


def test_seals_by_older_keys_are_verified_by_all_public_keys_in_one_file(
    run: Run,
    database: DatabaseUrls,
    registered: tuple[str, City],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    old, new = tmp_path / "old.pem", tmp_path / "new.pem"
    for key in (old, new):
        told(run("seal", "new-key", str(key), "--json"))
    told(run("books", "close", "--fund", "hz", "--json"))
    settle_and_seal(database, registered[1], old)
    monkeypatch.setenv("SETTLEMENT_SEAL_KEY_FILE", str(new))
    assert not finding(told(run("doctor", "--json"), 1), "seals_are_signed")["holds"]
    both = tmp_path / "public.pem"
    both.write_bytes(b"".join(Path(f"{key}.pub").read_bytes() for key in (old, new)))
    monkeypatch.setenv("SETTLEMENT_SEAL_PUBLIC_KEYS", str(both))
    assert finding(told(run("doctor", "--json")), "seals_are_signed")["holds"]
