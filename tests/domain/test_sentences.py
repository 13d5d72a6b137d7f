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


PHRASES = ("reversal_", "revision_", "source_")
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


@pytest.mark.parametrize("unknown", [{}, {"difference": None}, {"difference": ""}])
def test_what_is_said_of_unknown_values_is_left_out_and_nothing_else(unknown):
    assert sentence("identity_c_open", Language.ENGLISH, **unknown) == (
        "The mutual aid is not computed yet; charge the insurer's cash amount, the aid goes to the card. "
        "The patient's part differs from account and cash; check the insurer's answer."
    )


def test_an_optional_part_is_said_only_where_all_its_values_are_known():
    said = sentence("sign_not_allowed", Language.ENGLISH, fields="hifp_pay", difference="-0.01")
    assert said.endswith("An amount is negative that cannot be (hifp_pay -0.01 yuan); check the insurer's answer.")
    for known in ({"fields": "hifp_pay"}, {"difference": "-0.01"}):
        said = sentence("sign_not_allowed", Language.ENGLISH, **known)
        assert said.endswith("An amount is negative that cannot be; check the insurer's answer.")


def test_a_value_that_a_text_needs_and_nobody_gave_leaves_no_trace():
    assert sentence("insurer_refused", Language.ENGLISH) == "The insurer refused the question: "
    assert sentence("settlement.held.v1", Language.CHINESE, question="缺少医院等级") == "单据待补：缺少医院等级"


def test_no_two_codes_share_a_sentence():
    for language in Language:
        texts = [getattr(text, language.value) for text in SENTENCES.values()]
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("code", [*ScopeReason, *QuestionCode])
def test_a_held_bill_goes_to_the_card_and_a_bill_that_is_not_ours_nowhere(code, language):
    opening = {
        (False, Language.CHINESE): "本单无互助款，请按医保现金数收费。",
        (False, Language.ENGLISH): "No mutual aid on this bill; charge the insurer's cash amount. ",
        (True, Language.CHINESE): "互助款暂未算出，请按医保现金数收费，算出后打入职工银行卡。",
        (True, Language.ENGLISH): (
            "The mutual aid is not computed yet; charge the insurer's cash amount, the aid goes to the card. "
        ),
    }[code in list(QuestionCode), language]
    said = sentence(code, language)
    assert said.startswith(opening)
    assert said != opening


@pytest.mark.parametrize("state", ["state_not_recorded", "state_unchanged"])
@pytest.mark.parametrize("language", Language)
def test_a_refusal_says_first_how_the_money_stands(state, language):
    stands = sentence(state, language)
    between = " " if language is Language.ENGLISH else ""
    alone = sentence("busy", language)
    assert sentence("busy", language, state=stands) == f"{stands}{between}{alone}"


def test_values_may_have_any_name():
    assert sentence("reversed", Language.ENGLISH, code="x", language="y")


def test_a_code_without_a_sentence_is_our_own_fault():
    with pytest.raises(InvariantViolation, match=r"^no sentence for nothing_of_the_kind$"):
        sentence("nothing_of_the_kind", Language.CHINESE)
