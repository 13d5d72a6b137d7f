"""The insured persons of the city, made from a seed: no real person, every certificate with a correct check digit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_COUNTIES = ("02", "21", "22", "23", "25", "81")
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉建国文辉红梅春生志远海燕晓东雪峰雨晨思源"
_EMPLOYERS = ("纺织", "机械", "化工", "公交", "供水", "热力", "建设", "食品", "物流", "电力", "教育", "印染")
_EMPLOYER_KINDS = ("有限公司", "集团公司", "服务中心", "第一分公司", "第二分公司")
_EPOCH = date(2026, 1, 1)


class Person(NamedTuple):
    """One insured person as the platform holds him.

    `account_fen` is the opening balance of the personal account; `pool_fen` what the pooled fund has paid for him in
    the year before the simulation begins: nearly all of its ceiling for the few who are very ill, else nothing.
    """

    psn_no: str
    psn_name: str
    psn_cert_type: str
    certno: str
    card_no: str
    gend: str
    naty: str
    brdy: str
    psn_type: str
    insutype: str
    cvlserv_flag: str
    insuplc_admdvs: str
    emp_name: str
    psn_insu_date: str
    psn_idet_type: str
    account_fen: int
    pool_fen: int


class _Standing(NamedTuple):
    psn_type: str
    insutype: str
    cvlserv_flag: str
    ages: tuple[int, int]
    account_top_fen: int


_ACTIVE = _Standing("1101", "310", "0", (20, 59), 900_000)
_ACTIVE_CIVIL = _Standing("1102", "310", "1", (23, 59), 1_200_000)
_ACTIVE_FLEXIBLE = _Standing("1103", "310", "0", (20, 59), 200_000)
_RETIRED = _Standing("1201", "310", "0", (56, 88), 1_500_000)
_RETIRED_CIVIL = _Standing("1202", "310", "1", (60, 88), 2_000_000)
_PUPIL = _Standing("1403", "390", "0", (7, 17), 0)
_RESIDENT = _Standing("1501", "390", "0", (18, 59), 0)
_RESIDENT_OTHER = _Standing("1560", "390", "0", (18, 75), 20_000)
_VETERAN_CADRE = _Standing("1300", "340", "0", (88, 98), 0)

# Of a thousand persons: about 800 active employees, 120 retired, 70 residents, 10 others.
_MIX: tuple[tuple[int, _Standing], ...] = (
    (660, _ACTIVE),
    (740, _ACTIVE_CIVIL),
    (800, _ACTIVE_FLEXIBLE),
    (900, _RETIRED),
    (920, _RETIRED_CIVIL),
    (935, _PUPIL),
    (960, _RESIDENT),
    (990, _RESIDENT_OTHER),
    (995, _VETERAN_CADRE),
    (1000, _ACTIVE),
)
_STRANGER_FROM = 995
_STRANGERS_PER_THOUSAND = 15


def check_digit(first_17: str) -> str:
    """Return the 18th character of a citizen identity number (GB 11643)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return _CHECK_DIGITS[total % 11]


def second_area(area: str) -> str:
    """Return the insured area of the strangers: the province's capital, or its second city if the area is that."""
    capital = f"{area[:2]}0100"
    return f"{area[:2]}0200" if area == capital else capital


def make_persons(seed: int, count: int, area: str) -> list[Person]:
    """Make `count` persons from a seed; the first persons are the same whatever the count."""
    rng = Random(f"persons-{seed}")
    numbers: set[str] = set()
    return [_make_person(rng, serial, area, numbers) for serial in range(1, count + 1)]


def _make_person(rng: Random, serial: int, area: str, numbers: set[str]) -> Person:
    draw = rng.randrange(1000)
    standing = next(standing for below, standing in _MIX if draw < below)
    stranger = draw >= _STRANGER_FROM or (standing.insutype == "310" and rng.randrange(1000) < _STRANGERS_PER_THOUSAND)
    home = second_area(area) if stranger else area
    gend = rng.choice("12")
    born = _EPOCH - timedelta(days=rng.randint(standing.ages[0] * 366, standing.ages[1] * 365))
    certno = _certificate(rng, home, born, gend, numbers)
    insured_on = date(rng.randint(max(2005, born.year + 1), 2024), rng.randint(1, 12), 1)
    return Person(
        psn_no=f"{home}01{serial:012d}",
        psn_name=rng.choice(_SURNAMES) + "".join(rng.sample(_GIVEN, rng.choice((1, 2, 2)))),
        psn_cert_type="01",
        certno=certno,
        card_no=f"{chr(65 + serial // 100_000_000 % 26)}{serial:08d}",
        gend=gend,
        naty="11" if rng.randrange(40) == 0 else "01",
        brdy=born.isoformat(),
        psn_type=standing.psn_type,
        insutype=standing.insutype,
        cvlserv_flag=standing.cvlserv_flag,
        insuplc_admdvs=home,
        emp_name=_employer(rng, standing),
        psn_insu_date=insured_on.isoformat(),
        psn_idet_type="1" if rng.randrange(1000) < 12 else "",
        account_fen=_opening_balance(rng, standing.account_top_fen),
        pool_fen=_opening_pool(rng) if standing.insutype == "310" else 0,
    )


def _certificate(rng: Random, area: str, born: date, gend: str, numbers: set[str]) -> str:
    for attempt in _attempts(rng, gend):
        first_17 = f"{area[:4]}{rng.choice(_COUNTIES)}{born:%Y%m%d}{attempt:03d}"
        certno = first_17 + check_digit(first_17)
        if certno not in numbers:
            numbers.add(certno)
            return certno
    raise AssertionError("unreachable: the sequence does not end")


def _attempts(rng: Random, gend: str) -> Iterator[int]:
    while True:
        yield rng.randrange(0, 500) * 2 + (1 if gend == "1" else 0)


def _employer(rng: Random, standing: _Standing) -> str:
    rank = min(rng.randrange(60), rng.randrange(60))
    if standing.insutype == "390":
        return f"第{rank + 1}社区"
    if standing.psn_type == "1103":
        return "灵活就业人员"
    return f"市{_EMPLOYERS[rank % len(_EMPLOYERS)]}{_EMPLOYER_KINDS[rank // len(_EMPLOYERS)]}"


def _opening_pool(rng: Random) -> int:
    """Draw for one in eighty what the year has already used: a little below the pooled fund's ceiling."""
    return 14_950_000 - rng.randrange(50) * 10_000 if rng.randrange(80) == 0 else 0


def _opening_balance(rng: Random, top_fen: int) -> int:
    """Draw a skewed balance: many small accounts, some empty, a few near the top."""
    if top_fen == 0 or rng.randrange(10) == 0:
        return 0
    return min(rng.randrange(top_fen), rng.randrange(top_fen))
