"""The reviewed texts: complete in both languages, the state of the money first, never in the way."""

from __future__ import annotations

import re

import pytest

from settlement.domain.errors import InvariantViolation
from settlement.domain.scope import ScopeReason
from settlement.domain.sentences import SENTENCES, Language, sentence
from settlement.gateway.readings import QuestionCode

OUTCOMES = [
    "aid_on_bill",
    "aid_to_card",
    "aid_split",
    "plan_pays_nothing",
    "held_at_counter",
    "not_recorded",
    "reversed",
]


PHRASES = ("reversal_", "source_")
"""Beginnings of codes whose texts stand inside a sentence."""


@pytest.mark.parametrize("code", sorted(code for code in SENTENCES if not code.startswith(PHRASES)))
def test_a_sentence_says_the_same_in_both_languages(code):
    zh, en = SENTENCES[code]
    assert sorted(re.findall(r"\{(\w+)\}", zh)) == sorted(re.findall(r"\{(\w+)\}", en))
    assert zh.endswith(("。", "}"))
    assert en.endswith((".", "}"))
    assert re.search(r"[一-鿿]", zh)
    assert not re.search(r"[一-鿿]", en)


@pytest.mark.parametrize("code", [*ScopeReason, *QuestionCode, *OUTCOMES])
def test_a_sentence_begins_with_the_state_of_the_money(code):
    assert SENTENCES[code].zh.startswith(("互助", "本单"))
    first_half = SENTENCES[code].zh[:25]
    assert "互助" in first_half


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_a_sentence_without_values_has_no_gaps(code, language):
    assert not re.search(r"[\[\]{}]", sentence(code, language))


def test_values_are_said_where_they_are_known():
    said = sentence("identity_b_open", Language.CHINESE, difference="0.01", medfee_sumamt="9000.00")
    assert "相差 0.01 元" in said
    assert "相差" not in sentence("identity_b_open", Language.CHINESE)


def test_values_may_have_any_name():
    assert sentence("reversed", Language.ENGLISH, code="x", language="y")


def test_a_code_without_a_sentence_is_our_own_fault():
    with pytest.raises(InvariantViolation):
        sentence("nothing_of_the_kind", Language.CHINESE)
