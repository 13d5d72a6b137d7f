"""A scripted hospital billing system: it talks HTTP to the insurer, or to a facade, and imports nothing of either."""

from settlement.lab.his.bills import CancelledBill, FeeLine, OpenVisit, SettledBill
from settlement.lab.his.gateway import Gateway, Refused, Unanswered, open_client
from settlement.lab.his.hospital import Hospital
from settlement.lab.his.people import HospitalEntry, Person
from settlement.lab.his.rhythm import Visit, plan_day

__all__ = [
    "CancelledBill",
    "FeeLine",
    "Gateway",
    "Hospital",
    "HospitalEntry",
    "OpenVisit",
    "Person",
    "Refused",
    "SettledBill",
    "Unanswered",
    "Visit",
    "open_client",
    "plan_day",
]
