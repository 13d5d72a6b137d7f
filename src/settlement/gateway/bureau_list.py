"""The bureau's daily list of members' bills, line by line: JSON lines as door C takes them, or CSV with the same names.

A line is read for comparison, so it is taken as it is: what it leaves out is not compared, and a bill that does not
close is there all the same. Only a line that does not say which bill it is about is refused (docs/reconciliation.md).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from settlement.domain.bills import BillFigures
from settlement.domain.money import ZERO, Money
from settlement.domain.time import china_date
from settlement.gateway.fields import Instant, Malformed, Message, Text, is_given
from settlement.gateway.identities import FUND_FIELDS, account_money, close_bill
from settlement.gateway.mapping import is_area
from settlement.gateway.messages import NotJson, SettlementNode, SettlementOutput, decode
from settlement.gateway.profile import GatewayProfile

FACTS = (
    "mdtrtarea_admvs",
    "fixmedins_code",
    "chrg_bchno",
    "insuplc_admdvs",
    "recer_sys_code",
    "msgid",
    "ipt_otp_no",
    "receipt_no",
    "opter",
    "pay_loc",
    "admitted_on",
    "discharged_on",
    "dise_codg",
    "hospital_category",
    "init_setl_id",
)
"""Columns that say something about the visit; in JSON lines they stand under `facts`, all others under `setlinfo`."""
REQUIRED_COLUMNS = ("setl_id", "mdtrtarea_admvs", "setl_time", "medfee_sumamt")
_CANCELLING = ("2208", "2305", "2103")
_PLAIN = {
    "billed": "medfee_sumamt",
    "excluded": "fulamt_ownpay_amt",
    "over_limit": "overlmt_selfpay",
    "upfront_share": "preselfpay_amt",
    "allowed": "inscp_scp_amt",
    **FUND_FIELDS,
    "provider_absorbed": "hosp_part_amt",
    "patient_share": "psn_part_amt",
    "family_account_paid": "acct_mulaid_pay",
    "cash_before_aid": "psn_cash_pay",
}
_OF_BILL = tuple(name for name in (*_PLAIN, "account_paid") if name not in FUND_FIELDS)


class ListUnreadable(Exception):
    """A list that cannot be read at all; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class RawLine:
    """One line before it is understood: its number in the file, the transaction, `output` and `facts`."""

    number: int
    infno: str
    output: Mapping[str, Any]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that does not say which bill it is about. It names no values: they may be a person's."""

    number: int
    field: str
    problem: str


@dataclass(frozen=True, slots=True)
class BureauLine:
    """One settlement or cancellation as the bureau lists it.

    `figures` are the amounts that it delivers, by our names, in fen; a cancellation's as positives. `closed` are all of
    a bill that closes under the profile. `insurer_settlement_id` is, of a cancellation, that of the cancelled bill.
    """

    raw: RawLine
    cancels: bool
    area: str
    insurer_settlement_id: str
    hospital_code: str | None
    business_date: date | None
    figures: Mapping[str, Money] = field(default_factory=dict)
    closed: BillFigures | None = None


class _ListFacts(Message):
    mdtrtarea_admvs: Text = None
    fixmedins_code: Text = None
    init_setl_id: Text = None


class _Named(Message):
    setl_id: Text = None
    setl_time: Instant = None
    fixmedins_code: Text = None


def raw_lines(text: Iterable[str], as_csv: bool) -> Iterator[RawLine | RefusedLine]:
    """Yield the lines of a list, numbered as an editor numbers them. Raises `ListUnreadable` for a wrong CSV header."""
    return _csv_lines(text) if as_csv else _json_lines(text)


def read_line(raw: RawLine, profile: GatewayProfile) -> BureauLine | RefusedLine:
    """Read which bill a line is about, and the figures that it delivers."""
    try:
        facts = _ListFacts.read({name: raw.facts.get(name) for name in _ListFacts.model_fields})
        node, cancels, figures, closed = _understood(raw, profile)
    except Malformed as malformed:
        return RefusedLine(raw.number, malformed.field, malformed.problem)
    setl_id = facts.init_setl_id or node.setl_id
    if setl_id is None:
        return RefusedLine(raw.number, "setl_id", "missing")
    if facts.mdtrtarea_admvs is None or not is_area(facts.mdtrtarea_admvs):
        return RefusedLine(raw.number, "mdtrtarea_admvs", "missing" if facts.mdtrtarea_admvs is None else "not_an_area")
    return BureauLine(
        raw=raw,
        cancels=cancels,
        area=facts.mdtrtarea_admvs,
        insurer_settlement_id=setl_id,
        hospital_code=facts.fixmedins_code or node.fixmedins_code,
        business_date=china_date(node.setl_time) if node.setl_time else None,
        figures=figures,
        closed=closed,
    )


_Understood = tuple["SettlementNode | _Named", bool, Mapping[str, Money], BillFigures | None]


def _understood(raw: RawLine, profile: GatewayProfile) -> _Understood:
    """Read a line as far as it can be read. Raises `Malformed` where not even what it is about can."""
    by_its_number = raw.infno[:4] in _CANCELLING
    try:
        read = SettlementOutput.read(raw.output, profile.aliases)
    except Malformed:
        return _Named.read(raw.output.get("setlinfo"), profile.aliases), by_its_number, {}, None
    node = read.setlinfo
    if node.medfee_sumamt < ZERO if node.medfee_sumamt is not None else by_its_number:
        return node, True, {name: -amount for name, amount in _delivered(node, profile).items()}, None
    closed = close_bill(read, profile)
    if isinstance(closed, BillFigures):
        return node, False, _of_bill(closed), closed
    return node, False, _delivered(node, profile), None


def _of_bill(figures: BillFigures) -> Mapping[str, Money]:
    named = {name: getattr(figures, name) for name in _OF_BILL}
    funds = {name: getattr(figures.funds, name) for name in FUND_FIELDS}
    return {**named, **funds, "insurer_paid": figures.insurer_paid}


def _delivered(node: SettlementNode, profile: GatewayProfile) -> Mapping[str, Money]:
    """Return the amounts as they came, account money and the funds' total in our reading where both are known."""
    account, insurer_paid = account_money(node, profile), node.fund_pay_sumamt
    if profile.account_money_in_fund_total and insurer_paid is not None:
        insurer_paid = None if account is None else insurer_paid - account
    found = {ours: getattr(node, theirs) for ours, theirs in _PLAIN.items()}
    found |= {"account_paid": account, "insurer_paid": insurer_paid}
    return {name: amount for name, amount in found.items() if amount is not None}


def _json_lines(text: Iterable[str]) -> Iterator[RawLine | RefusedLine]:
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        try:
            content = decode(line)
        except NotJson:
            yield RefusedLine(number, "line", "not_json")
            continue
        output, facts = (content.get("output"), content.get("facts")) if isinstance(content, dict) else (None, None)
        if not isinstance(output, dict) or not isinstance(facts, dict):
            yield RefusedLine(number, "output", "not_an_object")
        else:
            yield RawLine(number, str(content.get("infno") or ""), output, facts)


def _csv_lines(text: Iterable[str]) -> Iterator[RawLine | RefusedLine]:
    rows = csv.reader(text, strict=True)
    header = [name.strip() for name in next(rows, [])]
    missing = [name for name in REQUIRED_COLUMNS if name not in header]
    if missing:
        raise ListUnreadable(f"the first line lacks the columns {', '.join(missing)}")
    try:
        for cells in rows:
            if any(cells):
                yield _csv_line(rows.line_num, header, cells)
    except csv.Error as error:
        yield RefusedLine(rows.line_num, "line", f"not_csv: {error}")


def _csv_line(number: int, header: Sequence[str], cells: Sequence[str]) -> RawLine | RefusedLine:
    if len(cells) != len(header):
        return RefusedLine(number, "line", "wrong_number_of_columns")
    given = {name: cell for name, cell in zip(header, cells, strict=True) if is_given(cell)}
    facts = {name: given.pop(name) for name in FACTS if name in given}
    infno = given.pop("infno", "")
    return RawLine(number, infno, {"setlinfo": given, "setldetail": []}, facts)
