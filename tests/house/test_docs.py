"""The documents keep up with the code: every word that the service says is in the glossary, every setting explained."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from settlement.api.problems import STATUS
from settlement.config import Settings
from settlement.domain.sentences import SENTENCES
from settlement.domain.settlements import ReversalReason, RevisionReason
from settlement.plans.model import schema

ROOT = Path(__file__).parents[2]
WORDS = (ROOT / "docs" / "words.md").read_text(encoding="utf-8")


PARTS_OF_SENTENCES = ("reversal_", "revision_", "source_", "state_")


@pytest.mark.parametrize(
    "code",
    sorted(
        {*SENTENCES, *STATUS, *ReversalReason, *RevisionReason}
        - {c for c in SENTENCES if c.startswith(PARTS_OF_SENTENCES)}
    ),
)
def test_the_glossary_names_every_code(code: str):
    assert f"`{code}`" in WORDS


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_explained(name: str):
    assert f"`{name.upper()}`" in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md"], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_published_schema_of_the_plan_file_is_the_models():
    kept = json.loads((ROOT / "plans" / "plan.schema.json").read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(schema())), "write it anew: settlement plan schema > plans/plan.schema.json"
