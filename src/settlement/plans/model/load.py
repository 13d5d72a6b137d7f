"""Reads plan files: YAML into the model, with findings that name file and line where it does not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
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
        file = PlanFile.model_validate_json(json.dumps(with_idle_declarations(source.tree)))
    except ValidationError as error:
        raise PlanRefused(form_findings(error, name, source.line_of, schema())) from None
    versions = tuple(PlanVersion(format=file.format, header=file.plan, body=body) for body in file.versions)
    return Plan(source, file, versions)


_OF_AMOUNTS = ("base", "burden")
_IDLE = "本方案只有定额，不涉及账单金额"
_IDLE_DECLARATIONS: Mapping[str, Mapping[str, str]] = {
    "rounding": {"mode": "half_up", "place": "bands_total", "clause": _IDLE},
    "account_money": {"counts_as": "burden", "clause": _IDLE},
    "overpayment": {"recovery": "by_person", "clause": "本方案约定：多付由人工处理"},
}


def with_idle_declarations(tree: object) -> object:
    """Return a file's data with the declarations about bill amounts, where it uses none and leaves them out.

    Allowances and fixed sums look at no amount of the bill and round nothing, so nobody has to decide how.
    """
    if not isinstance(tree, dict) or not isinstance(tree.get("plan"), dict) or _uses_amounts(tree.get("versions")):
        return tree
    return {**tree, "plan": {**{key: dict(said) for key, said in _IDLE_DECLARATIONS.items()}, **tree["plan"]}}


def _uses_amounts(part: object) -> bool:
    """Say whether a sum of a bill's amounts, or a rule that multiplies, stands anywhere in a part of a file."""
    if isinstance(part, list):
        return any(map(_uses_amounts, part))
    if not isinstance(part, dict):
        return False
    own = part.get("rule") in ("rate", "bands") or any(key in part for key in _OF_AMOUNTS)
    return own or any(map(_uses_amounts, part.values()))


def read_plan(path: Path) -> Plan:
    """Read a plan file from disk. Raises `PlanRefused` as `load_plan` does, and for a file that is not UTF-8."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise PlanRefused([not_utf8(str(path))]) from None
    return load_plan(text, str(path))


@cache
def schema() -> dict[str, object]:
    """Return the JSON Schema of a plan file; what only plans by amounts must declare is required on reading."""
    found = PlanFile.model_json_schema()
    header = found["$defs"]["Header"]
    header["required"] = [key for key in header["required"] if key not in _IDLE_DECLARATIONS]
    return found
