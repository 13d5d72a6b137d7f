"""The menu: each page's place in it, and the roles that see it."""

from __future__ import annotations

from typing import NamedTuple

from settlement.dashboard.access import EVERYONE, READERS, Visitor


class Entry(NamedTuple):
    """A page in the menu: its path under the dashboard, its name, and who sees it."""

    path: str
    name: str
    roles: frozenset[str]


TODAY = Entry("/", "今日", EVERYONE)
BILLS = Entry("/bills", "账单", READERS)
WORKLIST = Entry("/worklist", "待办", READERS)
RECONCILIATION = Entry("/reconciliation", "对账", READERS)
SEALS = Entry("/seals", "封账", EVERYONE)
INVARIANTS = Entry("/invariants", "不变式", EVERYONE)

MENU = (TODAY, BILLS, WORKLIST, RECONCILIATION, SEALS, INVARIANTS)
"""In the order in which a day goes. To add a page: an entry here, a file in `pages/`, a template."""


def menu_for(visitor: Visitor) -> tuple[Entry, ...]:
    """Return what a person finds in the menu."""
    return tuple(entry for entry in MENU if visitor.has(entry.roles))
