"""Which keys of the plan file have a place in some sheet, and which there are."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from settlement.plans.sheets.layout import SHEETS, Model, Table


def placed() -> Iterator[tuple[Model, str]]:
    """Yield each key of the model that has a place in some sheet."""
    for sheet in SHEETS:
        yield from sheet.structure
        if isinstance(sheet, Table):
            for column in sheet.columns:
                for model in column.of:
                    yield from _steps(model, column.key)
        else:
            for question in sheet.questions:
                for key in (question.key, question.clause):
                    if key is not None and not key.startswith("@"):
                        yield from _steps(sheet.model, key)


def _steps(model: Model, key: str) -> Iterator[tuple[Model, str]]:
    """Yield a key and the keys within it, `names.zh` as `names` and as the `zh` of what stands there."""
    for step in key.split("."):
        if step not in keys_of(model):
            return
        yield model, step
        inner = models_in(model.model_fields[keys_of(model)[step]].annotation)
        if not inner:
            return
        model = inner[0]


def keys_of(model: Model) -> dict[str, str]:
    """Return the keys of a part of the file with the names of their fields."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


def models_in(annotation: object) -> list[Model]:
    """Return the parts that a field may hold, in the order of its annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    inner = list(getattr(annotation, "__args__", ()))
    value = getattr(annotation, "__value__", None)
    return [model for each in (*inner, *([value] if value else [])) for model in models_in(each)]
