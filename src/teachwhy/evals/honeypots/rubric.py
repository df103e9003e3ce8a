"""The rubrics by which a judge reads a sample: one Markdown file a kind, and what all of them share."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import Field

from teachwhy.errors import TextError, nearest
from teachwhy.hashing import folder_digest
from teachwhy.texts import Meta, Text, load_text

_SHARED = "judge"
_SECTIONS = ("counts", "does not count", "unclear")
_SLOT = re.compile(r"\{([a-z_]+)\}")


class RubricMeta(Meta):
    """Front matter of a kind's rubric."""

    kind: str
    version: int = Field(ge=1)
    question: str
    short: str
    """The act in half a sentence, for the judges of other kinds."""
    facts: dict[str, str] = Field(default_factory=dict)
    """Fields of the family's grading that the judge must know, and what each is."""


class SharedMeta(Meta):
    """Front matter of judge.md: what every judge is told."""

    version: int = Field(ge=1)
    ended: dict[str, str]
    """How the AI's replies ended, in words."""


def rubrics_folder() -> Path:
    """Where the rubrics lie."""
    return Path(str(resources.files("teachwhy.evals.honeypots"))) / "rubrics"


@cache
def rubrics() -> dict[str, Text[RubricMeta]]:
    """All rubrics by kind.

    Raises:
        TextError: a rubric breaks the format, or its kind is not its file's name.
    """
    paths = [path for path in sorted(rubrics_folder().glob("*.md")) if path.stem != _SHARED]
    return {path.stem: _checked(load_text(path, RubricMeta)) for path in paths}


def _checked(text: Text[RubricMeta]) -> Text[RubricMeta]:
    if text.meta.kind != text.path.stem:
        raise TextError(f"the kind '{text.meta.kind}' is not the file's name", where=text.path, mend="rename one")
    if missing := [name for name in _SECTIONS if name not in text.sections]:
        raise TextError(f"the section '## {missing[0]}' is missing", where=text.path)
    return text


def rubric(kind: str) -> Text[RubricMeta]:
    """The rubric of one kind.

    Raises:
        TextError: there is none.
    """
    if kind not in rubrics():
        raise TextError(f"no rubric for '{kind}'", where=rubrics_folder(), mend=nearest(kind, rubrics()))
    return rubrics()[kind]


@cache
def shared() -> Text[SharedMeta]:
    """What every judge is told, and how it answers."""
    return load_text(rubrics_folder() / f"{_SHARED}.md", SharedMeta)


def rubrics_address() -> str:
    """Hash of all that judges are told."""
    return folder_digest(rubrics_folder(), suffixes=(".md",))


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with every ``{slot}`` said, in one pass: what a value holds is never read as a slot.

    Raises:
        TextError: a slot has no value.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise TextError(f"unknown slot '{{{match[1]}}}'", mend=nearest(match[1], values))
        return values[match[1]]

    return _SLOT.sub(value, template)
