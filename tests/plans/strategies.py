"""Random plans that make sense, and random histories of one member, for interpreter and compiler to agree on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from interpreter import Bill, Days, PaidElsewhere, facts_in

from settlement.domain.benefits import PlanFacts
from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.money import ZERO, Money
from settlement.plans.checks.run import refuse_unsound
from settlement.plans.findings import PlanRefused
from settlement.plans.model import PlanVersion

Part = dict[str, Any]
C: Part = {"clause": "c"}
NAMES = {"zh": "甲", "en": "a"}
FIRST_DAY, LAST_DAY = date(2025, 10, 1), date(2027, 3, 31)

AMOUNTS = (
    "allowed",
    "allowed",
    "allowed",
    "patient_share",
    "excluded",
    "over_limit",
    "upfront_share",
    "insurer_deductible",
    "cash_before_aid",
)
TAKEN_OFF = ("insurer_paid", "provider_absorbed", "other_paid", "bed_excess", "extra")
YUAN = ("0.01", "0.02", 1, "33.33", 100, "299.99", 300, 1000, 1500, 5000, 8000, 20000)
RATES = ("nothing", "20%", "33.335%", "50%", "62.5%", "90%", "100%")
EDGES = ("99.99", 500, 1000, "1000.01", 3000, 5000, 10000, 15000, 50000)

FACT_VALUES: dict[str, Any] = {
    "hospital_level": (1, 2, 3),
    "insurance_type": ("310", "390"),
    "person_category": ("active", "retired"),
    "sex": ("female", "male"),
    "age": (15, 16, 40, 60, 61),
    "accident": (True, False),
    "place": ("local", "elsewhere"),
    "union_member": (True, False),
    "diagnosis": ("C50", "I10"),
    "unit_class": ("public", "private"),
}
WORDS = ("hospital_level", "sex", "accident", "place", "union_member", "diagnosis", "unit_class")
STAY_FACTS = {"stay_days", "stay_ordinal"}
COUNTED = {"age": (16, 60), "days_covered": (31, 180, 400), "consecutive_terms": (2, 3), "stay_days": (2, 5, 10)}


@dataclass(frozen=True)
class History:
    """One member's bills in the order of recording, the member's cover, and what other plans of the fund have paid."""

    bills: tuple[Bill, ...]
    covers: tuple[Days, ...]
    elsewhere: tuple[PaidElsewhere, ...] = ()


class _Plans:
    """Draws one version of a plan, part by part; each rule is drawn so that a checker would let it pass."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.unit = self.of(None, None, "receipt", "visit", "stay", "stay")
        self.by_days = self.one_in(6)
        self.term = self.a_term()
        self.one_term = not self.one_in(4)
        self.spans = ["settlement", "term", "term", "life", *([self.unit] * 2 if self.unit else [])]
        self.modules: list[Part] = [self.a_module(code) for code in ("basic", "extra_module")[: self.of(0, 0, 1, 2)]]
        self.codes: list[str] = []

    def of(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def one_in(self, count: int) -> bool:
        return self.draw(st.integers(1, count)) == count

    def some(self, values: Sequence[Any], at_least: int = 1) -> list[Any]:
        return self.draw(st.lists(st.sampled_from(values), min_size=at_least, max_size=3, unique=True))

    def version(self) -> PlanVersion:
        codes = ["first", "second", "third", "fourth"][: self.of(1, 2, 2, 3, 4)]
        benefits = [self.a_benefit(code) for code in codes]
        body: Part = {"version": "1", "effective_from": "2020-01-01", **C, "benefits": benefits}
        paying = [each["code"] for each in benefits if "manual" not in each]
        count = self.of(0, 0, 1, 2) if paying else 0
        body |= {"modules": self.modules, "limits": [self.a_group_limit(f"g{n}", paying) for n in range(count)]}
        text = {"format": 1, "header": self.a_header(), "body": body}
        return PlanVersion.from_canonical(json.dumps(text))

    def a_header(self) -> Part:
        header: Part = {
            "code": "random",
            "names": NAMES,
            "source": "s",
            "stay_date": self.of("discharge", "admission"),
            "covers": [{"fact": "insurance_type", "one_of": self.of(["310"], ["310", "390"]), **C, "label": "l"}],
            "rounding": {
                "mode": self.of("half_up", "half_even", "down", "up"),
                "place": self.of("bands_total", "each_band"),
                "step": self.of("fen", "fen", "jiao", "yuan"),
                **C,
            },
            "account_money": {"counts_as": self.of("burden", "not_burden"), **C},
            "events": [{"code": "cancer", "names": NAMES, "severities": ["mild", "severe"], **C}],
            "stated": [
                {"code": "bed_excess", "names": NAMES, "if_not_stated": "zero", **C},
                {"code": "extra", "names": NAMES, "if_not_stated": "hold", **C},
            ],
            "overpayment": {"recovery": "by_person", **C},
        }
        if self.one_in(2):
            header["family_account_money"] = {"counts_as": self.of("burden", "not_burden"), **C}
        header["continuity"] = {"grace_days": self.of(0, 1, 10, 30), **C}
        header["other_payers"] = {"place": "after", "later_payer": "propose", **C}
        if self.one_in(2):
            same = self.of("diagnosis", "hospital", "any")
            header["stays"] = {"merge_within_days": self.of(1, 10, 90), "same": same, **C}
        if self.by_days:
            header["spanning"] = {"split": "by_days", **C}
        return header

    def a_term(self) -> Part:
        months = {"kind": "months_from", "first_day": self.of("2020-01-19", "2024-08-31"), "months": self.of(1, 6, 24)}
        named = [
            {"code": "t1", "first_day": "2025-09-25", "last_day": "2026-03-09"},
            {"code": "t2", "first_day": self.of("2026-03-10", "2026-03-20"), "last_day": "2027-01-31"},
        ]
        terms = ({"kind": "year_from", "starts": self.of("09-01", "12-31", "07-01")}, months)
        more = ({"kind": "named", "terms": named}, {"kind": "own_cover"})
        return {**self.of({"kind": "calendar_year"}, {"kind": "calendar_year"}, *terms, *more), **C}

    def a_waiting(self) -> Part:
        days = self.of(1, 30, 180)
        return {"days": days, "waived_for_accidents": self.one_in(2), **C, "label": "l"}

    def a_module(self, code: str) -> Part:
        module: Part = {"code": code, "names": NAMES, "basic": code == "basic", "shares_at_most": 3, **C}
        if self.one_in(3):
            module["waiting"] = self.a_waiting()
        return module

    def may_ask(self, fact: str, of_stays: bool) -> bool:
        """A visit has no days and no number; the number of a stay that is split by its days is not asked for."""
        return fact not in STAY_FACTS or (of_stays and not (fact == "stay_ordinal" and self.by_days))

    def a_when(self, of_stays: bool = True) -> Part:
        when: Part = {}
        for _ in range(self.of(1, 1, 2)):
            if self.one_in(2):
                fact = self.of(*WORDS)
                when[fact] = [self.of(*FACT_VALUES[fact])]
            else:
                fact = self.of(*(fact for fact in (*COUNTED, "stay_ordinal") if self.may_ask(fact, of_stays)))
                edge = self.of(*COUNTED.get(fact, (2, 3)))
                when[fact] = self.of({"at_least": edge}, {"at_most": edge}, {"at_least": edge, "at_most": edge + 20})
        return when

    def chosen_or(self, values: Sequence[Any], of_stays: bool = True) -> Any:
        if not self.one_in(4):
            return self.of(*values)
        choices: list[Part] = [{"when": self.a_when(of_stays), "value": self.of(*values)} for _ in range(self.of(1, 2))]
        return [*choices, {"value": self.of(*values)}]

    def a_condition(self) -> Part:
        condition = self.a_condition_for_all()
        if condition["fact"] != "care" and self.one_in(3):
            when = {fact: wanted for fact, wanted in self.a_when(of_stays=False).items() if fact != condition["fact"]}
            condition |= {"when": when} if when else {}
        return condition

    def a_condition_for_all(self) -> Part:
        fact = self.of("care", "care", *WORDS, *COUNTED)
        if fact == "care":
            return {"fact": "care", "one_of": [self.of("inpatient", "inpatient", "outpatient")], **C, "label": "l"}
        if fact in COUNTED:
            bound = self.of("at_least", "at_most")
            return {"fact": fact, bound: self.of(*COUNTED[fact]), **C, "label": "l"}
        values = [value for value in FACT_VALUES[fact] if not self.one_in(3)]
        return {"fact": fact, "one_of": values or [FACT_VALUES[fact][0]], **C, "label": "l"}

    def a_benefit(self, code: str) -> Part:
        kind = self.of("base", "base", "base", "base", "per_day", "per_day", "lump_sum", "manual")
        benefit: Part = {"code": code, "names": NAMES, "conditions": []}
        if self.one_in(4):
            conditions = [self.a_condition() for _ in range(self.of(1, 1, 2))]
            benefit["conditions"] = list({each["fact"]: each for each in conditions}.values())
        if self.modules and not self.one_in(3):
            benefit["module"] = self.of(*self.modules)["code"]
        benefit["term"] = self.term if self.one_term else self.a_term()
        if self.one_in(8):
            benefit["waiting"] = self.a_waiting()
        if not (kind == "per_day" and self.one_in(2)):
            benefit["accumulation"] = {"over": self.of(*self.spans), **C}
        over = benefit.get("accumulation", {"over": "settlement"})["over"]
        if kind in ("base", "manual"):
            benefit["base"] = self.a_sum(AMOUNTS)
        if kind == "manual":
            benefit["manual"] = {**({} if self.one_in(3) else {"threshold": self.of(1000, 15000)}), **C, "label": "l"}
            self.codes.append(code)
            return self.of_stays_only(benefit)
        shared = "module" in benefit
        if not self.one_in(3):
            benefit["burden"] = self.a_sum(("patient_share", "patient_share", "cash_before_aid"))
        burden = [{"rule": "burden_limit", **C}] if "burden" in benefit and self.one_in(2) else []
        if kind == "per_day":
            benefit["per_day"] = self.a_per_day(shared)
            rules = burden
        elif kind == "lump_sum":
            lump, cancer = {"amount": self.chosen_or(YUAN[4:]), **C, "label": "l"}, self.one_in(2)
            if cancer:
                benefit["conditions"].append({"fact": "event", "one_of": ["cancer"], **C, "label": "l"})
                lump["amount"] = [{"when": {"severity": ["mild"]}, "value": 3000}, {"value": 10000}]
            lump |= {"per_share": shared and self.one_in(2), "upgrade": over in ("term", "life") and self.one_in(2)}
            benefit["lump_sum"], rules = lump, [] if lump["upgrade"] else burden
        else:
            rules = self.sum_rules(over, shared, burden)
        if not benefit.get("lump_sum", {}).get("upgrade"):
            rules = rules + self.own_limits(over, shared)
        rules = rules + [self.a_bill_rule(over, kind, shared) for _ in range(self.of(0, 0, 1, 2, 3))]
        keys = [(*(rule.get(key) for key in ("rule", "over")), "days" in rule, "times" in rule) for rule in rules]
        benefit["rules"] = [rule for key, rule in dict(zip(keys, rules, strict=True)).items() if key]
        self.codes.append(code)
        return self.of_stays_only(benefit)

    def of_stays_only(self, benefit: Part) -> Part:
        """What asks for days or number of a stay, or pays for days, is restricted to stays."""
        asked = {*facts_in(benefit), *(each["fact"] for each in benefit["conditions"])}
        if "per_day" in benefit or asked & STAY_FACTS:
            own = [each for each in benefit["conditions"] if each["fact"] != "care"]
            stays = {"fact": "care", "one_of": ["inpatient"], **C, "label": "l"}
            benefit["conditions"] = [stays, *own]
        return benefit

    def a_sum(self, starts: Sequence[str]) -> Part:
        plus = self.some(starts) if len(set(starts)) > 3 and self.one_in(3) else [self.of(*starts)]
        minus = self.some(TAKEN_OFF) if self.one_in(2) else []
        if self.codes and self.one_in(4):
            minus.append(f"aid.{self.of(*self.codes)}")
        return {"plus": plus, "minus": minus, **C}

    def sum_rules(self, over: str, shared: bool, burden: list[Part]) -> list[Part]:
        rules: list[Part] = []
        if self.one_in(2):
            rules.append(
                {"rule": "deductible", "amount": self.chosen_or(YUAN[:8]), "once_per": self.of(*self.spans), **C}
            )
        if self.one_in(4):
            reached = self.of("at", "above")
            rules.append({"rule": "franchise", "amount": self.chosen_or(YUAN[3:9]), "reached": reached, **C})
        share = self.of("bands", "bands", "rate", "both")
        if share in ("bands", "both"):
            rules.append(self.some_bands())
        if share in ("rate", "both"):
            rules.append({"rule": "rate", "rate": self.chosen_or(RATES), "modifiers": self.modifiers(), **C})
        more = list(burden)
        if self.one_in(3):
            more.append({"rule": "minimum", "amount": self.chosen_or(YUAN), **C})
        return rules + list(self.draw(st.permutations(more)))

    def own_limits(self, over: str, shared: bool) -> list[Part]:
        if not self.one_in(3):
            return []
        per_share = shared and self.one_in(2)
        if over == "term":
            return [{"rule": "term_limit", "amount": self.chosen_or(YUAN[4:]), "per_share": per_share, **C}]
        return [{"rule": "limit", "over": over, "amount": self.chosen_or(YUAN[4:]), "per_share": per_share, **C}]

    def modifiers(self) -> list[Part]:
        modifiers: list[Part] = []
        for _ in range(self.of(0, 0, 0, 1, 2)):
            if self.one_in(2):
                modifiers.append({"add": self.of("+5", "-10", "-0.5", "+60", "-60"), "when": self.a_when(), **C})
                continue
            sign = self.of("+", "-")
            most = {"at_most": f"{sign}{self.of(2, 10)}"} if self.one_in(2) else {}
            per = self.of("consecutive_terms", *(() if self.by_days else ("stay_ordinal",)))
            modifiers.append({"add": f"{sign}{self.of(1, 4)}", "per": per, "beyond": self.of(0, 1), **most, **C})
        return modifiers

    def some_bands(self) -> Part:
        method = self.of("progressive", "progressive", "whole")
        rule: Part = {"rule": "bands", "method": method, "modifiers": self.modifiers()}
        if self.one_in(4):
            tables: list[Part] = [{"when": self.a_when(), "bands": self.a_table(method)}]
            return {**rule, "choices": [*tables, {"bands": self.a_table(method)}]}
        return {**rule, "bands": self.a_table(method)}

    def a_table(self, method: str) -> list[Part]:
        cuts = sorted(self.draw(st.sets(st.sampled_from(range(len(EDGES))), max_size=4)))
        start: Part = {"above": 0} if self.one_in(2) else {}
        bands: list[Part] = []
        for cut in [*cuts, None]:
            end: Part = {}
            following: Part = {}
            if cut is not None:
                included = self.one_in(2)
                end = {"up_to" if included else "below": EDGES[cut]}
                following = {"above" if included else "from": EDGES[cut]}
            pays = {"pays": self.of(*YUAN[4:])} if method == "whole" and self.one_in(3) else {"rate": self.of(*RATES)}
            bands.append({**start, **end, **pays, **C})
            start = following
        return bands

    def a_per_day(self, shared: bool) -> Part:
        first = self.of(1, 1, 2, 4)
        days: list[Part] = [{"from_day": first, "amount": self.of(30, "60.50"), **C}]
        if self.one_in(2):
            days[0]["to_day"] = first + self.of(0, 2, 8)
            if self.one_in(2):
                days.append({"from_day": days[0]["to_day"] + 1, "amount": 20, **C})
                days[1] |= {"to_day": days[1]["from_day"] + 5} if self.one_in(2) else {}
        return {
            "counting": self.of("nights", "nights_at_least_one", "both_days"),
            "minimum_stay": self.of(1, 1, 3, 5),
            "days": days,
            "per_share": shared and self.one_in(2),
            **C,
        }

    def a_bill_rule(self, over: str, kind: str, shared: bool) -> Part:
        span = self.of(*self.spans)
        beside = span if self.one_term or span != "term" else "life"
        rules: list[Part] = [{"rule": "limit", "over": self.of("term", "life"), "times": self.of(1, 2), **C}]
        if kind == "per_day":
            rules.append({"rule": "limit", "over": span, "days": self.of(2, 6, 30), **C})
        elif span != over:
            amount = self.chosen_or(YUAN[4:])
            rules.append({"rule": "limit", "over": span, "amount": amount, "per_share": shared and self.one_in(2), **C})
        others = [code for code in ("first", "second", "third") if code in self.codes]
        if others:
            some = self.some(others)
            rules.append({"rule": "less_paid", "by": some, "over": beside, **C})
            rules.append({"rule": self.of("not_beside", "only_beside"), "benefits": some, "over": beside, **C})
        return self.of(*rules)

    def a_group_limit(self, code: str, paying: list[str]) -> Part:
        of = self.of("all", "all", "all_plans", self.some(paying))
        own_cover = self.term["kind"] == "own_cover"  # other plans have covers of their own
        span = self.of(*self.spans) if of != "all_plans" else self.of("life" if own_cover else "term", "life")
        if span == "term" and not self.one_term:
            span = "life"
        limit: Part = {"code": code, "names": NAMES, "of": of, "over": span, **C}
        if self.one_in(3) and of != "all_plans":
            return {**limit, "over": "settlement", "burden": {"plus": ["patient_share"], "minus": [], **C}}
        return {**limit, "amount": self.chosen_or(YUAN[5:], of_stays=False)}


def is_sound(version: PlanVersion) -> bool:
    """Say whether the check lets a version pass."""
    try:
        refuse_unsound(version)
    except PlanRefused:
        return False
    return True


@st.composite
def any_plans(draw: st.DrawFn) -> PlanVersion:
    """Versions of plans: one to four benefits of every kind, with rules in their legal order."""
    return _Plans(draw).version()


def plans() -> st.SearchStrategy[PlanVersion]:
    """Versions of plans that the check lets pass."""
    return any_plans().filter(is_sound)


def _plain(allowed: int) -> BillFigures:
    """A bill that the member bears in full, within the catalogue."""
    own, funds = Money(allowed), InsurerFunds()
    return BillFigures(own, ZERO, ZERO, ZERO, own, ZERO, funds, ZERO, own, ZERO, ZERO, own)


@st.composite
def figures(draw: st.DrawFn) -> BillFigures:
    """Amounts of a bill that satisfy the identities of the insurer's interface."""
    edges = (30_000, 100_000, 9_999, 100_001, 150_000, 300_000, 500_000, 800_000, 1_500_000, 2_000_000, 6_000_000, 1, 0)
    amount = st.sampled_from(edges) | st.integers(1_000, 3_000_000)
    if draw(st.booleans()):
        return _plain(draw(amount))
    allowed, excluded, over_limit, upfront = (
        draw(amount),
        *(draw(st.sampled_from((0, 0, 0, 333, 40_000))) for _ in "abc"),
    )
    billed = allowed + excluded + over_limit + upfront
    insurer = draw(st.integers(0, billed // 2)) if draw(st.booleans()) else 0
    absorbed = draw(st.sampled_from((0, 0, min(777, billed - insurer))))
    patient = billed - insurer - absorbed
    account = draw(st.sampled_from((0, 0, patient // 3, patient)))
    family = draw(st.sampled_from((0, account // 2, account)))
    return BillFigures(
        billed=Money(billed),
        excluded=Money(excluded),
        over_limit=Money(over_limit),
        upfront_share=Money(upfront),
        allowed=Money(allowed),
        insurer_deductible=Money(draw(st.sampled_from((0, 0, 50_000)))),
        funds=InsurerFunds(hifp=Money(insurer - insurer // 4), maf=Money(insurer // 4)),
        provider_absorbed=Money(absorbed),
        patient_share=Money(patient),
        account_paid=Money(account),
        family_account_paid=Money(family),
        cash_before_aid=Money(patient - account),
    )


def days() -> st.SearchStrategy[date]:
    """Days of three calendar years, many of them at the edges of terms."""
    edges = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 3, 9), date(2026, 9, 1), date(2026, 12, 30)]
    span = (LAST_DAY - FIRST_DAY).days
    return st.sampled_from(edges) | st.integers(0, span).map(lambda number: FIRST_DAY + timedelta(number))


@st.composite
def people(draw: st.DrawFn) -> PlanFacts:
    """Facts of a member that stay the same over a history; now and then one of them is not known."""
    values = {name: draw(st.sampled_from(words)) for name, words in FACT_VALUES.items()}
    values["insurance_type"] = draw(st.sampled_from(("310", "310", "310", "310", "310", "390")))
    for name in ("sex", "age", "union_member", "unit_class", "person_category"):
        if draw(st.integers(1, 25)) == 25:
            values[name] = None
    shares = draw(
        st.none()
        | st.fixed_dictionaries({"basic": st.integers(0, 3), "extra_module": st.sampled_from((0, 1, 2, 3, 3))})
    )
    facts = {each.name: None for each in fields(PlanFacts) if each.name in ("admitted_on", "discharged_on")}
    since = draw(st.sampled_from((None, None, date(2026, 1, 1), date(2026, 3, 10))))
    return PlanFacts(care="outpatient", settled_on=FIRST_DAY, shares=shares, plan_since=since, **facts, **values)


@st.composite
def settlements(draw: st.DrawFn, person: PlanFacts, visit: str, near: Sequence[date]) -> list[Bill]:
    """The one to three bills of one visit or stay, in their order; many begin where a rule about days has its edge."""
    hospital = draw(st.sampled_from("AAB"))
    start, stay = draw(days()), draw(st.sampled_from((True, True, True, False)))
    if near and draw(st.booleans()):
        gap = draw(st.sampled_from((0, 0, 1, 2, 9, 10, 11, 29, 30, 31, 89, 90, 91, 179, 180)))
        start = min(draw(st.sampled_from(near)) + timedelta(gap), LAST_DAY)
    level = draw(st.sampled_from((1, 2, 3, 3, 3, None))) if draw(st.booleans()) else 3
    bills: list[Bill] = []
    end = start
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 3)))):
        end += timedelta(draw(st.sampled_from((0, 0, 1, 2, 3, 4, 5, 9, 30)) | st.integers(0, 60)))
        changes: Part = {
            "care": "inpatient" if stay else "outpatient",
            "setting": "inpatient" if stay else "outpatient",
            "settled_on": end + timedelta(draw(st.sampled_from((0, 0, 3)))) if stay else start,
            "admitted_on": start if stay else None,
            "discharged_on": end if stay else None,
            "hospital_level": level,
            "place": draw(st.sampled_from(("local", "local", "elsewhere"))),
            "diagnosis": draw(st.sampled_from(("C50", "C50", "I10", None))) if draw(st.booleans()) else "C50",
            "accident": draw(st.sampled_from((False, False, False, True))),
            "other_paid": Money(draw(st.sampled_from((0, 0, 5_000)))),
            "stated": {"extra": Money(draw(st.sampled_from((0, 1_000))))},
        }
        if draw(st.integers(1, 10)) == 10:
            changes["stated"] = draw(st.sampled_from(({}, {"bed_excess": Money(6_000), "extra": ZERO})))
        if draw(st.integers(1, 4)) == 4:
            changes |= {"event": "cancer", "severity": draw(st.sampled_from(("mild", "severe")))}
            changes["event_on"] = draw(st.none() | st.just(start))
        receipt = draw(st.sampled_from((None, "R1", "R2")))
        bills.append(Bill(draw(figures()), replace(person, **changes), hospital, visit, receipt))
    if stay and len(bills) == 1 and draw(st.integers(1, 20)) == 20:
        date_of = draw(st.sampled_from(("admitted_on", "discharged_on")))
        bills = [replace(bills[0], facts=replace(bills[0].facts, **{date_of: None}))]
    return bills


@st.composite
def spans_of_cover(draw: st.DrawFn) -> tuple[Days, ...]:
    """A member's spans of cover one after another, with and without days between."""
    covers: list[Days] = []
    start = draw(st.sampled_from((date(2024, 1, 1), date(2025, 1, 1), date(2025, 9, 25))))
    while start < LAST_DAY + timedelta(100):
        end = start + timedelta(draw(st.sampled_from((100, 365, 365, 400))))
        covers.append((start, end))
        start = end + timedelta(draw(st.sampled_from((1, 1, 1, 2, 11, 12, 40))))
    return tuple(covers)


def words_of(part: object) -> Iterator[tuple[str, Any]]:
    """Find every fact that a part of a plan tests with the words it may be."""
    if isinstance(part, dict):
        if "fact" in part:
            yield part["fact"], part.get("one_of") or ()
        for fact, wanted in (part.get("when") or {}).items():
            yield fact, wanted if isinstance(wanted, tuple | list) else ()
        part = tuple(part.values())
    if isinstance(part, tuple | list):
        for each in part:
            yield from words_of(each)


@st.composite
def fitting(draw: st.DrawFn, bill: Bill, version: PlanVersion) -> Bill:
    """The same bill with facts, modules and events that a version speaks of, most of the time."""
    changes: Part = {}
    for fact, words in words_of(version.model_dump()):
        if fact not in ("care", "severity", "event", "returned") and words and draw(st.integers(1, 4)) > 1:
            changes[fact] = draw(st.sampled_from(tuple(words)))
    if bill.facts.shares is not None:
        modules = {each.code: st.integers(0, each.shares_at_most) for each in version.body.modules}
        changes["shares"] = draw(st.fixed_dictionaries(modules))
    if version.header.events and draw(st.booleans()):
        event = draw(st.sampled_from(version.header.events))
        changes |= {"event": event.code, "severity": draw(st.sampled_from(event.severities or (None,)))}
    changes["stated"] = {each.code: Money(draw(st.sampled_from((0, 5_000)))) for each in version.header.stated}
    return replace(bill, facts=replace(bill.facts, **changes))


@st.composite
def histories(draw: st.DrawFn, version: PlanVersion | None = None) -> History:
    """One to eight bills of a member over several terms: visits, stays, parts of stays, some of them out of order."""
    person, covers = draw(people()), draw(spans_of_cover())
    bills: list[Bill] = []
    for number in range(draw(st.integers(1, 5))):
        ends = [bill.facts.discharged_on for bill in bills if bill.facts.discharged_on is not None]
        begins = [first for first, _ in covers if FIRST_DAY <= first <= LAST_DAY]
        bills += draw(settlements(person, str(number), [*ends[-1:], *begins]))
    bills = bills[:8]
    if draw(st.booleans()):
        bills.sort(key=lambda bill: bill.facts.settled_on)
    if version is not None:
        bills = [draw(fitting(bill, version)) for bill in bills]
    paid = st.builds(PaidElsewhere, days(), st.sampled_from((1, 30_000, 900_000)))
    return History(tuple(bills), covers, tuple(draw(st.lists(paid, max_size=2))))
