"""Who the insured person is: transaction 1101."""

from __future__ import annotations

from datetime import date

from settlement.lab.insurer.envelope import Message, Refused, as_text, required
from settlement.lab.insurer.persons import Person
from settlement.lab.insurer.platform import Platform, Reply
from settlement.lab.insurer.state import Change
from settlement.lab.insurer.switches import masked_certno
from settlement.lab.insurer.wire import ZERO, ZERO_DOUBLE, Number, yuan

TOKEN_PREFIX = "EC"


def query_person(platform: Platform, message: Message) -> Reply:
    """1101: identity, insurance rows and balances of the holder of a certificate.

    An electronic credential is `EC` + certificate + `:` + anything, and may be shown once.
    """
    data = message.node()
    kind, number = required(data, "mdtrt_cert_type", "mdtrt_cert_no")
    changes: list[Change] = []
    if kind == "01":
        changes = [_use_token(platform, number)]
        number = number.removeprefix(TOKEN_PREFIX).partition(":")[0]
    person = platform.find_by_certificate(number)
    if person is None:
        raise Refused("该参保人的基本信息为空", infcode=-1)
    if kind == "03" and not as_text(data.get("card_sn")):
        raise Refused("交易输入缺少必填项:card_sn")
    output: dict[str, object] = {
        "idetinfo": _identities(person),
        "baseinfo": _base(platform, person, message.now.day),
        "insuinfo": _insurances(platform, person),
    }
    return Reply(output, changes)


def age_of(brdy: str, day: str) -> Number:
    """Return an age in years with one decimal on a day, both yyyy-MM-dd."""
    tenths = (date.fromisoformat(day) - date.fromisoformat(brdy)).days * 40 // 1461
    return Number(f"{tenths // 10}.{tenths % 10}")


def shown_certno(platform: Platform, person: Person) -> str:
    """Return the certificate number as answers show it, masked for the persons the switch names."""
    return masked_certno(person.certno) if person.psn_no in platform.switches.masked else person.certno


def _use_token(platform: Platform, token: str) -> Change:
    if not token.startswith(TOKEN_PREFIX) or token in platform.state.used_tokens:
        raise Refused("调用就诊凭证返回异常，异常信息：无效token", infcode=-1)
    return ("used_tokens", token, True)


def _base(platform: Platform, person: Person, day: str) -> dict[str, object]:
    return {
        "certno": shown_certno(platform, person),
        "psn_no": person.psn_no,
        "gend": person.gend,
        "exp_content": None,
        "brdy": person.brdy,
        "naty": person.naty,
        "psn_cert_type": person.psn_cert_type,
        "psn_name": person.psn_name,
        "age": age_of(person.brdy, day),
    }


def _identities(person: Person) -> list[dict[str, object]]:
    if not person.psn_idet_type:
        return []
    return [
        {
            "psn_idet_type": person.psn_idet_type,
            "psn_type_lv": None,
            "memo": None,
            "begntime": "2024-01-01 00:00:00",
            "endtime": None,
        }
    ]


def _insurances(platform: Platform, person: Person) -> list[dict[str, object]]:
    own = _insurance(person, person.insutype, person.psn_type, yuan(platform.balance(person), ZERO_DOUBLE))
    if person.insutype != "310":
        return [own]
    rows = [own]
    if person.cvlserv_flag == "1":
        rows.append(_insurance(person, "320", person.psn_type, ZERO))
    rows.append(_insurance(person, "330", person.psn_type, ZERO))
    rows.append(_insurance(person, "39999", person.psn_type, ZERO, stas="4", paused=person.psn_insu_date))
    rows.append(_insurance(person, "510", person.psn_type, ZERO))
    return rows


def _insurance(
    person: Person, insutype: str, psn_type: str, balc: Number, stas: str = "1", paused: str | None = None
) -> dict[str, object]:
    return {
        "insuplc_admdvs": person.insuplc_admdvs,
        "psn_insu_date": person.psn_insu_date,
        "cvlserv_flag": person.cvlserv_flag,
        "balc": balc,
        "emp_name": person.emp_name,
        "psn_type": psn_type,
        "psn_insu_stas": stas,
        "insutype": insutype,
        "paus_insu_date": paused,
    }
