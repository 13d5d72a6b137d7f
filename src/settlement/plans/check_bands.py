"""Checks a benefit's bands: every fen of the base lies in exactly one band, at a rate that makes sense."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from settlement.domain.money import ZERO
from settlement.plans.findings import FilePath
from settlement.plans.model import Band, BandsRule
from settlement.plans.remarks import Remark, error, warning
from settlement.plans.values import write_rate


def bands_remarks(rule: BandsRule, path: FilePath) -> Iterator[Remark]:
    """Yield what is wrong or strange about the bands of one rule, at `path`."""
    bands, places = rule.bands, [(*path, "bands", position) for position in range(len(rule.bands))]
    for band, place in zip(bands, places, strict=True):
        yield from _one_band(band, place)
    yield from _ends(bands, places)
    for (low, high), place in zip(pairwise(bands), places[1:], strict=True):
        yield from _edge(low, high, place)
        yield from _falling_rate(low, high, place)


def _one_band(band: Band, place: FilePath) -> Iterator[Remark]:
    if band.up_to is not None and band.up_to <= band.above:
        yield error(
            (*place, "up_to"),
            band.clause,
            f"此段到 {band.up_to} 为止，却从 {band.above} 开始：up_to 应大于 above",
            f"this band ends at {band.up_to} and starts above {band.above}: make up_to the larger",
        )
    if band.rate is not None and not 0 < band.rate <= 1:
        yield error(
            (*place, "rate"),
            band.clause,
            f"比例 {write_rate(band.rate)} 应大于 0 且不超过 100%；不补助的写 nothing",
            f"the rate {write_rate(band.rate)} must be above 0% and at most 100%; write nothing where nothing is paid",
        )


def _ends(bands: tuple[Band, ...], places: list[FilePath]) -> Iterator[Remark]:
    if bands[0].above != ZERO:
        yield error(
            (*places[0], "above"),
            bands[0].clause,
            f"第一段应从 0 开始：{bands[0].above} 及以下没有规定；不补助的写 nothing",
            f"the first band must start at 0: up to {bands[0].above} nothing is declared; write nothing if so",
        )
    if bands[-1].up_to is not None:
        yield error(
            (*places[-1], "up_to"),
            bands[-1].clause,
            f"{bands[-1].up_to} 以上没有规定：加一段没有 up_to 的，不补助的写 nothing",
            f"nothing is declared above {bands[-1].up_to}: add a band without up_to; write nothing if so",
        )


def _edge(low: Band, high: Band, place: FilePath) -> Iterator[Remark]:
    if low.up_to is None:
        yield error(
            (*place, "above"),
            high.clause,
            "前一段没有 up_to，此段永远到不了：给前一段写上 up_to，或调整顺序",
            "the band before has no end, so this one is never reached: give that one its up_to, or reorder them",
        )
    elif high.above < low.above:
        yield error(
            (*place, "above"),
            high.clause,
            f"各段应由低到高：此段从 {high.above} 开始，前一段从 {low.above} 开始，请调整顺序",
            f"bands go from low to high: this starts above {high.above}, the one before above {low.above}: reorder",
        )
    elif high.above > low.up_to:
        yield error(
            (*place, "above"),
            high.clause,
            f"{low.up_to} 至 {high.above} 没有规定：above 应为 {low.up_to}",
            f"there is a gap from {low.up_to} to {high.above}: above must be {low.up_to}",
        )
    elif high.above < low.up_to:
        yield error(
            (*place, "above"),
            high.clause,
            f"{high.above} 至 {low.up_to} 与前一段重叠：above 应为 {low.up_to}",
            f"from {high.above} to {low.up_to} it overlaps the band before: above must be {low.up_to}",
        )


def _falling_rate(low: Band, high: Band, place: FilePath) -> Iterator[Remark]:
    if low.rate is not None and high.rate is not None and high.rate < low.rate:
        before, after = write_rate(low.rate), write_rate(high.rate)
        yield warning(
            (*place, "rate"),
            high.clause,
            f"比例由 {before} 降为 {after}：请确认公布的规则如此",
            f"the rate falls from {before} to {after}: confirm that the published rule says so",
        )
