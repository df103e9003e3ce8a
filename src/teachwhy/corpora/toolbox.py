"""A library of tool schemas and operators' system prompts, for conversations that stand in many contexts.

The tools lie in ``tools/``, one YAML file a sector: a tool is ``{description, parameters, required}``, parameters in
the words of JSON Schema. The system prompts lie in ``system-prompts/``, each with the sectors whose tools fit it.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from teachwhy.errors import CorpusError, TextError, nearest
from teachwhy.texts import Meta, load_text, read_utf8, validated

_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


class Parameter(Meta):
    """One parameter of a tool: the part of JSON Schema that operators use. What is not said is not in the schema."""

    type: Literal["string", "integer", "number", "boolean", "array", "object"]
    description: str | None = None
    enum: list[bool | int | float | str] | None = None
    format: str | None = None
    pattern: str | None = None
    minimum: float | int | None = None
    maximum: float | int | None = None
    default: bool | int | float | str | None = None
    items: "Parameter | None" = None
    properties: "dict[str, Parameter] | None" = None
    required: list[str] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for value in [*(self.enum or []), *([] if self.default is None else [self.default])]:
            if not isinstance(value, _PYTHON[self.type]) or isinstance(value, bool) != (self.type == "boolean"):
                raise ValueError(f"{value!r} is not of type {self.type}")
        if self.enum and self.default is not None and self.default not in self.enum:
            raise ValueError(f"the default {self.default!r} is not in the enum")
        if (self.type == "array") != (self.items is not None):
            raise ValueError("an array, and nothing else, has items")
        if (self.type == "object") != (self.properties is not None):
            raise ValueError("an object, and nothing else, has properties")
        _check_required(self.required or [], self.properties or {})
        return self


class Tool(Meta):
    """One tool as its file gives it. ``required`` names the parameters that a call must have."""

    description: str
    parameters: dict[str, Parameter]
    required: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _known(self) -> Self:
        _check_required(self.required, self.parameters)
        return self


class _Sectors(Meta):
    sectors: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Operator:
    """What somebody who builds on a model tells it: the text, and the ``sectors`` whose tools fit it."""

    name: str
    sectors: tuple[str, ...]
    text: str


def sectors() -> list[str]:
    """The sectors that have tools."""
    return sorted(_library())


def schemas(sector: str | None = None) -> list[dict[str, Any]]:
    """Function schemas in the form of OpenAI's ``tools``, the caller's own to change.

    Args:
        sector: only the tools of this one; otherwise all, sector by sector.

    Raises:
        CorpusError: no such sector.
        TextError: a file breaks the format.
    """
    if sector is not None and sector not in _library():
        raise CorpusError(f"there are no tools of a sector '{sector}'", mend=nearest(sector, sectors()))
    chosen = sectors() if sector is None else [sector]
    return [_schema(name, tool) for one in chosen for name, tool in _library()[one].items()]


def fitting(field: str) -> list[dict[str, Any]]:
    """Function schemas of the sectors that fit an errand of this field (``fields.yaml``); all, for any other field."""
    return [schema for sector in _fields().get(field, sectors()) for schema in schemas(sector)]


def system_prompts() -> list[Operator]:
    """The system prompts, by name.

    Raises:
        TextError: a file breaks the format, or names a sector that has no tools.
    """
    return list(_operators())


def _check_required(required: list[str], known: dict[str, Parameter]) -> None:
    if missing := [name for name in required if name not in known]:
        raise ValueError(f"'{missing[0]}' is required and is no parameter ({nearest(missing[0], known)})")


def _schema(name: str, tool: Tool) -> dict[str, Any]:
    properties = {key: value.model_dump(exclude_unset=True) for key, value in tool.parameters.items()}
    parameters = {"type": "object", "properties": properties, "required": list(tool.required)}
    return {"type": "function", "function": {"name": name, "description": tool.description, "parameters": parameters}}


def _root() -> Path:
    return Path(str(resources.files("teachwhy.corpora")))


@cache
def _library() -> dict[str, dict[str, Tool]]:
    return {path.stem: load_tools(path) for path in sorted((_root() / "tools").glob("*.yaml"))}


@cache
def _fields() -> dict[str, list[str]]:
    found: dict[str, list[str]] = yaml.safe_load(read_utf8(_root() / "fields.yaml"))
    return found


def load_tools(path: Path) -> dict[str, Tool]:
    """Read the tools of one sector.

    Raises:
        TextError: the file is not YAML, maps no names to tools, or a tool breaks the format.
    """
    try:
        raw = yaml.safe_load(read_utf8(path))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        raise TextError(f"the tools are not YAML: {error}", where=path) from None
    if not isinstance(raw, dict) or not raw:
        raise TextError("a file of tools maps names to tools", where=path)
    return {str(name): validated(Tool, tool, where=f"{path}, {name}") for name, tool in raw.items()}


@cache
def _operators() -> tuple[Operator, ...]:
    return tuple(load_operator(path) for path in sorted((_root() / "system-prompts").glob("*.md")))


def load_operator(path: Path) -> Operator:
    """Read one system prompt: front matter ``sectors: [...]``, then the text.

    Raises:
        TextError: it breaks the format, has level-2 headings, or names a sector that has no tools.
    """
    text = load_text(path, _Sectors)
    if text.sections:
        raise TextError("a system prompt has no level-2 headings", where=path, mend="use '#' or '###'")
    if not text.lead:
        raise TextError("the system prompt is empty", where=path)
    for sector in text.meta.sectors:
        if sector not in _library():
            raise TextError(f"there are no tools of a sector '{sector}'", where=path, mend=nearest(sector, sectors()))
    return Operator(path.stem, text.meta.sectors, text.lead)
