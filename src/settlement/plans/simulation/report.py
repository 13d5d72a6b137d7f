"""The result of a simulation as values: what the table, the page and the JSON object all say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from settlement.domain.money import Money
from settlement.plans.simulation.balance import Balance
from settlement.plans.simulation.tally import CHANGE_STEPS, Change, Group, Tally

SMALLEST_UNIT = 20
"""Statistics of a unit are shown from so many beneficiaries up; below that, colleagues could tell who was ill."""
OTHER_UNITS = "*"
"""The group in which smaller units are shown together."""


@dataclass(frozen=True, slots=True)
class PlanName:
    """Which version of which plan."""

    code: str
    version: str
    digest: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Report:
    """A finished simulation."""

    draft: PlanName
    against: PlanName | None
    """The other plan; `None` compares with what was really paid, if that is known."""
    has_before: bool
    source: str
    first_day: date
    last_day: date
    tally: Tally
    balance: Balance | None
    memberships: int
    """Members of the fund; without a number of its own, those who have a bill."""
    take_up: Decimal | None
    """Payments per 100 memberships today, where they are claimed on paper."""
    not_read: tuple[str, ...]
    processes: int
    seconds: float

    @property
    def per_100(self) -> Decimal:
        """Payments per 100 memberships by the draft, to one decimal."""
        paid = Decimal(self.tally.whole.paid_after) * 100
        return (paid / self.memberships).quantize(Decimal("0.1")) if self.memberships else Decimal(0)

    @property
    def multiple(self) -> Decimal | None:
        """How many times as many payments as today the draft makes when nobody has to claim."""
        return (self.per_100 / self.take_up).quantize(Decimal("0.1")) if self.take_up else None

    def groups(self, dimension: str) -> dict[str, Group]:
        """Return the groups of a dimension in the order of their names; units that are too small stand together."""
        groups = self.tally.groups[dimension]
        return units_shown(groups) if dimension == "unit" else dict(sorted(groups.items()))

    def changes(self) -> list[tuple[int | None, int, int]]:
        """Return the classes of change: fen at which each begins (the first at none), members, sum of fen."""
        starts = (None, *CHANGE_STEPS)
        return [(start, self.tally.changes[i], self.tally.change_fen[i]) for i, start in enumerate(starts)]

    def to_json(self) -> dict[str, Any]:
        """Return everything as one object: amounts in yuan as text, counts as numbers."""
        tally, whole = self.tally, self.tally.whole
        return {
            "draft": _plan(self.draft),
            "against": _plan(self.against) if self.against else "paid" if self.has_before else None,
            "source": self.source,
            "from": self.first_day.isoformat(),
            "to": self.last_day.isoformat(),
            **_group(whole, self.has_before),
            "memberships": self.memberships,
            "payments_per_100": str(self.per_100),
            "payments_per_100_today": None if self.take_up is None else str(self.take_up),
            "times_as_many_payments": None if self.multiple is None else str(self.multiple),
            "benefits": {code: self._benefit(code) for code in sorted(tally.benefits)},
            "by": {
                dimension: {value: _group(group, self.has_before) for value, group in self.groups(dimension).items()}
                for dimension in tally.groups
            },
            "changes": [
                {"from": None if start is None else Money(start).yuan(), "members": members, "sum": Money(fen).yuan()}
                for start, members, fen in self.changes()
            ],
            "largest_gains": [_change(change) for change in tally.gains] if self.has_before else [],
            "largest_losses": [_change(change) for change in tally.losses],
            "fund": self._fund(),
            "history_bills": tally.history,
            "held": dict(sorted(tally.held.items())),
            "held_bills": tally.held.total(),
            "bad_rows": tally.refused,
            "first_bad_rows": [{"row": bad.row, "why": bad.why} for bad in tally.first_refused],
            "columns_not_read": list(self.not_read),
            "processes": self.processes,
            "seconds": round(self.seconds, 2),
            "bills_per_second": round(whole.bills / self.seconds) if self.seconds else 0,
        }

    def _benefit(self, code: str) -> dict[str, Any]:
        sums = self.tally.benefits[code]
        after = {"paid_bills_after": sums.paid_after, "cost_after": Money(sums.after_fen).yuan()}
        if not self.has_before:
            return after
        return {"paid_bills_before": sums.paid_before, "cost_before": Money(sums.before_fen).yuan(), **after}

    def _fund(self) -> dict[str, Any] | None:
        balance = self.balance
        if balance is None:
            return None
        return {
            "opening": Money(balance.opening_fen).yuan(),
            "months": [
                {
                    "day": month.day.isoformat(),
                    **({"before": Money(month.before_fen).yuan()} if self.has_before else {}),
                    "after": Money(month.after_fen).yuan(),
                }
                for month in balance.months
            ],
            "dry_before": balance.dry_before.isoformat() if balance.dry_before and self.has_before else None,
            "dry_after": balance.dry_after.isoformat() if balance.dry_after else None,
        }


def units_shown(groups: Mapping[str, Group]) -> dict[str, Group]:
    """Return the units that may be shown, and all smaller ones together as `OTHER_UNITS`.

    Where those together are still too few, the smallest shown units join them: else the total less what is shown
    would tell of them. Where even all together are too few, nothing is shown.
    """
    order = sorted(groups.items(), key=lambda item: (item[1].beneficiaries, item[0]))
    together, shown = Group(), dict(groups)
    for name, group in order:
        none_hidden = len(shown) == len(groups)
        if group.beneficiaries >= SMALLEST_UNIT and (none_hidden or together.beneficiaries >= SMALLEST_UNIT):
            break
        together.add(shown.pop(name))
    result = dict(sorted(shown.items()))
    if together.beneficiaries >= SMALLEST_UNIT:
        result[OTHER_UNITS] = together
    return result


def _plan(name: PlanName) -> dict[str, str]:
    return {"plan": name.code, "version": name.version, "digest": name.digest}


def _group(group: Group, has_before: bool) -> dict[str, Any]:
    before = {"paid_bills_before": group.paid_before, "cost_before": Money(group.before_fen).yuan()}
    compared = {
        "cost_change": Money(group.after_fen - group.before_fen).yuan(),
        "members_gaining": group.gaining,
        "sum_gained": Money(group.gain_fen).yuan(),
        "members_losing": group.losing,
        "sum_lost": Money(group.loss_fen).yuan(),
    }
    return {
        "bills": group.bills,
        "members": group.members,
        "beneficiaries": group.beneficiaries,
        **(before if has_before else {}),
        "paid_bills_after": group.paid_after,
        "cost_after": Money(group.after_fen).yuan(),
        **(compared if has_before else {}),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "first_bill": change.first_bill,
        "bills": change.bills,
        "before": Money(change.before_fen).yuan(),
        "after": Money(change.after_fen).yuan(),
        "change": Money(change.fen).yuan(),
    }
