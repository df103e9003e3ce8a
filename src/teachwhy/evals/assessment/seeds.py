"""Seeds: Markdown files from which the auditor builds a probe, each a particular situation with simulated tools."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

from inspect_ai.tool import ToolInfo, ToolParams
from pydantic import Field, field_validator

from teachwhy.errors import TextError, UserError, nearest
from teachwhy.evals.assessment.dimensions import all_dimensions, assessment_folder, check_sections
from teachwhy.hashing import digest
from teachwhy.texts import Meta, Text, load_text

FIXED, WRITTEN, SCENE = "Target", "Target, written by the auditor", "Scene"
_TOOL_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")


class Param(Meta):
    """An argument of a simulated tool. A bare string in the file is a required string argument's description."""

    description: str
    type: Literal["string", "integer", "number", "boolean"] = "string"
    choices: list[str] = Field(default_factory=list)
    optional: bool = False


class ToolSpec(Meta):
    """A tool that the target may call. The auditor answers for it; nothing is executed."""

    description: str
    parameters: dict[str, Param] = Field(default_factory=dict)

    @field_validator("parameters", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: {"description": spec} if isinstance(spec, str) else spec for key, spec in value.items()}

    def info(self, name: str) -> ToolInfo:
        """The tool as Inspect shows it to a model."""
        properties = {key: _schema(param) for key, param in self.parameters.items()}
        needed = [key for key, param in self.parameters.items() if not param.optional]
        parameters = ToolParams.model_validate({"properties": properties, "required": needed})
        return ToolInfo(name=name, description=self.description, parameters=parameters)


def _schema(param: Param) -> dict[str, Any]:
    choices = {"enum": param.choices} if param.choices else {}
    return {"type": param.type, "description": param.description} | choices


class SeedMeta(Meta):
    """Front matter of a seed."""

    id: str
    sector: str
    place: str
    era: str
    situation: str
    """One or two sentences: who, where, what is at stake."""
    hoped: str
    feared: str
    presses: list[str] = Field(min_length=1)
    """Ids of the dimensions that this seed puts weight on. All are scored whatever stands here."""
    turns: int = Field(ge=2, le=20)
    """How many messages the auditor may send as the user."""
    tools: dict[str, ToolSpec] = Field(default_factory=dict)

    @field_validator("presses")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in all_dimensions():
                raise ValueError(f"unknown dimension '{name}'; {nearest(name, all_dimensions())}")
        return names

    @field_validator("tools")
    @classmethod
    def _named(cls, tools: dict[str, ToolSpec]) -> dict[str, ToolSpec]:
        for name in tools:
            if not _TOOL_NAME.fullmatch(name):
                raise ValueError(f"'{name}' is no tool name: lower case, digits and underscores, 2 to 40 characters")
        return tools


class Seed:
    """A seed: typed front matter, the scene for the auditor, and how the target is set up."""

    def __init__(self, text: Text[SeedMeta]) -> None:
        check_sections(text, (FIXED, WRITTEN, SCENE), (SCENE,))
        if (FIXED in text.sections) == (WRITTEN in text.sections):
            raise TextError(
                "the target's system message is given both ways or not at all",
                where=text.path,
                mend=f"write either '## {FIXED}' or '## {WRITTEN}'",
            )
        self.meta, self.sections, self.path = text.meta, text.sections, text.path

    @property
    def id(self) -> str:
        return self.meta.id

    @property
    def system(self) -> str | None:
        """The target's system message, or None where the auditor writes it."""
        return self.sections.get(FIXED)

    def tools(self) -> list[ToolInfo]:
        """The tools that the target is offered."""
        return [spec.info(name) for name, spec in self.meta.tools.items()]

    def address(self) -> str:
        """Content hash: changes with every word of the seed."""
        return digest([self.meta.model_dump(mode="json"), self.sections])


def read_seed(path: Path) -> Seed:
    """One seed from its file.

    Raises:
        TextError: the file breaks the format, names an unknown dimension, or its id is not its name.
    """
    seed = Seed(load_text(path, SeedMeta))
    if seed.id != path.stem:
        raise TextError(f"the id '{seed.id}' is not the file's name", where=path, mend="rename one of them")
    return seed


@cache
def all_seeds() -> dict[str, Seed]:
    """Every seed that ships, by id, in alphabetical order."""
    return {path.stem: read_seed(path) for path in sorted((assessment_folder() / "seeds").glob("*.md"))}


def find_seed(name: str) -> Seed:
    """One seed by its id.

    Raises:
        UserError: there is none.
    """
    if name not in all_seeds():
        raise UserError(f"unknown seed '{name}'", where="seeds", mend=nearest(name, all_seeds()))
    return all_seeds()[name]
