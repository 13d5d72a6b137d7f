"""Errors: a refusal has a code and figures, and what must hold stops the work when it does not."""

from __future__ import annotations

import pytest

from settlement.domain.errors import GatewayUnavailable, InvariantViolation, SettlementError, ensure


def test_what_holds_passes_and_what_does_not_is_named():
    ensure(True, "one and one are two")
    with pytest.raises(InvariantViolation, match=r"^one and one are two$"):
        ensure(False, "one and one are two")


def test_a_refusal_is_told_by_its_message_and_without_one_by_its_code():
    assert str(SettlementError("the bill is gone")) == "the bill is gone"
    assert str(GatewayUnavailable()) == "gateway_unavailable"


def test_a_refusal_keeps_the_figures_that_are_shown_beside_it():
    assert SettlementError("too much", others="12.00", cash="10.00").figures == {"others": "12.00", "cash": "10.00"}
    assert SettlementError().figures == {}
