"""Checks of conditions and choices: each test fits its fact, can hold, and is not hidden behind an earlier one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from settlement.plans.checks.reach import (
    Reach,
    both,
    is_empty,
    is_sound,
    only_in_stays,
    reach_by_fact,
    reach_of,
    within,
)
from settlement.plans.checks.registry import ERROR, Place, check
from settlement.plans.checks.survey import FactTest, Spot, Survey
from settlement.plans.findings import FilePath
from settlement.plans.model import (
    BandsChoice,
    Between,
    Condition,
    Modifier,
    RateChoice,
    When,
    YuanChoice,
)
from settlement.plans.model.parts import FactValue
from settlement.plans.vocabulary import FACTS, FactKind, nearest

OF_A_STAY = frozenset({"stay_ordinal", "stay_days"})
"""Facts that a visit does not have."""
Choice = BandsChoice | RateChoice | YuanChoice


def choice_lists(survey: Survey) -> Iterator[list[Spot[Choice]]]:
    """Yield every list of choices in the version."""
    lists: dict[FilePath, list[Spot[Any]]] = {}
    for spot in survey.any_of(BandsChoice, RateChoice, YuanChoice):
        lists.setdefault(spot.path[:-1], []).append(spot)
    yield from lists.values()


def _fits_kind(kind: FactKind, value: FactValue) -> bool:
    if kind is FactKind.FLAG:
        return isinstance(value, bool)
    if kind is FactKind.NUMBER:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)


_HOW = {
    FactKind.WORD: ("文字", "a word"),
    FactKind.CODE: ("代码，请加引号", "a code: quote it"),
    FactKind.NUMBER: ("整数，不加引号", "a whole number without quotes"),
    FactKind.FLAG: ("true 或 false", "true or false"),
}


@check("value_kind", ERROR)
def value_kind(survey: Survey) -> Iterator[Place]:
    """Find a value of another kind than its fact has: a number where a code is wanted."""
    for test in survey.tests:
        known = FACTS.get(test.fact)
        for position, value in enumerate(test.wanted if isinstance(test.wanted, tuple) else ()):
            if known is not None and not _fits_kind(known.kind, value):
                zh, en = _HOW[known.kind]
                shown = str(value).lower() if isinstance(value, bool) else value
                yield Place(
                    (*test.path, position),
                    test.spot.clause,
                    f"{test.fact} 的值应为{zh}，不是 {shown}",
                    f"{test.fact} is {en}, not {shown}",
                )


@check("unknown_value", ERROR)
def unknown_value(survey: Survey) -> Iterator[Place]:
    """Find a word that a fact cannot take."""
    for test in survey.tests:
        known = FACTS.get(test.fact)
        for position, value in enumerate(test.wanted if isinstance(test.wanted, tuple) else ()):
            if known is not None and known.words and _fits_kind(known.kind, value) and value not in known.words:
                guess = nearest(value, known.words)
                yield Place(
                    (*test.path, position),
                    test.spot.clause,
                    f"{test.fact} 没有 {value} 这个值，是否应为 {guess}",
                    f"{test.fact} cannot be {value}; the nearest known is: {guess}",
                )


@check("bounds_on_words", ERROR)
def bounds_on_words(survey: Survey) -> Iterator[Place]:
    """Find bounds on a fact that is no number."""
    for test in survey.tests:
        known = FACTS.get(test.fact)
        if known is not None and isinstance(test.wanted, Between) and known.kind is not FactKind.NUMBER:
            yield Place(
                test.path,
                test.spot.clause,
                f"{test.fact} 不是数，不能用 at_least、at_most：列出它的值",
                f"{test.fact} is not a number and has no bounds: list its values",
            )


@check("bounds_reversed", ERROR)
def bounds_reversed(survey: Survey) -> Iterator[Place]:
    """Find a lower bound above the upper one."""
    for test in survey.tests:
        if isinstance(test.wanted, Between) and is_empty(reach_of(test.wanted)):
            low, high = test.wanted.at_least, test.wanted.at_most
            yield Place(
                test.path,
                test.spot.clause,
                f"{test.fact} 不可能既不小于 {low} 又不大于 {high}：对调或改正",
                f"{test.fact} cannot be at least {low} and at most {high}: swap or mend them",
            )


@check("test_missing", ERROR)
def test_missing(survey: Survey) -> Iterator[Place]:
    """Find a condition or a `when` that tests nothing, or a condition that tests in two ways."""
    zh, en = "写 one_of，或 at_least、at_most", "give either `one_of`, or `at_least` and `at_most`"
    for spot in survey.all(Condition):
        bounds = spot.part.at_least is not None or spot.part.at_most is not None
        if bounds == (spot.part.one_of is not None):
            yield Place(
                spot.path, spot.clause, f"条件须写明 {spot.part.fact} 的取值：{zh}", f"{en} for {spot.part.fact}"
            )
    for test in survey.tests:
        wanted = test.wanted
        if wanted == () or (isinstance(wanted, Between) and wanted.at_least is None and wanted.at_most is None):
            yield Place(
                test.path,
                test.spot.clause,
                f"没有写明 {test.fact} 的取值：列出值，或写 at_least、at_most",
                f"nothing is said about {test.fact}: list values, or give `at_least` or `at_most`",
            )


@check("condition_never_holds", ERROR)
def condition_never_holds(survey: Survey) -> Iterator[Place]:
    """Find a condition that contradicts an earlier one, or the plan's own: no bill can fulfil both."""
    for position, test in enumerate(survey.tests):
        if not test.is_condition or not is_sound(test.fact, test.wanted):
            continue
        before = [
            reach_of(earlier.wanted)
            for earlier in survey.tests[:position]
            if earlier.fact == test.fact and _is_beside(earlier, test) and is_sound(earlier.fact, earlier.wanted)
        ]
        left: Reach | None = reach_of(test.wanted)
        for reach in before:
            left = both(left, reach)
        if before and is_empty(left):
            yield Place(
                test.path,
                test.spot.clause,
                f"与前面对 {test.fact} 的条件矛盾，没有账单能同时符合：改其中一个",
                f"this contradicts an earlier condition on {test.fact}, no bill fulfils both: change one",
            )


def _is_beside(earlier: FactTest, test: FactTest) -> bool:
    same = earlier.spot.benefit is None or earlier.spot.benefit is test.spot.benefit
    return earlier.is_condition and same


@check("when_never_holds", ERROR)
def when_never_holds(survey: Survey) -> Iterator[Place]:
    """Find a `when` that no bill can fulfil which the plan covers and the benefit reaches."""
    for test in survey.tests:
        if not test.is_when or not is_sound(test.fact, test.wanted):
            continue
        reached = [reach_by_fact(survey, benefit).get(test.fact) for benefit in survey.reaching(test.spot)]
        if reached and all(is_empty(both(reach, reach_of(test.wanted))) and not is_empty(reach) for reach in reached):
            yield Place(
                test.path,
                test.spot.clause,
                f"参加范围和待遇条件已排除这样的 {test.fact}，此项永远用不到：删去，或改条件",
                f"the conditions leave no bill with such a {test.fact}, so this never holds: drop it, or change them",
            )


@check("last_choice_has_when", ERROR)
def last_choice_has_when(survey: Survey) -> Iterator[Place]:
    """Find a list of choices that says nothing about the bills that fit none of them."""
    for spots in choice_lists(survey):
        if spots[-1].part.when is not None:
            yield Place(
                (*spots[-1].path, "when"),
                spots[-1].clause,
                "最后一项不写 when，其余情形都适用它：删去 when，或再加一项",
                "the last choice holds for all other bills and has no `when`: drop it, or add a choice",
            )


@check("choice_without_when", ERROR)
def choice_without_when(survey: Survey) -> Iterator[Place]:
    """Find a choice that holds always and hides those behind it."""
    for spots in choice_lists(survey):
        for spot in spots[:-1]:
            if spot.part.when is None:
                yield Place(
                    spot.path,
                    spot.clause,
                    "此项没有 when，总是适用，其后各项永远用不到：给它写 when，或移到最后",
                    "this choice has no `when` and hides those behind it: give it one, or move it last",
                )


@check("choice_never_reached", ERROR)
def choice_never_reached(survey: Survey) -> Iterator[Place]:
    """Find a choice whose bills all fit an earlier one."""
    for spots in choice_lists(survey):
        for position, spot in enumerate(spots):
            earlier = [other for other in spots[:position] if other.part.when is not None]
            if any(_covers(survey, other, spot) for other in earlier):
                yield Place(
                    spot.path,
                    spot.clause,
                    "前面的一项已包括它的全部情形，此项永远用不到：调整顺序，或删去",
                    "an earlier choice holds for all of its bills, so this is never reached: reorder or drop it",
                )


def _covers(survey: Survey, earlier: Spot[Choice], later: Spot[Choice]) -> bool:
    """Say whether every bill that fits a later choice fits an earlier one already."""
    wanted = earlier.part.when or {}
    own: When = later.part.when or {}
    if not all(is_sound(*test) for test in (*wanted.items(), *own.items())):
        return False
    for benefit in survey.reaching(later):
        reached = reach_by_fact(survey, benefit)
        for fact, test in wanted.items():
            left = both(reached.get(fact), reach_of(own[fact])) if fact in own else reached.get(fact)
            if is_empty(left) or not within(left, reach_of(test)):
                return False
    return bool(survey.reaching(later))


@check("stay_fact_of_visit", ERROR)
def stay_fact_of_visit(survey: Survey) -> Iterator[Place]:
    """Find a fact of a stay asked of a benefit that reaches visits too: they have no such fact."""
    asked = [(test.fact, test.path, test.spot) for test in survey.tests]
    asked += [(spot.part.per or "", (*spot.path, "per"), spot) for spot in survey.all(Modifier)]
    for fact, path, spot in asked:
        if fact in OF_A_STAY and not all(only_in_stays(survey, benefit) for benefit in survey.reaching(spot)):
            yield Place(
                path,
                spot.clause,
                f"门诊账单没有 {fact}：给待遇加条件 care: [inpatient]，或删去此项",
                f"a visit has no {fact}: restrict the benefit to `care` one of [inpatient], or drop this",
            )


@check("severity_of_ordinary_bill", ERROR)
def severity_of_ordinary_bill(survey: Survey) -> Iterator[Place]:
    """Find a severity asked of a benefit that reaches bills without an event: each of them would be held."""
    graded = frozenset(event.code for event in survey.header.events if event.severities)
    for test in survey.tests:
        if test.fact != "severity" or not graded:
            continue
        reached = [reach_by_fact(survey, benefit).get("event") for benefit in survey.reaching(test.spot)]
        if not all(within(reach, graded) for reach in reached):
            yield Place(
                test.path,
                test.spot.clause,
                "没有分级事件的账单也会被要求填报严重程度而挂起：给待遇加条件 event，只列有 severities 的事件",
                "bills without a graded event would be held for their severity: "
                "give the benefit a condition on `event` that lists events with `severities`",
            )
