"""Holds what people are shown against what was read last, in `tests/plans/shown/`.

    WRITE_SHOWN=1 pytest -n0 tests/plans

writes it anew, to be read in the difference before it is committed.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

KEPT = Path(__file__).parent / "shown"


def assert_as_read_last(file: str, now: str, section: str | None = None) -> None:
    """Assert that a file, or the section of it under `## name`, says what is shown now."""
    path = KEPT / file
    if os.environ.get("WRITE_SHOWN"):
        sections = _sections(path) if section is not None and path.exists() else {}
        whole = "".join(f"## {name}\n{said}" for name, said in (sections | {section: now}).items())
        path.write_text(now if section is None else whole, encoding="utf-8")
    kept = path.read_text(encoding="utf-8") if section is None else _sections(path).get(section, "")
    changed = list(difflib.unified_diff(kept.splitlines(), now.splitlines(), "read last", "now", n=0, lineterm=""))
    assert not changed, "read it, then write it anew with WRITE_SHOWN=1:\n" + "\n".join(changed[:20])


def _sections(path: Path) -> dict[str | None, str]:
    pieces = re.split(r"^## (.*)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))
