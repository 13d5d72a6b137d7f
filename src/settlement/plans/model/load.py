"""Reads plan files: YAML into the model, with findings that name file and line where it does not fit."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from settlement.plans.findings import PlanRefused
from settlement.plans.form_errors import form_findings, not_utf8
from settlement.plans.model.file import Plan, PlanFile, PlanVersion
from settlement.plans.yaml_lines import read_yaml


def load_plan(text: str, name: str) -> Plan:
    """Read a plan file's text; `name` stands in findings. Raises `PlanRefused` with file, line and what to mend."""
    source = read_yaml(text, name)
    try:
        file = PlanFile.model_validate_json(json.dumps(source.tree))
    except ValidationError as error:
        raise PlanRefused(form_findings(error, name, source.line_of, schema())) from None
    versions = tuple(PlanVersion(format=file.format, header=file.plan, body=body) for body in file.versions)
    return Plan(source, file, versions)


def read_plan(path: Path) -> Plan:
    """Read a plan file from disk. Raises `PlanRefused` as `load_plan` does, and for a file that is not UTF-8."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise PlanRefused([not_utf8(str(path))]) from None
    return load_plan(text, str(path))


def schema() -> dict[str, object]:
    """Return the JSON Schema of a plan file."""
    return PlanFile.model_json_schema()
