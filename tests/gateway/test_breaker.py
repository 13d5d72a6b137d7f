"""The breaker of a line: nobody waits for a far end that fails, and the line comes back by itself."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from gateway.line import Http, Slow
from gateway.shapes import envelope
from gateway.test_client import PLACE, QUESTION, QUICK, line, signing_in
from settlement.gateway.breaker import Breaker, LineRests
from settlement.gateway.outcome import Answered, NoAnswer, NotSent

START = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


class Steered:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def a_breaker(clock: Steered) -> Breaker:
    return Breaker(failures_to_open=3, rest_seconds=15, most_at_once=4, clock=clock)


def refused_for(breaker: Breaker) -> float:
    with pytest.raises(LineRests) as rests, breaker.question():
        raise AssertionError("the line was asked")
    return rests.value.retry_after_seconds


def test_failures_in_a_row_open_it_and_an_answer_between_them_does_not():
    breaker = a_breaker(Steered())
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.answered()
    assert not breaker.is_open
    for _ in range(3):
        breaker.failed()
    assert refused_for(breaker) == 15


def test_after_its_rest_one_question_is_on_trial_and_decides():
    clock = Steered()
    breaker = a_breaker(clock)
    for _ in range(3):
        breaker.failed()
    clock.forward(15)
    with breaker.question():
        assert refused_for(breaker) == 1
        breaker.failed()
    assert refused_for(breaker) == 15
    clock.forward(15)
    with breaker.question():
        breaker.answered()
    with breaker.question(), breaker.question():
        assert not breaker.is_open


def test_a_clock_that_is_set_back_prolongs_no_rest():
    clock = Steered()
    breaker = a_breaker(clock)
    for _ in range(3):
        breaker.failed()
    clock.forward(-3600)
    with breaker.question():
        pass


def test_no_more_questions_are_under_way_than_the_line_may_have():
    breaker = a_breaker(Steered())
    with breaker.question(), breaker.question(), breaker.question(), breaker.question():
        assert refused_for(breaker) == 1
    with breaker.question():
        pass


async def test_a_far_end_that_fails_is_left_alone_until_it_answers_again():
    works = False

    def script(_):
        return Http(envelope({"setlinfo": {}})) if works else Http("", 502)

    async with line(signing_in(script), breaker_failures=3, breaker_rest_seconds=30) as (client, end):
        clock = client.clock
        for _ in range(3):
            assert isinstance(await client.ask_settlement(QUESTION, PLACE), NoAnswer)
        sent = len(end.messages)
        began = time.monotonic()
        rests = await client.ask_settlement(QUESTION, PLACE)
        assert time.monotonic() - began < 0.05
        assert isinstance(rests, NotSent)
        assert rests.retry_after_seconds == pytest.approx(30)
        assert len(end.messages) == sent
        works = True
        clock.now += timedelta(seconds=30)
        assert isinstance(await client.ask_settlement(QUESTION, PLACE), Answered)


async def test_a_far_end_that_is_slow_to_answer_is_left_alone_too():
    async def script(_):
        await asyncio.sleep(0.1)
        return Http(envelope({"setlinfo": {}}))

    async with line(script, sign_in=False, breaker_failures=2, slow_answer_seconds=0.05) as (client, _):
        for _ in range(2):
            assert isinstance(await client.ask_settlement(QUESTION, PLACE), Answered)
        assert isinstance(await client.ask_settlement(QUESTION, PLACE), NotSent)


async def test_a_far_end_that_hangs_holds_up_no_more_than_the_first_questions():
    async with line(lambda _: Slow(), sign_in=False, breaker_failures=4, **QUICK) as (client, _):
        began = time.monotonic()
        outcomes = await asyncio.gather(*(client.ask_settlement(QUESTION, PLACE) for _ in range(4)))
        assert all(isinstance(outcome, NoAnswer) for outcome in outcomes)
        first = time.monotonic() - began
        for _ in range(50):
            assert isinstance(await client.ask_settlement(QUESTION, PLACE), NotSent)
        assert time.monotonic() - began - first < 0.2


async def test_a_refusal_or_an_error_in_the_insurers_own_words_rests_nothing():
    answers = [envelope(None, -1, "系统繁忙"), envelope(None, -2, "未查询到结算信息")]
    async with line(lambda _: Http(answers[0]), sign_in=False, breaker_failures=2) as (client, end):
        for number in range(6):
            answers.sort(reverse=number % 2 == 0)
            await client.ask_settlement(QUESTION, PLACE)
        assert len(end.messages) == 6
