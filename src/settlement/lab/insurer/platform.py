"""The platform itself: persons, hospitals, state, and the one place where a message meets its transaction.

Everything here is synchronous, so one message is done before the next begins; HTTP and faults live elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from settlement.lab.insurer.clock import Moment, platform_moment, system_moment
from settlement.lab.insurer.envelope import (
    Message,
    Refused,
    answer,
    as_refusal,
    as_text,
    check_envelope,
)
from settlement.lab.insurer.faults import Faults
from settlement.lab.insurer.hospitals import MedicalInstitution, make_hospitals
from settlement.lab.insurer.options import InsurerOptions
from settlement.lab.insurer.persons import Person, make_persons
from settlement.lab.insurer.rawlog import RawLog
from settlement.lab.insurer.records import Effect, YearTotals
from settlement.lab.insurer.state import Change, State
from settlement.lab.insurer.switches import Switches
from settlement.lab.insurer.wire import Malformed

_SETTINGS_SWITCHES = "switches"
_SETTINGS_MEMBERS = "members"


class Reply(NamedTuple):
    """What a transaction answers and what it changes.

    `subject` names what a reversible message made, for 2601 to find; `blob` is a file answered in place of JSON.
    """

    output: dict[str, object] | None
    changes: list[Change] = []  # noqa: RUF012 - never changed in place.
    subject: str = ""
    psn_no: str = ""
    blob: bytes | None = None


class Answered(NamedTuple):
    """An answer ready to leave: JSON text, or the bytes of a file. `infcode` is that of the envelope."""

    text: str
    infcode: int
    blob: bytes | None = None


class Parked(NamedTuple):
    """A request that is still under way: its effect comes `seconds` after a 2601 said that it is not found."""

    path: str
    fields: dict[str, Any]
    body: bytes
    seconds: float


def totals_key(psn_no: str, year: str) -> str:
    """Return the key under which a person's year is kept."""
    return f"{psn_no}|{year}"


Handler = Callable[["Platform", Message], Reply]


class Platform:
    """One simulated insurance platform with its state in a folder."""

    def __init__(self, options: InsurerOptions, transactions: dict[str, Handler]) -> None:
        self.options = options
        self.folder: Path = options.folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.persons = make_persons(options.seed, options.persons, options.area)
        self.hospitals = make_hospitals(options.area)
        self.state = State(self.folder / "journal.jsonl")
        self.raw = RawLog(self.folder / "raw.jsonl")
        self.faults = Faults()
        self.switches = Switches().changed(self.state.settings.get(_SETTINGS_SWITCHES, {}))
        self.message_counts: dict[str, int] = {}
        self.late: dict[str, Parked] = {}
        self._transactions = transactions
        self._by_psn_no = {person.psn_no: person for person in self.persons}
        self._by_certificate: dict[str, Person] = {}
        for person in self.persons:
            self._by_certificate[person.certno] = person
            self._by_certificate[person.card_no] = person
        self._hospital_by_code = {hospital.fixmedins_code: hospital for hospital in self.hospitals}
        self._reference = self.raw.exchange_count

    # Questions that transactions ask.

    def get_person(self, psn_no: str) -> Person:
        """Return the person of a number. Refuses the message when there is none."""
        person = self._by_psn_no.get(psn_no)
        if person is None:
            raise Refused("该参保人的基本信息为空", infcode=-1)
        return person

    def find_by_certificate(self, number: str) -> Person | None:
        """Return the person of a citizen identity number or a social-security card number."""
        return self._by_certificate.get(number.strip().upper())

    def get_hospital(self, code: str) -> MedicalInstitution:
        """Return a designated hospital. Refuses the message when the code is not one of the city's."""
        hospital = self._hospital_by_code.get(code)
        if hospital is None:
            raise Refused("定点医药机构不存在")
        return hospital

    def balance(self, person: Person) -> int:
        """Return the balance of a person's account in fen."""
        return self.state.balances.get(person.psn_no, person.account_fen)

    def year_totals(self, psn_no: str, year: str) -> YearTotals:
        """Return what a person has used in a year, what came before the simulation included."""
        totals = self.state.totals.get(totals_key(psn_no, year))
        if totals is not None:
            return totals
        pool = self.get_person(psn_no).pool_fen
        return YearTotals(stays=3 if pool else 0, pool=pool)

    @property
    def members(self) -> set[str]:
        """The certificates that the bureau was told are members', as type:number."""
        return set(self.state.settings.get(_SETTINGS_MEMBERS, ()))

    # What an operator changes.

    def set_members(self, certificates: list[str]) -> None:
        """Replace the list of members' certificates, each type:number."""
        self.state.commit([("settings", _SETTINGS_MEMBERS, certificates)])

    def set_switches(self, values: dict[str, Any]) -> None:
        """Set some switches, for good. Raises `UnknownSwitch`."""
        self.switches = self.switches.changed(values)
        kept = self.state.settings.get(_SETTINGS_SWITCHES, {}) | values
        self.state.commit([("settings", _SETTINGS_SWITCHES, kept)])

    # Messages.

    def open_message(self, fields: dict[str, Any]) -> Message:
        """Check an envelope and take the platform's time for it. Raises `Refused`."""
        check_envelope(fields)
        now = platform_moment(self.options.clock, fields["inf_time"])
        return Message(as_text(fields["infno"]), as_text(fields["msgid"]), fields, fields["input"], now)

    def perform(self, message: Message) -> Answered:
        """Do what a message asks, once: its effect is in the journal when this returns."""
        self.message_counts[message.infno] = self.message_counts.get(message.infno, 0) + 1
        try:
            if message.msgid in self.state.seen_msgids:
                raise Refused("报文ID重复", infcode=-1)
            self.state.seen_msgids.add(message.msgid)
            reply = self._transact(message)
        except Refused as refusal:
            return self.refuse(message.now, refusal)
        changes = list(reply.changes)
        if reply.subject:
            effect = Effect(message.infno, reply.psn_no, reply.subject, False)
            changes.append(("effects", message.msgid, effect))
        self.state.commit(changes)
        if reply.blob is not None:
            return Answered("", 0, reply.blob)
        return Answered(answer(message.now, self.next_refmsgid(message.now), reply.output), 0)

    def refuse(self, now: Moment | None, refusal: Refused) -> Answered:
        """Write the platform's no."""
        now = now or system_moment()
        text = answer(now, self.next_refmsgid(now), None, refusal.infcode, refusal.text)
        return Answered(text, refusal.infcode)

    def next_refmsgid(self, now: Moment) -> str:
        """Return a new receiver's message id: area, time, and a serial that no restart repeats."""
        self._reference += 1
        return f"{self.options.area}{now.seconds_stamp}{self._reference % 10_000_000_000:010d}"

    def close(self) -> None:
        """Close the files."""
        self.state.close()
        self.raw.close()

    def _transact(self, message: Message) -> Reply:
        handler = self._transactions.get(message.infno)
        if handler is None:
            raise Refused(f"不支持的交易:{message.infno}")
        try:
            return handler(self, message)
        except Malformed as error:
            raise as_refusal(error) from error
