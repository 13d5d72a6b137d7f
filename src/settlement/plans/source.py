"""Small pieces of generated source: sums, tests of facts, choices, rounding. All of it in whole fen.

Nothing of a plan file reaches the text but whole numbers, names from our own vocabulary or of a fixed pattern, and
literals through `repr`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Literal

from settlement.domain.errors import InvariantViolation
from settlement.domain.money import Money, Rounding
from settlement.plans.layout import Layout
from settlement.plans.model import AmountSum, Between, Condition, When, YuanBy
from settlement.plans.model.file import AccountMoney, Header
from settlement.plans.vocabulary import AID

STEP_FEN: Mapping[Literal["fen", "jiao", "yuan"], int] = {"fen": 1, "jiao": 10, "yuan": 100}

_ROUNDED = {
    Rounding.HALF_UP: "(2 * part + {scale}) // {twice}",
    Rounding.HALF_EVEN: "part // {scale} + (2 * (part % {scale}) + part // {scale} % 2 > {scale})",
    Rounding.DOWN: "part // {scale}",
    Rounding.UP: "-(-part // {scale})",
}
"""Rounding of `part` units of a step's `scale`-th; `part` is never negative."""


def rounded_part(header: Header, units_per_fen: int) -> str:
    """Return the expression that rounds `part`, counted in so many units per fen, to the plan's step in fen."""
    step = STEP_FEN[header.rounding.step]
    scale = units_per_fen * step
    expression = _ROUNDED[header.rounding.mode].format(scale=scale, twice=2 * scale)
    return expression if step == 1 else f"({expression}) * {step}"


def units(rate: Fraction, scale: int) -> int:
    """Return a rate as a whole number of `scale`-ths."""
    exact = rate * scale
    if exact.denominator != 1:
        raise InvariantViolation(f"the scale {scale} does not fit the rate {rate}")
    return exact.numerator


def amount_sum(layout: Layout, amounts: AmountSum, header: Header, earlier: Iterable[str]) -> str:
    """Return the sum of a bill's named amounts, with what the plan says of account money taken off.

    `aid.<benefit>` becomes the variable that holds what that earlier benefit pays; `earlier` names those there are.
    Where stays are split, the sum of the bill's own amounts is shared, not each amount: a sum of nothing has no parts.
    """
    known = frozenset(earlier)

    def named(name: str) -> str:
        if not name.startswith(AID):
            return layout.amount(name)
        code = name.removeprefix(AID)
        if code not in known:
            raise InvariantViolation(f"{code} is not a benefit before this one")
        return aid_of(code)

    plus, minus = summed(amounts, header)
    if not layout.splits:
        return _written(map(named, plus), map(named, minus))
    of_bill, of_part = (
        _written(*([named(name) for name in names if name.startswith(AID) is aid] for names in (plus, minus)))
        for aid in (False, True)
    )
    return _written([shared(layout, of_bill), of_part] if of_part else [shared(layout, of_bill)], [])


def _written(plus: Iterable[str], minus: Iterable[str]) -> str:
    return " + ".join(plus) + "".join(f" - {name}" for name in minus)


def shared(layout: Layout, amount: str) -> str:
    """Return the share that the part of a split stay has of a sum of the whole bill; of a whole bill it is all."""
    of = [layout.take(f"share_{name}", f"share[{place}]") for place, name in enumerate(("from", "to", "of"))]
    return f"share({amount or 0}, {', '.join(of)})"


def summed(amounts: AmountSum, header: Header) -> tuple[list[str], list[str]]:
    """Return the names that a sum adds and takes off, with what the plan says of account money."""
    plus = [*amounts.plus, *(["family_account_paid"] if _family_counts_again(header) else [])]
    return plus, [*amounts.minus, *not_burden(header)]


def not_burden(header: Header) -> list[str]:
    """Return the account money that is taken off every base and burden; a relative's is a part of the account's."""
    family = header.family_account_money or header.account_money
    if _is_none_of_it(header.account_money):
        return ["account_paid"]
    return ["family_account_paid"] if _is_none_of_it(family) else []


def _family_counts_again(header: Header) -> bool:
    family = header.family_account_money or header.account_money
    return _is_none_of_it(header.account_money) and not _is_none_of_it(family)


def _is_none_of_it(money: AccountMoney) -> bool:
    return money.counts_as == "not_burden"


def aid_of(code: str) -> str:
    """Return the variable that holds what a benefit pays for the bill."""
    return f"aid_{code}"


def function_of(code: str, what: str) -> str:
    """Return the name of a function of one benefit: `_<code>_<what>`.

    A code begins with a letter, so that no function takes the name of a helper that is handed to the source
    (`stay_days`), or of a variable (`aid_days`).
    """
    return f"_{code}_{what}"


def excludes(layout: Layout, condition: Condition) -> str:
    """Return the test that a known fact does not fulfil a condition; what is not known excludes nothing."""
    name = layout.fact(condition.fact)
    asked = "" if condition.when is None else f"{_known(layout, condition.when)}{fits(layout, condition.when)} and "
    if condition.one_of is not None:
        return f"{asked}{name} not in ({', '.join(repr(value) for value in (*condition.one_of, None))})"
    return f"{asked}{name} is not None and not {_between(name, condition.at_least, condition.at_most)}"


def _known(layout: Layout, when: When) -> str:
    """Return the tests that the numbers of a `when` are known at all."""
    numbers = [fact for fact, wanted in when.items() if isinstance(wanted, Between)]
    return "".join(f"{layout.fact(fact)} is not None and " for fact in numbers)


def fits(layout: Layout, when: When) -> str:
    """Return the test that all facts of a `when` fit."""
    tests = []
    for fact, wanted in when.items():
        name = layout.fact(fact)
        if isinstance(wanted, Between):
            tests.append(_between(name, wanted.at_least, wanted.at_most))
        elif len(wanted) == 1:
            tests.append(f"{name} == {wanted[0]!r}")
        else:
            tests.append(f"{name} in ({', '.join(repr(value) for value in wanted)})")
    return " and ".join(tests)


def _between(name: str, at_least: int | None, at_most: int | None) -> str:
    low = "" if at_least is None else f"{at_least} <= "
    high = "" if at_most is None else f" <= {at_most}"
    return f"{low}{name}{high}"


def yuan_by(layout: Layout, amount: YuanBy) -> str:
    """Return an amount in fen, chosen by facts where it depends on them."""
    return chosen(layout, amount, lambda value: f"{int(value):_}")


def chosen(layout: Layout, by: object, write: Callable[[Money], str]) -> str:
    """Return a value, or the chain of its choices, as one expression; the last choice holds otherwise."""
    if not isinstance(by, tuple):
        return write(by)  # type: ignore[arg-type]
    *tested, last = by
    chain = "".join(f"{write(choice.value)} if {fits(layout, choice.when)} else " for choice in tested)
    return f"({chain}{write(last.value)})" if chain else write(last.value)


def fen(amount: int) -> str:
    """Write fen as a number that people can read."""
    return f"{int(amount):_}"
