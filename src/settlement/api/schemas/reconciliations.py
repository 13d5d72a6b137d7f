"""What is sent and answered about reconciliation: days, lists, breaks and what is done about them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from settlement.api.schemas.bills import Strict
from settlement.domain.reconciliation import BreakAction, BreakKind, BreakStatus, Resolution, Source


class ActionRequest(Strict):
    """One action on a break. `owner` goes with `assign` (absent: nobody), `resolution` with `resolve`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"action": "settle"},
                {"action": "assign", "owner": "clerk"},
                {"action": "resolve", "resolution": "accepted", "remark": "医保已出更正单"},
            ]
        }
    )

    action: BreakAction
    owner: str | None = Field(None, max_length=64, description="Login of a staff account.")
    resolution: Resolution | None = None
    remark: str | None = Field(None, max_length=500, description="What was found out; no names of members.")


class RefusedLine(BaseModel):
    """A line that does not say which bill it is about. Nothing counts as absent from a list that has one."""

    line: int
    field: str
    problem: str


class ImportedList(BaseModel):
    """A list as it was imported."""

    id: UUID
    source: Source
    business_date: date
    hospital_codes: list[str]
    line_count: int
    refused_count: int
    refused: list[RefusedLine]


class Reconciliation(BaseModel):
    """The list as it was imported, and what the day came to; a hospital is told of its list only."""

    list: ImportedList
    found: dict[str, dict[str, int]] | None = Field(examples=[{"bureau": {"missing_here": 2}}])
    opened_count: int | None
    resolved_count: int | None
    confirmed_count: int | None


class ReconciledDayShown(BaseModel):
    """A business date as it was last run. `found` counts breaks by source and kind; `open_count` is of now."""

    business_date: date
    run_at: str
    actor: str
    bureau: bool
    hospital_codes: list[str]
    recorded_count: int
    bureau_count: int
    hospital_count: int
    found: dict[str, dict[str, int]]
    open_count: int
    unconfirmed_count: int


class DayPage(BaseModel):
    """Days, the newest first."""

    days: list[ReconciledDayShown]
    next_cursor: str | None


class StepShown(BaseModel):
    """One step of a break's history."""

    step: int
    kind: str = Field(examples=["opened"])
    details: dict[str, Any]
    actor: str
    at: str


class BreakShown(BaseModel):
    """One difference: what our record and the list say, since when, whose it is, and how it ended."""

    id: UUID
    source: Source
    kind: BreakKind
    sentence: str
    area: str
    insurer_settlement_id: str
    business_date: date
    bill_id: UUID | None
    hospital_code: str | None
    figures: dict[str, Any] = Field(examples=[{"ours": {"billed": "9000.00"}, "theirs": {"billed": "9001.00"}}])
    opened_at: str
    age_days: int
    owner: str | None
    status: BreakStatus
    resolution: Resolution | None
    resolved_by: str | None
    resolved_at: str | None
    proposed: Annotated[BreakAction | None, Field(description="What is proposed; `null` once it is resolved.")]


class BreakPage(BaseModel):
    """Breaks in the order in which they were opened."""

    breaks: list[BreakShown]
    next_cursor: str | None


class BreakHistory(BreakShown):
    """A break with its history."""

    steps: list[StepShown]
