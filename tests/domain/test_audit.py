"""Examinations: everything looked at is counted, the first offenders are named, what was not looked at is said."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from settlement.domain.audit import MOST_IDS, Examination, Finding, Invariant, Tally, findings_of

CLOSES = Invariant("closes", "Every bill closes.")
NETS = Invariant("nets", "Every reversal nets to zero.")


@given(st.lists(st.booleans(), max_size=60))
@example([False] * (MOST_IDS + 1))
def test_a_tally_counts_all_and_names_the_first_offenders(held):
    tally = Tally(CLOSES)
    for number, holds in enumerate(held):
        tally.note(holds, number)
    offenders = [str(number) for number, holds in enumerate(held) if not holds]
    found = tally.finding()
    assert found == Finding(CLOSES, len(held), len(offenders), tuple(offenders[:MOST_IDS]))
    assert found.holds == all(held)


def test_an_offender_that_breaks_a_law_twice_is_counted_twice_and_named_once():
    tally = Tally(CLOSES)
    tally.note(False, 7)
    tally.note(False, "7")
    assert tally.finding() == Finding(CLOSES, 2, 2, ("7",))


def test_what_could_not_be_looked_at_is_counted_and_said():
    tally = Tally(CLOSES)
    tally.pass_over("no key")
    tally.pass_over("the key is lost")
    found = tally.finding()
    assert found == Finding(CLOSES, 0, 0, (), not_examined=2, why="the key is lost")
    assert found.holds


def test_an_examination_says_which_laws_are_broken():
    closing, netting = Tally(CLOSES), Tally(NETS)
    closing.note(False, "b1")
    netting.note(True, "b1")
    netting.pass_over("gone")
    examination = Examination(tuple(findings_of([closing, netting])))
    assert [found.invariant for found in examination.broken] == [CLOSES]
    assert examination.to_json() == {
        "invariants_examined": 2,
        "invariants_broken": 1,
        "findings": [
            {
                "name": "closes",
                "law": "Every bill closes.",
                "holds": False,
                "examined": 1,
                "broken": 1,
                "ids": ["b1"],
                "not_examined": 0,
                "why_not": "",
            },
            {
                "name": "nets",
                "law": "Every reversal nets to zero.",
                "holds": True,
                "examined": 1,
                "broken": 0,
                "ids": [],
                "not_examined": 1,
                "why_not": "gone",
            },
        ],
    }
