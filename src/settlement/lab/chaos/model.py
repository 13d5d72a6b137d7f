"""What must hold, by an independent reckoning: one flat plan with a limit. It imports nothing of the service.

It is told what is sent, and shown the records after every commit; it says which change of a record could not be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from settlement.lab.chaos.facts import (
    HELD,
    KEPT,
    LIVE,
    OPEN,
    OVERTAKEN,
    PENDING,
    RELEASED,
    REPLACED,
    REPLACED_BILL,
    RESOLVED,
    REVERSED,
    SUCCESSOR,
    TAKEN,
    UNSEEN,
    Asked,
    Bill,
    Care,
    Claim,
    FlatPlan,
    Hold,
    Moment,
    Row,
    Seen,
    Trial,
    is_over,
    share_of,
    split_again,
    split_of,
    stands,
)
from settlement.lab.chaos.rating import RERATED, Changes, Lines, Ratings

MESSAGE = "msgid:"
"""What stands before the id of a message where a bill has no settlement id of the insurer yet."""

_PRICED = (LIVE, REVERSED, REPLACED_BILL)
_OVER = (REVERSED, REPLACED_BILL, UNSEEN)
_ENDS = {(LIVE, REVERSED), (LIVE, REPLACED_BILL), (HELD, UNSEEN), (None, UNSEEN)}
_STARTS = {(None, LIVE), (None, HELD), (HELD, LIVE)}
_TRANSFERRED = ("not_shown", "answer_lost", "clearing_disputed")
_CORRECTED, _COVERED = "corrected", "covered"
Terms = tuple[tuple[int, int, int], int, str]
"""Aid on the bill, aid to the card and cash due; the plan version; the day of service."""


@dataclass(slots=True)
class Model:
    """Follows the records of one fund, commit by commit. `wrong` is what could not be, in the order in which it was."""

    plan: FlatPlan
    latecomer: str
    """The member who has no cover until a membership more is recorded than there were."""
    memberships: int
    covered_at: int | None = None
    """The commit by which the latecomer was covered."""
    bills: dict[str, Bill] = field(default_factory=dict)
    claims: dict[str, list[Claim]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[str, Row] = field(default_factory=dict)
    shown: dict[str, set[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(set))
    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    published_at: list[int] = field(default_factory=lambda: [0])
    effected: set[str] = field(default_factory=set)
    holds: dict[str, Hold] = field(default_factory=dict)
    trials: dict[str, Trial] = field(default_factory=dict)
    trial_of: dict[str, Trial] = field(default_factory=dict)
    releases: set[str] = field(default_factory=set)
    given_back: set[str] = field(default_factory=set)
    """The places that a released promise gave back: of what was kept first, they keep what the promise held."""
    cancelled: set[str] = field(default_factory=set)
    restored: set[str] = field(default_factory=set)
    paid_later: dict[str, int] = field(default_factory=dict)
    decisions: set[str] = field(default_factory=set)
    reported: set[str] = field(default_factory=set)
    messages: dict[str, str | None] = field(default_factory=dict)
    kept: int = 0
    overtaken: int = 0
    wrong: list[str] = field(default_factory=list)
    ratings: Ratings = field(init=False)

    def __post_init__(self) -> None:
        self.ratings = Ratings(self.plan, self.wrong)

    def sent(self, claims: Iterable[Claim]) -> None:
        """Hear what a message says, before it is sent for the first time."""
        for claim in claims:
            self.bills[claim.bill.setl_id] = claim.bill
            self.claims[claim.bill.setl_id].append(claim)

    def quoted(self, key: str, trial: Trial) -> None:
        """Hear of a pre-settlement that asks for a promise under a key, before it is sent for the first time."""
        self.trials[key] = trial

    def recorded(self, seen: Seen, began: Moment, now: Moment, key: str) -> list[str]:
        """Look at all records after a commit of a transaction that began at another moment; return what is new.

        A version that was published meanwhile may have been read or not. `key` is that of the command that committed.
        """
        while len(self.published_at) < seen.versions:
            self.published_at.append(now.commits)
        if seen.memberships > self.memberships and self.covered_at is None:
            self.covered_at = now.commits
        changed = [row for row in seen.rows if self.rows.get(row.setl_id) != row]
        ended = [hold for hold in seen.holds if self.holds.get(hold.hold_id) != hold]
        if gone := set(self.rows) - {row.setl_id for row in seen.rows}:
            self.wrong.append(f"gone from the records: {sorted(gone)}")
        if changed and key:
            self.effected.add(key)
        commit = _Commit(self, seen, began, now, key, dict(self.rows))
        commit.look_at_ratings(changed)
        # Who ends makes room for who takes its place in the same commit.
        for row in sorted(changed, key=lambda row: row.state == LIVE):
            commit.look_at(row)
            self.rows[row.setl_id] = row
            self.shown[row.setl_id].add(row.split)
        for hold in ended:
            commit.look_at_hold(hold)
        self.holds |= {hold.hold_id: hold for hold in ended}
        for row in changed:
            commit.look_at_promises_of(row)
        self._look_at_limits(now)
        return [
            *(f"{row.setl_id} {row.state} {row.on_bill_fen}+{row.to_card_fen}" for row in changed),
            *(f"hold of {hold.batch} {hold.state} {hold.on_bill_fen}+{hold.to_card_fen}" for hold in ended),
        ]

    def promised(self, key: str, told: Mapping[str, object] | None) -> None:
        """Hear what a pre-settlement that asks for a promise was answered."""
        trial = self.trials[key]
        if told is None:
            if trial.member is not None:
                self.wrong.append(f"{trial.batch}: a member's pre-settlement holds nothing")
            return
        hold = self.holds.get(str(told["id"]))
        kept = hold.split if hold else None
        if kept != (told["on_bill_fen"], told["to_card_fen"], told["cash_due_fen"]):
            self.wrong.append(f"{trial.batch}: promised {told}, recorded {kept}")

    def acknowledged(self, claim: Claim, answer: Mapping[str, object]) -> None:
        """Hear that a message was answered with success: what it says must be recorded, and as it says."""
        bill = claim.bill
        row = self.rows.get(bill.setl_id)
        if bill.member is None:
            self.expect(answer.get("id") is None, bill, "a bill of somebody who is no member was recorded")
            return
        if bill.member == self.latecomer and answer.get("id") is None:
            return  # Without cover it is kept only if it is held; whether cover came in time is seen at the end.
        self.expect(row is not None, bill, "acknowledged, but not recorded")
        if row is None:
            return
        if claim.cancels:
            over = row.state in _OVER or bill.setl_id in self.restored
            self.expect(over, bill, f"its cancellation is acknowledged; it is {row.state}")
            return
        if claim.restores:
            self.expect(row.state == LIVE, bill, f"its reinstatement is acknowledged; it is {row.state}")
        if answer.get("state") == LIVE:
            told = (answer.get("on_bill_fen"), answer.get("to_card_fen"), answer.get("cash_due_fen"))
            self.expect(told in self.shown[bill.setl_id], bill, f"told {told}, recorded {row.split}")
            self.expect(not claim.transfers or told[0] == 0, bill, "aid is on the bill after its transfer")

    def answered(self, key: str, status: int, body: object) -> None:
        """Hear an answer that was given under a key: the same key is always answered alike."""
        first = self.answers.setdefault(key, (status, body))
        if first != (status, body):
            self.wrong.append(f"{key}: answered {first[0]} first and {status} now, or with another body")

    def refused(self, claim: Claim, key: str, code: str) -> None:
        """Hear that a message was refused for good: one whose effect is recorded under its key must not be."""
        self.expect(key not in self.effected, claim.bill, f"{key} has its effect, and is refused: {code}")
        row = self.rows.get(claim.bill.setl_id)
        over = row is not None and row.state in _OVER
        allowed = {
            "nothing_to_reverse": claim.cancels and over,
            "nothing_asked": claim.answers and row is not None and row.state != HELD,
            "cancelled_at_insurer": not claim.cancels and claim.bill.setl_id in self.cancelled,
        }
        self.expect(allowed.get(code, False), claim.bill, f"refused: {code}")

    def quiescent(self, asked: Sequence[Asked]) -> None:
        """Judge the end, when everything was sent, the bureau's whole file too, and nothing is due to be asked."""
        for each in asked:
            self._look_at_asked(each)
        for pending in self.rows.values():
            if pending.state == PENDING and not any(each.setl_id == pending.setl_id and each.listed for each in asked):
                self.wrong.append(f"{pending.setl_id}: pending at the end, and on no worklist")
        for setl_id, bill in sorted(self.bills.items()):
            row = self.rows.get(setl_id)
            if bill.member is None:
                self.expect(row is None, bill, "a bill of somebody who is no member is recorded")
            elif row is None:
                self.expect(False, bill, "not recorded at the end")
            elif setl_id in self.cancelled:
                self.expect(row.state in _OVER, bill, f"cancelled at the insurer, {row.state} here")
            else:
                self.expect(row.state == LIVE, bill, f"settled at the insurer, {row.state} here")
                self.expect(row.version > 0 or self.covered_at is None, bill, "without aid, though a roster covers it")

    def _look_at_asked(self, each: Asked) -> None:
        """How a question ended must be what is true at the insurer; unresolved is what nobody could say in time."""
        if each.asks == "settlement":
            setl_id = self.messages.get(each.setl_id.removeprefix(MESSAGE))
            possible = {"never_happened"} if setl_id is None else {"settled"}
            if setl_id in self.cancelled:
                possible = {"settled", "cancelled"}
            may_wait = setl_id is None
        else:
            gone = each.setl_id in self.cancelled
            asks_cancellation = each.asks == "cancellation"
            possible = {"cancelled", "confirmed"} if gone and not asks_cancellation else {"cancelled"}
            if not gone:
                possible = {"never_happened"} if asks_cancellation else {"confirmed"}
            if each.setl_id in self.restored:
                possible |= {"cancelled"}
            may_wait = asks_cancellation and not gone
        if each.outcome not in possible and not (may_wait and each.outcome == "unresolved" and each.listed):
            self.wrong.append(f"{each.setl_id}: asked about its {each.asks}, ended as {each.outcome}, not {possible}")

    def member_of(self, hold: Hold) -> str | None:
        """Return whose a hold is: the pre-settlement's, or the cancelled bill's whose place it keeps."""
        return self.bills[hold.of or ""].member if hold.kind == SUCCESSOR else self.trial_of[hold.hold_id].member

    def _look_at_limits(self, now: Moment) -> None:
        used: dict[tuple[str | None, str], int] = defaultdict(int)
        settled = set()
        for row in self.rows.values():
            bill = self.bills.get(row.setl_id)
            if row.state == LIVE and bill is not None:
                used[bill.member, row.year] += row.aid_fen
                settled.add(bill.batch)
        for hold in self.holds.values():
            if stands(hold, now) and (hold.kind == SUCCESSOR or hold.batch not in settled):
                used[self.member_of(hold), hold.day[:4]] += hold.aid_fen
        for (member, year), fen in used.items():
            over = f"{member} {year}: {fen} fen of a limit of {self.plan.limit_fen}"
            if fen > self.plan.limit_fen and over not in self.wrong:
                self.wrong.append(over)

    def expect(self, holds: bool, bill: Bill, otherwise: str) -> None:
        """Say that something is wrong with a bill, unless it holds."""
        if not holds:
            self.wrong.append(f"{bill.setl_id}: {otherwise}")


@dataclass(frozen=True, slots=True)
class _Commit:
    """One commit as the model judges it: records after it, the moments of its transaction, and its command."""

    model: Model
    seen: Seen
    began: Moment
    now: Moment
    key: str
    before: Mapping[str, Row]

    def look_at(self, row: Row) -> None:
        """Judge one bill that is another than before."""
        if row.setl_id.startswith(MESSAGE):
            self._look_at_message(row)
            return
        model, before, bill = self.model, self.before.get(row.setl_id), self.model.bills.get(row.setl_id)
        if bill is None or bill.member is None:
            model.wrong.append(f"{row.setl_id}: recorded, but never sent for a member")
            return
        change = (before.state if before else None, row.state)
        model.expect(
            row.later_fen in (0, model.paid_later.get(row.setl_id, 0)), bill, f"{row.later_fen} are paid later"
        )
        undone = row.settlements - (row.state == LIVE)
        model.expect((row.settlements > 0) == (row.state in _PRICED), bill, f"{row.settlements} settlements")
        model.expect(row.reversals == max(0, undone), bill, f"{row.reversals} reversals")
        if before is not None and change == (LIVE, LIVE):
            self._look_at_live(row, bill, before)
        elif before is not None and change == (REVERSED, LIVE):
            self._look_at_restored(row, bill, before)
        elif before is not None and change[0] == change[1]:
            model.expect(_record(before) == _record(row), bill, "its amounts were changed")
        elif before is not None and change == (REVERSED, REPLACED_BILL):
            by = next((each for each in self.seen.rows if each.setl_id == row.replaced_by), None)
            model.expect(by is not None and by.replaces == row.setl_id, bill, f"replaced by {row.replaced_by}")
        elif change in _ENDS:
            self._look_at_end(row, bill, before)
        elif change in _STARTS:
            self._look_at_start(row, bill, change[0])
        else:
            model.expect(False, bill, f"went from {change[0]} to {change[1]}")

    def _look_at_live(self, row: Row, bill: Bill, before: Row) -> None:
        """A live bill changes by a settlement that takes the place of the one before, and for a reason of its own."""
        if row.replaces != before.replaces:
            self._look_at_successor(row, bill, before)
        elif row.settlements == before.settlements:
            self.model.expect(_record(before) == _record(row), bill, "its amounts were changed")
        else:
            self.model.expect(row.books_day == self.seen.open_day, bill, "revised in a closed books day")
            if row.why in _TRANSFERRED:
                wanted = (0, before.aid_fen, before.cash_due_fen + before.on_bill_fen)
                asked = any(claim.transfers for claim in self.model.claims[bill.setl_id])
                self.model.expect(asked and before.on_bill_fen > 0, bill, "transferred, and nobody asked for it")
                self.model.expect(row.split == wanted, bill, f"transferred {before.split} as {row.split}")
            elif row.why == _COVERED:
                self.model.expect(before.version == 0, bill, "covered since, though it had a plan")
                self._look_at_terms(row, bill, None, {False})
            else:
                self.model.expect(row.why == RERATED, bill, f"revised by {row.why}")

    def _look_at_end(self, row: Row, bill: Bill, before: Row | None) -> None:
        """A bill ends when the insurer cancelled it; its successor, or whoever comes, gets what it gives back."""
        model = self.model
        late = bill.setl_id in model.restored and (before is None or before.settlements < 2)
        model.expect(bill.setl_id in model.cancelled or late, bill, "undone without a cancellation")
        if row.state == UNSEEN or before is None:
            return
        model.expect(row.reversal_day == self.seen.open_day, bill, "reversed in a closed books day")
        successor = self._successor_of(bill, before)
        model.expect(row.replaced_by == successor, bill, f"replaced by {row.replaced_by}, not by {successor}")
        places = [hold for hold in self.seen.holds if hold.of == bill.setl_id and hold.kind == SUCCESSOR]
        kept = [hold for hold in places if hold.hold_id not in model.holds]
        wanted = successor is None and before.version > 0
        model.expect(len(kept) == wanted, bill, f"{len(kept)} places are kept for its successor")

    def _successor_of(self, old: Bill, old_row: Row) -> str | None:
        """Return the live bill that was recorded later and corrects one that ends now: it says so, or it is alike."""
        found = []
        for row in self.before.values():
            bill = self.model.bills.get(row.setl_id)
            if bill is None or row.state != LIVE or row.replaces is not None or row.bill_id <= old_row.bill_id:
                continue
            named = row.resettles == old.setl_id and bill.care.is_of_patient(old.care)
            alike = bill.care.batch_no == old.care.batch_no or bill.billed_fen == old.billed_fen
            if named or (alike and bill.care.is_of_visit(old.care)):
                found.append((not named, row.bill_id, row.setl_id))
        return min(found)[2] if found else None

    def _look_at_successor(self, row: Row, bill: Bill, before: Row) -> None:
        """A bill that was settled before the one that it corrects ended: it is as if that one had never been."""
        model, old = self.model, self.model.rows.get(row.replaces or "")
        if old is None or old.replaced_by != row.setl_id or before.replaces is not None:
            model.expect(False, bill, f"stands in the place of {row.replaces}")
            return
        model.expect(row.place == old.place, bill, "does not stand in the place of the bill that it corrects")
        day = bill.day if bill.care.inpatient else old.day
        version = old.version if model.plan.begins(old.version) <= before.day else before.version
        possible: set[Terms] = set()
        places = {hold.hold_id for hold in model.holds.values() if (hold.of, hold.state) == (row.replaces, OPEN)}
        for room in self._rooms(bill.member, day, None, {row.setl_id}, places):
            aid = share_of(bill.share_fen, model.plan.rate(version), room)
            if aid < before.aid_fen:
                model.expect("corrected_with_less" in row.items, bill, "gets less, and nobody is told")
                possible.add((before.split, before.version, before.day))
            else:
                possible.add((split_again(before.split, aid), version, day))
        model.expect(_terms(row) in possible, bill, f"corrected as {_terms(row)}, possible {sorted(possible)}")
        model.expect(row.settlements == before.settlements or row.why == _CORRECTED, bill, f"revised by {row.why}")

    def _look_at_restored(self, row: Row, bill: Bill, before: Row) -> None:
        """A bill whose cancellation was taken back is as it was while its room is kept, else as far as room is left."""
        model = self.model
        model.expect(bill.setl_id in model.restored, bill, "lives again, and its cancellation stands")
        model.expect(row.books_day == self.seen.open_day, bill, "reinstated in a closed books day")
        of_it = [hold for hold in model.holds.values() if hold.of == bill.setl_id and hold.state == OPEN]
        places = [hold for hold in of_it if hold.kind == SUCCESSOR]
        whole = [hold for hold in places if hold.hold_id not in model.given_back]
        kept = [hold for hold in whole if not is_over(hold, self.began)]
        possible = {before.split} if kept else set()
        if not any(stands(hold, self.now) for hold in kept):
            for room in self._rooms(bill.member, before.day, None, {row.setl_id}, {hold.hold_id for hold in places}):
                aid = share_of(bill.share_fen, model.plan.rate(before.version), room)
                possible.add(split_again(before.split, aid))
        model.expect(row.split in possible, bill, f"reinstated as {row.split}, possible {sorted(possible)}")
        told = row.aid_fen >= before.aid_fen or "reinstated_with_less" in row.items
        model.expect(told, bill, "reinstated with less, and nobody is told")
        same = (row.version, row.day, row.place) == (before.version, before.day, before.place)
        model.expect(same, bill, "reinstated in another place")

    def _look_at_start(self, row: Row, bill: Bill, before: str | None) -> None:
        model = self.model
        settling = [claim for claim in model.claims[bill.setl_id] if claim.settles]
        if row.state == HELD:
            model.expect(any(not claim.name_is_right for claim in settling), bill, "held without a question")
            return
        fit = [claim for claim in settling if claim.name_is_right or claim.answers]
        at_counter = {claim.at_counter and before is None and not claim.answers for claim in fit}
        if before == HELD:
            at_counter.add(False)
        said = row.resettles is None or any(claim.resettles == row.resettles for claim in settling)
        model.expect(said, bill, f"re-settles {row.resettles}, which nobody said")
        place = self._place_of(bill.care, row.resettles, row.replaces, bill.setl_id)
        self._look_at_place_taken(row, bill)
        promises = [hold for hold in self._promises_of(bill) if not is_over(hold, self.began)] if before is None else []
        self._look_at_terms(row, bill, place, at_counter, promises, was_held=before == HELD)
        model.expect(row.books_day == self.seen.open_day, bill, "settled in a closed books day")

    def _look_at_terms(
        self,
        row: Row,
        bill: Bill,
        place: Hold | None,
        at_counter: set[bool],
        promises: Sequence[Hold] = (),
        *,
        was_held: bool = False,
    ) -> None:
        """A bill gets what the plan pays in the room that is left, or what was promised; nothing without cover."""
        model = self.model
        possible: set[Terms] = set()
        if bill.member != model.latecomer or model.covered_at is not None:
            possible |= self._computed(bill, place, at_counter)
        if promises:
            promised = {(hold.split, hold.version, hold.day) for hold in promises}
            possible = promised if any(stands(hold, self.now) for hold in promises) else possible | promised
        covered_before = model.covered_at is not None and model.covered_at <= self.began.commits
        if was_held and bill.member == model.latecomer and not covered_before:
            possible.add(((0, 0, bill.cash_fen), 0, bill.day))
        model.expect(_terms(row) in possible, bill, f"recorded {_terms(row)}, possible {sorted(possible)}")

    def _computed(self, bill: Bill, place: Hold | None, at_counter: set[bool]) -> set[Terms]:
        computed: set[Terms] = set()
        for version, day in self._versions(bill.care, bill.day, place):
            for room in self._rooms(bill.member, day, bill.batch, {bill.setl_id}, {place.hold_id} if place else ()):
                aid = share_of(bill.share_fen, self.model.plan.rate(version), room)
                computed |= {(split_of(aid, bill.cash_fen, at), version, day) for at in at_counter}
        return computed

    def _look_at_place_taken(self, row: Row, bill: Bill) -> None:
        """Who takes a place stands in it, and whose place it was is replaced by the same commit."""
        old = self.model.rows.get(row.replaces or "")
        wanted = old.place if old is not None else row.bill_id
        self.model.expect(row.place == wanted, bill, "stands in a place that is not its own")
        by = old is None or (old.state, old.replaced_by) == (REPLACED_BILL, row.setl_id)
        self.model.expect(by, bill, f"takes the place of {row.replaces}, which is not replaced")

    def _place_of(self, care: Care, resettles: str | None, replaces: str | None, named: str) -> Hold | None:
        """Return the kept place that was taken, having judged that it had to be that one, or none."""
        model = self.model
        open_ones = [hold for hold in self._places(care, resettles, named) if not is_over(hold, self.began)]
        sure = [hold for hold in open_ones if stands(hold, self.now)]
        best = [hold for hold in sure if hold.of == resettles and resettles is not None]
        best = best or [hold for hold in sure if hold.batch == care.batch]
        taken = next((hold for hold in open_ones if hold.of == replaces), None) if replaces is not None else None
        fits = taken in open_ones if replaces is not None else not sure
        if not fits or (taken is not None and best and taken not in best):
            kept = [(hold.of, hold.kind) for hold in open_ones]
            model.wrong.append(f"{named}: takes the place of {replaces}, kept are those of {kept}")
        return taken

    def _places(self, care: Care, resettles: str | None, named: str) -> Iterator[Hold]:
        """Yield what is kept of cancelled bills that this one corrects; a quote's hold keeps it for its own batch."""
        for hold in self.model.holds.values():
            if hold.of is None or (hold.kind != SUCCESSOR and hold.batch != care.batch):
                continue
            if self.before[hold.of].state != REVERSED:
                continue  # It lives again; what a quote was promised in its place is no place any more.
            own = self.before.get(named)
            if own is not None and own.bill_id < self.before[hold.of].place:
                continue  # Who was recorded, held, before what was cancelled corrects none of it.
            old = self.model.bills[hold.of].care
            kept_for = self.model.trial_of[hold.hold_id].care if hold.kind != SUCCESSOR else old
            mine = kept_for.visit == care.visit or old.visit_no == care.visit_no or hold.of == resettles
            if mine and kept_for.is_of_patient(care):
                yield hold

    def _versions(self, care: Care, day: str, place: Hold | None) -> set[tuple[int, str]]:
        """Return the version and the day by which a bill may be computed: in a kept place those of the place."""
        day = place.day if place is not None and not care.inpatient else day
        if place is not None and self.model.plan.begins(place.version) <= day:
            return {(place.version, day)}
        known = sum(at <= self.began.commits for at in self.model.published_at)
        counts = range(max(1, known), len(self.model.published_at) + 1)
        begins = self.model.plan.begins
        return {(max(n for n in range(1, count + 1) if begins(n) <= day), day) for count in counts}

    def _promises_of(self, bill: Bill) -> list[Hold]:
        """Return the open holds of the bill's batch that were made for its figures."""
        of_batch = [hold for hold in self.model.holds.values() if (hold.batch, hold.state) == (bill.batch, OPEN)]
        promises = [hold for hold in of_batch if hold.kind != SUCCESSOR]
        return [hold for hold in promises if self.model.trial_of[hold.hold_id].figures == bill.figures]

    def _rooms(
        self,
        member: str | None,
        day: str,
        batch: str | None,
        but: Iterable[str],
        without: Iterable[str] = (),
    ) -> set[int]:
        """Return what may be left of the year's limit beside other live bills, other batches' holds and kept places.

        A hold that is about to end may be seen to stand or to be over.
        """
        model = self.model
        used = sum(
            row.aid_fen
            for row in model.rows.values()
            if row.state == LIVE and row.setl_id not in but and self._is_of(row, member, day[:4])
        )
        others = [
            hold
            for hold in self._holds_of(member, day[:4])
            if hold.hold_id not in without and (hold.kind == SUCCESSOR or hold.batch != batch)
        ]
        return {model.plan.limit_fen - each - used for each in self._held(others)}

    def _held(self, holds: Iterable[Hold]) -> set[int]:
        """Return what holds may take together; one that is about to end may be seen either way."""
        possible = {0}
        for hold in holds:
            with_it = {each + hold.aid_fen for each in possible}
            possible = with_it if stands(hold, self.now) else possible | with_it
        return possible

    def _holds_of(self, member: str | None, year: str) -> list[Hold]:
        mine = [hold for hold in self.model.holds.values() if not is_over(hold, self.began)]
        return [hold for hold in mine if (self.model.member_of(hold), hold.day[:4]) == (member, year)]

    def _is_of(self, row: Row, member: str | None, year: str) -> bool:
        bill = self.model.bills.get(row.setl_id)
        return bill is not None and (bill.member, row.year) == (member, year)

    def look_at_ratings(self, changed: Sequence[Row]) -> None:
        """Judge what the commit says of re-ratings, by the records before it."""
        model, seen = self.model, self.seen
        new_looks = [look for look in seen.looks if look.cause not in model.ratings.looked]
        new_ratings = [rating for rating in seen.ratings if model.ratings.known.get(rating.rating_id) != rating]
        changes = Changes(self.before, {row.setl_id: row for row in changed}, self.key in model.decisions)
        if new_looks or new_ratings or changes.rerated():
            named = {look.setl_id for look in new_looks} | {rating.setl_id for rating in new_ratings}
            possible = {setl_id: self._possible_lines(setl_id) for setl_id in named}
            model.ratings.judge(seen.ratings, new_looks, possible, changes)

    def _possible_lines(self, setl_id: str) -> set[Lines]:
        bill, row = self.model.bills[setl_id], self.before[setl_id]
        if row.version == 0:
            return set()  # It was not covered, so there is no term of it.
        rows = [
            each
            for each in self.before.values()
            if each.state == LIVE and each.version > 0 and self._is_of(each, bill.member, row.year)
        ]
        bases = self._held(self._holds_of(bill.member, row.year))
        return self.model.ratings.lines(rows, self.model.bills, list(self.model.holds.values()), bases)

    def _look_at_message(self, row: Row) -> None:
        """A message whose answer was lost: pending when it is reported, and then resolved, without a settlement."""
        before = self.before.get(row.setl_id)
        change = (before.state if before else None, row.state)
        if row.setl_id.removeprefix(MESSAGE) not in self.model.messages:
            self.model.wrong.append(f"{row.setl_id}: pending, but never reported")
        same = change[0] == change[1]
        if not (same or change in ((None, PENDING), (PENDING, RESOLVED))) or row.settlements or row.reversals:
            self.model.wrong.append(f"{row.setl_id}: went from {change[0]} to {change[1]}")

    def look_at_hold(self, hold: Hold) -> None:
        """Judge one hold that is new or another than before."""
        before = self.model.holds.get(hold.hold_id)
        if before is not None and before.state == hold.state == OPEN:
            self._look_at_prolonged(hold, before)
        elif before is not None and (before.state != OPEN or before.split != hold.split):
            self.model.wrong.append(f"{hold.batch}: its hold went from {before.state} to {hold.state}")
        elif hold.kind == SUCCESSOR:
            self._look_at_kept_place(hold, before)
        elif before is None:
            self._look_at_promise(hold)
        else:
            self._look_at_promise_ended(hold, before)

    def _look_at_prolonged(self, hold: Hold, before: Hold) -> None:
        """A promise stands as long as the insurer is asked about a message of its visit; nothing else of it changes."""
        same = replace(before, expires=hold.expires) == hold
        asked = hold.kind != SUCCESSOR and self.model.trial_of[hold.hold_id].care.visit in self.model.reported
        if not (same and asked):
            self.model.wrong.append(f"{hold.batch}: its hold went from {before} to {hold}")

    def _look_at_kept_place(self, hold: Hold, before: Hold | None) -> None:
        """What a cancelled bill gave back is kept to the end of the next day, for its successor or for itself."""
        model, old = self.model, self.model.rows.get(hold.of or "")
        if old is None:
            model.wrong.append(f"{hold.batch}: a place is kept of a bill that is not recorded")
            return
        if before is None:
            ends = {f"{date.fromisoformat(day) + timedelta(days=2)} 00:00:00" for day in self.seen.todays}
            kept = (hold.state, old.state, hold.split, hold.version, hold.day)
            wanted = (OPEN, REVERSED, old.split, old.version, old.day)
            released, first = self._released_now(hold.of), self._kept_first(hold.of)
            if released is not None and first is not None:
                model.given_back.add(hold.hold_id)
                ends, wanted = {first.until}, (OPEN, REVERSED, released.split, first.version, first.day)
            if kept != wanted or hold.until not in ends:
                model.wrong.append(f"{hold.of}: kept {kept} until {hold.until}, must be {wanted} until {ends}")
            return
        by = model.rows.get(hold.setl_id or "")
        quoted = (each for each in self.seen.holds if each.kind != SUCCESSOR and each.of == hold.of)
        fits = {
            TAKEN: by is not None and (by.replaces == hold.of or (by.setl_id == hold.of and by.state == LIVE)),
            REPLACED: any(each.hold_id not in model.holds or each.state == OPEN for each in quoted),
            RELEASED: old.state == LIVE and (is_over(before, self.began) or hold.hold_id in model.given_back),
        }
        if not fits.get(hold.state, False):
            model.wrong.append(f"{hold.of}: its kept place went from {before.state} to {hold.state}")

    def _released_now(self, of: str | None) -> Hold | None:
        """Return the promise in a cancelled bill's place that this commit released."""
        ended = (
            each for each in self.seen.holds if each.of == of and each.kind != SUCCESSOR and each.state == RELEASED
        )
        return next((each for each in ended if self.model.holds[each.hold_id].state == OPEN), None)

    def _kept_first(self, of: str | None) -> Hold | None:
        """Return the place of a cancelled bill as it was kept last, before a promise took it over."""
        return next(
            (each for each in reversed(self.model.holds.values()) if (each.of, each.kind) == (of, SUCCESSOR)), None
        )

    def _look_at_promise(self, hold: Hold) -> None:
        model, trial = self.model, self.model.trials.get(self.key)
        if trial is None or trial.batch != hold.batch or hold.state != OPEN:
            model.wrong.append(f"{hold.batch}: a hold that nobody asked for, or that was never open")
            return
        model.trial_of[hold.hold_id] = trial
        place = self._place_of(trial.care, trial.resettles, hold.of, hold.batch)
        days = (trial.day,) if trial.day is not None else self.seen.todays
        possible: set[Terms] = set()
        for version, day in {each for own in days for each in self._versions(trial.care, own, place)}:
            for room in self._rooms(trial.member, day, hold.batch, (), {place.hold_id} if place else ()):
                aid = share_of(trial.share_fen, model.plan.rate(version), room)
                possible.add((split_of(aid, trial.cash_fen, at_counter=True), version, day))
        held = (hold.split, hold.version, hold.day)
        if held not in possible:
            model.wrong.append(f"{hold.batch}: held {held}, possible {sorted(possible)}")
        if place is not None and hold.expires < place.expires:
            model.wrong.append(f"{hold.batch}: its hold ends before the place that it took over")

    def _look_at_promise_ended(self, hold: Hold, before: Hold) -> None:
        model, trial = self.model, self.model.trial_of[hold.hold_id]
        row, bill = model.rows.get(hold.setl_id or ""), model.bills.get(hold.setl_id or "")
        equal = bill is not None and row is not None and bill.batch == hold.batch and bill.figures == trial.figures
        restored = model.rows.get(hold.of or "")
        fits = {
            KEPT: equal and row is not None and hold.split == row.split,
            OVERTAKEN: bill is not None and bill.batch == hold.batch and not equal,
            REPLACED: self.key in model.trials and model.trials[self.key].batch == hold.batch,
            RELEASED: hold.hold_id in model.releases or (restored is not None and restored.state == LIVE),
        }
        if hold.state == RELEASED and hold.hold_id in model.releases and hold.of is not None:
            self._look_at_place_given_back(hold.of)
        model.kept += hold.state == KEPT
        model.overtaken += hold.state == OVERTAKEN
        if not fits.get(hold.state, False):
            model.wrong.append(f"{hold.batch}: its hold went from {before.state} to {hold.state}")

    def _look_at_place_given_back(self, of: str) -> None:
        """A promise that is released gives the place that it took over back, as long as that was to be kept."""
        first = self._kept_first(of)
        places = [each for each in self.seen.holds if (each.of, each.kind) == (of, SUCCESSOR)]
        again = any(each.hold_id not in self.model.holds for each in places)
        until = replace(first, state=OPEN) if first is not None else None
        if until is None or (is_over(until, self.began) if again else stands(until, self.now)):
            self.model.wrong.append(f"{of}: its place was {'' if again else 'not '}given back")

    def look_at_promises_of(self, row: Row) -> None:
        """A bill that is recorded at once ends the promises of its batch."""
        model, bill = self.model, self.model.bills.get(row.setl_id)
        if bill is not None and row.setl_id not in self.before and row.state == LIVE:
            promises = [hold for hold in model.holds.values() if hold.batch == bill.batch and hold.kind != SUCCESSOR]
            open_still = any(stands(hold, self.now) for hold in promises)
            model.expect(not open_still, bill, "recorded, and its hold is open still")


def _terms(row: Row) -> Terms:
    return row.split, row.version, row.day


def _record(row: Row) -> tuple[object, ...]:
    """Return what no later event may change while the settlement is the same."""
    return _terms(row), row.settlements, row.place, row.replaces, row.books_day
