"""The city's insurance policy: what each fund pays of one bill, in whole fen.

Pure: it reads no clock, no state and no message. The figures are invented, of the usual size for a Chinese city.
"""

from __future__ import annotations

from typing import NamedTuple

from settlement.lab.insurer.catalogue import share
from settlement.lab.insurer.records import Amounts, YearTotals

POOL_CEILING = 15_000_000
LARGE_CEILING = 40_000_000
LARGE_BP = 9_000
CIVIL_BP = 5_000
ASSISTANCE_BP = 7_000
CATASTROPHIC_FROM = 1_400_000
CATASTROPHIC_BP = 6_000

STAY_DEDUCTIBLE = {1: 20_000, 2: 50_000, 3: 90_000}
STAY_BP = {"active": {1: 9_000, 2: 8_700, 3: 8_300}, "retired": {1: 9_500, 2: 9_200, 3: 8_800}}
RESIDENT_STAY_BP = {1: 8_000, 2: 6_800, 3: 5_500}

VISIT_DEDUCTIBLE = {"active": 50_000, "retired": 30_000}
VISIT_BP = {"active": {1: 7_000, 2: 6_000, 3: 5_000}, "retired": {1: 8_000, 2: 7_000, 3: 6_000}}
VISIT_CEILING = {"active": 300_000, "retired": 400_000}
RESIDENT_VISIT_BP = {1: 6_000, 2: 5_000, 3: 0}
RESIDENT_VISIT_DEDUCTIBLE = 10_000
RESIDENT_VISIT_CEILING = 40_000

HOSPITAL_BORNE_PER_10_000 = 400


class Composition(NamedTuple):
    """The four kinds of cost of one bill, in fen."""

    fulamt_ownpay_amt: int
    overlmt_selfpay: int
    preselfpay_amt: int
    inscp_scp_amt: int


class Case(NamedTuple):
    """All that the city looks at when it settles one bill.

    `level` is the hospital's, 1 to 3; `luck` is 0 to 9,999 and decides the rare hospital-borne cost of a stay;
    `family_fen` is what a relative's account offers beside the own `balance_fen`.
    """

    insutype: str
    retired: bool
    civil_servant: bool
    assisted: bool
    inpatient: bool
    level: int
    composition: Composition
    used: YearTotals
    balance_fen: int
    use_account: bool
    luck: int = 9_999
    family_fen: int = 0


class _Pool(NamedTuple):
    deductible: int
    paid: int
    ratio_bp: int
    beyond: int


def settle(case: Case) -> tuple[Amounts, YearTotals]:
    """Return what everyone pays of one bill, and what it adds to the person's year; identities A to E' hold.

    The order is the city's: deductible, pooled fund up to its ceiling, the fund above it, the supplements,
    medical assistance, then what the hospital bears; the account and cash pay the rest.
    """
    scope = max(0, case.composition.inscp_scp_amt)
    pool = _pooled_fund(case, scope)
    large = _large_amount_fund(case, pool.beyond)
    other = scope if case.insutype == "340" else 0
    civil = share(scope - pool.deductible - pool.paid - large - other, CIVIL_BP) if case.civil_servant else 0
    own = scope - pool.paid - large - civil - other
    catastrophic = _catastrophic(case, own)
    assistance = share(own - catastrophic, ASSISTANCE_BP) if case.assisted else 0
    own -= catastrophic + assistance
    total = sum(case.composition)
    hospital = _hospital_borne(case, total - (scope - own))
    burden = total - (scope - own) - hospital
    account, family = _accounts(case, burden)
    amounts = Amounts(
        *case.composition,
        act_pay_dedc=pool.deductible,
        hifp_pay=pool.paid,
        cvlserv_pay=civil,
        hifmi_pay=catastrophic,
        hifob_pay=large,
        maf_pay=assistance,
        oth_pay=other,
        hosp_part_amt=hospital,
        acct_pay=account,
        acct_mulaid_pay=family,
        pool_bp=pool.ratio_bp if pool.paid else 0,
    )
    return amounts, _year_used(case, amounts, own)


def add_totals(totals: YearTotals, used: YearTotals, sign: int = 1) -> YearTotals:
    """Add what one settlement used to a year's totals; `sign` -1 gives it back."""
    return YearTotals(*(total + sign * part for total, part in zip(totals, used, strict=True)))


def _group(case: Case) -> str:
    return "retired" if case.retired else "active"


def _pooled_fund(case: Case, scope: int) -> _Pool:
    if case.insutype == "340":
        return _Pool(0, 0, 0, 0)
    return _stay_pool(case, scope) if case.inpatient else _visit_pool(case, scope)


def _stay_pool(case: Case, scope: int) -> _Pool:
    standard = STAY_DEDUCTIBLE[case.level]
    standard = standard if case.used.stays == 0 else standard // 2 if case.used.stays == 1 else 0
    deductible = min(scope, standard)
    ratio = RESIDENT_STAY_BP[case.level] if case.insutype == "390" else STAY_BP[_group(case)][case.level]
    eligible = scope - deductible
    room = max(0, POOL_CEILING - case.used.pool)
    paid = share(eligible, ratio)
    if paid <= room:
        return _Pool(deductible, paid, ratio, 0)
    return _Pool(deductible, room, ratio, eligible - room * 10_000 // ratio)


def _visit_pool(case: Case, scope: int) -> _Pool:
    resident = case.insutype == "390"
    group = _group(case)
    standard = RESIDENT_VISIT_DEDUCTIBLE if resident else VISIT_DEDUCTIBLE[group]
    ceiling = RESIDENT_VISIT_CEILING if resident else VISIT_CEILING[group]
    ratio = RESIDENT_VISIT_BP[case.level] if resident else VISIT_BP[group][case.level]
    deductible = min(scope, max(0, standard - case.used.outpatient_deductible))
    room = max(0, min(ceiling - case.used.outpatient_pool, POOL_CEILING - case.used.pool))
    return _Pool(deductible, min(share(scope - deductible, ratio), room), ratio, 0)


def _large_amount_fund(case: Case, beyond: int) -> int:
    """Pay 90 % of an employee's in-policy cost above the pooled fund's ceiling, up to a ceiling of its own."""
    if case.insutype != "310" or not beyond:
        return 0
    return min(share(beyond, LARGE_BP), max(0, LARGE_CEILING - case.used.large))


def _catastrophic(case: Case, own: int) -> int:
    """Pay a resident 60 % of the year's own in-policy cost above a line; only this bill's part of it."""
    if case.insutype != "390" or not case.inpatient:
        return 0
    before = case.used.own_in_policy
    above = max(0, before + own - CATASTROPHIC_FROM) - max(0, before - CATASTROPHIC_FROM)
    return share(min(above, own), CATASTROPHIC_BP)


def _hospital_borne(case: Case, burden: int) -> int:
    """Let the hospital bear part of a rare stay; it covers cost outside the policy too.

    So the in-policy share of the patient may come out negative, as in the real inpatient sample.
    """
    if not case.inpatient or case.luck >= HOSPITAL_BORNE_PER_10_000:
        return 0
    return share(burden, 1_000 + case.luck * 15)


def _accounts(case: Case, burden: int) -> tuple[int, int]:
    """Return what accounts pay and how much of that is a relative's; the own account pays first."""
    if not case.use_account or case.insutype == "340":
        return 0, 0
    own = min(max(0, case.balance_fen), burden)
    family = min(case.family_fen, burden - own)
    return own + family, family


def _year_used(case: Case, amounts: Amounts, own: int) -> YearTotals:
    if case.inpatient:
        return YearTotals(stays=1, pool=amounts.hifp_pay, large=amounts.hifob_pay, own_in_policy=own)
    return YearTotals(
        outpatient_deductible=amounts.act_pay_dedc,
        outpatient_pool=amounts.hifp_pay,
        pool=amounts.hifp_pay,
        own_in_policy=own,
    )
