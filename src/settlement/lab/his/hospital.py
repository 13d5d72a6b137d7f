"""A hospital's billing system: it walks visits and stays through the insurer's transactions, one message at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from settlement.lab.his import inputs
from settlement.lab.his.bills import CancelledBill, Facts, FeeLine, OpenVisit, SettledBill
from settlement.lab.his.clock import now
from settlement.lab.his.gateway import Answer, Gateway
from settlement.lab.his.people import Person

LINES_PER_MESSAGE = 100


class Hospital:
    """One hospital with a line to the insurer, or to a facade in its place.

    `first_serial` starts the counters of message ids and visit numbers; give another one when a hospital starts again
    on a day that it has already used. With `identifies` every visit begins with 1101.
    """

    def __init__(
        self,
        code: str,
        name: str,
        level: int,
        area: str,
        gateway: Gateway,
        *,
        operator: str = "S001",
        operator_name: str = "收费员甲",
        system_code: str = "YBXT",
        identifies: bool = True,
        first_serial: int = 1,
    ) -> None:
        self.code = code
        self.name = name
        self.level = level
        self.area = area
        self.gateway = gateway
        self.operator = operator
        self.operator_name = operator_name
        self.system_code = system_code
        self.sign_no = ""
        self._identifies = identifies
        self._message_serial = first_serial - 1
        self._visit_serial = first_serial - 1

    async def sign_in(self, at: datetime | None = None) -> str:
        """Sign the operator in for the day (9001) and keep the sign-in number."""
        node = {"opter_no": self.operator, "mac": "00-00-00-00-00-00", "ip": "127.0.0.1"}
        answer = await self.send("9001", {"signIn": node}, at=at)
        self.sign_no = str(answer.output["signinoutb"]["sign_no"])
        return self.sign_no

    async def outpatient(
        self,
        person: Person,
        fee_lines: list[FeeLine],
        med_type: str = "11",
        use_account: bool = True,
        at: datetime | None = None,
    ) -> SettledBill:
        """Walk one outpatient visit from registration to its settlement. Raises `Refused` and `Unanswered`."""
        return await self.settle(await self.begin_outpatient(person, fee_lines, med_type, use_account, at))

    async def stay(
        self,
        person: Person,
        fee_lines: list[FeeLine],
        admitted_at: datetime,
        discharged_at: datetime,
        med_type: str = "21",
        use_account: bool = True,
    ) -> SettledBill:
        """Walk one stay from admission to its settlement. Raises `Refused` and `Unanswered`."""
        visit = await self.begin_stay(person, fee_lines, admitted_at, discharged_at, med_type, use_account)
        return await self.settle(visit)

    async def begin_outpatient(
        self,
        person: Person,
        fee_lines: list[FeeLine],
        med_type: str = "11",
        use_account: bool = True,
        at: datetime | None = None,
    ) -> OpenVisit:
        """Register a visit, upload its fees and make the trial (1101, 2201, 2203A, 2204, 2206)."""
        at = at or now()
        await self._identify(person, at)
        number = self._next_visit_number(at)
        answer = await self.send("2201", inputs.registration(person, number, at), person, at)
        visit = OpenVisit(
            person=person,
            inpatient=False,
            mdtrt_id=str(answer.output["data"]["mdtrt_id"]),
            chrg_bchno=f"B{number}",
            ipt_otp_no=number,
            med_type=med_type,
            use_account=use_account,
            fee_lines=fee_lines,
            at=at,
        )
        await self.send("2203A", inputs.visit_information(visit), person, at)
        await self.send("2204", inputs.visit_fees(visit), person, at)
        await self.presettle(visit)
        return visit

    async def begin_stay(
        self,
        person: Person,
        fee_lines: list[FeeLine],
        admitted_at: datetime,
        discharged_at: datetime,
        med_type: str = "21",
        use_account: bool = True,
    ) -> OpenVisit:
        """Admit, upload the fees, discharge and make the trial (1101, 2401, 2301, 2402, 2303)."""
        visit = await self.admit(person, fee_lines, admitted_at, med_type, use_account)
        await self.discharge(visit, discharged_at)
        await self.presettle(visit)
        return visit

    async def admit(
        self,
        person: Person,
        fee_lines: list[FeeLine],
        admitted_at: datetime,
        med_type: str = "21",
        use_account: bool = True,
    ) -> OpenVisit:
        """Admit a patient and upload the fees of the stay (1101, 2401, 2301)."""
        await self._identify(person, admitted_at)
        number = f"ZY{self._next_visit_number(admitted_at)}"
        node = inputs.admission(person, number, med_type, admitted_at)
        answer = await self.send("2401", node, person, admitted_at)
        visit = OpenVisit(
            person=person,
            inpatient=True,
            mdtrt_id=str(answer.output["result"]["mdtrt_id"]),
            chrg_bchno="1",
            ipt_otp_no=number,
            med_type=med_type,
            use_account=use_account,
            fee_lines=fee_lines,
            at=admitted_at,
            admitted_at=admitted_at,
        )
        for start in range(0, len(fee_lines), LINES_PER_MESSAGE):
            await self.send("2301", inputs.stay_fees(visit, start, LINES_PER_MESSAGE), person, admitted_at)
        return visit

    async def discharge(self, visit: OpenVisit, discharged_at: datetime) -> None:
        """Discharge the patient (2402); the settlement is made at that time."""
        await self.send("2402", inputs.discharge(visit, discharged_at), visit.person, discharged_at)
        visit.discharged_at = discharged_at
        visit.at = discharged_at

    async def presettle(self, visit: OpenVisit) -> dict[str, Any]:
        """Make the trial (2206 or 2303), keep it with the visit and return its output."""
        answer = await self.send("2303" if visit.inpatient else "2206", inputs.trial(visit), visit.person, visit.at)
        visit.trial, visit.trial_raw = answer.output, answer.raw
        return visit.trial

    async def settle(self, visit: OpenVisit, receipt_no: str = "") -> SettledBill:
        """Settle a visit whose trial was made (2207 or 2304). Raises `Refused` and `Unanswered`; sends once.

        Several settlements may share one receipt; without a number the visit gets one of its own.
        """
        infno = "2304" if visit.inpatient else "2207"
        receipt_no = receipt_no or f"{visit.at:%Y}{visit.ipt_otp_no[-10:]}"
        answer = await self.send(infno, inputs.settlement(visit, receipt_no), visit.person, visit.at)
        facts = self.facts_of(visit, answer.msgid, receipt_no)
        return SettledBill(infno, answer.output, answer.raw, facts, visit.person, visit, answer.msgid)

    async def cancel(self, bill: SettledBill, at: datetime | None = None) -> CancelledBill:
        """Cancel a settlement (2208 or 2305). Raises `Refused` and `Unanswered`; sends once."""
        infno = "2305" if bill.visit.inpatient else "2208"
        node = inputs.of_visit(bill.visit, setl_id=bill.setl_id)
        answer = await self.send(infno, node, bill.person, at)
        facts = bill.facts | {"msgid": answer.msgid, "opter": self.operator, "init_setl_id": bill.setl_id}
        return CancelledBill(infno, answer.output, answer.raw, facts, bill, answer.msgid)

    async def reverse(self, person: Person, omsgid: str, oinfno: str, at: datetime | None = None) -> None:
        """Reverse one message whose fate is unknown (2601). Raises `Refused` when it is not found."""
        data = {"psn_no": person.psn_no, "omsgid": omsgid, "oinfno": oinfno}
        await self.send("2601", {"data": data}, person, at)

    async def delete_fees(self, visit: OpenVisit) -> None:
        """Delete all unsettled fee lines of a visit (2205 or 2302)."""
        if visit.inpatient:
            row = inputs.of_visit(visit, feedetl_sn="0000")["data"]
            await self.send("2302", {"data": [row]}, visit.person, visit.at)
        else:
            await self.send("2205", inputs.of_visit(visit, chrg_bchno="0000"), visit.person, visit.at)

    async def cancel_registration(self, visit: OpenVisit) -> None:
        """Take back the registration of a visit without fees (2202)."""
        await self.send("2202", inputs.of_visit(visit, ipt_otp_no=visit.ipt_otp_no), visit.person, visit.at)

    async def undo_discharge(self, visit: OpenVisit) -> None:
        """Take back a discharge (2405)."""
        await self.send("2405", inputs.of_visit(visit), visit.person, visit.at)

    async def undo_admission(self, visit: OpenVisit) -> None:
        """Take back an admission (2404)."""
        await self.send("2404", inputs.of_visit(visit), visit.person, visit.at)

    async def send(
        self, infno: str, input_: dict[str, Any], person: Person | None = None, at: datetime | None = None
    ) -> Answer:
        """Send any transaction in this hospital's name. Raises `Refused` and `Unanswered`."""
        message = self.message(infno, input_, person, at)
        return await self.gateway.post(message, person.psn_no if person else "")

    def message(
        self, infno: str, input_: dict[str, Any], person: Person | None = None, at: datetime | None = None
    ) -> dict[str, Any]:
        """Build one message with its envelope and a new msgid: code, time, and a counter of four digits."""
        at = at or now()
        self._message_serial += 1
        return {
            "infno": infno,
            "msgid": f"{self.code}{at:%Y%m%d%H%M%S}{self._message_serial % 10_000:04d}",
            "mdtrtarea_admvs": self.area,
            "insuplc_admdvs": person.insuplc_admdvs if person else self.area,
            "recer_sys_code": self.system_code,
            "dev_no": "",
            "dev_safe_info": "",
            "cainfo": "",
            "signtype": "",
            "infver": "V1.0",
            "opter_type": "1",
            "opter": self.operator,
            "opter_name": self.operator_name,
            "inf_time": inputs.moment(at),
            "fixmedins_code": self.code,
            "fixmedins_name": self.name,
            "sign_no": self.sign_no,
            "input": input_,
        }

    async def _identify(self, person: Person, at: datetime) -> None:
        if self._identifies:
            await self.send("1101", inputs.identification(person), person, at)

    def _next_visit_number(self, at: datetime) -> str:
        self._visit_serial += 1
        return f"{at:%y%m%d}{self.code[-5:]}{self._visit_serial:05d}"

    def facts_of(self, visit: OpenVisit, msgid: str, receipt_no: str) -> Facts:
        """Return the facts of a visit that a message settles."""
        return {
            "mdtrtarea_admvs": self.area,
            "fixmedins_code": self.code,
            "chrg_bchno": visit.chrg_bchno,
            "insuplc_admdvs": visit.person.insuplc_admdvs,
            "recer_sys_code": self.system_code,
            "msgid": msgid,
            "ipt_otp_no": visit.ipt_otp_no,
            "receipt_no": receipt_no,
            "opter": self.operator,
            "pay_loc": _pay_loc(self.area, visit.person.insuplc_admdvs),
            "admitted_on": f"{visit.admitted_at:%Y-%m-%d}" if visit.admitted_at else None,
            "discharged_on": f"{visit.discharged_at:%Y-%m-%d}" if visit.discharged_at else None,
            "init_setl_id": None,
        }


def _pay_loc(area: str, home: str) -> str:
    if area[:4] == home[:4]:
        return "2"
    return "3" if area[:2] == home[:2] else "4"
