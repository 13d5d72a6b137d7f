"""A bill's figures: what the insurer paid is the sum of all its funds; plans and records name care by stable codes."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from bill_builders import FIGURES, FUNDS

from settlement.domain.bills import Care, InsurerFunds
from settlement.domain.money import ZERO, Money


def test_the_insurer_paid_what_its_funds_paid_together():
    assert FIGURES.insurer_paid == FUNDS.total() == Money(650_000)
    assert InsurerFunds().total() == ZERO


@pytest.mark.parametrize("name", [field.name for field in fields(InsurerFunds)])
def test_every_fund_counts_and_a_negative_one_takes_away(name):
    assert InsurerFunds(**{name: Money(7)}).total() == Money(7)
    less = replace(FUNDS, **{name: getattr(FUNDS, name) - 650_001})
    assert less.total() == Money(-1)


def test_plans_and_records_know_the_kinds_of_care_by_these_codes():
    assert set(Care) == {"outpatient", "inpatient"}
