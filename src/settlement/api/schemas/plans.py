"""What is sent and answered about plans: drafts, their steps, versions, what differs, and what a version touches."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from settlement.api.schemas.answers import Yuan
from settlement.api.schemas.bills import Strict

LONGEST_SOURCE = 500_000

_SOURCE = """format: 1
plan:
  code: hangzhou
  names: {zh: 杭州市在职职工医疗互助, en: Hangzhou medical mutual aid for employees}
versions:
  - version: "2026"
    effective_from: 2026-01-01
"""

VersionName = Annotated[str, Field(min_length=1, max_length=64, examples=["2026"])]
Remark = Annotated[
    str, Field(min_length=1, max_length=500, description="About the plan; no names of members.", examples=["比例有误"])
]


class DraftRequest(Strict):
    """A plan file as text, of which one version is submitted as a draft."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"source": _SOURCE, "version": "2026"}]})

    source: str = Field(max_length=LONGEST_SOURCE, description="The plan file (YAML) as it stands.")
    version: VersionName | None = Field(None, description="Which version; needed where several are not published.")
    corrects: VersionName | None = Field(
        None, description="The version in force from the same first day whose place this one takes."
    )


class ApprovalRequest(Strict):
    """An approval takes note of the warnings that the check found."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"remark": "已核对公布的标准"}]})

    remark: Remark | None = None


class RejectionRequest(Strict):
    """A rejection says what is to be mended."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"remark": "第二段比例应为 50%"}]})

    remark: Remark


class WithdrawalRequest(Strict):
    """An author takes a draft back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"remark": "另行起草"}]})

    remark: Remark | None = None


class PublicationRequest(Strict):
    """A publication needs nothing beside the approved draft."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class PlanFinding(BaseModel):
    """What the check found: an `error` keeps the draft from being approved, a `warning` is taken note of."""

    severity: str = Field(examples=["warning"])
    line: int | None = Field(examples=[51])
    clause: str | None
    zh: str
    en: str


class PlanStep(BaseModel):
    """What was done with a draft, by whom and when: `checked` or `faulty`, `approved`, `rejected`, `withdrawn`, …"""

    kind: str = Field(examples=["approved"])
    actor: str = Field(examples=["wang"])
    at: str = Field(examples=["2026-01-05T09:30:00.000+08:00"])
    remark: str | None


class InForce(BaseModel):
    """The service dates that a version prices: from its first day, and before `until` where a later one follows."""

    first_day: str = Field(examples=["2026-01-01"])
    until: str | None = Field(examples=[None])


class PlanDraft(BaseModel):
    """A draft or version. `in_force` is of a published version that no other has corrected."""

    draft_id: str
    plan: str = Field(examples=["hangzhou"])
    version: str = Field(examples=["2026"])
    effective_from: str = Field(examples=["2026-01-01"])
    corrects: str | None
    digest: str
    state: str = Field(examples=["checked"])
    author: str = Field(examples=["zhang"])
    created_at: str = Field(examples=["2026-01-04T16:00:00.000+08:00"])
    errors: int
    warnings: int
    findings: list[PlanFinding]
    steps: list[PlanStep]
    in_force: InForce | None


class PlanDocument(PlanDraft):
    """A draft or version with its canonical text, which the digest is of, and the file it was read from."""

    document: str
    source: str


class PlanPage(BaseModel):
    """Drafts and versions, newest first; `next_cursor` for the page after, or none."""

    plans: list[PlanDraft]
    next_cursor: str | None


class Publication(PlanDraft):
    """A published version. `late`: a settlement was recorded for its dates already; `touched_count`: under another."""

    late: bool
    touched_count: int = Field(examples=[2])


class TouchedSettlement(BaseModel):
    """A live settlement under another version: its aid, and what it would be now; `missing_fact` says why it is not."""

    id: str
    settlement_no: str
    service_date: str
    recorded_under: str = Field(examples=["2018"])
    aid_recorded: Yuan = Field(examples=["389.83"])
    aid_now: Yuan | None = Field(examples=["489.83"])
    difference: Yuan | None = Field(examples=["100.00"])
    missing_fact: str | None


class TouchedPage(BaseModel):
    """What a version touches, by service date; nothing is changed by it."""

    version: str
    state: str
    settlements: list[TouchedSettlement]
    next_cursor: str | None


class PlanDifference(BaseModel):
    """One part that differs, in the file's own writing, as a line in two languages."""

    path: str = Field(examples=["body.benefits[inpatient].rules[bands].bands[0].rate"])
    clause: str | None
    before: str | None = Field(examples=["20%"])
    after: str | None = Field(examples=["30%"])
    zh: str
    en: str


class PlanDiff(BaseModel):
    """What differs from the version `against` to the version."""

    version: str
    against: str
    differences: list[PlanDifference]
