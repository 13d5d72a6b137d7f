"""Checks of a benefit's rules: each has what it needs, they stand in the order that works, none is without effect."""

from __future__ import annotations

from collections.abc import Iterator

from settlement.plans.checks.reach import only_in_stays
from settlement.plans.checks.registry import ERROR, Place, check
from settlement.plans.checks.survey import Spot, Survey
from settlement.plans.generate_sums import is_over_sums
from settlement.plans.model import (
    Bands,
    BenefitRules,
    BurdenLimit,
    Deductible,
    Franchise,
    Limit,
    LumpSum,
    Minimum,
    Modifier,
    PerDay,
    RateRule,
    Rule,
    Span,
    TermLimit,
)
from settlement.plans.vocabulary import FACTS

_STARTS = ("base", "per_day", "lump_sum", "manual")


def rules_of(spot: Spot[BenefitRules]) -> Iterator[tuple[int, Rule, tuple[str | int, ...], str | None]]:
    """Yield a benefit's rules: place, rule, path and clause."""
    for position, rule in enumerate(spot.part.rules):
        clause = rule.bands[0].clause if isinstance(rule, Bands) and rule.bands else getattr(rule, "clause", None)
        yield position, rule, (*spot.path, "rules", position), clause


@check("benefit_start", ERROR)
def benefit_start(survey: Survey) -> Iterator[Place]:
    """Find a benefit that starts from nothing, or from two things. What a person decides may have a base."""
    for spot in survey.all(BenefitRules):
        given = [kind for kind in _STARTS if getattr(spot.part, kind) is not None]
        if len(given) != 1 and given != ["base", "manual"]:
            yield Place(
                spot.path,
                None,
                f"待遇须从 {'、'.join(_STARTS)} 之一算起，现在写了：{'、'.join(given) or '无'}",
                f"a benefit starts from one of {', '.join(_STARTS)}; given: {', '.join(given) or 'none'}",
            )


@check("threshold_without_base", ERROR)
def threshold_without_base(survey: Survey) -> Iterator[Place]:
    """Find a threshold of what a person decides that has no sums to reach it."""
    for spot in survey.all(BenefitRules):
        manual = spot.part.manual
        if manual is not None and manual.threshold is not None and spot.part.base is None:
            yield Place(
                (*spot.path, "manual", "threshold"),
                manual.clause,
                "门槛要与基数相比：给待遇写 base",
                "a threshold is compared with sums of bases: give the benefit a `base`",
            )


@check("manual_with_rules", ERROR)
def manual_with_rules(survey: Survey) -> Iterator[Place]:
    """Find rules of a benefit that pays nothing by itself."""
    for spot in survey.all(BenefitRules):
        if spot.part.manual is not None and spot.part.rules:
            yield Place(
                (*spot.path, "rules"),
                spot.part.manual.clause,
                "由人工决定的待遇不按规则计算：删去 rules",
                "a benefit that a person decides pays nothing by rules: drop `rules`",
            )


@check("no_term", ERROR)
def no_term(survey: Survey) -> Iterator[Place]:
    """Find a benefit that has no term, neither its own nor its module's."""
    for spot in survey.all(BenefitRules):
        module = survey.body.module(spot.part.module)
        unknown = spot.part.module is not None and module is None
        if spot.part.term is None and not unknown and (module is None or module.term is None):
            yield Place(
                spot.path,
                None,
                "没有声明保障期：给待遇或它的保障项目写 term",
                "no term is declared: give the benefit or its module a `term`",
            )


@check("no_accumulation", ERROR)
def no_accumulation(survey: Survey) -> Iterator[Place]:
    """Find rules over sums, or a threshold, where nobody says over which span they add up."""
    for spot in survey.all(BenefitRules):
        benefit = spot.part
        over_sums = any(is_over_sums(benefit, rule) for rule in benefit.rules)
        threshold = benefit.manual is not None and benefit.manual.threshold is not None
        if benefit.base is not None and benefit.accumulation is None and (over_sums or threshold):
            yield Place(
                spot.path,
                None,
                "没有声明按什么累计：写 accumulation，如每次结算（settlement）或每期（term）",
                "no accumulation is declared: say over which span the rules add up, such as `settlement` or `term`",
            )


@check("no_burden", ERROR)
def no_burden(survey: Survey) -> Iterator[Place]:
    """Find a limit by a burden that is not declared."""
    for spot in survey.all(BenefitRules):
        for _, rule, path, clause in rules_of(spot):
            if isinstance(rule, BurdenLimit) and spot.part.burden is None:
                yield Place(
                    path,
                    clause,
                    "补助不超过个人负担，但没有声明个人负担：给待遇写 burden",
                    "this limits by the burden, which is not declared: give the benefit a `burden`",
                )


@check("rule_order", ERROR)
def rule_order(survey: Survey) -> Iterator[Place]:
    """Find a rule that stands behind one which is applied after it."""
    for spot in survey.all(BenefitRules):
        latest = 0
        for _, rule, path, clause in rules_of(spot):
            group = _group(spot.part, rule)
            if group is None:
                continue
            if group < latest:
                yield Place(
                    path,
                    clause,
                    f"{rule.rule} 规则的位置不对：先 deductible，再按累计计算的规则，最后是其他限额和与其他待遇的关系",
                    f"the {rule.rule} rule comes too late: first deductibles, then the rules over sums, "
                    "then other limits and what stands beside",
                )
            latest = max(latest, group)


def _group(benefit: BenefitRules, rule: Rule) -> int | None:
    """Return the place of a rule's group; a limit in days cuts the days before all rules, wherever it stands."""
    if isinstance(rule, Limit) and rule.days is not None:
        return None
    if isinstance(rule, Deductible):
        return 0
    if benefit.lump_sum is not None and benefit.lump_sum.upgrade:
        return 2
    return 1 if is_over_sums(benefit, rule) else 2


@check("minimum_after_limit", ERROR)
def minimum_after_limit(survey: Survey) -> Iterator[Place]:
    """Find a minimum behind a limit: it would pay beyond it."""
    for spot in survey.all(BenefitRules):
        limited = False
        for _, rule, path, clause in rules_of(spot):
            if isinstance(rule, Minimum) and limited:
                yield Place(
                    path,
                    clause,
                    "最低补助在限额之后，会超过限额：移到限额之前",
                    "a minimum behind a limit would pay beyond it: move it before the limit",
                )
            own = isinstance(rule, TermLimit | Limit) and is_over_sums(spot.part, rule)
            limited = limited or own


@check("rule_twice", ERROR)
def rule_twice(survey: Survey) -> Iterator[Place]:
    """Find the same rule given twice for the same span."""
    for spot in survey.all(BenefitRules):
        seen: set[tuple[object, ...]] = set()
        for _, rule, path, clause in rules_of(spot):
            key = _sameness(rule)
            if key in seen:
                yield Place(
                    path, clause, f"{rule.rule} 规则重复，只留一条", f"the {rule.rule} rule is given twice: keep one"
                )
            if key is not None:
                seen.add(key)


def _sameness(rule: Rule) -> tuple[object, ...] | None:
    """Return what tells a rule from others of its kind; `None` for those that may stand twice."""
    match rule:
        case Deductible():
            return (rule.rule, rule.once_per)
        case TermLimit():
            return ("limit", Span.TERM, True, False)
        case Limit():
            return ("limit", rule.over, rule.amount is not None, rule.days is not None)
        case Franchise() | Minimum() | BurdenLimit():
            return (rule.rule,)
        case _:
            return None


@check("modifier_cause", ERROR)
def modifier_cause(survey: Survey) -> Iterator[Place]:
    """Find percentage points that nobody says when to add."""
    for spot in survey.all(Modifier):
        if spot.part.when is None and spot.part.per is None:
            yield Place(
                spot.path,
                spot.clause,
                "没有写明何时加减：写 when 或 per；总是如此的，直接改比例",
                "nothing says when to add this: give `when` or `per`; if always, change the rates themselves",
            )


@check("modifier_bounds", ERROR)
def modifier_bounds(survey: Survey) -> Iterator[Place]:
    """Find `beyond` or `at_most` that has nothing to count, or a bound of the other sign."""
    for spot in survey.all(Modifier):
        part = spot.part
        if part.per is None and (part.beyond or part.at_most is not None):
            yield Place(
                spot.path,
                spot.clause,
                "beyond 和 at_most 只用于按数量加减：写 per，或删去它们",
                "`beyond` and `at_most` belong to `per`: give it, or drop them",
            )
        elif part.at_most is not None and part.at_most * part.add <= 0:
            yield Place(
                (*spot.path, "at_most"),
                spot.clause,
                "at_most 应与 add 同号，且不为 0",
                "`at_most` must have the sign of `add`, and not be 0",
            )


@check("modifier_of_nothing", ERROR)
def modifier_of_nothing(survey: Survey) -> Iterator[Place]:
    """Find a modifier that adds nothing."""
    for spot in survey.all(Modifier):
        if spot.part.add == 0:
            yield Place(
                (*spot.path, "add"),
                spot.clause,
                "加减 0 个百分点没有作用：改正或删去",
                "adding 0 points changes nothing: mend or drop it",
            )


@check("per_not_counted", ERROR)
def per_not_counted(survey: Survey) -> Iterator[Place]:
    """Find a modifier per unit of a fact that has no units."""
    counted = sorted(name for name, fact in FACTS.items() if fact.counted)
    for spot in survey.all(Modifier):
        known = FACTS.get(spot.part.per or "")
        if known is not None and not known.counted:
            names = ", ".join(counted)
            yield Place(
                (*spot.path, "per"),
                spot.clause,
                f"{spot.part.per} 不能按数量计：per 可为 {names}；其他事实用 when",
                f"{spot.part.per} cannot be counted: `per` may be {names}; use `when` for other facts",
            )


@check("per_share_without_module", ERROR)
def per_share_without_module(survey: Survey) -> Iterator[Place]:
    """Find what counts shares in a benefit that is of no module."""
    for spot in survey.any_of(TermLimit, Limit, PerDay, LumpSum):
        if spot.part.per_share and spot.benefit is not None and spot.benefit.module is None:
            yield Place(
                (*spot.path, "per_share"),
                spot.clause,
                "份数属于保障项目：给待遇写 module，或删去 per_share",
                "shares are held of a module: give the benefit its `module`, or drop `per_share`",
            )


@check("upgrade_without_span", ERROR)
def upgrade_without_span(survey: Survey) -> Iterator[Place]:
    """Find an upgrade that looks back over no term and no life."""
    for spot in survey.all(BenefitRules):
        lump_sum = spot.part.lump_sum
        if lump_sum is not None and lump_sum.upgrade and spot.part.span not in (Span.TERM, Span.LIFE):
            yield Place(
                (*spot.path, "lump_sum", "upgrade"),
                lump_sum.clause,
                "补差要看以前付过多少：写 accumulation: {over: term} 或 {over: life}",
                "an upgrade looks at what was paid before: declare `accumulation` over term or life",
            )


@check("upgrade_with_sum_rules", ERROR)
def upgrade_with_sum_rules(survey: Survey) -> Iterator[Place]:
    """Find rules that an upgrade leaves without effect: it pays the difference and no share of it."""
    for spot in survey.all(BenefitRules):
        lump_sum = spot.part.lump_sum
        if lump_sum is None or not lump_sum.upgrade:
            continue
        for _, rule, path, clause in rules_of(spot):
            if isinstance(rule, Deductible | Franchise | Bands | RateRule | Minimum | BurdenLimit):
                yield Place(
                    path,
                    clause,
                    f"补差的定额不适用 {rule.rule} 规则：删去，或把限额写成另一范围",
                    f"an upgrade does not meet the {rule.rule} rule: drop it, or give the limit another span",
                )


@check("stay_days_of_visit", ERROR)
def stay_days_of_visit(survey: Survey) -> Iterator[Place]:
    """Find an allowance per day of a stay that reaches visits."""
    for spot in survey.all(BenefitRules):
        if spot.part.per_day is not None and not only_in_stays(survey, spot.part):
            yield Place(
                (*spot.path, "per_day"),
                spot.part.per_day.clause,
                "门诊没有住院天数：给待遇加条件 care: [inpatient]",
                "a visit has no days: restrict the benefit to `care` one of [inpatient]",
            )
