"""Shapes: what pydantic finds wrong, in our words; its own would repeat what the file holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel, ValidationError

from spendguard.config.places import RefusedError
from spendguard.config.problems import Found, Location, quoted, suggestion
from spendguard.config.settings import Settings


def shape_problems(error: ValidationError) -> Iterator[Found]:
    """Return a problem for each place at which the file does not fit the model."""
    for one in error.errors(include_input=False, include_url=False):
        refusal = one.get("ctx", {}).get("error")
        if isinstance(refusal, RefusedError):
            yield Found(one["loc"], refusal.message, refusal.hint)
        else:
            yield Found(one["loc"], *_shape(one["type"], one["loc"]))


def _shape(kind: str, where: Location) -> tuple[str, str]:
    name = next((str(part) for part in reversed(where) if isinstance(part, str)), "")
    if kind == "missing":
        return "is missing", _hint(where)
    if kind == "extra_forbidden":
        return f"unknown key {quoted(name)}", _known_keys(where)
    if kind == "tuple_type":
        return "must be an array of tables", f"write [[{name}]], in two pairs of brackets"
    if isinstance(where[-1], int):
        return "must be a table", f"write [[{name}]], and its keys below it"
    dotted = ".".join(str(part) for part in where if isinstance(part, str))
    return "must be a table", f"write [{dotted}], and its keys below it"


def _keys(table: type[BaseModel]) -> dict[str, str]:
    return {
        field.alias or name: field.description or "" for name, field in table.model_fields.items()
    }


def _hint(where: Location) -> str:
    return _keys(_table(where[:-1]))[str(where[-1])]


def _known_keys(where: Location) -> str:
    """Return what may have been meant; a key of an outer table was written too far down."""
    here = _keys(_table(where[:-1]))
    hint = suggestion(str(where[-1]), here)
    if len(where) > 3 and where[-1] in _keys(_table(where[:2])):
        return f"it is a key of [[{where[0]}]]: place it above [{where[0]}.{where[2]}]"
    if len(where) > 1 and where[-1] in _keys(Settings):
        return "it is a key of the whole file: place it above the first section"
    return hint


def _table(where: Location) -> type[BaseModel]:
    """Return the model at a place of the file."""
    table: type[BaseModel] = Settings
    for part in where:
        if isinstance(part, str):
            table = next(_models(table.model_fields[part].annotation))
    return table


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
