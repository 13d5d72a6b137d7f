"""Benefits: what a bill takes is added to the used room, and the base with its steps is the aid."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import pytest

from settlement.domain.benefits import Benefit, Consumption, Step, StepKind, Term, UsedRoom
from settlement.domain.money import ZERO, Money


@pytest.mark.parametrize("name", [field.name for field in fields(Consumption)])
def test_what_a_bill_takes_is_added_to_the_used_room_of_the_same_name(name):
    kind = type(getattr(UsedRoom(), name))
    assert UsedRoom(**{name: kind(40)}).after(Consumption(**{name: kind(2)})) == UsedRoom(**{name: kind(42)})


def test_the_base_and_its_steps_add_up_to_the_aid():
    term = Term("2026", date(2026, 1, 1), date(2026, 12, 31))
    steps = (
        Step("3", StepKind.DEDUCTIBLE, Money(-200), "deductible"),
        Step("4", StepKind.BAND, Money(-420), "50 %"),
        Step("5", StepKind.RATE, Money(1), "rounding"),
    )
    benefit = Benefit("inpatient", "a benefit", term, Money(1_000), steps, UsedRoom(), Consumption())
    assert benefit.amount == Money(381)
    assert Benefit("inpatient", "a benefit", term, ZERO, (), UsedRoom(), Consumption()).amount == ZERO
