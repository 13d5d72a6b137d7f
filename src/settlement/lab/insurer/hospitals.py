"""The designated hospitals of the city: twenty, of all three levels, the same for every seed."""

from __future__ import annotations

from typing import NamedTuple

_HOSP_LV = {3: "02", 2: "05", 1: "08"}

_NAMES: tuple[tuple[int, str], ...] = (
    (3, "市人民医院"),
    (3, "市中心医院"),
    (3, "医学院附属医院"),
    (3, "市中医医院"),
    (2, "市第二人民医院"),
    (2, "市妇幼保健院"),
    (2, "市精神卫生中心"),
    (2, "东城区人民医院"),
    (2, "西城区人民医院"),
    (2, "南县人民医院"),
    (2, "北县人民医院"),
    (2, "北县中医院"),
    (1, "东城街道社区卫生服务中心"),
    (1, "西城街道社区卫生服务中心"),
    (1, "开发区社区卫生服务中心"),
    (1, "河口镇卫生院"),
    (1, "柳林镇卫生院"),
    (1, "石桥镇卫生院"),
    (1, "职工医院"),
    (1, "大学校医院"),
)


class MedicalInstitution(NamedTuple):
    """One designated hospital: its national 12-character code, name, level 1 to 3, and the code of its grade."""

    fixmedins_code: str
    fixmedins_name: str
    level: int
    hosp_lv: str


def make_hospitals(area: str) -> list[MedicalInstitution]:
    """Return the city's hospitals, coded H + area + serial."""
    return [
        MedicalInstitution(f"H{area}{serial:05d}", name, level, _HOSP_LV[level])
        for serial, (level, name) in enumerate(_NAMES, start=1)
    ]
