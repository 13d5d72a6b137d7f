"""Asking for passwords: on a terminal unseen, on a pipe a line each in the order in which they are asked for."""

from __future__ import annotations

import getpass
import sys

from settlement.cli.telling import fail


def ask_password(login: str) -> str:
    """Return the password of an account as it was typed, or the next line of standard input."""
    if sys.stdin.isatty():
        return getpass.getpass(f"Password of {login}: ")
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        fail(f"There is no password of {login} on standard input; give one line for each account.")
    return given


def ask_new_password(login: str) -> str | None:
    """Return a new password, typed twice, or the next line of standard input; `None` where that is empty."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n") or None
    given = getpass.getpass(f"New password of {login}: ")
    if getpass.getpass("The same again: ") != given:
        fail("The two passwords are not the same; nothing was changed.")
    return given
