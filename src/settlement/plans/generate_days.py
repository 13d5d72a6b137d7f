"""Writes an allowance per day: which days of a stay are paid, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator

from settlement.plans.layout import Layout
from settlement.plans.model import PerDay
from settlement.plans.source import fen

_COUNTED = {
    "nights": ("nights_before + night_before", "nights_before + nights + night_after"),
    "nights_at_least_one": (
        "(max(1, nights_before + night_before) if parts_before else 0)",
        "max(1, nights_before + nights + night_after)",
    ),
    "both_days": ("nights_before + parts_before", "nights_before + nights + parts_before + (0 if goes_on else 1)"),
}
"""Days of the stay before this bill and with it, by the plan's way of counting.

A night belongs to the day on which it begins, so that of two parts of a stay the earlier one has the night between.
"""


def days_function(name: str, rule: PerDay) -> str:
    """Write the function that returns what the days of a stay up to one of them come to."""
    lines = [
        f"def {name}(day):",
        '    """Return what the first so many days of a stay come to, in fen."""',
        "    sum_of_days = 0",
    ]
    for band in rule.days:
        last = "day" if band.to_day is None else f"min(day, {band.to_day})"
        lines.append(f"    if day >= {band.from_day}:  # {band.clause!r}")
        lines.append(f"        sum_of_days += ({last} - {band.from_day - 1}) * {fen(band.amount)}")
    return "\n".join([*lines, "    return sum_of_days"])


def day_lines(rule: PerDay, layout: Layout) -> Iterator[str]:
    """Write the lines that find `first_day` (the last day already counted) and `last_day` of what is paid.

    `days_before` and `days_now` are the days of the stay before the bill and with it, paid or not.
    """
    for name, read in (
        ("nights_before", "facts.stay_days_before"),
        ("parts_before", "facts.stay_parts_before"),
        ("nights", "nights(facts)"),
        ("goes_on", "facts.goes_on"),
        ("night_before", "int(facts.night_before)"),
        ("night_after", "int(facts.night_after)"),
        ("is_stay", 'facts.care == "inpatient"'),
    ):
        layout.take(name, read)
    before, now = _COUNTED[rule.counting]
    yield f"days_before, days_now = {before}, ({now} if is_stay else 0)  # {rule.clause!r}"
    yield "first_day, last_day = days_before, days_now"
    if rule.minimum_stay > 1:
        yield f"if last_day < {rule.minimum_stay}:"
        yield "    last_day = first_day"
        yield f"elif first_day < {rule.minimum_stay}:"
        yield "    first_day = 0"
    if rule.days[0].from_day > 1:
        yield f"first_day = max(first_day, {rule.days[0].from_day - 1})"
    if rule.days[-1].to_day is not None:
        yield f"last_day = min(last_day, {rule.days[-1].to_day})"
    yield "days = max(0, last_day - first_day)"
