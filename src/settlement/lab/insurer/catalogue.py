"""The medical catalogue of the city and the classification of fee lines by it (line identity G)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple


class CatalogueItem(NamedTuple):
    """One catalogue entry: level 01/02/03, share paid first in ten-thousandths, price ceiling in fen per unit."""

    med_list_codg: str
    name: str
    chrgitm_lv: str
    selfpay_bp: int
    ceiling_fen: int | None
    med_chrgitm_type: str


class LineShares(NamedTuple):
    """How the platform divides one fee line, in fen; the four parts add up to the line's total."""

    fulamt_ownpay_amt: int
    overlmt_amt: int
    preselfpay_amt: int
    inscp_scp_amt: int


_ITEMS = (
    CatalogueItem("001101000010000", "普通门诊诊查费", "01", 0, None, "02"),
    CatalogueItem("001102000010000", "挂号费", "03", 10_000, None, "13"),
    CatalogueItem("001109000010000", "普通床位费", "01", 0, 5_000, "01"),
    CatalogueItem("001109000020000", "监护病房床位费", "01", 0, 12_000, "01"),
    CatalogueItem("001201000030000", "二级护理", "01", 0, None, "07"),
    CatalogueItem("001204000010000", "静脉输液", "01", 0, 1_200, "05"),
    CatalogueItem("002101000010000", "X线摄影", "01", 0, None, "03"),
    CatalogueItem("002103000010000", "CT平扫", "02", 1_000, 26_000, "03"),
    CatalogueItem("002102000010000", "磁共振平扫", "02", 1_500, 60_000, "03"),
    CatalogueItem("002203000010000", "彩色多普勒超声", "02", 500, None, "03"),
    CatalogueItem("002501010150000", "血细胞分析", "01", 0, None, "04"),
    CatalogueItem("002503050010000", "肝功能全套", "01", 0, None, "04"),
    CatalogueItem("002504030010000", "肿瘤标志物", "02", 1_000, None, "04"),
    CatalogueItem("003305000010000", "腹腔镜手术", "02", 1_000, None, "06"),
    CatalogueItem("003306000020000", "冠状动脉支架置入术", "02", 1_000, None, "06"),
    CatalogueItem("003401000010000", "康复治疗", "02", 500, None, "05"),
    CatalogueItem("C0101010010100", "一次性使用耗材", "02", 1_000, 50_000, "08"),
    CatalogueItem("C0202010020200", "冠脉药物支架", "02", 2_000, 80_000, "08"),
    CatalogueItem("C0303010030300", "人工关节", "02", 2_000, 700_000, "08"),
    CatalogueItem("C0404010040400", "进口特殊耗材", "03", 10_000, None, "08"),
    CatalogueItem("XA01AAA001", "阿莫西林胶囊", "01", 0, None, "09"),
    CatalogueItem("XA10BAE002", "二甲双胍片", "01", 0, None, "09"),
    CatalogueItem("XC09CAS003", "缬沙坦胶囊", "02", 500, None, "09"),
    CatalogueItem("XJ01DDA004", "头孢曲松注射剂", "02", 500, None, "09"),
    CatalogueItem("XL01XEJ005", "靶向抗肿瘤药", "02", 3_000, None, "09"),
    CatalogueItem("XB05BAN006", "营养注射液", "03", 10_000, None, "09"),
    CatalogueItem("ZA01AAX007", "感冒清热颗粒", "02", 500, None, "11"),
    CatalogueItem("T001700001", "中药饮片", "02", 500, None, "10"),
)

CATALOGUE = {item.med_list_codg: item for item in _ITEMS}


def find_item(med_list_codg: str) -> CatalogueItem:
    """Return the entry of a code; whatever the catalogue does not list is paid wholly by the patient."""
    item = CATALOGUE.get(med_list_codg)
    return item or CatalogueItem(med_list_codg, "", "03", 10_000, None, "14")


def classify(item: CatalogueItem, total_fen: int, count: Decimal) -> LineShares:
    """Divide a fee line of `total_fen` by its catalogue entry; a line that takes back is the mirror of what it undoes.

    The ceiling counts per unit; what is paid first is the item's share of the rest, half up.
    """
    if total_fen < 0:
        mirror = classify(item, -total_fen, -count)
        return LineShares(*(-part for part in mirror))
    if item.chrgitm_lv == "03":
        return LineShares(total_fen, 0, 0, 0)
    over = _over_ceiling(item.ceiling_fen, total_fen, count)
    first = share(total_fen - over, item.selfpay_bp)
    return LineShares(0, over, first, total_fen - over - first)


def share(fen: int, ten_thousandths: int) -> int:
    """Return a share of a non-negative amount of fen, rounded half up to the fen."""
    return (fen * ten_thousandths + 5_000) // 10_000


def _over_ceiling(ceiling_fen: int | None, total_fen: int, count: Decimal) -> int:
    if ceiling_fen is None:
        return 0
    allowed = int((ceiling_fen * count).to_integral_value(ROUND_HALF_UP))
    return max(0, total_fen - allowed)
