"""The rhythm of a city's day: who comes where and when, what it costs, and what is cancelled again; from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from settlement.lab.his.bills import FeeLine
from settlement.lab.his.clock import CHINA
from settlement.lab.his.costs import stay_lines, stay_total, visit_lines, visit_total
from settlement.lab.his.people import HospitalEntry, Person

# Settlements per hour of the day: two peaks, a lunch dip, a thin night of emergencies.
_HOURS = (2, 1, 1, 1, 1, 2, 6, 30, 95, 120, 110, 70, 28, 45, 88, 84, 60, 30, 16, 12, 10, 8, 5, 3)
_STAY_HOURS = (0, 0, 0, 0, 0, 0, 0, 2, 20, 40, 45, 25, 5, 12, 30, 28, 18, 4, 0, 0, 0, 0, 0, 0)
_STAY_SHARE = 0.15
_AGAIN_SHARE = 0.06
_CANCEL_SHARE = 0.03
_LEVEL_WEIGHT = {1: 4, 2: 8, 3: 18}
_LAST_MINUTE = time(23, 50, tzinfo=CHINA)


@dataclass(frozen=True, slots=True)
class Visit:
    """One planned visit (`stay` False) or stay: `at` is when it is settled, `cancel_at` when it is cancelled, if ever.

    A stay was admitted at `admitted_at` and is discharged at `at`. All times are aware, in China.
    """

    person: Person
    hospital_code: str
    stay: bool
    at: datetime
    med_type: str
    use_account: bool
    fee_lines: list[FeeLine]
    admitted_at: datetime | None = None
    cancel_at: datetime | None = None

    @property
    def total_fen(self) -> int:
        """What it costs, in fen."""
        return sum(line.amount_fen for line in self.fee_lines)


def plan_day(
    seed: int, persons: Sequence[Person], hospitals: Sequence[HospitalEntry], day: date, bills: int
) -> list[Visit]:
    """Plan `bills` visits and stays settled on one day, in the order of settlement; the same seed, the same plan.

    Outpatient to inpatient is about 85 to 15, a few persons come several times, about 3 % are cancelled later that day.
    """
    rng = Random(f"day-{seed}-{day.isoformat()}")
    seen: list[Person] = []
    admitted: set[str] = set()
    visits = []
    for _ in range(bills):
        stays = rng.random() < _STAY_SHARE
        person = _choose_person(rng, persons, seen)
        if stays and person.psn_no in admitted:
            stays = False
        seen.append(person)
        hospital = rng.choices(hospitals, weights=[_LEVEL_WEIGHT[entry.level] for entry in hospitals])[0]
        if stays:
            admitted.add(person.psn_no)
            visits.append(_plan_stay(rng, person, hospital, day))
        else:
            visits.append(_plan_visit(rng, person, hospital, day))
    return sorted(visits, key=lambda visit: (visit.at, visit.person.psn_no, visit.total_fen))


def _choose_person(rng: Random, persons: Sequence[Person], seen: list[Person]) -> Person:
    if seen and rng.random() < _AGAIN_SHARE:
        return rng.choice(seen)
    return rng.choice(persons)


def _plan_visit(rng: Random, person: Person, hospital: HospitalEntry, day: date) -> Visit:
    at = _moment(rng, day, _HOURS)
    return Visit(
        person=person,
        hospital_code=hospital.code,
        stay=False,
        at=at,
        med_type=_visit_kind(rng, at),
        use_account=rng.random() < 0.85,
        fee_lines=visit_lines(rng, visit_total(rng)),
        cancel_at=_cancellation(rng, at),
    )


def _plan_stay(rng: Random, person: Person, hospital: HospitalEntry, day: date) -> Visit:
    at = _moment(rng, day, _STAY_HOURS)
    days = min(90, max(1, round(rng.lognormvariate(2.0, 0.6))))
    total = stay_total(rng)
    return Visit(
        person=person,
        hospital_code=hospital.code,
        stay=True,
        at=at,
        med_type="22" if rng.random() < 0.03 else "21",
        use_account=rng.random() < 0.6,
        fee_lines=stay_lines(rng, total, days),
        admitted_at=_moment(rng, day - timedelta(days=days), _HOURS),
        cancel_at=_cancellation(rng, at),
    )


def _moment(rng: Random, day: date, hours: Sequence[int]) -> datetime:
    hour = rng.choices(range(24), weights=hours)[0]
    return datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60), tzinfo=CHINA))


def _visit_kind(rng: Random, at: datetime) -> str:
    """Return the care type: emergencies at night, chronic illness now and then, else an ordinary visit."""
    if at.hour < 6 or at.hour >= 20:
        return "13"
    return "14" if rng.random() < 0.08 else "11"


def _cancellation(rng: Random, at: datetime) -> datetime | None:
    """Return when a bill is cancelled: minutes to hours later, never on another day."""
    if rng.random() >= _CANCEL_SHARE:
        return None
    later = at + timedelta(minutes=rng.randint(3, 240))
    last = datetime.combine(at.date(), _LAST_MINUTE)
    return min(later, last) if at < last else None
