"""Examine used room: each settlement found used what the member's records before it had taken and not given back.

A member's records are numbered under his lock, so which came first is known, whatever the clocks of their processes
said. A hold stops to count at a time, which is compared with the clock of whoever reads it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.audit import RecordOfMember, Room, stream_by_member
from settlement.domain.audit import Finding, Invariant, Tally
from settlement.domain.benefits import STAY
from settlement.plans.stored import room_from_json

USED_ROOM = Invariant(
    "used_room_is_the_sum",
    "Each settlement and promise found used, in its benefit's term, exactly what those before it, in the order of "
    "recording, had taken and not given back.",
)
UNUSED: Room = (0, 0, 0, 0, 0, 0)
CLOCKS_APART = timedelta(seconds=10)
"""Two processes' clocks are apart by less: each is within 2 s of the database's, or it does not start."""


@dataclass(frozen=True, slots=True)
class Taking:
    """What one record found used of one benefit in one term (`None`: its receipt does not say) and took of it."""

    record_id: UUID
    number: int
    at: datetime
    found: Room | None
    took: Room
    place: UUID
    moved: int | None = None
    """The number since which it stands in that place; before, it stood in its own."""
    end_number: int | None = None
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    asked_until: datetime | None = None
    decided: bool = True
    """Whether it was computed by what it found; else it goes on with what another record took."""
    served: bool = False
    rated: frozenset[UUID] | None = None
    """The bills that a re-rating computed together with it, each after those before its place."""

    def order_at(self, number: int) -> tuple[int, int]:
        """Return where it stood in the order of the member's bills when a record of that number was made.

        Of two living bills of one place that comes first which was recorded first.
        """
        place = self.place if self.moved is None or self.moved < number else self.record_id
        return place.int, self.record_id.int

    def may_stand(self, at: datetime) -> tuple[bool, ...]:
        """Say whether its time lets it stand for a record of an instant: it does, it does not, or either.

        A time that was prolonged and ended by commands of other processes is sure but for the seconds by which clocks
        differ.
        """
        if self.expires_at is None or at < self.expires_at:
            return (True,)
        if self.asked_until is None:
            return (False,)
        if any(abs(at - bound) <= CLOCKS_APART for bound in (self.expires_at, self.asked_until)):
            return (True, False)
        return (at < self.asked_until,)


@dataclass(slots=True)
class Command:
    """What one command ended and recorded: its records share its instant, and their numbers follow one another."""

    ended: list[Taking] = field(default_factory=list)
    recorded: list[Taking] = field(default_factory=list)
    number: int = 0


async def examine_rooms(connection: AsyncConnection) -> Finding:
    """Check every member's takings; those named found something else than the records before them."""
    tally = Tally(USED_ROOM)
    async for records in _members(connection):
        for takings in _by_benefit_and_term(records):
            misplaced = out_of_place(takings)
            for taking in takings:
                tally.note(taking.record_id not in misplaced, taking.record_id)
    return tally.finding()


def out_of_place(takings: Sequence[Taking]) -> set[UUID]:
    """Return the records that found another sum than that of what stood when they were recorded.

    What a command ends makes room for what it records. What goes on takes the room of something that its command ends.
    A bill of a re-rating finds all that stands, but of the bills rated with it only those before its place.
    """
    standing, misplaced = _Standing(), set()
    for command in _in_order(takings):
        for taking in command.ended:
            standing.end(taking)
        for taking in command.recorded:
            if taking.decided and taking.rated is None and taking.found not in standing.rooms(taking.at):
                misplaced.add(taking.record_id)
            if not taking.decided and taking.took not in (UNUSED, *(ended.took for ended in command.ended)):
                misplaced.add(taking.record_id)
            standing.begin(taking)
        for taking in command.recorded:
            if taking.decided and taking.rated is not None and taking.found not in standing.rooms_before(taking):
                misplaced.add(taking.record_id)
    return misplaced


def _in_order(takings: Iterable[Taking]) -> list[Command]:
    commands: dict[datetime, Command] = defaultdict(Command)
    for taking in sorted(takings, key=lambda taking: taking.number):
        command = commands[taking.at]
        command.recorded.append(taking)
        command.number = max(command.number, taking.number)
        if taking.ended_at is not None and taking.end_number is not None:
            ending = commands[taking.ended_at]
            ending.ended.append(taking)
            ending.number = max(ending.number, taking.end_number)
    return sorted(commands.values(), key=lambda command: command.number)


class _Standing:
    """What has taken room and not given it back: what lasts as one sum, holds one by one, because time ends them."""

    def __init__(self) -> None:
        self._every: dict[tuple[UUID, int], Taking] = {}
        self._holds: dict[tuple[UUID, int], Taking] = {}
        self._lasting = UNUSED

    def begin(self, taking: Taking) -> None:
        self._every[_key(taking)] = taking
        if taking.expires_at is None:
            self._lasting = plus(self._lasting, taking.took)
        else:
            self._holds[_key(taking)] = taking

    def end(self, taking: Taking) -> None:
        begun = self._every.pop(_key(taking), None) is not None
        if begun and self._holds.pop(_key(taking), None) is None:
            self._lasting = less(self._lasting, taking.took)

    def rooms(self, at: datetime) -> set[Room]:
        """Return what may stand at an instant: one sum, but about the time at which a prolonged hold ends."""
        return _sums({self._lasting}, self._holds.values(), at)

    def rooms_before(self, rerated: Taking) -> set[Room]:
        """Return what one of the bills of a re-rating may have found standing.

        Who has what was promised is left as it is and served first; but not who has it by this re-rating.
        """
        number, rated = rerated.number, rerated.rated or ()

        def was_found(taking: Taking) -> bool:
            left_as_it_is = taking.record_id not in rated or (taking.served and taking.at != rerated.at)
            return left_as_it_is or taking.order_at(number) < rerated.order_at(number)

        found = [taking for taking in self._every.values() if taking is not rerated and was_found(taking)]
        return _sums({UNUSED}, found, rerated.at)


def _key(taking: Taking) -> tuple[UUID, int]:
    return taking.record_id, taking.number


def _sums(sums: set[Room], takings: Iterable[Taking], at: datetime) -> set[Room]:
    for taking in takings:
        took = {True: taking.took, False: UNUSED}
        sums = {plus(each, took[stands]) for each in sums for stands in taking.may_stand(at)}
    return sums


async def _members(connection: AsyncConnection) -> AsyncIterator[list[RecordOfMember]]:
    """Yield the records of one member under one plan at a time."""
    together: list[RecordOfMember] = []
    async for record in stream_by_member(connection):
        if together and _whose(together[-1]) != _whose(record):
            yield together
            together = []
        together.append(record)
    if together:
        yield together


def _whose(record: RecordOfMember) -> tuple[object, ...]:
    return record.fund_id, record.member_id, record.plan_code


def _goes_on(before: RecordOfMember | None, record: RecordOfMember) -> bool:
    """Say whether a revision took over the room of the one before it, as it was found then, without a gap."""
    return (
        before is not None
        and (before.record_id, before.used_before, before.taken) == (record.record_id, record.used_before, record.taken)
        and (record.took_back_its_place or before.ended_at == record.recorded_at)
    )


def _by_benefit_and_term(records: Sequence[RecordOfMember]) -> list[list[Taking]]:
    """Sort what a member's records found and took by benefit and term."""
    takings: dict[tuple[str, str], list[Taking]] = defaultdict(list)
    for before, record in _with_the_one_before(records):
        decided = record.decided and not _goes_on(before, record)
        for benefit, term in dict.fromkeys((*record.computed, *record.taken)):
            if benefit == STAY:
                continue
            takings[benefit, term].append(
                Taking(
                    record_id=record.record_id,
                    number=record.number,
                    at=record.recorded_at,
                    found=_found(record, benefit, term),
                    took=record.taken.get((benefit, term), UNUSED),
                    end_number=record.end_number,
                    ended_at=record.ended_at,
                    expires_at=record.expires_at,
                    asked_until=record.asked_until,
                    decided=decided,
                    place=record.place,
                    moved=record.moved,
                    served=record.served,
                    rated=None if record.rated is None else frozenset(record.rated),
                )
            )
    return list(takings.values())


def _with_the_one_before(records: Sequence[RecordOfMember]) -> Iterator[tuple[RecordOfMember | None, RecordOfMember]]:
    return zip((None, *records[:-1]), records, strict=True)


def _found(record: RecordOfMember, benefit: str, term: str) -> Room | None:
    """Return the room that a record found; of a split stay's terms other than the last it stands behind `#`."""
    used = record.used_before
    split = dict(record.computed)[benefit] != term if benefit in dict(record.computed) else False
    try:
        room = room_from_json(used[f"{benefit}#{term}"]) if split else room_from_json(used[benefit])
    except (KeyError, TypeError, ValueError):
        return UNUSED if split else None
    return (int(room.base), int(room.burden), int(room.paid), room.days, room.times, int(room.deductible))


def plus(one: Room, other: Room) -> Room:
    """Return both rooms together."""
    return tuple(mine + theirs for mine, theirs in zip(one, other, strict=True))  # type: ignore[return-value]


def less(one: Room, other: Room) -> Room:
    """Return what is left of a room without another."""
    return tuple(mine - theirs for mine, theirs in zip(one, other, strict=True))  # type: ignore[return-value]
