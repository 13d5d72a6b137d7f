"""The dashboard as a browser without scripts meets it: cookies, forms with their marks, and pages read as text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

_MARK = re.compile(r'name="mark" value="([0-9a-f]{64})"')
FUND_CODES = ("hz", "nb")


@dataclass(slots=True)
class Desk:
    """One browser at the dashboard. `path`s are under `/ops`."""

    url: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, verify=False, timeout=30))

    def get(self, path: str) -> httpx.Response:
        """Open a page; a redirect is not followed."""
        return checked(self.http.get(f"{self.url}/ops{path}"))

    def post(self, path: str, mark_of: str | None = None, **fields: str) -> httpx.Response:
        """Send a form with the mark that the page at `mark_of` carries (of `path` itself, if none is named)."""
        mark = _MARK.search(self.get(mark_of or path).text)
        return self.post_as_is(path, **({"mark": mark[1]} if mark else {}), **fields)

    def post_as_is(self, path: str, **fields: str) -> httpx.Response:
        """Send a form as it is given."""
        return checked(self.http.post(f"{self.url}/ops{path}", data=fields))

    def sign_in(self, fund: str, username: str, password: str) -> httpx.Response:
        """Sign in; the name may have its fund's id before it, as `/oauth/token` takes it."""
        login = username.partition(".")[2] or username
        return self.post("/sign-in", fund=fund, login=login, password=password)


@contextmanager
def desk_of(url: str, fund: str | None = None, person: tuple[str, str] | None = None) -> Iterator[Desk]:
    """Open a browser, signed in as a person if one is given."""
    desk = Desk(url)
    try:
        if fund is not None and person is not None:
            answer = desk.sign_in(fund, *person)
            assert answer.status_code == 303, answer.text
        yield desk
    finally:
        desk.http.close()


def checked(answer: httpx.Response) -> httpx.Response:
    """Assert what holds for every answer of the dashboard: nothing runs, is framed or stays in a cache."""
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    if "/static/" not in answer.request.url.path:
        assert answer.headers["cache-control"] == "no-store"
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert '<html lang="zh-CN">' in answer.text
        assert not re.search(r"<script|<[^>]*\s(on\w+|style)=|<[^>]*https?://", answer.text), (
            "a page loads or runs something"
        )
        assert "{{" not in answer.text
    return answer


def text_of(answer: httpx.Response) -> str:
    """Return a page's text without its tags, with single blanks."""
    bare = html.unescape(re.sub(r"<[^>]+>", " ", answer.text))
    return re.sub(r"\s+", " ", bare)
