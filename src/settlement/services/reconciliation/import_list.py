"""Import one list of a business date: its lines go into staging in committed chunks, and count once all are there.

An import that was broken off has left lines that nothing refers to; they are dropped when their time is over.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from settlement.db import reconciliation
from settlement.db.engine import fund_transaction
from settlement.db.reconciliation import ListImport
from settlement.domain.reconciliation import Source
from settlement.gateway.bureau_list import BureauLine, ListUnreadable, RawLine, RefusedLine, raw_lines, read_line
from settlement.gateway.profile import GatewayProfile
from settlement.services.bills.commands import Caller
from settlement.services.bills.read_brought import digest_of_figures
from settlement.services.reconciliation.errors import ListRefused
from settlement.services.reconciliation.hospital_list import HospitalLine, read_hospital_list
from settlement.services.resources import Resources
from settlement.services.text_files import encoding_of

LINES_AT_ONCE = 1000
MOST_REFUSED_SHOWN = 100
_LIVING = ("live", "held")

Told = Callable[[int], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list to import: whose it is, of which day, and the hospitals that a hospital's list is whole for.

    The hospitals that appear in a list are always among them; name one whose list is empty.
    """

    source: Source
    day: date
    path: Path
    hospital_codes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Staging:
    """What is known of an import while its lines come in."""

    import_id: UUID
    expires_at: datetime
    lines: int = 0
    refused: list[RefusedLine] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)


async def import_list(resources: Resources, caller: Caller, given: ListFile, told: Told = lambda _: None) -> ListImport:
    """Stage a list and make it the one that counts for its day; the very list that counts already is not staged again.

    `told` is told the number of lines read so far. Raises `ListRefused` for a file that is no list; a line that does
    not say which bill it is about is refused alone and told in the result. A caller who is bound to hospitals may only
    bring lines of these: another's is refused.
    """
    digest = await asyncio.to_thread(_digest, given.path)
    oldest = resources.clock() - resources.keep_messages
    codes = given.hospital_codes
    async with fund_transaction(resources.engine, caller.fund_id) as connection:
        newest = await reconciliation.find_newest_import(
            connection, caller.fund_id, given.source, given.day, codes, oldest
        )
    if newest is not None and newest.digest == digest and set(codes) <= set(newest.hospital_codes):
        return newest
    staging = _Staging(resources.ids.new(), resources.clock() + resources.keep_messages, codes=set(codes))
    profile = (await resources.rules.of(caller.fund_id)).profile
    with ExitStack() as stack:
        lines = await asyncio.to_thread(_opened, given, profile, stack)
        while chunk := await asyncio.to_thread(_next, lines):
            await _stage(resources, caller, given, staging, chunk)
            told(staging.lines + len(staging.refused))
    if given.source is Source.HOSPITAL and not staging.codes:
        raise ListRefused(why="the list is empty: say which hospital's it is")
    new = ListImport(
        import_id=staging.import_id,
        source=given.source,
        business_date=given.day,
        hospital_codes=tuple(sorted(staging.codes)) if given.source is Source.HOSPITAL else (),
        digest=digest,
        line_count=staging.lines,
        refused_count=len(staging.refused),
        refused=[
            {"line": line.number, "field": line.field, "problem": line.problem}
            for line in staging.refused[:MOST_REFUSED_SHOWN]
        ],
        actor=caller.client_id,
        imported_at=resources.clock(),
    )
    async with fund_transaction(resources.engine, caller.fund_id) as connection:
        await reconciliation.add_import(connection, caller.fund_id, new)
    return new


async def _stage(
    resources: Resources,
    caller: Caller,
    given: ListFile,
    staging: _Staging,
    chunk: Sequence[BureauLine | HospitalLine | RefusedLine],
) -> None:
    """Write one chunk in a transaction of its own."""
    mine: list[BureauLine | HospitalLine] = []
    for line in chunk:
        if isinstance(line, RefusedLine):
            staging.refused.append(line)
        elif not caller.may_act_for(line.hospital_code):
            staging.refused.append(RefusedLine(_number(line), "hospital_code", "not_yours"))
        else:
            mine.append(line)
    if given.source is Source.HOSPITAL:
        staging.codes |= {line.hospital_code for line in mine if line.hospital_code}
    keys = [(_number(line), line.area, line.insurer_settlement_id, line.hospital_code) for line in mine]
    async with fund_transaction(resources.engine, caller.fund_id) as connection:
        known = await reconciliation.list_known(connection, caller.fund_id, keys)
        rows = [_row(resources, caller, staging, line, known.get(_number(line))) for line in mine]
        await reconciliation.add_lines(connection, rows)
    staging.lines += len(mine)


def _row(
    resources: Resources,
    caller: Caller,
    staging: _Staging,
    line: BureauLine | HospitalLine,
    known: tuple[str, str] | None,
) -> dict[str, Any]:
    """Return a line as it is staged: figures without a person. Our area of a bill counts where theirs is another."""
    area, state = known or (line.area, None)
    row: dict[str, Any] = {
        "fund_id": str(caller.fund_id),
        "import_id": str(staging.import_id),
        "line": _number(line),
        "area": area,
        "insurer_settlement_id": line.insurer_settlement_id,
        "hospital_code": line.hospital_code,
        "expires_at": staging.expires_at.isoformat(),
        "closes": False,
    }
    if isinstance(line, HospitalLine):
        row["entry"] = "cancellation" if line.cancelled else "settlement"
        return row | {"cash_collected_fen": _fen(line.cash_collected), "aid_given_fen": _fen(line.aid_given)}
    row |= {f"{name}_fen": int(amount) for name, amount in line.figures.items()}
    row["entry"] = "cancellation" if line.cancels else "settlement"
    row["business_date"] = line.business_date.isoformat() if line.business_date else None
    if line.closed is not None:
        row |= {"closes": True, "figures_digest": digest_of_figures(line.closed)}
    if state in _LIVING if line.cancels else state is None:
        row |= _sealed(resources, caller, staging, line.raw)
    return row


def _sealed(resources: Resources, caller: Caller, staging: _Staging, raw: RawLine) -> dict[str, Any]:
    """Seal a line that a repair will need: what we lack, or the cancellation of what we still have."""
    content = json.dumps({"output": raw.output, "facts": raw.facts}, ensure_ascii=False, default=_exact)
    place = reconciliation.bound_to(caller.fund_id, staging.import_id, raw.number)
    sealed = resources.keys.seal(content.encode(errors="surrogatepass"), place)
    return {"key_id": sealed.key_id, "envelope": f"\\x{sealed.envelope.hex()}"}


def _opened(
    given: ListFile, profile: GatewayProfile, stack: ExitStack
) -> Iterator[BureauLine | HospitalLine | RefusedLine]:
    if given.source is Source.HOSPITAL:
        return read_hospital_list(given.path)
    text = stack.enter_context(given.path.open(encoding=encoding_of(given.path), newline="", errors="replace"))
    beginning = text.read(1024).lstrip()
    as_csv = bool(beginning) and not beginning.startswith("{")
    text.seek(0)
    return _read(raw_lines(text, as_csv), profile)


def _read(lines: Iterable[RawLine | RefusedLine], profile: GatewayProfile) -> Iterator[BureauLine | RefusedLine]:
    try:
        for line in lines:
            yield line if isinstance(line, RefusedLine) else read_line(line, profile)
    except ListUnreadable as unreadable:
        raise ListRefused(why=str(unreadable)) from None


def _next(lines: Iterator[T]) -> list[T]:
    return list(islice(lines, LINES_AT_ONCE))


def _number(line: BureauLine | HospitalLine) -> int:
    return line.raw.number if isinstance(line, BureauLine) else line.number


def _fen(amount: int | None) -> int | None:
    return None if amount is None else int(amount)


def _exact(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} does not belong in a list")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kept_content(text: bytes) -> Mapping[str, Any]:
    """Return `output` and `facts` of a line that was kept for a repair."""
    content: Mapping[str, Any] = json.loads(text)
    return content
