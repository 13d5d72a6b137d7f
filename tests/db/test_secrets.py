"""Keys on the disk: whole or not there, never replaced, and one for all who start at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from settlement import app
from settlement.app import open_installation
from settlement.config import SettingsUnusable, read_settings
from settlement.db import secrets
from settlement.db.embedded import DatabaseUrls
from settlement.db.secrets import KeyRing, read_key_ring, write_new_key_ring, write_once


class PowerCutError(Exception):
    pass


def cut_power(_: object) -> None:
    raise PowerCutError


def test_a_secret_whose_writing_is_cut_off_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(secrets.os, "fsync", cut_power)
    with pytest.raises(PowerCutError):
        write_new_key_ring(tmp_path / "keys.json")
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_its_owners_alone_and_is_not_replaced(tmp_path: Path):
    file = tmp_path / "token.key"
    write_once(file, "first")
    with pytest.raises(FileExistsError):
        write_once(file, "second")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("first", 0o600)
    assert list(tmp_path.iterdir()) == [file]


def test_two_first_starts_at_once_end_with_the_same_keys(
    tmp_path: Path, database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
):
    """Each has seen that there is nothing before either writes."""

    class Server:
        def ensure_database(self, _: str) -> DatabaseUrls:
            return database

    both = threading.Barrier(2)
    write = app.write_once
    write_keys = app.write_new_key_ring

    def write_together(file: Path, content: str) -> None:
        both.wait(10)
        write(file, content)

    def write_keys_together(file: Path) -> None:
        both.wait(10)
        write_keys(file)

    monkeypatch.setattr(app, "start_embedded", lambda _: Server())
    monkeypatch.setattr(app, "write_once", write_together)
    monkeypatch.setattr(app, "write_new_key_ring", write_keys_together)
    settings = read_settings(settlement_data_dir=tmp_path, database_url=None)
    found: list[tuple[str, KeyRing]] = []

    def start() -> None:
        opened = open_installation(settings)
        found.append((opened.token_key, opened.keys))

    starts = [threading.Thread(target=start) for _ in range(2)]
    for each in starts:
        each.start()
    for each in starts:
        each.join()
    assert len(found) == 2
    assert found[0] == found[1]
    assert found[0] == ((tmp_path / "token.key").read_text(), read_key_ring(tmp_path / "keys.json"))


@pytest.mark.parametrize("kept", ["", "\n", "short", " " * 40])
def test_a_kept_secret_that_is_none_is_refused_with_what_to_do(
    tmp_path: Path, database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch, kept: str
):
    class Server:
        def ensure_database(self, _: str) -> DatabaseUrls:
            return database

    monkeypatch.setattr(app, "start_embedded", lambda _: Server())
    (tmp_path / "token.key").write_text(kept)
    with pytest.raises(SettingsUnusable, match=r"token\.key holds no secret .* Restore it, or remove it"):
        open_installation(read_settings(settlement_data_dir=tmp_path, database_url=None))
