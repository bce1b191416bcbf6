"""`make config`: every key of the configuration, its type, its value here, and what it means."""

import typing
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import UnionType
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.table import Table

from project.config import Config

_SIGNS = {"Gt(gt=": "> ", "Ge(ge=": ">= ", "Lt(lt=": "< ", "Le(le=": "<= "}


def print_config(config: Config, console: Console) -> None:
    """Prints the table; of a list's items, the keys are said once."""
    table = Table("Key", "Type", "Here", "What it means", title="use_case/config.yml", title_justify="left")
    for row in describe_config(config):
        table.add_row(*row)
    console.print(table)


def describe_config(config: Config) -> Iterator[tuple[str, str, str, str]]:
    """Key, type, value and meaning of each key; those of `settings` by the use case's own word, where it has one."""
    yield from describe(type(config), config)
    if find_spec("use_case.settings"):
        settings = import_module("use_case.settings").settings_of(config)
        yield from describe(type(settings), settings, "settings.")


def describe(model: type[BaseModel], value: BaseModel | None, prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Key, type, value and meaning of each field, those of a section after the section itself."""
    for name, field in model.model_fields.items():
        key, given = f"{prefix}{name}", getattr(value, name) if value is not None else None
        sections = _sections(field.annotation)
        meaning = " ".join((field.description or _first_line(sections)).split())
        if not sections:
            yield key, _named(field), _written(given), meaning
            continue
        is_many = any(typing.get_origin(field.annotation) is kind for kind in (tuple, dict))
        yield f"{key}{'[]' if is_many else ''}", "", f"{len(given)} of them" if is_many and given else "", meaning
        chosen = [type(given)] if isinstance(given, BaseModel) else sections
        for section in dict.fromkeys(chosen):
            of = given if isinstance(given, BaseModel) else None
            yield from describe(section, of, f"{key}[]." if is_many else f"{key}.")


def _sections(annotation: Any) -> list[type[BaseModel]]:
    """The sections that a type holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in typing.get_args(annotation) for section in _sections(part)]


def _first_line(sections: list[type[BaseModel]]) -> str:
    return (sections[0].__doc__ or "").split("\n")[0] if sections else ""


def _named(field: FieldInfo) -> str:
    """A type as a person says it, with the bounds of a number."""
    bounds = [
        sign + str(bound).removeprefix(start).removesuffix(")")
        for bound in field.metadata
        for start, sign in _SIGNS.items()
        if str(bound).startswith(start)
    ]
    return " and ".join(filter(None, [f"{_type(field.annotation)} {bounds[0] if bounds else ''}".strip(), *bounds[1:]]))


def _type(annotation: Any) -> str:
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " | ".join(map(str, parts))
    if origin is typing.Annotated:
        return _type(parts[0])
    if origin in (UnionType, typing.Union):
        return " | ".join(_type(part) for part in parts if part is not type(None))
    if origin is tuple:
        return f"list of {_type(parts[0])}"
    if origin is dict:
        return f"map of {_type(parts[1])}"
    return {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "datetime": "moment"}.get(
        getattr(annotation, "__name__", ""), "any"
    )


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_written(one)}" for key, one in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(map(_written, value))
    return str(value)
