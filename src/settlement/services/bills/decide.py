"""The decision about one bill: is it ours, can it be computed, and what does the plan pay. Pure; quotes use it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from settlement.domain.benefits import Benefit, PlanFacts
from settlement.domain.bills import BillFigures, Care, Certificate, Visit
from settlement.domain.certificates import is_masked, names_agree, normalised
from settlement.domain.cover import CoverOnDay
from settlement.domain.money import Money, total
from settlement.domain.promises import KeptPlace
from settlement.domain.scope import FactMissing, HeldForLiability, NotOurs, Ours, ScopeCodes, decide_scope
from settlement.domain.settlements import NOT_A_MEMBER, NOT_COVERED_ON_DATE, Question
from settlement.gateway.readings import NotClosing
from settlement.plans.covering import cover_for, days_of_cover, is_covered
from settlement.plans.history import BillKeys, Placed, place
from settlement.services.bills.facts import complete_facts, dated_facts
from settlement.services.bills.known import Known, Reading
from settlement.services.funds.rules import FundRules, VersionInForce

NO_PLAN_ON_DATE = "no_plan_on_date"
THIRD_PARTY_LIABLE = "third_party_liable"


@dataclass(frozen=True, slots=True)
class NotCovered:
    """The bill is not ours, with the reason and its sentence for the slip."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """The bill cannot be computed until one question is answered."""

    question: Question


@dataclass(frozen=True, slots=True)
class Pays:
    """What the plan pays, in fen, under the version in force on the service date."""

    version: VersionInForce
    service_date: date
    placed: Placed
    keys: BillKeys
    figures: BillFigures
    benefits: tuple[Benefit, ...]
    at_counter: bool
    provisional: bool
    """Whether the roster has still to confirm the cover."""

    @property
    def aid(self) -> Money:
        """The aid of all benefits together, in fen."""
        return total(benefit.amount for benefit in self.benefits)

    @property
    def facts(self) -> PlanFacts:
        """The facts that the bill was computed with."""
        return self.placed.facts


Decision = NotCovered | Hold | Pays


def decide(
    bill: Reading,
    visit: Visit,
    rules: FundRules,
    known: Known,
    answers: Mapping[str, Any],
    today: date,
    other: Money,
) -> Decision:
    """Decide one bill. `today` (in China) dates a pre-settlement, which has no settlement time yet.

    The order: who is it, is the person a member, is there a plan, is the bill in scope, is there cover on the service
    date, or of a split stay on the own date of a part; only then is anything asked, so that nobody answers a question
    about a bill that is not ours anyway.
    `other` is what other payers pay on the bill, in fen.
    """
    unclear = identity_question(bill, known, answers)
    if unclear is not None:
        return Hold(unclear)
    if known.member_id is None:
        return NotCovered(NOT_A_MEMBER)
    dated = _in_its_place(dated_facts(bill, visit, today), known.chain)
    service_date = rules.service_date(dated)
    version = _version_of(rules, service_date or dated.settled_on, known.chain)
    if version is None:
        return NotCovered(NO_PLAN_ON_DATE)
    scope = decide_scope(_codes(bill, visit), version.scope)
    if isinstance(scope, NotOurs):
        return NotCovered(scope.reason.value)
    if service_date is None:
        ours = _answered(scope, answers)
        return Hold(_missing(_DATE_OF_A_STAY[version.plan.stay_date])) if isinstance(ours, Ours) else ours
    keys = BillKeys(visit.hospital_code, bill.encounter_id, visit.receipt_no)
    covered = _covered(dated, visit, rules, known, version, other, keys)
    if covered is None:
        return NotCovered(NOT_COVERED_ON_DATE)
    cover, placed = covered
    ours = _answered(scope, answers)
    if not isinstance(ours, Ours):
        return ours
    if isinstance(bill, NotClosing):
        return Hold(_closing_question(bill))
    missing = version.plan.missing_fact(placed.facts)
    if missing is not None:
        return Hold(_missing_in_plan(missing, version))
    benefits = version.plan.adjudicate(bill.figures, placed.facts, placed.used)
    waits = cover.provisional and _aid_until_the_roster(version) == "to_card"
    at_counter = ours.at_counter and not waits
    return Pays(version, service_date, placed, keys, bill.figures, benefits, at_counter, cover.provisional)


def _covered(
    dated: PlanFacts,
    visit: Visit,
    rules: FundRules,
    known: Known,
    version: VersionInForce,
    other: Money,
    keys: BillKeys,
) -> tuple[CoverOnDay, Placed] | None:
    """Return the cover by which a bill is ours, and the bill in its place; of a split stay a part's cover is enough."""
    for day in days_of_cover(version.plan, dated, known.covers):
        cover = cover_for(known.covers, version.plan.header, day)
        if cover is None or (cover.provisional and _aid_until_the_roster(version) == "none"):
            continue
        facts = complete_facts(dated, visit, known, version, cover, other)
        facts = replace(facts, plan_since=rules.versions[0].effective_from)
        placed = place(version.plan, facts, keys, known.takings)
        if is_covered(version.plan, placed.facts, cover):
            return cover, placed
    return None


def _in_its_place(dated: PlanFacts, chain: KeptPlace | None) -> PlanFacts:
    """Date a visit as the bill that it corrects was dated; a stay has its own days."""
    if chain is None or dated.care == Care.INPATIENT:
        return dated
    return replace(dated, settled_on=chain.service_date)


def _version_of(rules: FundRules, day: date, chain: KeptPlace | None) -> VersionInForce | None:
    """Return the corrected bill's version, or that in force where the new service date lies before it."""
    kept = rules.version_by_digest(chain.plan_digest) if chain else None
    return kept if kept is not None and kept.effective_from <= day else rules.version_on(day)


def _aid_until_the_roster(version: VersionInForce) -> str | None:
    provisional = version.plan.header.provisional
    return provisional.aid if provisional else None


def _missing_in_plan(fact: str, version: VersionInForce) -> Question:
    """Return the question for a fact that the plan asks for; a stated amount is named by its code and its name."""
    stated = next((each for each in version.plan.header.stated if each.code == fact), None)
    if stated is None:
        return _missing(fact)
    return Question("stated_amount_missing", {"code": stated.code, "name": stated.names.zh})


def certificate_of(bill: Reading, answers: Mapping[str, Any]) -> Certificate | None:
    """Return the certificate in its one spelling: the bill's own, or the answered one where that is masked."""
    own, answered = bill.insured.certificate, answers.get("certificate")
    masked = own is not None and is_masked(own.number)
    given = Certificate(answered["type"], answered["number"]) if answered and masked else own
    if given is None or not given.number.strip() or is_masked(given.number):
        return None
    return normalised(given.type, given.number)


def identity_question(bill: Reading, known: Known, answers: Mapping[str, Any]) -> Question | None:
    """Return what is unclear about who the person is: never guessed, always asked."""
    certificate = certificate_of(bill, answers)
    if certificate is None and bill.insured.certificate is not None:
        return Question("certificate_masked", {})
    if known.number_owner is not None and known.member_id is not None and known.number_owner != known.member_id:
        return Question("number_of_two_members", {})
    if known.identity is None:
        return None
    if certificate is not None and certificate != known.identity.certificate:
        return Question("certificate_disagrees", {})
    name = bill.insured.name
    if name and not names_agree(name, known.identity.name) and answers.get("same_person") is not True:
        return Question("name_disagrees", {})
    return None


def likely_service_date(bill: Reading, visit: Visit, rules: FundRules, today: date) -> date | None:
    """Return the service date before anything is known of person and hospital; reading under the lock asks by it."""
    return rules.service_date(dated_facts(bill, visit, today))


_DATE_OF_A_STAY = {"discharge": "discharged_on", "admission": "admitted_on"}


def _codes(bill: Reading, visit: Visit) -> ScopeCodes:
    return ScopeCodes(
        insurance_type=bill.insured.insurance_type,
        care_type=bill.care_type,
        person_type=bill.insured.person_type,
        insured_area=visit.insured_area,
        system_code=visit.system_code,
        place_of_payment=visit.place_of_payment,
        area=visit.area,
    )


def _answered(scope: Ours | FactMissing | HeldForLiability, answers: Mapping[str, Any]) -> Ours | NotCovered | Hold:
    """Return the scope's verdict once a declaration about an injury has been counted in."""
    if isinstance(scope, FactMissing):
        return Hold(_missing(scope.fact))
    if isinstance(scope, Ours):
        return scope
    declared = answers.get("third_party_liable")
    if declared is None:
        return Hold(Question(scope.code, {}))
    return NotCovered(THIRD_PARTY_LIABLE) if declared else Ours(scope.care, at_counter=False)


def _missing(fact: str) -> Question:
    return Question(f"{fact}_missing", {})


def _closing_question(bill: NotClosing) -> Question:
    asked = bill.question
    difference = {"difference": asked.difference.yuan()} if asked.difference is not None else {}
    return Question(asked.code.value, {**bill.figures, "fields": ", ".join(asked.fields), **difference})
