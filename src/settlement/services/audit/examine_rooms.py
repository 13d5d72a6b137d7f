"""Examine used room: each settlement found used what the member's records before it had taken and not given back.

A member's settlements and reversals are recorded one after another, under the member's lock, but nothing numbers them:
`recorded_at` is the clock of one of several processes. So the exact law cannot be read off the times. What always
holds, whatever the clocks say, is that there is *some* order, a reversal after its settlement, in which each settlement
found exactly the sum of what stood then; a bill of a re-rating, what stood before its place. The order of the times is
tried first and nearly always explains everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.audit import MemberSettlement, Room, stream_by_member
from settlement.domain.audit import Finding, Invariant, Tally
from settlement.domain.benefits import STAY
from settlement.domain.ids import BillId
from settlement.plans.stored import room_from_json

USED_ROOM = Invariant(
    "used_room_is_the_sum",
    "There is an order of a member's settlements and reversals in which each settlement found used, in its benefit's "
    "term, exactly what those before it had taken and not given back.",
)
UNUSED: Room = (0, 0, 0, 0, 0, 0)
CLOCKS_APART = timedelta(seconds=10)
"""Orders within this are tried first: each process's clock is within 2 s of the database's, or it does not start."""
MOST_ROOMS = 64
"""Sums considered for one bill of a re-rating that was made while others' places began or ceased to be kept."""
LONGEST_SEARCH = 20_000
"""Moves tried for one member, benefit and term whose times explain nothing; beyond it, no order is taken to exist."""


@dataclass(frozen=True, slots=True)
class Taking:
    """What one settlement found used of one benefit in one term (`None`: its receipt does not say) and took of it."""

    bill_id: BillId
    recorded_at: datetime
    reversed_at: datetime | None
    found: Room | None
    took: Room
    place: UUID | None = None
    served: Sequence[tuple[datetime, datetime | None]] = ()
    """From when on and until when a re-rating finds its room taken whatever its place."""
    rerated: bool = False


async def examine_rooms(connection: AsyncConnection) -> Finding:
    """Check every member's takings; those named found something else than the records before them, by the times."""
    tally = Tally(USED_ROOM)
    async for settlements in _members(connection):
        for takings in _by_benefit_and_term(settlements):
            misplaced = out_of_place(takings)
            explained = not misplaced or some_order_explains(takings, CLOCKS_APART) or some_order_explains(takings)
            for taking in takings:
                tally.note(explained or taking.bill_id not in misplaced, taking.bill_id)
    return tally.finding()


def out_of_place(takings: Sequence[Taking]) -> set[BillId]:
    """Return the bills whose settlement found another sum than that of the records before it, by their times.

    What ends at the instant at which another begins made room for it: a hold that was replaced, or overtaken.
    """
    given_back = [(taking.reversed_at, 0, taking) for taking in takings if taking.reversed_at is not None]
    recorded = [(taking.recorded_at, 1, taking) for taking in takings]
    standing, misplaced = UNUSED, set()
    for _, takes, taking in sorted([*recorded, *given_back], key=lambda record: record[:2]):
        if not takes:
            standing = _less(standing, taking.took)
        else:
            if taking.found != (_before(taking, takings) if taking.rerated else standing):
                misplaced.add(taking.bill_id)
            standing = _plus(standing, taking.took)
    return misplaced


def _before(rerated: Taking, takings: Sequence[Taking]) -> Room:
    """Return what stood at the instant of a re-rating before the place of one of its bills, with its other bills."""
    standing = UNUSED
    for taking in takings:
        stands = taking.recorded_at <= rerated.recorded_at and (
            taking.reversed_at is None or taking.reversed_at > rerated.recorded_at
        )
        if stands and _is_found_by(rerated, taking):
            standing = _plus(standing, taking.took)
    return standing


def _is_found_by(rerated: Taking, taking: Taking) -> bool:
    """Say whether a bill of a re-rating finds another's room taken: it stands before its place, or is served first."""
    served = any(
        begin <= rerated.recorded_at and (end is None or end > rerated.recorded_at) for begin, end in taking.served
    )
    return taking is not rerated and (served or _is_earlier(rerated, taking))


def _is_earlier(rerated: Taking, taking: Taking) -> bool:
    return taking.place is not None and rerated.place is not None and taking.place.int < rerated.place.int


def _is_near(rerated: Taking, taking: Taking) -> bool:
    """Say whether a re-rating was made about when another began or ceased to be served first."""
    bounds = (bound for span in taking.served for bound in span if bound is not None)
    return any(abs(bound - rerated.recorded_at) <= CLOCKS_APART for bound in bounds)


def some_order_explains(takings: Sequence[Taking], apart: timedelta = timedelta.max) -> bool:
    """Say whether some order of settlements and reversals gives each settlement the room it found.

    What is recorded later by more than `apart` is taken to have happened later.
    """
    search = _Search(sorted(takings, key=lambda taking: taking.recorded_at), apart)
    open_moves, seen = [search.moves()], {search.state}
    for _ in range(LONGEST_SEARCH):
        if not search.unplaced:
            return True
        move = next(open_moves[-1], None)
        if move is not None:
            search.make(*move)
            # Reversals in another order lead to where it was known already that nothing goes on.
            known = search.state in seen
            seen.add(search.state)
            open_moves.append(iter(()) if known else search.moves())
        elif len(open_moves) > 1:
            open_moves.pop()
            search.take_back()
        else:
            return False
    return False


@dataclass(slots=True)
class _Search:
    """Settlements placed one by one, and reversals of placed ones, with the room that then stands."""

    takings: Sequence[Taking]
    apart: timedelta
    standing: Room = UNUSED
    unplaced: set[int] = field(init=False)
    given_back: set[int] = field(default_factory=set)
    _made: list[tuple[int, bool]] = field(default_factory=list)
    _by_found: dict[Room, list[int]] = field(default_factory=lambda: defaultdict(list))
    _rerated: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.unplaced = set(range(len(self.takings)))
        for number, taking in enumerate(self.takings):
            if taking.rerated:
                self._rerated.append(number)
            elif taking.found is not None:
                self._by_found[taking.found].append(number)

    @property
    def state(self) -> tuple[frozenset[int], frozenset[int]]:
        """What is placed and given back; how it came there makes no difference to what may come next."""
        return frozenset(self.unplaced), frozenset(self.given_back)

    def moves(self) -> Iterator[tuple[int, bool]]:
        """Return what may come next: a settlement that found what stands, else a reversal, each by its time.

        A reversal after which a settlement fits is tried before others: clocks that are apart by more than the time
        between two records say little, and with twenty open holds there are a million orders of reversals.
        A settlement that took nothing changes nothing, so it is placed at once and nothing else need be tried.
        """
        fitting = [number for number in self._by_found.get(self.standing, ()) if number in self.unplaced]
        fitting += [number for number in self._rerated if number in self.unplaced and self._fits_its_place(number)]
        is_due = self._due()
        fitting = [number for number in fitting if is_due(self.takings[number].recorded_at)]
        for number in fitting:
            if self.takings[number].took == UNUSED:
                return iter([(number, False)])
        settle = sorted((self.takings[number].recorded_at, number) for number in fitting)
        give_back = []
        for number, taking in enumerate(self.takings):
            placed = number not in self.unplaced and number not in self.given_back
            if placed and taking.reversed_at is not None and taking.took != UNUSED and is_due(taking.reversed_at):
                give_back.append((not self._fits(_less(self.standing, taking.took)), taking.reversed_at, number))
        return iter([*((number, False) for _, number in settle), *((number, True) for *_, number in sorted(give_back))])

    def _due(self) -> Callable[[datetime], bool]:
        """Return what says whether something can be next: nothing that is still to come was much earlier."""
        coming = [self.takings[number].recorded_at for number in self.unplaced]
        for number, taking in enumerate(self.takings):
            waits = number not in self.unplaced and number not in self.given_back and taking.took != UNUSED
            if waits and taking.reversed_at is not None:
                coming.append(taking.reversed_at)
        first = min(coming, default=datetime.max.replace(tzinfo=UTC))
        return lambda at: at - first <= self.apart

    def _fits(self, standing: Room) -> bool:
        return any(number in self.unplaced for number in self._by_found.get(standing, ()))

    def _fits_its_place(self, number: int) -> bool:
        """Say whether a bill of a re-rating found what stands before its place.

        What began or ceased to be served first within the time by which clocks differ may have been found or not.
        """
        rerated, possible = self.takings[number], {UNUSED}
        for other, taking in enumerate(self.takings):
            if other in self.unplaced or other in self.given_back:
                continue
            found = _is_found_by(rerated, taking)
            unsure = taking is not rerated and not _is_earlier(rerated, taking) and _is_near(rerated, taking)
            with_it = {_plus(standing, taking.took) for standing in possible} if found or unsure else set()
            possible = possible | with_it if unsure and len(possible) < MOST_ROOMS else with_it or possible
        return rerated.found in possible

    def make(self, number: int, gives_back: bool) -> None:
        """Place a settlement, or give back what it took."""
        took = self.takings[number].took
        self._made.append((number, gives_back))
        if gives_back:
            self.given_back.add(number)
            self.standing = _less(self.standing, took)
        else:
            self.unplaced.discard(number)
            self.standing = _plus(self.standing, took)

    def take_back(self) -> None:
        """Undo the last move."""
        number, gave_back = self._made.pop()
        took = self.takings[number].took
        if gave_back:
            self.given_back.discard(number)
            self.standing = _plus(self.standing, took)
        else:
            self.unplaced.add(number)
            self.standing = _less(self.standing, took)


async def _members(connection: AsyncConnection) -> AsyncIterator[list[MemberSettlement]]:
    """Yield the settlements of one member under one plan at a time."""
    together: list[MemberSettlement] = []
    async for settlement in stream_by_member(connection):
        if together and _whose(together[-1]) != _whose(settlement):
            yield together
            together = []
        if together and _goes_on(together[-1], settlement):
            earlier, later = together.pop(), settlement
            served = (*earlier.served, *later.served)
            settlement = replace(earlier, revision=later.revision, reversed_at=later.reversed_at, served=served)
        together.append(settlement)
    if together:
        yield together


def _goes_on(before: MemberSettlement, settlement: MemberSettlement) -> bool:
    """Say whether a revision took over the room of the one before it, as it was found then, without a gap."""
    return (
        (before.bill_id, before.revision + 1, before.reversed_at)
        == (settlement.bill_id, settlement.revision, settlement.recorded_at)
    ) and (before.used_before, before.taken) == (settlement.used_before, settlement.taken)


def _whose(settlement: MemberSettlement) -> tuple[object, ...]:
    return settlement.fund_id, settlement.member_id, settlement.plan_code


def _by_benefit_and_term(settlements: Sequence[MemberSettlement]) -> list[list[Taking]]:
    """Sort what a member's settlements found and took by benefit and term."""
    takings: dict[tuple[str, str], list[Taking]] = defaultdict(list)
    for settlement in settlements:
        for benefit, term in dict.fromkeys((*settlement.computed, *settlement.taken)):
            if benefit == STAY:
                continue
            takings[benefit, term].append(
                Taking(
                    settlement.bill_id,
                    settlement.recorded_at,
                    settlement.reversed_at,
                    _found(settlement, benefit, term),
                    settlement.taken.get((benefit, term), UNUSED),
                    settlement.place,
                    settlement.served,
                    settlement.rerated,
                )
            )
    return list(takings.values())


def _found(settlement: MemberSettlement, benefit: str, term: str) -> Room | None:
    """Return the room that a settlement found; of a split stay's terms other than the last it stands behind `#`."""
    used = settlement.used_before
    split = dict(settlement.computed)[benefit] != term if benefit in dict(settlement.computed) else False
    try:
        room = room_from_json(used[f"{benefit}#{term}"]) if split else room_from_json(used[benefit])
    except (KeyError, TypeError, ValueError):
        return UNUSED if split else None
    return (int(room.base), int(room.burden), int(room.paid), room.days, room.times, int(room.deductible))


def _plus(one: Room, other: Room) -> Room:
    return tuple(mine + theirs for mine, theirs in zip(one, other, strict=True))  # type: ignore[return-value]


def _less(one: Room, other: Room) -> Room:
    return tuple(mine - theirs for mine, theirs in zip(one, other, strict=True))  # type: ignore[return-value]
