"""The platform's clock: the machine's, or the time that each message brings, so that a fixed day is reproducible."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Literal

ClockKind = Literal["system", "message"]

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


class Moment:
    """One instant on the platform, in China's civil time, in the two ways the interface writes it."""

    __slots__ = ("milliseconds", "text")

    def __init__(self, text: str, milliseconds: int = 0) -> None:
        self.text = text
        self.milliseconds = milliseconds

    @property
    def day(self) -> str:
        """The date, yyyy-MM-dd."""
        return self.text[:10]

    @property
    def year(self) -> str:
        """The year, four digits."""
        return self.text[:4]

    @property
    def seconds_stamp(self) -> str:
        """yyyyMMddHHmmss, 14 digits."""
        text = self.text
        return text[:4] + text[5:7] + text[8:10] + text[11:13] + text[14:16] + text[17:19]

    @property
    def milliseconds_stamp(self) -> str:
        """yyyyMMddHHmmssSSS, 17 digits."""
        return f"{self.seconds_stamp}{self.milliseconds:03d}"


def system_moment() -> Moment:
    """Return the machine's time in China."""
    now = datetime.now(CHINA)
    return Moment(now.strftime("%Y-%m-%d %H:%M:%S"), now.microsecond // 1000)


def is_moment(text: object) -> bool:
    """Tell whether a text is a time as the interface writes it, yyyy-MM-dd HH:mm:ss."""
    if not isinstance(text, str) or len(text) != 19:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def platform_moment(kind: ClockKind, inf_time: str) -> Moment:
    """Return the platform's now: the machine's time, or the message's own `inf_time`."""
    return Moment(inf_time) if kind == "message" else system_moment()
