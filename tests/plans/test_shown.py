"""What people are shown is what was read last: a change of it is read in the difference before it is committed."""

from __future__ import annotations

import difflib
import os

import pytest
from shown import KEPT, SHOWN, text_of


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_is_what_was_read_last(name: str):
    now = text_of(name)
    if os.environ.get("WRITE_SHOWN"):
        (KEPT / name).write_text(now, encoding="utf-8")
    kept = (KEPT / name).read_text(encoding="utf-8")
    changed = list(difflib.unified_diff(kept.splitlines(), now.splitlines(), "read last", "now", n=0, lineterm=""))
    assert not changed, "read it, then write it anew with WRITE_SHOWN=1:\n" + "\n".join(changed[:20])
