"""The patient as the hospital's billing system knows him."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """One insured person: certificate, insurance and area as transaction 1101 gives them."""

    psn_no: str
    psn_name: str
    psn_cert_type: str
    certno: str
    card_no: str
    brdy: str
    insutype: str
    psn_type: str
    cvlserv_flag: str
    insuplc_admdvs: str
    balance_fen: int = 0

    @property
    def certificate(self) -> tuple[str, str]:
        """The certificate, type and number."""
        return self.psn_cert_type, self.certno

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Person:
        """Read a person from the insurer's list of persons."""
        return cls(**{name: row[name] for name in cls.__slots__ if name in row})


@dataclass(frozen=True, slots=True)
class HospitalEntry:
    """One hospital of the insurer's list: its code, name, level 1 to 3 and area."""

    code: str
    name: str
    level: int
    area: str

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> HospitalEntry:
        """Read a hospital from the insurer's list of hospitals."""
        return cls(row["fixmedins_code"], row["fixmedins_name"], row["level"], row["area"])
