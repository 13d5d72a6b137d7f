"""The worklist's table: every kind that is written anywhere has its next action, and who may do what is no accident."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from settlement.domain.pending import WORKLIST_KINDS
from settlement.domain.worklist import (
    ACTIONS,
    CLOSING_REASONS,
    KINDS,
    RERATING_PROPOSED,
    Action,
    ClosingReason,
    Standing,
    allowed_actions,
    is_usable,
    kind_of,
)

SOURCES = Path(__file__).parents[2] / "src" / "settlement"
_WRITTEN = re.compile(r"""(?:\.worklist|insert_worklist_item)\(\s*(?:[\w.()]+,\s*)+?f?["']([a-z_]+)(?=[:"'{])""")


def written_kinds() -> set[str]:
    """Return every kind that the code puts on the worklist, by reading the code; some it names by a table or a name."""
    read = {kind for file in SOURCES.rglob("*.py") for kind in _WRITTEN.findall(file.read_text(encoding="utf-8"))}
    return read | set(WORKLIST_KINDS.values()) | {RERATING_PROPOSED}


def test_the_search_finds_what_is_known_to_be_written():
    assert {"bill_changed", "plan_asks", "provisional_cover", "cancellation_unmatched"} <= written_kinds()


def test_every_kind_that_is_written_has_a_next_action_and_no_other_is_in_the_table():
    assert written_kinds() == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_is_in_the_glossary_and_says_the_state_of_the_money_before_what_to_do(kind: str):
    glossary = (SOURCES.parents[1] / "docs" / "words.md").read_text(encoding="utf-8")
    assert f"| `{kind}` | {KINDS[kind].title} |" in glossary
    assert "互助" in KINDS[kind].next_action.split("。")[0]
    assert KINDS[kind].closed_by <= {"clerk", "approver"}


def test_every_action_and_every_reason_has_a_word():
    assert set(ACTIONS) == set(Action)
    assert set(CLOSING_REASONS) == set(ClosingReason)


def test_a_kind_of_an_older_release_is_shown_by_its_code():
    assert kind_of("long_gone:x").title == "long_gone"


TAKEN, BACK, REMARK, CLOSE = Action.TAKEN, Action.GIVEN_BACK, Action.REMARKED, Action.CLOSED


@pytest.mark.parametrize(
    ("kind", "owner", "roles", "allowed"),
    [
        pytest.param("bill_changed", None, ("clerk",), (TAKEN, REMARK), id="nobodys_item_is_taken_first"),
        pytest.param("bill_changed", "me", ("clerk",), (BACK, REMARK, CLOSE), id="the_owner_closes"),
        pytest.param("plan_asks:serious", "me", ("clerk",), (BACK, REMARK), id="a_clerk_does_not_decide_money"),
        pytest.param("plan_asks:serious", "me", ("approver",), (BACK, REMARK, CLOSE), id="the_head_does"),
        pytest.param("bill_changed", "you", ("clerk",), (REMARK,), id="anothers_item_is_only_remarked_on"),
        pytest.param("bill_changed", "you", ("approver",), (BACK, REMARK), id="the_head_takes_back_from_who_is_away"),
        pytest.param("bill_changed", None, ("auditor", "operator"), (), id="who_watches_does_nothing"),
        pytest.param(
            "bill_changed", "me", ("auditor", "clerk"), (BACK, REMARK, CLOSE), id="one_of_two_roles_is_enough"
        ),
    ],
)
def test_who_may_do_what(kind: str, owner: str | None, roles: tuple[str, ...], allowed: tuple[Action, ...]):
    assert allowed_actions(Standing(kind, False, owner), "me", roles) == allowed
    assert allowed_actions(Standing(kind, True, owner), "me", roles) == ()


@pytest.mark.parametrize(
    ("remark", "usable"),
    [
        ("已致电医院，3 月 11 日回复", True),
        ("见单据 HZ20250311-ABCDEFGH", True),
        ("金额 12,345.67 元不符", True),
        ("本人 990101198001010 00X", False),
        ("电话 138-0013-8000", False),
        ("卡号 6222 0212 3456 7890", False),
        ("", False),
        ("长" * 500, True),
        ("长" * 501, False),
        ("a\x00b", False),
    ],
)
def test_a_remark_can_be_kept_and_names_nobody_by_number(remark: str, usable: bool):
    assert is_usable(remark) is usable
