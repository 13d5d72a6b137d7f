"""The hash of a closed books day: over the lines of all its records in their fixed order, streamed."""

from __future__ import annotations

import hashlib
import json

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.books import stream_day_lines, sum_day
from settlement.domain.books import BooksDay, DayContent, utc_text


async def hash_day(connection: AsyncConnection, day: BooksDay, format_: int) -> DayContent:
    """Return counts, sums and hash of a closed day, in the format that its seal names.

    The first line is the day itself; every line ends with a line feed. Memory does not grow with the day.
    """
    digest, counts = hashlib.sha256(_first_line(day, format_)), dict[str, int]()
    async for kind, lines in stream_day_lines(connection, day.fund_id, day.number, format_):
        digest.update(("\n".join(lines) + "\n").encode())
        counts[kind] = counts.get(kind, 0) + len(lines)
    return DayContent(counts, await sum_day(connection, day.fund_id, day.number), digest.hexdigest())


def _first_line(day: BooksDay, format_: int) -> bytes:
    closed_at = utc_text(day.closed_at) if day.closed_at else None
    line = ["books_day", format_, str(day.fund_id), day.number, utc_text(day.opened_at), closed_at]
    return json.dumps(line).encode("ascii") + b"\n"
