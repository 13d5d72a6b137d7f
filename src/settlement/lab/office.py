"""A fund's office for the demo, the benchmark and the tests: the people whom a plan needs, and a plan put in force."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from settlement.db.staff import Staff
from settlement.domain.answers import Answer
from settlement.domain.ids import FundId
from settlement.services.access.add_staff import APPROVER, CLERK, add_staff
from settlement.services.access.passwords import generated_password
from settlement.services.plans.acting import Actor
from settlement.services.plans.publish_file import publish_file
from settlement.services.resources import Resources


@dataclass(frozen=True, slots=True)
class Person:
    """An account with its password, as only an invented person's is kept."""

    account: Staff
    password: str


@dataclass(frozen=True, slots=True)
class Office:
    """A clerk who drafts, and a head who approves."""

    fund_id: FundId
    clerk: Person
    head: Person

    @property
    def author(self) -> Actor:
        """The clerk as who gives commands."""
        return Actor(self.fund_id, self.clerk.account.staff_id)

    @property
    def approver(self) -> Actor:
        """The head as who gives commands."""
        return Actor(self.fund_id, self.head.account.staff_id)

    async def publish(self, resources: Resources, plan_file: Path, corrects: str | None = None) -> list[Answer]:
        """Put what is new in a plan file in force, through its whole life."""
        return await publish_file(resources, self.author, self.approver, _text_of(plan_file), plan_file.name, corrects)


async def open_office(resources: Resources, fund_id: FundId) -> Office:
    """Add the two accounts `clerk` and `head` to a fund, with random passwords."""
    clerk = await _person(resources, fund_id, "clerk", CLERK)
    return Office(fund_id, clerk, await _person(resources, fund_id, "head", APPROVER))


def _text_of(plan_file: Path) -> str:
    return plan_file.read_text(encoding="utf-8")


async def _person(resources: Resources, fund_id: FundId, login: str, role: str) -> Person:
    password = generated_password()
    account = await add_staff(resources, fund_id, login=login, roles=(role,), password=password)
    return Person(account, password)
