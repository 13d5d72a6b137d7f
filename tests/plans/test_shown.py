"""What people are shown is what was read last: a change of it is read in the difference before it is committed."""

from __future__ import annotations

import pytest
from read_last import assert_as_read_last
from shown import SHOWN, text_of


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_is_what_was_read_last(name: str):
    assert_as_read_last(name, text_of(name))
