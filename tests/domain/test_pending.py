"""When an answer about what is pending is a fact, when it is asked again, and what is said meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.domain.ids import BillId
from settlement.domain.pending import (
    Asks,
    Ending,
    Patience,
    PendingQuestion,
    Said,
    ask_again_at,
    ending_of,
    standing_of,
)
from settlement.domain.sentences import SENTENCES, Language, sentence
from settlement.domain.settlements import BillHead, BillState, Door

OPENED = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
PATIENCE = Patience(timedelta(seconds=30), timedelta(minutes=30), timedelta(seconds=180), timedelta(days=2))


def a_question(asks: Asks = Asks.SETTLEMENT, tries: int = 1, outcome: Ending | None = None) -> PendingQuestion:
    return PendingQuestion(
        BillId(UUID(int=1)), asks, "m", OPENED, OPENED, OPENED + PATIENCE.deadline, tries, outcome=outcome
    )


def after(seconds: float) -> datetime:
    return OPENED + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("asks", "said", "early", "late"),
    [
        (Asks.BILL, Said.LIVE, Ending.CONFIRMED, Ending.CONFIRMED),
        (Asks.BILL, Said.CANCELLED, Ending.CANCELLED, Ending.CANCELLED),
        (Asks.BILL, Said.NOT_FOUND, None, Ending.UNRESOLVED),
        (Asks.BILL, Said.OTHER_FIGURES, Ending.UNRESOLVED, Ending.UNRESOLVED),
        (Asks.SETTLEMENT, Said.LIVE, Ending.SETTLED, Ending.SETTLED),
        (Asks.SETTLEMENT, Said.CANCELLED, Ending.CANCELLED, Ending.CANCELLED),
        (Asks.SETTLEMENT, Said.NOT_FOUND, None, Ending.NEVER_HAPPENED),
        (Asks.CANCELLATION, Said.CANCELLED, Ending.CANCELLED, Ending.CANCELLED),
        (Asks.CANCELLATION, Said.LIVE, None, Ending.NEVER_HAPPENED),
        (Asks.CANCELLATION, Said.NOT_FOUND, None, Ending.UNRESOLVED),
        *[(asks, said, None, None) for asks in Asks for said in (Said.UNCLEAR, Said.NOTHING)],
    ],
)
def test_what_the_insurer_says_ends_a_question_before_and_after_the_longest_upstream_time(asks, said, early, late):
    assert ending_of(a_question(asks), said, after(179.9), PATIENCE) is early
    assert ending_of(a_question(asks), said, after(180), PATIENCE) is late


@pytest.mark.parametrize("asks", Asks)
@pytest.mark.parametrize("said", Said)
def test_no_question_outlives_its_deadline(asks, said):
    assert ending_of(a_question(asks), said, OPENED + PATIENCE.deadline, PATIENCE) is not None


def test_the_pause_doubles_up_to_the_longest():
    pauses = [
        (ask_again_at(a_question(tries=tries), after(1000), PATIENCE, 0) - after(1000)).total_seconds()
        for tries in (1, 2, 3, 4, 5, 6, 7, 8, 40)
    ]
    assert pauses == [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]


@given(
    tries=st.integers(0, 10_000),
    seconds=st.floats(0, 200_000),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_chance_takes_at_most_half_of_a_pause_and_no_turning_point_is_slept_through(tries, seconds, chance):
    now = after(seconds)
    due = ask_again_at(a_question(tries=tries), now, PATIENCE, chance)
    assert now < due <= now + PATIENCE.longest_pause
    for turning in (OPENED + PATIENCE.longest_upstream, OPENED + PATIENCE.deadline):
        assert not now < turning < due


def a_head(state: BillState, *, confirmed: bool = False) -> BillHead:
    return BillHead(
        BillId(UUID(int=1)), "HZ", state, "371600", "1", Door.API, OPENED, confirmed_at=OPENED if confirmed else None
    )


@pytest.mark.parametrize(
    ("head", "question", "known", "tell"),
    [
        (a_head(BillState.LIVE, confirmed=True), None, "known_live", "tell_live"),
        (a_head(BillState.LIVE), None, "known_unconfirmed", "tell_live"),
        (a_head(BillState.LIVE), a_question(Asks.BILL), "known_unconfirmed", "tell_live"),
        (a_head(BillState.LIVE), a_question(Asks.CANCELLATION), "known_cancelling", "tell_cancelling"),
        (
            a_head(BillState.LIVE, confirmed=True),
            a_question(Asks.CANCELLATION, outcome=Ending.NEVER_HAPPENED),
            "known_live",
            "tell_live",
        ),
        (a_head(BillState.HELD), a_question(Asks.BILL), "known_held", "tell_held"),
        (a_head(BillState.REVERSED), None, "known_undone", "tell_undone"),
        (a_head(BillState.CANCELLED_UNSEEN), None, "known_undone", "tell_undone"),
        (a_head(BillState.PENDING), a_question(), "known_asked", "tell_asked"),
        (a_head(BillState.PENDING), a_question(outcome=Ending.UNRESOLVED), "known_unresolved", "tell_unresolved"),
        *[
            (a_head(BillState.RESOLVED), a_question(outcome=ending), f"known_{ending}", f"tell_{ending}")
            for ending in (Ending.SETTLED, Ending.CANCELLED, Ending.NEVER_HAPPENED)
        ],
    ],
)
def test_at_each_moment_two_sentences_say_what_is_known_and_what_to_tell(head, question, known, tell):
    standing = standing_of(head, question)
    assert (standing.known, standing.tell) == (known, tell)
    assert {known, tell} <= set(SENTENCES)


def test_how_often_was_asked_is_said_once_it_was_asked():
    assert "2" in sentence("known_asked", Language.CHINESE, tries=2)
    assert sentence("known_asked", Language.CHINESE, tries=None) == "医保是否已结算尚不清楚。"
