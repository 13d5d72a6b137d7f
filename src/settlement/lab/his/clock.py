"""China's civil time, in which hospitals and the insurer write everything."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


def now() -> datetime:
    """Return the machine's time in China."""
    return datetime.now(CHINA)
