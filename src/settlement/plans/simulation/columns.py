"""The columns of a file of bills, and how a row of texts becomes a bill. `docs/simulation.md` explains each column.

A file, a Parquet table and a Spark frame are read by this alone. What is not readable is refused with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from settlement.domain.benefits import PlanFacts
from settlement.domain.bills import BillFigures, Care, InsurerFunds
from settlement.domain.money import ZERO, Money, NotMoney
from settlement.plans.history import BillKeys
from settlement.plans.simulation.bills import BadRow, SimulatedBill
from settlement.plans.vocabulary import FACTS, FUNDS, FactKind

REQUIRED = ("member", "settled_on", "care", "allowed")
AMOUNTS = (
    "allowed",
    "insurer_paid",
    *FUNDS,
    "excluded",
    "over_limit",
    "upfront_share",
    "insurer_deductible",
    "provider_absorbed",
    "account_paid",
    "family_account_paid",
    "other_paid",
)
PROVED = ("billed", "patient_share", "cash_before_aid")
"""Amounts that follow from others; a row in which they do not agree is refused."""
DATES = (
    "settled_on",
    "admitted_on",
    "discharged_on",
    "event_on",
    "cover_first_day",
    "cover_last_day",
    "covered_since",
)
TEXTS = ("insurance_type", "hospital_category", "diagnosis", "severity", "region", "unit_class", "place", "setting")
TABLES = ("shares", "stated")
"""Several values by code in one cell: `critical:2;women:1`."""
COLUMNS = (
    "member",
    "care",
    *DATES,
    "paid",
    *AMOUNTS,
    *PROVED,
    "hospital_level",
    "person_category",
    *TEXTS,
    "event",
    "age",
    "sex",
    "consecutive_terms",
    "insured",
    "accident",
    "union_member",
    "returned",
    *TABLES,
    "hospital",
    "visit",
    "receipt",
    "unit",
)
CHINESE = {
    "会员": "member",
    "结算日期": "settled_on",
    "就诊类型": "care",
    "入院日期": "admitted_on",
    "出院日期": "discharged_on",
    "政策范围内": "allowed",
    "医保支付": "insurer_paid",
    "自费": "excluded",
    "超限价": "over_limit",
    "先行自付": "upfront_share",
    "起付线": "insurer_deductible",
    "医院负担": "provider_absorbed",
    "个人账户支付": "account_paid",
    "共济账户支付": "family_account_paid",
    "其他支付": "other_paid",
    "总额": "billed",
    "个人负担": "patient_share",
    "现金": "cash_before_aid",
    "已付互助": "paid",
    "医院等级": "hospital_level",
    "险种": "insurance_type",
    "人员类别": "person_category",
    "年龄": "age",
    "性别": "sex",
    "医院": "hospital",
    "就诊号": "visit",
    "票据号": "receipt",
    "单位": "unit",
    "份数": "shares",
    "诊断": "diagnosis",
}
"""Chinese headers that are understood besides the English ones."""
_WORDS = {
    "care": {"门诊": "outpatient", "住院": "inpatient"},
    "person_category": {"在职": "active", "退休": "retired", "离休": "retired_cadre"},
    "sex": {"男": "male", "女": "female"},
    "hospital_level": {"一级": "1", "二级": "2", "三级": "3"},
}
_FLAGS = {"true": True, "1": True, "yes": True, "是": True, "false": False, "0": False, "no": False, "否": False}
_DAY = re.compile(r"\d{4}-?\d\d-?\d\d", re.ASCII)
_NUMBER = re.compile(r"\d{1,5}", re.ASCII)


class BadHeader(ValueError):
    """A header that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which cell of a row holds what."""

    at: Mapping[str, int]
    width: int
    not_read: tuple[str, ...]
    """Columns whose names are not known; they are left out, and the report says so."""

    @classmethod
    def of(cls, header: Sequence[str]) -> Columns:
        """Read a header. Raises `BadHeader` for a name twice or for a column that must be there and is not."""
        at: dict[str, int] = {}
        not_read = []
        for position, given in enumerate(header):
            name = CHINESE.get(given.strip(), given.strip())
            if name in at:
                raise BadHeader(f"the column {name} is there twice")
            if name in COLUMNS:
                at[name] = position
            else:
                not_read.append(given.strip())
        missing = [name for name in REQUIRED if name not in at]
        if "insurer_paid" not in at and not any(fund in at for fund in FUNDS):
            missing.append("insurer_paid (or its funds)")
        if missing:
            raise BadHeader(f"the file has no column {', '.join(missing)}")
        return cls(at, len(header), tuple(not_read))

    @property
    def has_paid(self) -> bool:
        """Whether the file says what was really paid."""
        return "paid" in self.at

    def member(self, cells: Sequence[str]) -> str:
        """Return whose bill a row is. Raises `BadRow`."""
        if len(cells) != self.width:
            raise BadRow(f"it has {len(cells)} cells, the header {self.width}")
        member = cells[self.at["member"]].strip()
        if not member:
            raise BadRow("member is empty")
        return member

    def bill(self, number: int, cells: Sequence[str]) -> SimulatedBill:
        """Read a row of texts. Raises `BadRow`."""
        given = {name: text for name, at in self.at.items() if (text := cells[at].strip())}
        figures = _figures(given)
        facts = _facts(given)
        keys = BillKeys(given.get("hospital", "H"), given.get("visit", f"bill-{number}"), given.get("receipt"))
        paid = {"paid": _not_negative("paid", given)} if self.has_paid else None
        return SimulatedBill(number, str(number), figures, facts, keys, paid, given.get("unit"))

    def order(self, bill: SimulatedBill) -> tuple[date, int]:
        """Return where a bill stands among those of its member: by the day of settlement, on one day by the row."""
        return bill.facts.settled_on, bill.number


def _figures(given: Mapping[str, str]) -> BillFigures:
    """Complete the amounts by the identities of the insurer's interface; those that the row has must agree."""
    if "allowed" not in given:
        raise BadRow("allowed is empty")
    amounts = {name: _amount(name, given[name]) for name in AMOUNTS if name in given}
    get = amounts.get
    funds, insurer_paid = _funds(given, amounts)
    billed = Money(sum(map(int, (get(name, 0) for name in ("allowed", "excluded", "over_limit", "upfront_share")))))
    absorbed, account_paid = get("provider_absorbed", ZERO), get("account_paid", ZERO)
    patient_share = Money(int(billed) - insurer_paid - int(absorbed))
    figures = BillFigures(
        billed=billed,
        excluded=get("excluded", ZERO),
        over_limit=get("over_limit", ZERO),
        upfront_share=get("upfront_share", ZERO),
        allowed=amounts["allowed"],
        insurer_deductible=get("insurer_deductible", ZERO),
        funds=funds,
        provider_absorbed=absorbed,
        patient_share=patient_share,
        account_paid=account_paid,
        family_account_paid=get("family_account_paid", ZERO),
        cash_before_aid=Money(int(patient_share) - int(account_paid)),
    )
    for name in PROVED:
        if name in given and _amount(name, given[name]) != getattr(figures, name):
            raise BadRow(f"{name} is {given[name]}, the other amounts make it {getattr(figures, name)}")
    return figures


def _funds(given: Mapping[str, str], amounts: Mapping[str, Money]) -> tuple[InsurerFunds, int]:
    """Return what each fund paid, and their sum; a sum beside them must be theirs, alone it is the pooled fund's."""
    named = {name: amounts[name] for name in FUNDS if name in amounts}
    if not named:
        if "insurer_paid" not in amounts:
            raise BadRow("insurer_paid is empty")
        return InsurerFunds(hifp=amounts["insurer_paid"]), int(amounts["insurer_paid"])
    total = sum(map(int, named.values()))
    if "insurer_paid" in amounts and int(amounts["insurer_paid"]) != total:
        raise BadRow(f"insurer_paid is {given['insurer_paid']}, its funds make it {Money(total)}")
    return InsurerFunds(**named), total


def _facts(given: Mapping[str, str]) -> PlanFacts:
    values: dict[str, Any] = {name: _day(name, given[name]) for name in DATES if name in given}
    for name, read in _FACTS.items():
        if name in given:
            values[name] = read(name, _WORDS.get(name, {}).get(given[name], given[name]))
    for name in ("settled_on", "care"):
        if name not in values:
            raise BadRow(f"{name} is empty")
    if values["care"] == Care.INPATIENT:
        values["counted_from"] = values.get("admitted_on")
        if values.get("admitted_on", date.min) > values.get("discharged_on", date.max):
            raise BadRow("discharged_on is before admitted_on")
    if "other_paid" in given:
        values["other_paid"] = _fen(given["other_paid"])
    return PlanFacts(**{**_NOT_KNOWN, **values})


_NOT_KNOWN = dict.fromkeys(
    ("admitted_on", "discharged_on", "hospital_level", "insurance_type", "person_category"), None
)


def _amount(name: str, text: str) -> Money:
    try:
        return _fen(text)
    except NotMoney as not_money:
        raise BadRow(f"{name}: {not_money}") from None


@lru_cache(maxsize=65_536)
def _fen(text: str) -> Money:
    return Money.from_yuan(text)


def _not_negative(name: str, given: Mapping[str, str]) -> int:
    if name not in given:
        raise BadRow(f"{name} is empty: write 0 where nothing was paid")
    amount = _amount(name, given[name])
    if amount < 0:
        raise BadRow(f"{name} is negative")
    return int(amount)


@lru_cache(maxsize=16_384)
def _iso(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
"""Terms and waiting are counted from a bill's days, which the calendar's last years would not hold."""


def _day(name: str, text: str) -> date:
    day = _iso(text)
    if day is None or not _FIRST_DAY <= day <= _LAST_DAY:
        raise BadRow(f"{name}: {text!r} is not a date such as 2025-03-10, from 1900 to 2200")
    return day


def _flag(name: str, text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise BadRow(f"{name}: {text!r} is neither true nor false")
    return _FLAGS[text.lower()]


def _number(name: str, text: str) -> int:
    words = FACTS[name].words if name in FACTS else frozenset()
    if not _NUMBER.fullmatch(text) or (words and int(text) not in words):
        raise BadRow(f"{name}: {text!r} is not {_one_of(words) if words else 'a whole number'}")
    return int(text)


def _word(name: str, text: str) -> str:
    words = FACTS[name].words
    if FACTS[name].kind is FactKind.WORD and text not in words:
        raise BadRow(f"{name}: {text!r} is not {_one_of(words)}")
    return text


def _one_of(words: frozenset[str | int]) -> str:
    return " or ".join(sorted(map(str, words)))


def _by_code(name: str, text: str) -> dict[str, str]:
    parts = [part.partition(":") for part in text.replace("；", ";").replace("：", ":").split(";") if part.strip()]
    if not all(code.strip() and value.strip() for code, _, value in parts):
        raise BadRow(f"{name}: {text!r} is not written as code:value;code:value")
    return {code.strip(): value.strip() for code, _, value in parts}


def _shares(name: str, text: str) -> dict[str, int]:
    return {code: _number(name, value) for code, value in _by_code(name, text).items()}


def _stated(name: str, text: str) -> dict[str, Money]:
    return {code: _amount(name, value) for code, value in _by_code(name, text).items()}


_FACTS: Mapping[str, Callable[[str, str], object]] = {
    "care": _word,
    "hospital_level": _number,
    "person_category": _word,
    **dict.fromkeys(TEXTS, _word),
    "event": _word,
    "age": _number,
    "sex": _word,
    "consecutive_terms": _number,
    "insured": _flag,
    "accident": _flag,
    "union_member": _flag,
    "returned": _flag,
    "shares": _shares,
    "stated": _stated,
}
