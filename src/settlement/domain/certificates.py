"""Certificates and names in one spelling each, so that a roster and an insurer's answer can be compared.

Nothing here decides who somebody is: masked numbers and names that differ are questions for a person.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from settlement.domain.bills import Certificate

IDENTITY_CARD = "01"
"""The resident identity card or household register in the national list of certificate types."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_IDENTITY_NUMBER = re.compile(r"\d{17}[\dX]", re.ASCII)
_MASKS = re.compile(r"[*✱✻●•×#?]|XX")
_SEPARATORS = re.compile(r"[\s·•・‧∙⋅●.。]")


def normalised(certificate_type: str | None, number: str) -> Certificate:
    """Return the certificate in the spelling that members are keyed by.

    Full-width characters become half-width, white space goes, letters become capitals, a one-digit type gets its
    zero, and a 15-digit identity number becomes the 18-digit one. A type that was not given is the identity card:
    rosters have no other column. A wrong check digit is kept, since the issuing office made some.
    """
    kind = _compact(certificate_type or "") or IDENTITY_CARD
    if kind.isdigit():
        kind = kind.zfill(2)
    compact = _compact(number)
    return Certificate(kind, _lengthened(compact) if kind == IDENTITY_CARD else compact)


def check_digit(first_17: str) -> str:
    """Return the 18th character of an identity number (GB 11643, ISO 7064 MOD 11-2)."""
    return _CHECK_DIGITS[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]


def birth_date(certificate: Certificate) -> date | None:
    """Return the birthday that an identity card's number holds (GB 11643); `None` for other certificates."""
    if certificate.type != IDENTITY_CARD or not _IDENTITY_NUMBER.fullmatch(certificate.number):
        return None
    try:
        return date.fromisoformat(certificate.number[6:14])
    except ValueError:
        return None


def sex(certificate: Certificate) -> str | None:
    """Return `female` or `male` as an identity card's number says: its 17th digit is odd for men."""
    if certificate.type != IDENTITY_CARD or not _IDENTITY_NUMBER.fullmatch(certificate.number):
        return None
    return "male" if int(certificate.number[16]) % 2 else "female"


def age_on(born: date, day: date) -> int:
    """Return the whole years from a birthday to a day; who is born on 29 February ages on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def is_masked(number: str) -> bool:
    """Say whether characters of the number were covered, as in `130302********0023`."""
    return _MASKS.search(_compact(number)) is not None


def names_agree(one: str, other: str) -> bool:
    """Say whether two spellings are one name.

    The dot of a minority name has a dozen code points and is often left out; width, spaces and case do not count.
    """
    return _bare_name(one) == _bare_name(other)


def _compact(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def _bare_name(name: str) -> str:
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", name)).casefold()


def _lengthened(number: str) -> str:
    """Return the 18-digit form of a 15-digit number that holds a real birthday; any other number as it is."""
    if not re.fullmatch(r"\d{15}", number, re.ASCII):
        return number
    try:
        date(1900 + int(number[6:8]), int(number[8:10]), int(number[10:12]))
    except ValueError:
        return number
    first_17 = f"{number[:6]}19{number[6:]}"
    return first_17 + check_digit(first_17)
