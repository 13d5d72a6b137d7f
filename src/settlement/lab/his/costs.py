"""What a visit or a stay costs, and of which fee lines that is made: skewed, with a heavy tail, in whole fen."""

from __future__ import annotations

from math import exp, log
from random import Random
from typing import NamedTuple

from settlement.lab.his.bills import FeeLine

_VISIT_FLOOR, _VISIT_TOP = 500, 8_000_000
_STAY_FLOOR, _STAY_TOP = 60_000, 40_000_000


class _Item(NamedTuple):
    code: str
    name: str
    weight: int


_VISIT_ITEMS = (
    _Item("001101000010000", "普通门诊诊查费", 10),
    _Item("001102000010000", "挂号费", 4),
    _Item("XA01AAA001", "阿莫西林胶囊", 16),
    _Item("XA10BAE002", "二甲双胍片", 12),
    _Item("XC09CAS003", "缬沙坦胶囊", 16),
    _Item("ZA01AAX007", "感冒清热颗粒", 12),
    _Item("T001700001", "中药饮片", 10),
    _Item("002501010150000", "血细胞分析", 14),
    _Item("002503050010000", "肝功能全套", 8),
    _Item("002203000010000", "彩色多普勒超声", 8),
    _Item("002103000010000", "CT平扫", 5),
    _Item("002102000010000", "磁共振平扫", 2),
    _Item("XL01XEJ005", "靶向抗肿瘤药", 1),
    _Item("003401000010000", "康复治疗", 4),
)
_STAY_ITEMS = (
    _Item("001201000030000", "二级护理", 10),
    _Item("001204000010000", "静脉输液", 6),
    _Item("002501010150000", "血细胞分析", 10),
    _Item("002503050010000", "肝功能全套", 8),
    _Item("002504030010000", "肿瘤标志物", 4),
    _Item("002103000010000", "CT平扫", 5),
    _Item("002203000010000", "彩色多普勒超声", 6),
    _Item("003305000010000", "腹腔镜手术", 8),
    _Item("003401000010000", "康复治疗", 8),
    _Item("C0101010010100", "一次性使用耗材", 5),
    _Item("C0404010040400", "进口特殊耗材", 2),
    _Item("XJ01DDA004", "头孢曲松注射剂", 16),
    _Item("XC09CAS003", "缬沙坦胶囊", 10),
    _Item("XB05BAN006", "营养注射液", 3),
    _Item("XA01AAA001", "阿莫西林胶囊", 8),
)
_COSTLY_ITEMS = (
    _Item("003306000020000", "冠状动脉支架置入术", 6),
    _Item("C0202010020200", "冠脉药物支架", 2),
    _Item("C0303010030300", "人工关节", 2),
    _Item("XL01XEJ005", "靶向抗肿瘤药", 3),
)
_COSTLY_FROM = 3_000_000
_BED = ("001109000010000", "普通床位费")


def visit_total(rng: Random) -> int:
    """Draw what an outpatient visit costs, in fen: mostly a few hundred yuan, one in ten some thousands."""
    if rng.random() < 0.10:
        return _lognormal(rng, 450_000, 0.7, _VISIT_FLOOR, _VISIT_TOP)
    return _lognormal(rng, 32_000, 0.95, _VISIT_FLOOR, _VISIT_TOP)


def stay_total(rng: Random) -> int:
    """Draw what a stay costs, in fen: half below 10,000 yuan, one in twenty above 60,000."""
    return _lognormal(rng, 980_000, 1.1, _STAY_FLOOR, _STAY_TOP)


def visit_lines(rng: Random, total_fen: int) -> list[FeeLine]:
    """Divide a visit's total into one to five fee lines that add up to it."""
    return _divide(rng, _draw(rng, _VISIT_ITEMS, rng.randint(1, 5)), total_fen)


def stay_lines(rng: Random, total_fen: int, days: int) -> list[FeeLine]:
    """Divide a stay's total into the bed and six to twenty more fee lines that add up to it."""
    bed = FeeLine(*_BED, price_fen=rng.choice((3_000, 4_000, 5_000, 6_500)), quantity=days)
    items = _draw(rng, _STAY_ITEMS, rng.randint(6, 18))
    if total_fen >= _COSTLY_FROM:
        items += _draw(rng, _COSTLY_ITEMS, 2)
    if bed.amount_fen * 2 > total_fen:
        return _divide(rng, items, total_fen)
    return [bed, *_divide(rng, items, total_fen - bed.amount_fen)]


def _lognormal(rng: Random, median_fen: int, sigma: float, floor: int, top: int) -> int:
    return min(top, max(floor, round(exp(rng.gauss(log(median_fen), sigma)))))


def _draw(rng: Random, items: tuple[_Item, ...], count: int) -> list[_Item]:
    return rng.choices(items, weights=[item.weight for item in items], k=count)


def _divide(rng: Random, items: list[_Item], total_fen: int) -> list[FeeLine]:
    """Give every item a random share of the total; the last takes the rest, so not a fen is lost."""
    weights = [rng.randint(1, 20) * item.weight for item in items]
    lines, left = [], total_fen
    for item, weight in zip(items[:-1], weights, strict=False):
        amount = total_fen * weight // sum(weights)
        if 0 < amount < left:
            lines.append(_line(rng, item, amount))
            left -= amount
    return [*lines, FeeLine(items[-1].code, items[-1].name, left)]


def _line(rng: Random, item: _Item, amount_fen: int) -> FeeLine:
    quantity = rng.choice((1, 1, 2, 3, 5, 7))
    if amount_fen % quantity:
        quantity = 1
    return FeeLine(item.code, item.name, amount_fen // quantity, quantity)
