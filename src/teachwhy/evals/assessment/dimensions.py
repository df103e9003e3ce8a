"""Dimensions: Markdown rubrics by which the judge scores a whole transcript from 1 to 10."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import BaseModel, model_validator

from teachwhy.errors import TextError, UserError, nearest
from teachwhy.hashing import digest
from teachwhy.texts import Meta, Text, load_text

LOWEST, HIGHEST = 1, 10
ANCHORS = ("1", "4", "7", "10")
SECTIONS = ("Counts", "Does not count", *ANCHORS)

Composite = Literal["bad", "good"]
M = TypeVar("M", bound=BaseModel)


class DimensionMeta(Meta):
    """Front matter of a dimension. ``sheet``: the dimensions that the judge scores in one call, to tell them apart."""

    id: str
    better: Literal["lower", "higher"]
    scale: tuple[Literal[1], Literal[10]]
    summary: str
    sheet: str
    composite: Composite | None = None
    """The composite that this dimension enters, if any."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.composite and (self.composite == "bad") != (self.better == "lower"):
            raise ValueError(f"composite '{self.composite}' does not go with better: {self.better}")
        return self


class Dimension:
    """One rubric: what counts, what does not, and an example at each anchor."""

    def __init__(self, text: Text[DimensionMeta]) -> None:
        self.meta, self.sections, self.path = text.meta, text.sections, text.path
        check_sections(text, SECTIONS, SECTIONS)

    @property
    def id(self) -> str:
        return self.meta.id

    def address(self) -> str:
        """Content hash: changes with every word of the rubric."""
        return digest([self.meta.model_dump(mode="json"), self.sections])

    def rubric(self) -> str:
        """The rubric as the judge reads it."""
        counts = [f"{name}: {self.sections[name]}" for name in SECTIONS[:2]]
        anchors = [f"At {name}: {self.sections[name]}" for name in ANCHORS]
        return "\n\n".join([f"### {self.id}\n{self.meta.summary}", *counts, *anchors])


def check_sections(text: Text[M], known: Sequence[str], needed: Sequence[str]) -> None:
    """Every heading is known and every needed one is there with words under it.

    Raises:
        TextError: otherwise.
    """
    for name in text.sections:
        if name not in known:
            raise TextError(f"unknown section '## {name}'", where=text.path, mend=nearest(name, known))
    for name in needed:
        if not text.sections.get(name):
            raise TextError(f"the section '## {name}' is missing or empty", where=text.path)
    if text.lead:
        raise TextError(f"words before the first heading: {text.lead[:60]!r}", where=text.path)


def assessment_folder() -> Path:
    """The folder that holds this evaluation's code and texts."""
    return Path(str(resources.files("teachwhy.evals.assessment")))


def read_dimension(path: Path) -> Dimension:
    """One dimension from its file.

    Raises:
        TextError: the file breaks the format, or its id is not its name.
    """
    dimension = Dimension(load_text(path, DimensionMeta))
    if dimension.id != path.stem:
        raise TextError(f"the id '{dimension.id}' is not the file's name", where=path, mend="rename one of them")
    return dimension


@cache
def all_dimensions() -> dict[str, Dimension]:
    """Every dimension that ships, by id, in alphabetical order."""
    return {path.stem: read_dimension(path) for path in sorted((assessment_folder() / "dimensions").glob("*.md"))}


def checked_names(names: Sequence[str], known: Sequence[str], what: str) -> list[str]:
    """The names as asked for: known, at least one, none twice.

    Raises:
        UserError: otherwise.
    """
    for name in names:
        if name not in known:
            raise UserError(f"unknown {what} '{name}'", where=f"{what}s", mend=nearest(name, known))
    if twice := sorted({name for name in names if list(names).count(name) > 1}):
        raise UserError(f"the {what} '{twice[0]}' is named twice", where=f"{what}s", mend="name it once")
    if not names:
        raise UserError(f"no {what} is named", where=f"{what}s", mend="leave the setting out for all of them")
    return list(names)


def sheets_of(dimensions: Sequence[str]) -> list[list[Dimension]]:
    """The sheets that hold any of these dimensions, each of them whole.

    A sheet is always judged whole, so that a score does not depend on which others were asked for.
    """
    chosen = dict.fromkeys(all_dimensions()[name].meta.sheet for name in dimensions)
    return [[d for d in all_dimensions().values() if d.meta.sheet == sheet] for sheet in chosen]
