"""The arithmetic of a bill: from the amounts as delivered to figures that close, or to the one question.

Identities A, B and C hold to the fen (docs/gateway.md 3). Absent is not zero: it is derived, and an identity says
nothing about a member that was derived from it.
"""

from __future__ import annotations

from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.money import ZERO, Money, total
from settlement.gateway.messages import FundRow, SettlementNode, SettlementOutput
from settlement.gateway.profile import GatewayProfile
from settlement.gateway.readings import Question, QuestionCode

FUND_FIELDS = {
    "hifp": "hifp_pay",
    "cvlserv": "cvlserv_pay",
    "hifes": "hifes_pay",
    "hifmi": "hifmi_pay",
    "hifob": "hifob_pay",
    "hifdm": "hifdm_pay",
    "maf": "maf_pay",
    "oth": "oth_pay",
}
"""The named funds: our name and the insurer's."""

COMPOSITION = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
_REQUIRED = ("medfee_sumamt", *COMPOSITION, "fund_pay_sumamt", "acct_pay")


def close_bill(output: SettlementOutput, profile: GatewayProfile) -> BillFigures | Question:
    """Return the figures of a bill that closes under the profile, or why it does not.

    Aid that the platform has already paid is asked about first: whatever else is wrong, it must not be paid twice.
    """
    node = output.setlinfo
    question = _aid_inside(output.setldetail, profile) or _missing(node)
    if question is not None:
        return question
    figures = _figures(node, profile)
    return (
        _composition_open(figures)
        or _payers_open(figures, profile)
        or _burden_open(figures, profile)
        or _sign_not_allowed(figures, profile)
        or _family_exceeds(figures)
        or figures
    )


def is_union_aid(row: FundRow, profile: GatewayProfile) -> bool:
    """Say whether a fund row is the union's aid; statutory large-amount funds that are called 互助 are not."""
    name = row.fund_pay_type_name or ""
    for statutory in profile.statutory_words:
        name = name.replace(statutory, "")
    return row.fund_pay_type in profile.union_aid_codes or any(word in name for word in profile.union_aid_words)


def account_money(node: SettlementNode, profile: GatewayProfile) -> Money | None:
    """Return all account money in fen, a relative's included; `None` where `acct_pay` was not delivered."""
    if node.acct_pay is None or profile.family_account == "inside":
        return node.acct_pay
    return node.acct_pay + (node.acct_mulaid_pay or ZERO)


def _aid_inside(rows: tuple[FundRow, ...], profile: GatewayProfile) -> Question | None:
    paid = total(row.fund_payamt for row in rows if row.fund_payamt is not None and is_union_aid(row, profile))
    return Question(QuestionCode.AID_ALREADY_INSIDE, ("setldetail",), paid) if paid != ZERO else None


def _missing(node: SettlementNode) -> Question | None:
    absent = tuple(field for field in _REQUIRED if getattr(node, field) is None)
    if node.psn_part_amt is None and node.psn_cash_pay is None:
        absent += ("psn_part_amt", "psn_cash_pay")
    return Question(QuestionCode.FIGURE_MISSING, absent) if absent else None


def _figures(node: SettlementNode, profile: GatewayProfile) -> BillFigures:
    """Put the amounts into our words, deriving what is absent; call it only when nothing required is missing."""
    account = account_money(node, profile) or ZERO
    insurer_paid = (node.fund_pay_sumamt or ZERO) - (account if profile.account_money_in_fund_total else ZERO)
    share = node.psn_part_amt if node.psn_part_amt is not None else account + (node.psn_cash_pay or ZERO)
    cash = node.psn_cash_pay if node.psn_cash_pay is not None else share - account
    billed = node.medfee_sumamt or ZERO
    named = {ours: getattr(node, field) or ZERO for ours, field in FUND_FIELDS.items()}
    return BillFigures(
        billed=billed,
        excluded=node.fulamt_ownpay_amt or ZERO,
        over_limit=node.overlmt_selfpay or ZERO,
        upfront_share=node.preselfpay_amt or ZERO,
        allowed=node.inscp_scp_amt or ZERO,
        insurer_deductible=node.act_pay_dedc or ZERO,
        funds=InsurerFunds(**named, unnamed=insurer_paid - total(named.values())),
        provider_absorbed=node.hosp_part_amt if node.hosp_part_amt is not None else billed - insurer_paid - share,
        patient_share=share,
        account_paid=account,
        family_account_paid=node.acct_mulaid_pay or ZERO,
        cash_before_aid=cash,
    )


def _composition_open(figures: BillFigures) -> Question | None:
    """Identity A: the total is what is excluded, over the limit, paid up front and in scope."""
    parts = (figures.excluded, figures.over_limit, figures.upfront_share, figures.allowed)
    difference = figures.billed - total(parts)
    return _open(QuestionCode.IDENTITY_A_OPEN, ("medfee_sumamt", *COMPOSITION), difference)


def _payers_open(figures: BillFigures, profile: GatewayProfile) -> Question | None:
    """Identity B: the total is paid by funds, hospital and patient. With a derived hospital share it holds."""
    difference = figures.billed - figures.insurer_paid - figures.provider_absorbed - figures.patient_share
    fields = ("medfee_sumamt", "fund_pay_sumamt", "hosp_part_amt", "psn_part_amt")
    moved = figures.account_paid if profile.account_money_in_fund_total else -figures.account_paid
    if difference != ZERO and difference == moved:
        return Question(QuestionCode.ACCOUNT_MONEY_OTHER_WAY, (*fields, "acct_pay"), difference)
    return _open(QuestionCode.IDENTITY_B_OPEN, fields, difference)


def _burden_open(figures: BillFigures, profile: GatewayProfile) -> Question | None:
    """Identity C: the patient's part is account and cash. With a derived part or cash it holds."""
    difference = figures.patient_share - figures.account_paid - figures.cash_before_aid
    fields = ("psn_part_amt", "acct_pay", "psn_cash_pay")
    family = figures.family_account_paid
    if difference != ZERO and difference == (family if profile.family_account == "inside" else -family):
        return Question(QuestionCode.FAMILY_ACCOUNT_OTHER_WAY, (*fields, "acct_mulaid_pay"), difference)
    return _open(QuestionCode.IDENTITY_C_OPEN, fields, difference)


def _sign_not_allowed(figures: BillFigures, profile: GatewayProfile) -> Question | None:
    signed = {
        "medfee_sumamt": figures.billed,
        "fulamt_ownpay_amt": figures.excluded,
        "overlmt_selfpay": figures.over_limit,
        "preselfpay_amt": figures.upfront_share,
        "inscp_scp_amt": figures.allowed,
        "act_pay_dedc": figures.insurer_deductible,
        "psn_part_amt": figures.patient_share,
        "acct_pay": figures.account_paid,
        "acct_mulaid_pay": figures.family_account_paid,
        "psn_cash_pay": figures.cash_before_aid,
    }
    if "provider_absorbed" not in profile.negative_allowed:
        signed["hosp_part_amt"] = figures.provider_absorbed
    if "unnamed" not in profile.negative_allowed:
        signed["fund_pay_sumamt"] = figures.funds.unnamed
    for ours, field in FUND_FIELDS.items():
        if ours not in profile.negative_allowed:
            signed[field] = getattr(figures.funds, ours)
    for field, amount in signed.items():
        if amount < ZERO:
            return Question(QuestionCode.SIGN_NOT_ALLOWED, (field,), amount)
    return None


def _family_exceeds(figures: BillFigures) -> Question | None:
    excess = figures.family_account_paid - figures.account_paid
    if excess <= ZERO:
        return None
    return Question(QuestionCode.FAMILY_ACCOUNT_EXCEEDS_ACCOUNT, ("acct_mulaid_pay", "acct_pay"), excess)


def _open(code: QuestionCode, fields: tuple[str, ...], difference: Money) -> Question | None:
    return Question(code, fields, difference) if difference != ZERO else None
