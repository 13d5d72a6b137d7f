"""The parts of a plan file about who is covered: terms, modules and shares, waiting, continuity, provisional cover."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from settlement.plans.model.parts import Clause, Code, Count, Names, Part, Text

MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", description="As `09-01`.")]


class NamedTerm(Part):
    """One term with its own dates, both days included."""

    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,19}$")]
    first_day: date
    last_day: date


class CalendarYear(Part):
    """Terms from 1 January to 31 December."""

    kind: Literal["calendar_year"]
    clause: Clause


class YearFrom(Part):
    """Terms of a year from the same day on, for example a school year from 1 September."""

    kind: Literal["year_from"]
    starts: MonthDay
    clause: Clause


class MonthsFrom(Part):
    """Terms of so many months one after another, counted from a first day: half a year, two years, three."""

    kind: Literal["months_from"]
    first_day: date
    months: Annotated[int, Field(ge=1, le=120)]
    clause: Clause


class NamedTerms(Part):
    """Terms that the fund publishes one by one; a date between them lies in none."""

    kind: Literal["named"]
    terms: Annotated[tuple[NamedTerm, ...], Field(min_length=1)]
    clause: Clause


class OwnCover(Part):
    """The member's own span of cover, as the roster has it: it begins when the member joins."""

    kind: Literal["own_cover"]
    clause: Clause


TermRule = Annotated[
    CalendarYear | YearFrom | MonthsFrom | NamedTerms | OwnCover,
    Field(discriminator="kind", description="The span that sums and limits run over."),
]


class Waiting(Part):
    """The first days of cover, in which nothing is paid; they do not run again while the cover goes on."""

    days: Annotated[int, Field(ge=1, le=3650)]
    waived_for_accidents: bool = False
    clause: Clause
    label: Text


class Module(Part):
    """A part of a plan that members hold by itself, once or in several shares."""

    code: Code
    names: Names
    basic: Annotated[
        bool, Field(description="Held once by every member of whom the roster says nothing about modules.")
    ] = False
    shares_at_most: Count = 1
    term: TermRule | None = None
    waiting: Waiting | None = None
    clause: Clause


class Continuity(Part):
    """How many days may lie between two spans of cover that count as one."""

    grace_days: Annotated[int, Field(ge=0, le=366)]
    clause: Clause


class Provisional(Part):
    """At the turn of a term: who was covered in the last one is covered until a day, if the unit has announced it."""

    until: MonthDay
    aid: Annotated[Literal["on_bill", "to_card", "none"], Field(description="Where the aid goes until the roster.")]
    unconfirmed_borne_by: Annotated[
        Literal["fund", "unit", "member"], Field(description="Who bears what the roster does not confirm.")
    ]
    clause: Clause


class Stays(Part):
    """Which settlements are one stay. Those of one admission always are; others by cause and time, or never."""

    same: Annotated[
        Literal["diagnosis", "hospital", "any", "never"],
        Field(description="What must agree besides the days between; `never` merges nothing."),
    ]
    merge_within_days: Annotated[int | None, Field(ge=1, le=366)] = None
    clause: Clause
