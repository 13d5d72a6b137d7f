"""Regional and awkward behaviours of the platform that an operator can switch on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

LifoKind = Literal["off", "visit", "person"]


class UnknownSwitch(ValueError):
    """A switch that the simulator does not have, or a value of the wrong kind."""


@dataclass(frozen=True, slots=True)
class Switches:
    """All switches, with the values the simulator starts with.

    `lifo` refuses a cancellation while a later live settlement of the visit, or of the person's year, exists.
    `cleared_through` (yyyy-MM-dd) and `cleared` (setl_id) refuse it because the money was cleared.
    `new_setl_id` gives a cancellation an id of its own; off, it echoes the settlement's.
    The lists name persons by psn_no: `masked` hides most of their certno in every answer; `presettle_differs` makes
    their trial promise up to one yuan less of the pooled fund than is settled; `family_account_fen` lets a
    relative's account pay for them, up to so much on every bill.
    """

    lifo: LifoKind = "off"
    cleared_through: str = ""
    cleared: tuple[str, ...] = ()
    new_setl_id: bool = True
    masked: tuple[str, ...] = ()
    presettle_differs: tuple[str, ...] = ()
    family_account_fen: dict[str, int] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return all switches by name."""
        return asdict(self)

    def changed(self, values: dict[str, Any]) -> Switches:
        """Return a copy with some switches set. Raises `UnknownSwitch`."""
        current = self.as_dict()
        unknown = sorted(set(values) - set(current))
        if unknown:
            raise UnknownSwitch(f"no such switch: {', '.join(unknown)}")
        merged = current | values
        return Switches(**{field.name: _checked(field.name, merged[field.name]) for field in fields(self)})


def _checked(name: str, value: Any) -> Any:
    if name == "lifo":
        valid = value in ("off", "visit", "person")
    elif name == "new_setl_id":
        valid = isinstance(value, bool)
    elif name == "cleared_through":
        valid = isinstance(value, str)
    elif name == "family_account_fen":
        valid = value is None or (isinstance(value, dict) and all(type(fen) is int for fen in value.values()))
    else:
        valid = isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
        value = tuple(value) if valid else value
    if not valid:
        raise UnknownSwitch(f"switch {name} cannot be {value!r}")
    return value


def masked_certno(certno: str) -> str:
    """Hide all but the first six and the last four characters of a certificate number."""
    return certno[:6] + "*" * max(0, len(certno) - 10) + certno[-4:]
