"""What a compiled plan takes in and counts: the inputs of a bill in their order, and the slots of its ledgers.

Both are found while the source is written: only what a version really asks for is read and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from settlement.domain.errors import InvariantViolation, ensure
from settlement.plans.model import BenefitRules, Span, TermRule, VersionBody
from settlement.plans.model.file import Header
from settlement.plans.model.parts import UNITS
from settlement.plans.vocabulary import AMOUNTS, FACTS, FUNDS, OTHER_PAID


@dataclass(frozen=True, slots=True)
class Ledger:
    """Sums over one span: a term by one rule, the unit of several settlements, a life, or one settlement in parts."""

    span: Span
    term: TermRule | None = None
    name: str = ""


@dataclass(slots=True)
class Layout:
    """Inputs and ledgers of one version, by the names that they have in the generated source."""

    stated: frozenset[str]
    basic: Mapping[str, bool]
    """The modules of the version, and whether each is a basic one."""
    splits: bool
    """Whether a stay over two terms is split, so that the parts of one settlement meet one room."""
    inputs: dict[str, str] = field(default_factory=dict)
    """Name of each input and the expression that reads it from `figures` and `facts`."""
    ledgers: list[Ledger] = field(default_factory=list)
    slots: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """By ledger name: code and measure of each slot in its order."""

    def amount(self, name: str) -> str:
        """Return the name under which an amount is an input; what a plan lets hospitals state has names of its own."""
        if name in self.stated:
            return self.take(f"stated_{name}", f'int(facts.stated.get("{name}", 0))')
        ensure(name in AMOUNTS, f"{name} is not an amount")
        if name == "insurer_paid":
            return self.take(name, " + ".join(f"int(funds.{fund})" for fund in FUNDS))
        if name == OTHER_PAID:
            return self.take(name, "int(facts.other_paid)")
        return self.take(name, f"int(funds.{name})" if name in FUNDS else f"int(figures.{name})")

    def fact(self, name: str) -> str:
        """Return the name under which a fact is an input."""
        ensure(name in FACTS, f"{name} is not a fact")
        return self.take(name, FACTS[name].read)

    def shares(self, module: str) -> str:
        """Return the name under which the shares held of a module are an input."""
        return self.take(f"shares_{module}", f'shares_held(facts, "{module}", {self.basic[module]})')

    def part(self) -> Layout:
        """Return a layout for one function, whose inputs are what it must be handed."""
        return Layout(self.stated, self.basic, self.splits)

    def absorb(self, part: Layout) -> tuple[str, ...]:
        """Take over the inputs of one function's layout and return their names."""
        self.inputs.update(part.inputs)
        return tuple(part.inputs)

    def take(self, name: str, expression: str) -> str:
        """Make an input of an expression and return its name."""
        self.inputs[name] = expression
        return name

    def slot(self, span: Span, benefit_term: TermRule | None, code: str, measure: str) -> str:
        """Return the expression of a slot, made when it is first asked for."""
        ledger = self._ledger(span, benefit_term)
        slots = self.slots[ledger.name]
        if (code, measure) not in slots:
            slots.append((code, measure))
        return f"{ledger.name}[{slots.index((code, measure))}]"

    def keeps(self, span: Span) -> bool:
        """Say whether there is room to remember over a span: that of one settlement only where stays are split."""
        return self.splits or span is not Span.SETTLEMENT

    def slots_of(self, code: str) -> list[tuple[str, str]]:
        """Return every slot that counts a code: its expression and its measure."""
        return [
            (f"{name}[{position}]", measure)
            for name, slots in self.slots.items()
            for position, (counted, measure) in enumerate(slots)
            if counted == code
        ]

    def _ledger(self, span: Span, benefit_term: TermRule | None) -> Ledger:
        term = benefit_term if span is Span.TERM else None
        for ledger in self.ledgers:
            if ledger.span is span and ledger.term == term:
                return ledger
        numbered = sum(ledger.span is Span.TERM for ledger in self.ledgers)
        name = {Span.TERM: f"term_{numbered + 1}", Span.LIFE: "life", Span.SETTLEMENT: "settlement"}.get(span, "unit")
        ledger = Ledger(span, term, name)
        self.ledgers.append(ledger)
        self.slots[name] = []
        return ledger


def splits(header: Header) -> bool:
    """Say whether a stay over two terms is split by its days."""
    return header.spanning is not None and header.spanning.split == "by_days"


def term_of(body: VersionBody, benefit: BenefitRules) -> TermRule:
    """Return the term rule of a benefit, its own or its module's."""
    module = body.module(benefit.module)
    rule = benefit.term or (module.term if module else None)
    if rule is None:
        raise InvariantViolation(f"{benefit.code} has no term")
    return rule


def unit_of(body: VersionBody) -> Span | None:
    """Return the span that ties settlements together in a version, if it uses one."""
    return next((span for span in spans_of(body) if span in UNITS), None)


def spans_of(body: VersionBody) -> list[Span]:
    """Return every span that a version's rules and limits name, in their order."""
    spans = [limit.over for limit in body.limits]
    for benefit in body.benefits:
        spans.append(benefit.span)
        for rule in benefit.rules:
            named = getattr(rule, "over", None) or getattr(rule, "once_per", None)
            if named is not None:
                spans.append(named)
    return spans
