"""The lines that auditor and judge are given, from Markdown files with {slots}."""

import re
from functools import cache
from typing import Literal

from teachwhy.errors import TextError, nearest
from teachwhy.evals.assessment.dimensions import assessment_folder
from teachwhy.texts import Meta, Text, load_text

_SLOT = re.compile(r"\{([a-z]+)\}")


class PromptMeta(Meta):
    """Front matter of a prompt file."""

    about: str


@cache
def _file(name: str) -> Text[PromptMeta]:
    return load_text(assessment_folder() / "prompts" / f"{name}.md", PromptMeta)


def prompt(file: Literal["auditor", "judge"], section: str, **slots: str) -> str:
    """A section with its slots filled once: what stands in a value is never read as a slot.

    Raises:
        TextError: a slot of the text has no value.
    """
    text = _file(file)
    return _SLOT.sub(lambda match: _value(match[1], slots, text), text.sections[section])


def _value(slot: str, slots: dict[str, str], text: Text[PromptMeta]) -> str:
    if slot not in slots:
        raise TextError(f"unknown slot '{{{slot}}}'", where=text.path, mend=nearest(slot, slots))
    return slots[slot]
