"""The rules of a benefit in the order in which a bill meets them: what is taken off, what is paid, what limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settlement.domain.money import ZERO, Money
from settlement.plans.model.parts import Clause, Code, Count, Part, RateBy, Span, Text, When, YuanBy
from settlement.plans.values import Points, Rate, Yuan

PerShare = Annotated[bool, Field(description="Times the shares that the member holds of the benefit's module.")]


class Band(Part):
    """A band of an amount: from `above` (excluded) or `from` (included) to `up_to` (included) or `below` (excluded).

    It pays a rate of its part, or of the whole amount, or a fixed sum. The last band has no end.
    """

    above: Yuan | None = None
    from_: Annotated[Yuan | None, Field(alias="from")] = None
    up_to: Yuan | None = None
    below: Yuan | None = None
    rate: Rate | None = None
    pays: Annotated[Yuan | None, Field(description="A fixed sum, with `method: whole` only.")] = None
    clause: Clause

    @property
    def low(self) -> Money:
        """Where the band's part of an amount begins; whether the edge itself is in the band changes no part."""
        return next((edge for edge in (self.from_, self.above) if edge is not None), ZERO)

    @property
    def high(self) -> Money | None:
        """Where the band's part of an amount ends; `None` for the open one."""
        return self.up_to if self.below is None else self.below

    @property
    def start(self) -> Money:
        """The first fen-boundary of the band: an amount is in it from just above this many fen on."""
        if self.from_ is not None:
            return Money(self.from_ - 1)
        return self.above if self.above is not None else ZERO

    @property
    def end(self) -> Money | None:
        """The last amount in the band, in fen; `None` for the open one."""
        return Money(self.below - 1) if self.below is not None else self.up_to


class BandsChoice(Part):
    """A table of bands and when it holds; the last choice may leave out `when`."""

    when: When | None = None
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    clause: Clause | None = None


class Modifier(Part):
    """Percentage points added to every paying rate of a rule: when facts fit, or for each unit of a counted fact."""

    add: Points
    when: When | None = None
    per: Annotated[str | None, Field(description="A counted fact, for example `consecutive_terms`.")] = None
    beyond: Annotated[int, Field(ge=0, description="So many units of `per` add nothing yet.")] = 0
    at_most: Annotated[Points | None, Field(description="The most that `per` may add or take.")] = None
    clause: Clause


class Deductible(Part):
    """An amount that the member bears first, once in a span; spans share what was borne by their earlier bills."""

    rule: Literal["deductible"]
    amount: YuanBy
    once_per: Span
    clause: Clause


class Franchise(Part):
    """A threshold: below it (or up to it) nothing is paid, from there on the whole amount counts."""

    rule: Literal["franchise"]
    amount: YuanBy
    reached: Annotated[
        Literal["at", "above"], Field(description="`at`: the amount itself counts; `above`: it does not.")
    ]
    clause: Clause


class Bands(Part):
    """Each band pays its own rate of its part (`progressive`), or one band pays for the whole amount (`whole`)."""

    rule: Literal["bands"]
    method: Literal["progressive", "whole"] = "progressive"
    bands: Annotated[tuple[Band, ...], Field(min_length=1)] | None = None
    choices: Annotated[tuple[BandsChoice, ...], Field(min_length=1)] | None = None
    modifiers: tuple[Modifier, ...] = ()


class RateRule(Part):
    """One rate of what has come so far."""

    rule: Literal["rate"]
    rate: RateBy
    modifiers: tuple[Modifier, ...] = ()
    clause: Clause


class Minimum(Part):
    """What is paid at least, once there is a base at all."""

    rule: Literal["minimum"]
    amount: YuanBy
    clause: Clause


class BurdenLimit(Part):
    """What is paid is at most the burden."""

    rule: Literal["burden_limit"]
    clause: Clause


class TermLimit(Part):
    """What a term pays is at most this amount."""

    rule: Literal["term_limit"]
    amount: YuanBy
    per_share: PerShare = False
    clause: Clause


class Limit(Part):
    """What a span pays at most: an amount, or so many days, or so many times."""

    rule: Literal["limit"]
    over: Span
    amount: YuanBy | None = None
    days: Count | None = None
    times: Count | None = None
    per_share: PerShare = False
    clause: Clause


class LessPaid(Part):
    """What other benefits have paid in a span is taken off."""

    rule: Literal["less_paid"]
    by: Annotated[tuple[Code, ...], Field(min_length=1)]
    over: Span
    clause: Clause


class NotBeside(Part):
    """Nothing is paid beside other benefits that have paid in a span."""

    rule: Literal["not_beside"]
    benefits: Annotated[tuple[Code, ...], Field(min_length=1)]
    over: Span
    clause: Clause


class OnlyBeside(Part):
    """Something is paid only where one of some other benefits has paid in a span."""

    rule: Literal["only_beside"]
    benefits: Annotated[tuple[Code, ...], Field(min_length=1)]
    over: Span
    clause: Clause


Rule = Annotated[
    Deductible
    | Franchise
    | Bands
    | RateRule
    | Minimum
    | BurdenLimit
    | TermLimit
    | Limit
    | LessPaid
    | NotBeside
    | OnlyBeside,
    Field(discriminator="rule"),
]


class DayBand(Part):
    """What each day from one day of the stay to another pays; the last one has no end."""

    from_day: Count
    to_day: Count | None = None
    amount: Yuan
    clause: Clause


class PerDay(Part):
    """An allowance for each day of a stay."""

    counting: Annotated[
        Literal["nights", "nights_at_least_one", "both_days"],
        Field(description="Nights; a day at least; or the days of admission and discharge both."),
    ]
    minimum_stay: Annotated[Count, Field(description="Shorter stays are paid nothing.")] = 1
    days: Annotated[tuple[DayBand, ...], Field(min_length=1)]
    per_share: PerShare = False
    clause: Clause


class LumpSum(Part):
    """A fixed sum, usually for an event that somebody states and proves."""

    amount: YuanBy
    per_share: PerShare = False
    upgrade: Annotated[
        bool, Field(description="A higher severity pays the difference to what was paid over `upgrade_over`.")
    ] = False
    clause: Clause
    label: Text
