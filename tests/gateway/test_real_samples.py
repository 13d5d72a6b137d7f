"""Real messages, byte for byte, from the folder that SETTLEMENT_SAMPLES names; the same shapes always run elsewhere."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from settlement.domain.bills import BillFigures, InsurerBill
from settlement.domain.money import Money
from settlement.gateway.client import read_outcome
from settlement.gateway.mapping import (
    Cancellation,
    cancels,
    is_cancellation,
    read_cancellation,
    read_settlement,
    read_trial,
)
from settlement.gateway.messages import (
    LocalAnswer,
    PersonOutput,
    RequestEnvelope,
    ResponseEnvelope,
    SettlementOutput,
    SignInOutput,
    decode,
    read_answer,
)
from settlement.gateway.outcome import NoAnswer
from settlement.gateway.profile import load_profile

SAMPLES = os.environ.get("SETTLEMENT_SAMPLES")

pytestmark = pytest.mark.skipif(not SAMPLES, reason="SETTLEMENT_SAMPLES names no folder of real messages")


def sample(name: str) -> bytes:
    folder = Path(SAMPLES or "")
    nested = folder / "gateway_samples"
    return ((nested if nested.is_dir() else folder) / name).read_bytes()


def output(infno: str):
    answer = read_answer(sample(f"openhis_{infno}_resp_1.json"))
    assert isinstance(answer, ResponseEnvelope)
    assert answer.infcode == "0"
    return answer.output


def fen(figures: BillFigures) -> dict[str, int]:
    flat = asdict(figures)
    return {name: int(amount) for name, amount in (flat.pop("funds") | flat).items() if amount}


OUTPATIENT = {"billed": 452, "upfront_share": 23, "allowed": 429, "insurer_deductible": 429, "patient_share": 452}
STAY = {
    "billed": 2_344_246,
    "excluded": 253_397,
    "over_limit": 139_689,
    "upfront_share": 70_344,
    "allowed": 1_880_816,
    "hifob": 1_878_539,
    "provider_absorbed": 50_501,
    "patient_share": 415_206,
    "account_paid": 17_004,
    "cash_before_aid": 398_202,
}


@pytest.mark.parametrize("profile", ["hebei", "chongqing"])
@pytest.mark.parametrize(("infno", "figures"), [("2206", OUTPATIENT | {"account_paid": 452}), ("2303", STAY)])
def test_real_trials_close(profile, infno, figures):
    trial = read_trial(output(infno), load_profile(profile))
    assert isinstance(trial, InsurerBill)
    assert trial.insurer_settlement_id is None
    assert fen(trial.figures) == figures


@pytest.mark.parametrize("profile", ["hebei", "chongqing"])
@pytest.mark.parametrize(
    ("infno", "settlement", "figures", "person_type"),
    [
        ("2207", "400125241", OUTPATIENT | {"account_paid": 452}, "1101"),
        ("2304", "300014497225", STAY, "12"),
    ],
)
def test_real_settlements_close(profile, infno, settlement, figures, person_type):
    bill = read_settlement(output(infno), load_profile(profile))
    assert isinstance(bill, InsurerBill)
    assert bill.insurer_settlement_id == settlement
    assert bill.insured.person_type == person_type
    assert fen(bill.figures) == figures


@pytest.mark.parametrize(
    ("infno", "settlement", "at", "billed"),
    [
        ("2208", "400120618", datetime(2021, 11, 26, 3, 41, 26, tzinfo=UTC), 2_510),
        ("2305", "300001010540", datetime(2021, 8, 5, 1, 31, 35, tzinfo=UTC), 337_926),
    ],
)
def test_real_cancellations_take_back_the_positive_of_themselves(infno, settlement, at, billed):
    profile = load_profile("chongqing")
    cancellation = read_cancellation(output(infno), profile)
    assert isinstance(cancellation, Cancellation)
    assert is_cancellation(output(infno), profile)
    assert (cancellation.insurer_settlement_id, cancellation.settled_at) == (settlement, at)
    assert cancellation.figures.billed == Money(billed)
    positive = read_settlement(_positive(output(infno)), profile)
    assert isinstance(positive, InsurerBill)
    assert cancels(cancellation, positive.figures)


def _positive(cancellation):
    """Turn the amounts round; what the cancellation leaves null stays null."""
    amounts = SettlementOutput.read(cancellation).setlinfo.amounts()
    node = {
        name: value for name, value in cancellation["setlinfo"].items() if name not in {"psn_pay", "ownpay_hosp_part"}
    }
    return {"setlinfo": node | {name: (-amount).yuan() for name, amount in amounts.items()}}


def test_the_real_cancellations_are_not_of_the_bills_beside_them():
    profile = load_profile("chongqing")
    for settled, cancelled in (("2207", "2208"), ("2304", "2305")):
        bill, cancellation = read_settlement(output(settled), profile), read_cancellation(output(cancelled), profile)
        assert isinstance(bill, InsurerBill)
        assert isinstance(cancellation, Cancellation)
        assert not cancels(cancellation, bill.figures)


@pytest.mark.parametrize(("number", "rows"), [(1, 6), (2, 1), (3, 4)])
def test_real_persons_are_read(number, rows):
    answer = read_answer(sample(f"openhis_1101_resp_{number}.json"))
    assert isinstance(answer, ResponseEnvelope)
    person = PersonOutput.read(answer.output)
    assert person.baseinfo.psn_no
    assert len(person.insuinfo) == rows


def test_a_real_sign_in_is_read():
    assert SignInOutput.read(output("9001")).signinoutb.sign_no == "359754"


def test_a_real_failure_without_a_text_decides_nothing():
    body = sample("openhis_2401_resp_1.json")
    assert isinstance(read_outcome(200, body, load_profile("hebei")), NoAnswer)


def test_a_real_answer_without_an_envelope_is_told_apart():
    assert read_answer(sample("openhis_1162_resp_1.json")) == LocalAnswer(
        code="500159", message="请使用医保电子凭证二维码"
    )


def test_a_real_request_is_read():
    request = RequestEnvelope.read(decode(sample("chongqing_liangping_2207_req.json")))
    assert (request.infno, request.recer_sys_code) == ("2207", "YBXT")
