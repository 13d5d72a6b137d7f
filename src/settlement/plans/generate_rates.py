"""Writes the rules that multiply: bands and rates, each as one function from fen to fen, rounded as the plan says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from settlement.plans.layout import Layout
from settlement.plans.model import Band, Bands, Modifier, RateRule
from settlement.plans.model.file import Header
from settlement.plans.source import chosen, fen, fits, rounded_part, units


@dataclass(frozen=True, slots=True)
class RateFunction:
    """One generated function: its name, its source, and the facts that it is handed besides the amount."""

    name: str
    source: str
    keys: tuple[str, ...]

    def call(self, amount: str) -> str:
        """Return the call for an amount."""
        return f"{self.name}({', '.join((amount, *self.keys))})"


def bands_function(name: str, rule: Bands, header: Header, outer: Layout) -> RateFunction:
    """Write the function of a bands rule."""
    writer = _Bands(rule, header, outer.part())
    lines = writer.body()
    return _function(name, outer.absorb(writer.layout), f"bands, {rule.method}, {header.rounding.mode},", lines)


def rate_function(name: str, rule: RateRule, header: Header, outer: Layout) -> RateFunction:
    """Write the function of a rate rule."""
    layout = outer.part()
    rates = [choice.value for choice in rule.rate] if isinstance(rule.rate, tuple) else [rule.rate]
    scale = _scale(rates, rule.modifiers)
    lines = list(_points(layout, rule.modifiers, scale))
    rate = chosen(layout, rule.rate, lambda value: str(units(Fraction(value), scale)))
    if rule.modifiers:
        lines += [f"rate = {rate}", *_modified(scale)]
        rate = "rate"
    lines += [f"part = amount * {rate}  # {rule.clause!r}", f"return {rounded_part(header, scale)}"]
    return _function(name, outer.absorb(layout), f"the rate, {header.rounding.mode},", lines)


def _function(name: str, keys: tuple[str, ...], title: str, lines: Sequence[str]) -> RateFunction:
    head = [f"def {name}({', '.join(('amount', *keys))}):", f'    """Return what {title} gives of an amount."""']
    return RateFunction(name, "\n".join([*head, *(f"    {line}" for line in lines)]), keys)


def _scale(rates: Sequence[Fraction], modifiers: Sequence[Modifier]) -> int:
    points = [points for modifier in modifiers for points in (modifier.add, modifier.at_most) if points is not None]
    return lcm(100, *(rate.denominator for rate in (*rates, *points)))


def _points(layout: Layout, modifiers: Sequence[Modifier], scale: int) -> Iterator[str]:
    """Write the lines that add up the percentage points of all modifiers."""
    if modifiers:
        yield "points = 0"
    for modifier in modifiers:
        add = units(modifier.add, scale)
        if modifier.per is None:
            test = fits(layout, modifier.when or {})
            yield f"if {test}:  # {modifier.clause!r}"
            yield f"    points += {add}"
            continue
        counted = layout.fact(modifier.per)
        test = f"{counted} > {modifier.beyond}"
        if modifier.when:
            test += f" and {fits(layout, modifier.when)}"
        more = f"({counted} - {modifier.beyond}) * {add}"
        if modifier.at_most is not None:
            bound = units(modifier.at_most, scale)
            more = f"{'min' if add > 0 else 'max'}({more}, {bound})"
        yield f"if {test}:  # {modifier.clause!r}"
        yield f"    points += {more}"


def _modified(scale: int) -> list[str]:
    """Write the lines that change a paying rate, which stays between nothing and the whole."""
    return ["if rate:", f"    rate = min(max(rate + points, 0), {scale})"]


class _Bands:
    """Writes the body of one bands rule."""

    def __init__(self, rule: Bands, header: Header, layout: Layout) -> None:
        self.rule, self.header, self.layout = rule, header, layout
        tables = [choice.bands for choice in rule.choices] if rule.choices else [rule.bands or ()]
        rates = [band.rate for bands in tables for band in bands if band.rate is not None]
        self.scale = _scale(rates, rule.modifiers)

    def body(self) -> list[str]:
        """Return the lines of the function's body."""
        lines = list(_points(self.layout, self.rule.modifiers, self.scale))
        if not self.rule.choices:
            return [*lines, *self._table(self.rule.bands or ())]
        for choice in self.rule.choices:
            if choice.when is None:
                return [*lines, *self._table(choice.bands)]
            lines.append(f"if {fits(self.layout, choice.when)}:")
            lines += [f"    {line}" for line in self._table(choice.bands)]
        return [*lines, "return 0"]

    def _table(self, bands: Sequence[Band]) -> list[str]:
        if self.rule.method == "whole":
            return list(self._whole(bands))
        if self.header.rounding.place == "each_band":
            return list(self._each_band(bands))
        if self.rule.modifiers:
            return list(self._modified_bands(bands))
        return list(self._progressive(bands))

    def _progressive(self, bands: Sequence[Band]) -> Iterator[str]:
        """Write one branch per band: what the bands below it pay in full, and its own rate of what lies above them."""
        below = 0
        yield "part = 0"
        for band in bands:
            rate = units(band.rate or Fraction(0), self.scale)
            above = f"(amount - {fen(band.low)})" if band.low else "amount"
            own = f"{above} * {rate}" if rate else ""
            yield f"if amount > {fen(band.low)}:  # {band.clause!r}"
            yield f"    part = {' + '.join(filter(None, (fen(below) if below or not own else '', own)))}"
            below += rate * (int(band.high or 0) - int(band.low))
        yield f"return {rounded_part(self.header, self.scale)}"

    def _modified_bands(self, bands: Sequence[Band]) -> Iterator[str]:
        yield "part = 0"
        for band in bands:
            yield f"if amount > {fen(band.low)}:  # {band.clause!r}"
            yield from (f"    {line}" for line in self._own_part(band, "part += "))
        yield f"return {rounded_part(self.header, self.scale)}"

    def _each_band(self, bands: Sequence[Band]) -> Iterator[str]:
        yield "paid = 0"
        for band in bands:
            yield f"if amount > {fen(band.low)}:  # {band.clause!r}"
            yield from (f"    {line}" for line in self._own_part(band, "part = "))
            yield f"    paid += {rounded_part(self.header, self.scale)}"
        yield "return paid"

    def _own_part(self, band: Band, into: str) -> Iterator[str]:
        within = "amount" if band.high is None else f"min(amount, {fen(band.high)})"
        yield f"rate = {units(band.rate or Fraction(0), self.scale)}"
        if self.rule.modifiers:
            yield from _modified(self.scale)
        yield f"{into}({within} - {fen(band.low)}) * rate"

    def _whole(self, bands: Sequence[Band]) -> Iterator[str]:
        yield "if amount <= 0:"
        yield "    return 0"
        for band in bands:
            indent = ""
            if band.end is not None:
                yield f"if amount <= {fen(band.end)}:  # {band.clause!r}"
                indent = "    "
            if band.pays is not None:
                yield f"{indent}return {fen(band.pays)}"
                continue
            yield f"{indent}rate = {units(band.rate or Fraction(0), self.scale)}"
            if self.rule.modifiers:
                yield from (f"{indent}{line}" for line in _modified(self.scale))
            yield f"{indent}part = amount * rate"
            yield f"{indent}return {rounded_part(self.header, self.scale)}"
