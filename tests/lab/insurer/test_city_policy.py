"""The simulated city's policy: identities on many random bills, and the rules one by one."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.lab.insurer import city
from settlement.lab.insurer.catalogue import CATALOGUE, classify, find_item
from settlement.lab.insurer.city import Case, Composition, add_totals, settle
from settlement.lab.insurer.records import YearTotals

FEN = st.integers(min_value=0, max_value=90_000_000)


def compositions() -> st.SearchStrategy[Composition]:
    return st.builds(Composition, FEN, FEN, FEN, FEN).filter(lambda composition: sum(composition) > 0)


def year_totals() -> st.SearchStrategy[YearTotals]:
    return st.builds(YearTotals, st.integers(0, 5), FEN, FEN, FEN, FEN, FEN)


def cases() -> st.SearchStrategy[Case]:
    return st.builds(
        Case,
        insutype=st.sampled_from(["310", "390", "340"]),
        retired=st.booleans(),
        civil_servant=st.booleans(),
        assisted=st.booleans(),
        inpatient=st.booleans(),
        level=st.sampled_from([1, 2, 3]),
        composition=compositions(),
        used=year_totals(),
        balance_fen=FEN,
        use_account=st.booleans(),
        luck=st.integers(0, 9_999),
        family_fen=st.sampled_from([0, 0, 5_000]),
    )


def a_case(**changes: Any) -> Case:
    usual = Case("310", False, False, False, True, 3, Composition(0, 0, 0, 1_000_000), YearTotals(), 0, False)
    return usual._replace(**changes)


@settings(max_examples=300, deadline=None)
@given(case=cases())
def test_identities_a_to_e_hold_on_every_bill(case: Case) -> None:
    amounts, used = settle(case)
    assert amounts.medfee_sumamt == sum(case.composition)
    assert amounts.medfee_sumamt == amounts.fund_pay_sumamt + amounts.psn_part_amt + amounts.hosp_part_amt
    assert amounts.psn_part_amt == amounts.acct_pay + amounts.psn_cash_pay
    assert all(fen >= 0 for fen in amounts)
    assert amounts.psn_cash_pay >= 0
    assert amounts.fund_pay_sumamt <= max(0, case.composition.inscp_scp_amt)
    assert amounts.act_pay_dedc <= case.composition.inscp_scp_amt
    assert amounts.acct_pay - amounts.acct_mulaid_pay <= case.balance_fen
    assert all(fen >= 0 for fen in used)


@settings(max_examples=100, deadline=None)
@given(case=cases())
def test_a_cancellation_is_the_exact_negation_and_gives_the_year_back(case: Case) -> None:
    amounts, used = settle(case)
    negative = amounts.negated()
    for name in ("medfee_sumamt", "fund_pay_sumamt", "psn_part_amt", "psn_cash_pay", "acct_pay", "hosp_part_amt"):
        assert getattr(amounts, name) + getattr(negative, name) == 0
    assert add_totals(add_totals(case.used, used), used, -1) == case.used


@given(
    code=st.sampled_from([*CATALOGUE, "unknown"]),
    fen=st.integers(-10_000_000, 10_000_000),
    count=st.decimals("0.25", "99", places=2),
)
def test_every_line_is_divided_without_rest(code: str, fen: int, count: Decimal) -> None:
    shares = classify(find_item(code), fen, count if fen >= 0 else -count)
    assert sum(shares) == fen
    assert all(part * fen >= 0 for part in shares)


def test_the_line_of_the_real_message_is_divided_as_it_was() -> None:
    assert classify(find_item("XC09CAS003"), 452, Decimal(1)) == (0, 0, 23, 429)


@pytest.mark.parametrize(("stays", "deductible"), [(0, 90_000), (1, 45_000), (2, 0), (7, 0)])
def test_the_deductible_falls_with_every_stay_of_the_year(stays: int, deductible: int) -> None:
    amounts, _used = settle(a_case(used=YearTotals(stays=stays)))
    assert amounts.act_pay_dedc == deductible
    assert amounts.hifp_pay == (1_000_000 - deductible) * 83 // 100


def test_the_retired_pay_less() -> None:
    assert settle(a_case(retired=True))[0].psn_part_amt < settle(a_case())[0].psn_part_amt


def test_above_the_annual_ceiling_the_large_amount_fund_pays() -> None:
    amounts, used = settle(a_case(used=YearTotals(stays=3, pool=city.POOL_CEILING - 83_000)))
    assert amounts.hifp_pay == 83_000
    assert amounts.hifob_pay == (1_000_000 - 100_000) * 90 // 100
    assert (used.pool, used.large) == (amounts.hifp_pay, amounts.hifob_pay)


def test_an_outpatient_deductible_is_consumed_over_the_year() -> None:
    first, used = settle(a_case(inpatient=False, composition=Composition(0, 0, 0, 30_000)))
    second, _used = settle(a_case(inpatient=False, composition=Composition(0, 0, 0, 30_000), used=used))
    assert (first.act_pay_dedc, first.hifp_pay) == (30_000, 0)
    assert (second.act_pay_dedc, second.hifp_pay) == (20_000, 5_000)


def test_civil_servants_and_the_poor_have_a_fund_of_their_own() -> None:
    assert settle(a_case(civil_servant=True))[0].cvlserv_pay == (1_000_000 - 90_000 - 755_300) // 2
    assert settle(a_case(assisted=True))[0].maf_pay == (1_000_000 - 755_300) * 7 // 10


def test_a_veteran_cadre_is_paid_in_full_by_another_fund() -> None:
    amounts, _used = settle(a_case(insutype="340"))
    assert (amounts.oth_pay, amounts.psn_part_amt) == (1_000_000, 0)


def test_residents_have_catastrophic_insurance() -> None:
    amounts, _used = settle(a_case(insutype="390", composition=Composition(0, 0, 0, 6_000_000)))
    assert amounts.hifmi_pay > 0
    assert amounts.hifob_pay == 0


def test_the_in_policy_share_can_be_negative_when_the_hospital_bears_cost() -> None:
    amounts, _used = settle(a_case(composition=Composition(2_000_000, 0, 0, 1_000_000), luck=399))
    assert amounts.inscp_scp_amt - amounts.fund_pay_sumamt - amounts.hosp_part_amt < 0


def test_the_own_account_pays_before_a_relatives() -> None:
    amounts, _used = settle(a_case(balance_fen=10_000, use_account=True, family_fen=5_000))
    assert (amounts.acct_pay, amounts.acct_mulaid_pay) == (15_000, 5_000)
