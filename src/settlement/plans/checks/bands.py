"""Checks of bands: every fen of an amount lies in exactly one band, and each band says one thing that it pays."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from settlement.domain.money import Money
from settlement.plans.checks.registry import ERROR, Place, check
from settlement.plans.checks.survey import Spot, Survey
from settlement.plans.findings import FilePath
from settlement.plans.model import Band, Bands
from settlement.plans.model.rules import DayBand, PerDay

Table = tuple[Spot[Bands], tuple[Band, ...], FilePath]


def tables(survey: Survey) -> Iterator[Table]:
    """Yield every table of bands: its rule, its bands, and the path of their list."""
    for spot in survey.all(Bands):
        if spot.part.bands is not None:
            yield spot, spot.part.bands, (*spot.path, "bands")
        for position, choice in enumerate(spot.part.choices or ()):
            yield spot, choice.bands, (*spot.path, "choices", position, "bands")


def has_clear_edges(band: Band) -> bool:
    """Say whether a band has one start and one end at most, and they are the right way round."""
    two = (band.above is not None and band.from_ is not None) or (band.up_to is not None and band.below is not None)
    return not two and (band.end is None or band.end > band.start)


def _neighbours(survey: Survey) -> Iterator[tuple[Band, Band, FilePath]]:
    """Yield bands that stand beside each other and are sound by themselves, with the path of the second."""
    for _, bands, path in tables(survey):
        for position, (low, high) in enumerate(pairwise(bands), 1):
            if has_clear_edges(low) and has_clear_edges(high):
                yield low, high, (*path, position)


def _start_key(band: Band) -> str:
    return "from" if band.from_ is not None else "above"


def _right_start(low: Band) -> str:
    return f"from: {low.below}" if low.below is not None else f"above: {low.up_to}"


def _next(amount: Money) -> Money:
    return Money(amount + 1)


@check("bands_or_choices", ERROR)
def bands_or_choices(survey: Survey) -> Iterator[Place]:
    """Find a bands rule with no table at all, or with both kinds."""
    for spot in survey.all(Bands):
        if (spot.part.bands is None) == (spot.part.choices is None):
            yield Place(
                spot.path,
                spot.clause,
                "bands 规则须写 bands（一张表）或 choices（按条件分表）之一",
                "a bands rule needs either `bands` (one table) or `choices` (tables by facts): keep one",
            )


@check("band_edges", ERROR)
def band_edges(survey: Survey) -> Iterator[Place]:
    """Find a band with two starts or two ends."""
    for spot in survey.all(Band):
        for one, other in (("above", "from_"), ("up_to", "below")):
            if getattr(spot.part, one) is not None and getattr(spot.part, other) is not None:
                key = other.rstrip("_")
                yield Place(
                    (*spot.path, key),
                    spot.clause,
                    f"同一段既写 {one} 又写 {key}：只留一个",
                    f"this band has both {one} and {key}: keep one",
                )


@check("band_from_zero", ERROR)
def band_from_zero(survey: Survey) -> Iterator[Place]:
    """Find a band that starts `from: 0`: bands start just above 0 without saying so."""
    for spot in survey.all(Band):
        if spot.part.from_ == 0:
            yield Place(
                (*spot.path, "from"),
                spot.clause,
                "第一段从 0 开始，不必写：删去 from: 0",
                "the first band starts at 0 by itself: drop `from: 0`",
            )


@check("band_reversed", ERROR)
def band_reversed(survey: Survey) -> Iterator[Place]:
    """Find a band that ends where it starts, or before."""
    for spot in survey.all(Band):
        band = spot.part
        two = (band.above is not None and band.from_ is not None) or (band.up_to is not None and band.below is not None)
        if not two and band.end is not None and band.end <= band.start:
            key = "below" if band.below is not None else "up_to"
            yield Place(
                (*spot.path, key),
                spot.clause,
                f"此段最后一分为 {band.end}，却从 {_next(band.start)} 开始：终点应大于起点",
                f"this band ends at {band.end} and starts at {_next(band.start)}: make its end the larger",
            )


@check("band_pay", ERROR)
def band_pay(survey: Survey) -> Iterator[Place]:
    """Find a band that does not say what it pays, or says it twice."""
    for spot in survey.all(Band):
        if (spot.part.rate is None) == (spot.part.pays is None):
            yield Place(
                spot.path,
                spot.clause,
                "每段须写 rate（比例）或 pays（定额）之一；不补助的写 rate: nothing",
                "a band needs either `rate` or `pays`: keep one; write `rate: nothing` where nothing is paid",
            )


@check("fixed_sum_in_parts", ERROR)
def fixed_sum_in_parts(survey: Survey) -> Iterator[Place]:
    """Find a fixed sum where each band pays for its own part."""
    for spot, bands, path in tables(survey):
        for position, band in enumerate(bands):
            if spot.part.method == "progressive" and band.pays is not None:
                yield Place(
                    (*path, position, "pays"),
                    band.clause,
                    "逐段计算的表里不能写定额：写 rate，或给规则加 method: whole",
                    "a table by parts cannot pay a fixed sum: write a rate, or add `method: whole` to the rule",
                )


@check("first_band", ERROR)
def first_band(survey: Survey) -> Iterator[Place]:
    """Find a table that says nothing about the first fen."""
    for _, bands, path in tables(survey):
        if has_clear_edges(bands[0]) and bands[0].start > 0:
            yield Place(
                (*path, 0, _start_key(bands[0])),
                bands[0].clause,
                f"第一段应从 0 开始：{bands[0].start} 及以下没有规定；不补助的写 nothing",
                f"the first band must start at 0: up to {bands[0].start} nothing is declared; write nothing if so",
            )


@check("last_band", ERROR)
def last_band(survey: Survey) -> Iterator[Place]:
    """Find a table that says nothing about large amounts."""
    for _, bands, path in tables(survey):
        end = bands[-1].end
        if end is not None:
            key = "below" if bands[-1].below is not None else "up_to"
            yield Place(
                (*path, len(bands) - 1, key),
                bands[-1].clause,
                f"{end} 以上没有规定：加一段没有终点的，不补助的写 nothing",
                f"nothing is declared above {end}: add a band without an end; write nothing if so",
            )


@check("band_after_open", ERROR)
def band_after_open(survey: Survey) -> Iterator[Place]:
    """Find a band behind one that has no end."""
    for low, high, path in _neighbours(survey):
        if low.end is None:
            yield Place(
                path,
                high.clause,
                "前一段没有终点，此段永远到不了：给前一段写上 up_to，或调整顺序",
                "the band before has no end, so this one is never reached: give that one its up_to, or reorder them",
            )


@check("bands_unordered", ERROR)
def bands_unordered(survey: Survey) -> Iterator[Place]:
    """Find a band that starts below the one before it."""
    for low, high, path in _neighbours(survey):
        if low.end is not None and high.start < low.start:
            yield Place(
                (*path, _start_key(high)),
                high.clause,
                f"各段应由低到高：此段从 {high.start} 开始，前一段从 {low.start} 开始，请调整顺序",
                f"bands go from low to high: this starts at {high.start}, the one before at {low.start}: reorder them",
            )


@check("band_gap", ERROR)
def band_gap(survey: Survey) -> Iterator[Place]:
    """Find amounts between two bands that lie in neither: 4,000.50 between `up_to: 4000` and `from: 4001`."""
    for low, high, path in _neighbours(survey):
        if low.end is not None and high.start > low.end:
            first, last, start = _next(low.end), high.start, _right_start(low)
            yield Place(
                (*path, _start_key(high)),
                high.clause,
                f"{first} 至 {last} 没有规定：此段应从 {start} 开始",
                f"there is a gap from {first} to {last}: start this band with `{start}`",
            )


@check("band_overlap", ERROR)
def band_overlap(survey: Survey) -> Iterator[Place]:
    """Find amounts that lie in two bands."""
    for low, high, path in _neighbours(survey):
        if low.end is not None and low.start <= high.start < low.end:
            first, last, start = _next(high.start), low.end, _right_start(low)
            key = _start_key(high)
            yield Place(
                (*path, key),
                high.clause,
                f"{first} 至 {last} 与前一段重叠：此段应从 {start} 开始",
                f"from {first} to {last} it overlaps the band before: start this band with `{start}`",
            )


def _day_neighbours(survey: Survey) -> Iterator[tuple[DayBand, DayBand, FilePath]]:
    for spot in survey.all(PerDay):
        for position, (low, high) in enumerate(pairwise(spot.part.days), 1):
            yield low, high, (*spot.path, "days", position)


@check("days_reversed", ERROR)
def days_reversed(survey: Survey) -> Iterator[Place]:
    """Find days of a stay that end before they begin."""
    for spot in survey.all(DayBand):
        band = spot.part
        if band.to_day is not None and band.to_day < band.from_day:
            yield Place(
                (*spot.path, "to_day"),
                spot.clause,
                f"第 {band.from_day} 天起，却到第 {band.to_day} 天止：to_day 不应小于 from_day",
                f"from day {band.from_day} to day {band.to_day}: to_day must not be the smaller",
            )


@check("days_gap", ERROR)
def days_gap(survey: Survey) -> Iterator[Place]:
    """Find days of a stay between two bands that lie in neither."""
    for low, high, path in _day_neighbours(survey):
        if low.to_day is not None and high.from_day > low.to_day + 1:
            yield Place(
                (*path, "from_day"),
                high.clause,
                f"第 {low.to_day + 1} 至 {high.from_day - 1} 天没有规定：from_day 应为 {low.to_day + 1}；"
                "不补助的写 amount: 0",
                f"days {low.to_day + 1} to {high.from_day - 1} are not declared: from_day must be {low.to_day + 1}; "
                "write `amount: 0` where nothing is paid",
            )


@check("days_overlap", ERROR)
def days_overlap(survey: Survey) -> Iterator[Place]:
    """Find days of a stay that lie in two bands, the one before having no end among them."""
    for low, high, path in _day_neighbours(survey):
        if low.to_day is None or high.from_day <= low.to_day:
            upto = f"第 {low.to_day} 天" if low.to_day is not None else "出院"
            until = f"day {low.to_day}" if low.to_day is not None else "the discharge"
            yield Place(
                (*path, "from_day"),
                high.clause,
                f"前一段到{upto}为止，与此段重叠：改前一段的 to_day 为 {high.from_day - 1}，或调整顺序",
                f"the band before goes on until {until}: end it with `to_day: {high.from_day - 1}`, or reorder them",
            )
