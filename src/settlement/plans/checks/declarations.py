"""Checks of what a plan must decide because no published rule does, and of what it declares and never uses."""

from __future__ import annotations

from collections.abc import Iterator

from settlement.plans.checks.names import named_amounts
from settlement.plans.checks.reach import reach_by_fact
from settlement.plans.checks.registry import ERROR, WARNING, Place, check
from settlement.plans.checks.survey import Survey
from settlement.plans.findings import FilePath
from settlement.plans.layout import spans_of
from settlement.plans.model import AmountSum, BenefitRules, BurdenLimit, Modifier, Span, Waiting
from settlement.plans.vocabulary import OTHER_PAID

_PLAN: FilePath = ("plan",)
_OF_CONTINUITY = frozenset({"days_covered", "consecutive_terms", "returned"})


def _facts_asked(survey: Survey) -> frozenset[str]:
    asked = {test.fact for test in survey.tests}
    asked |= {spot.part.per for spot in survey.all(Modifier) if spot.part.per is not None}
    return frozenset(asked | ({"days_covered"} if any(survey.all(Waiting)) else set()))


def _open(key: str, zh: str, en: str, path: FilePath = _PLAN) -> Place:
    return Place(path, None, f"没有声明 {key}：{zh}", f"{key} is not declared: {en}")


@check("no_family_account_money", WARNING)
def no_family_account_money(survey: Survey) -> Iterator[Place]:
    """Find a plan that leaves open what a relative's account pays for."""
    if survey.header.family_account_money is None and any(survey.all(AmountSum)):
        yield _open(
            "family_account_money",
            "家庭共济账户支付是否计入个人负担，现按 account_money 处理；"
            "写作 {counts_as: burden | not_burden, clause: …}",
            "whether a relative's account counts as burden, as `{counts_as: burden | not_burden, clause: …}`; "
            "now it counts as account_money does",
        )


@check("no_earlier_changes", WARNING)
def no_earlier_changes(survey: Survey) -> Iterator[Place]:
    """Find a plan that leaves open what a changed earlier bill does to later ones."""
    if survey.header.earlier_changes is None:
        yield _open(
            "earlier_changes",
            "前单变动后，后面的账单如何处理，写作 earlier_changes: {effect: leave | propose | raise, clause: …}",
            "say what a changed earlier bill does to later ones, as `{effect: leave | propose | raise, clause: …}`",
        )


@check("no_corrections", WARNING)
def no_corrections(survey: Survey) -> Iterator[Place]:
    """Find a plan that leaves open whether a corrected bill keeps its place."""
    if survey.header.corrections is None:
        yield _open(
            "corrections",
            "更正后的账单是否保留原单的次序、期间和起付线，写作 corrections: {place: kept | new, clause: …}",
            "say whether a corrected bill keeps the place of the one it replaces, as `{place: kept | new, clause: …}`",
        )


@check("no_spanning", WARNING)
def no_spanning(survey: Survey) -> Iterator[Place]:
    """Find a plan for stays that leaves open what happens to one over two terms."""
    reach = [reach_by_fact(survey, benefit).get("care") for benefit in survey.body.benefits]
    stays = any(not isinstance(care, frozenset) or "inpatient" in care for care in reach)
    if survey.header.spanning is None and stays:
        yield _open(
            "spanning",
            "跨期住院是归入一期还是按天分摊，写作 spanning: {split: none | by_days, clause: …}",
            "say whether a stay over two terms lies in one or is split, as `{split: none | by_days, clause: …}`",
        )


@check("no_stays", WARNING)
def no_stays(survey: Survey) -> Iterator[Place]:
    """Find a plan that counts stays and leaves open which admissions are one stay."""
    spans = {*spans_of(survey.body)}
    counted = Span.STAY in spans or not _facts_asked(survey).isdisjoint({"stay_ordinal", "stay_days"})
    if survey.header.stays is None and counted:
        yield _open(
            "stays",
            "按住院次数或每次住院计算时，短期内再次入院是否算同一次，写作 stays: {same: never, clause: …}，"
            "或 {same: diagnosis | hospital | any, merge_within_days: 天数, clause: …}",
            "say which admissions soon after a discharge are the same stay, as `{same: never, clause: …}` or "
            "`{same: diagnosis | hospital | any, merge_within_days: …, clause: …}`",
        )


@check("no_other_payers", ERROR)
def no_other_payers(survey: Survey) -> Iterator[Place]:
    """Find what other payers pay in a sum of a plan that does not say where it stands among them, or comes first."""
    payers = survey.header.other_payers
    for spot, _, name, path in named_amounts(survey):
        if name == OTHER_PAID and (payers is None or payers.place == "before"):
            yield Place(
                path,
                spot.clause,
                f"用了 {OTHER_PAID}，须声明 other_payers 且 place: after；在其他付款方之前的方案不知道他们付多少",
                f"{OTHER_PAID} needs `other_payers` with `place: after`: a plan that comes first does not know it",
            )


@check("other_paid_not_subtracted", WARNING)
def other_paid_not_subtracted(survey: Survey) -> Iterator[Place]:
    """Find a benefit of a plan that comes after other payers which takes what they pay off nothing."""
    payers = survey.header.other_payers
    if payers is None or payers.place != "after":
        return
    for spot in survey.all(BenefitRules):
        benefit = spot.part
        if benefit.base is None or benefit.manual is not None:
            continue
        limited = any(isinstance(rule, BurdenLimit) for rule in benefit.rules)
        sums = [benefit.base, benefit.burden if limited else None]
        sums += [limit.burden for limit in survey.body.limits if benefit in survey.members(limit)]
        if not any(each is not None and OTHER_PAID in each.minus for each in sums):
            yield Place(
                (*spot.path, "base"),
                benefit.base.clause,
                "other_payers 写了 place: after，本身并不扣除；本待遇的 base 和负担上限都没有减去 other_paid，"
                "与其他保障合计可能超过个人负担：在 minus 写入 other_paid，或确认规则如此",
                "`place: after` takes nothing off by itself, and neither this base nor a limit by the burden subtracts "
                "other_paid, so that both payers together may exceed the burden: add it to `minus`, or confirm it",
            )


@check("no_continuity", ERROR)
def no_continuity(survey: Survey) -> Iterator[Place]:
    """Find a plan that counts unbroken cover and does not say what a break is."""
    asked = sorted(_facts_asked(survey) & _OF_CONTINUITY)
    if survey.header.continuity is None and asked:
        yield _open(
            "continuity",
            f"用了 {'、'.join(asked)}，须声明间断几天仍算连续，写作 continuity: {{grace_days: 0, clause: …}}",
            f"the plan asks for {', '.join(asked)}, so say how many days between two spans are no break, "
            "as `{grace_days: 0, clause: …}`",
        )


@check("funding_shares", ERROR)
def funding_shares(survey: Survey) -> Iterator[Place]:
    """Find purses of which not exactly the last one bears the rest."""
    for spot in survey.all(BenefitRules):
        for position, share in enumerate(spot.part.funding):
            last = position == len(spot.part.funding) - 1
            if last == (share.rate is not None):
                yield Place(
                    (*spot.path, "funding", position),
                    None,
                    "最后一项承担其余部分，不写 rate；其他各项须写 rate",
                    "the last purse bears the rest and has no rate; each other one has a rate",
                )


@check("funding_above_whole", ERROR)
def funding_above_whole(survey: Survey) -> Iterator[Place]:
    """Find purses that bear the whole before the last one."""
    for spot in survey.all(BenefitRules):
        rates = [share.rate for share in spot.part.funding if share.rate is not None]
        if sum(rates) >= 1:
            yield Place(
                (*spot.path, "funding"),
                None,
                "各项比例之和应小于 100%，最后一项才有其余可承担",
                "the rates together must be below 100%, so that something is left for the last purse",
            )


@check("purse_twice", ERROR)
def purse_twice(survey: Survey) -> Iterator[Place]:
    """Find a purse that bears a benefit twice."""
    for spot in survey.all(BenefitRules):
        purses = [share.purse for share in spot.part.funding]
        for position, purse in enumerate(purses):
            if purse in purses[:position]:
                yield Place(
                    (*spot.path, "funding", position, "purse"),
                    None,
                    f"资金来源 {purse} 重复：合并为一项",
                    f"the purse {purse} is given twice: make it one share",
                )


@check("no_funding", WARNING)
def no_funding(survey: Survey) -> Iterator[Place]:
    """Find a paying benefit of which nobody says which purse bears it, though there are purses."""
    for spot in survey.all(BenefitRules):
        if survey.body.purses and not spot.part.funding and spot.part.manual is None:
            yield Place(
                spot.path,
                None,
                "声明了资金来源，但没有写本待遇由谁承担：写 funding",
                "there are purses, and nothing says which bears this benefit: give its `funding`",
            )


@check("unused_purse", WARNING)
def unused_purse(survey: Survey) -> Iterator[Place]:
    """Find a purse that bears nothing."""
    used = {share.purse for benefit in survey.body.benefits for share in benefit.funding}
    for position, purse in enumerate(survey.body.purses):
        if purse.code not in used:
            yield Place(
                ("version", "purses", position),
                purse.clause,
                f"没有待遇由 {purse.code} 承担：写入 funding，或删去",
                f"no benefit is borne by {purse.code}: name it in a `funding`, or drop it",
            )


@check("unconfirmed_not_asked_back", WARNING)
def unconfirmed_not_asked_back(survey: Survey) -> Iterator[Place]:
    """Find somebody else than the fund who is to bear what the roster does not confirm: that is a person's work yet."""
    provisional = survey.header.provisional
    if provisional is not None and provisional.aid != "none" and provisional.unconfirmed_borne_by != "fund":
        yield Place(
            ("plan", "provisional", "unconfirmed_borne_by"),
            provisional.clause,
            f"系统尚不向 {provisional.unconfirmed_borne_by} 收回未确认的互助款：由人工按待办办理",
            f"what is not confirmed is not asked back from the {provisional.unconfirmed_borne_by} by the service yet: "
            "a person does it from the worklist",
        )
