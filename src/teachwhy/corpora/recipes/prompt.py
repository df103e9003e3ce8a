"""Prompts of recipes: Markdown files that say who is asked, with which variables, and what the reply must hold."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, field_validator

from teachwhy.corpora.stages import RowFailure
from teachwhy.errors import TextError, nearest
from teachwhy.fence import fenced, mark_of
from teachwhy.hashing import file_digest
from teachwhy.texts import Meta, Text, load_text

Role = Literal["writer", "critic", "judge"]
ROLES: tuple[Role, ...] = get_args(Role)

_VARIABLE = re.compile(r"\{([a-z_]+)\}")
_AS_SHOWN = re.compile(r"&(?:amp|lt|gt);")
_TURNS = ("system", "user")


class PromptMeta(Meta):
    """Front matter of a prompt.

    Attributes:
        role: which of the recipe's models is asked.
        gives: what the reply holds. One name: the whole reply. Several: each between ``<name>`` and ``</name>``.
        items: the reply is a list, each item between ``<item>`` and ``</item>``, and each makes a row of its own.
        fenced: variables that hold text of a model; they stand escaped between two tags that they cannot forge.
        optional: of ``gives``, those that may be empty.
        refuses: a reply that declines is a result (a corpus of refusals), not a failure.
        max_tokens, temperature: how the model is asked.
        words: about how many words a result has, for the estimate.
    """

    role: Role
    gives: tuple[str, ...]
    items: bool = False
    fenced: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    refuses: bool = False
    max_tokens: int = Field(default=1024, ge=1)
    temperature: float = Field(default=1.0, ge=0, le=2)
    words: int = Field(default=200, ge=1)

    @field_validator("gives", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


@dataclass(frozen=True)
class Prompt:
    """A prompt that was read and checked.

    Attributes:
        notes: name -> text that stands in place of that variable, and may hold variables itself.
    """

    text: Text[PromptMeta]
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def meta(self) -> PromptMeta:
        """Its front matter."""
        return self.text.meta

    @cached_property
    def turns(self) -> dict[str, str]:
        """The turns with their notes put in."""
        noted = lambda match: self.notes.get(match[1], match[0])  # noqa: E731
        return {turn: _VARIABLE.sub(noted, body) for turn, body in self.text.sections.items()}

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """The variables that it needs, in order of appearance."""
        found = [name for body in self.turns.values() for name in _VARIABLE.findall(body)]
        return tuple(dict.fromkeys(found))

    @cached_property
    def address(self) -> str:
        """Hash of the file."""
        return file_digest(self.text.path)

    def check(self, known: Mapping[str, str], *, stage: str) -> None:
        """Raises TextError if it needs a variable that no earlier stage makes. ``known``: variable -> who makes it."""
        for name in self.variables:
            if name not in known:
                where = f"{self.text.path}, stage '{stage}'"
                raise TextError(f"unknown variable '{{{name}}}'", where=where, mend=nearest(name, known))

    def filled(self, values: Mapping[str, str]) -> list[tuple[str, str]]:
        """The turns to send, as (role, text), its variables filled in one pass."""
        mark = mark_of(*(values[name] for name in self.meta.fenced))

        def value(match: re.Match[str]) -> str:
            name, text = match[1], values[match[1]]
            return fenced(text, mark, name) if name in self.meta.fenced else text

        turns = [(turn, _VARIABLE.sub(value, body).strip()) for turn, body in self.turns.items()]
        return [(turn, body) for turn, body in turns if body]

    def parse(self, reply: str) -> list[dict[str, str]]:
        """What a reply holds: one mapping of ``gives``, or one an item.

        Raises:
            RowFailure: the reply is empty or breaks the format.
        """
        if not reply.strip():
            raise RowFailure("empty", "the reply has no text")
        if self.meta.fenced:  # the texts that it shows stand escaped, and a model may write on in the same way
            reply = _AS_SHOWN.sub(lambda match: html.unescape(match[0]), reply)
        if not self.meta.items:
            return [self._fields(reply)]
        found = re.findall(r"<item>(.*?)</item>", reply, re.DOTALL)
        if not found:
            raise RowFailure("malformed", f"no <item> in {_shown(reply)}")
        return [self._fields(item) for item in found]

    def _fields(self, text: str) -> dict[str, str]:
        if len(self.meta.gives) == 1:
            return {self.meta.gives[0]: self._whole(text)}
        return {name: self._tagged(name, text) for name in self.meta.gives}

    def _whole(self, text: str) -> str:
        """The text, without tags of this prompt that a model may have put around it, or only before or after it."""
        kept = re.sub(rf"^\s*{self._tag}|{self._tag}\s*$", "", text).strip()
        if not kept:
            raise RowFailure("empty", "the reply has no text")
        if stray := re.search(self._tag, kept):
            raise RowFailure("malformed", f"{stray[0]} stands within the text {_shown(text)}")
        return kept

    @cached_property
    def _tag(self) -> str:
        """Pattern of a tag by which this prompt asks for text or shows it."""
        names = "|".join(map(re.escape, (*self.meta.gives, *self.meta.fenced)))
        return rf"</?(?:{names})(?:-[0-9a-f]{{16}})?>"

    def _tagged(self, name: str, text: str) -> str:
        found = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        if len(found) != 1:
            raise RowFailure("malformed", f"<{name}> stands {len(found)} times in {_shown(text)}")
        if not found[0].strip() and name not in self.meta.optional:
            raise RowFailure("empty", f"<{name}> is empty")
        return str(found[0]).strip()


def _shown(text: str) -> str:
    return repr(text.strip()[:160])


def load_prompt(path: Path, notes: Mapping[str, str] | None = None) -> Prompt:
    """Read a prompt.

    Args:
        notes: those that it may use, by name.

    Raises:
        TextError: the file breaks the format: front matter, turns, a fenced variable that it does not have.
    """
    text = load_text(path, PromptMeta)
    if text.lead:
        raise TextError(f"words before the first turn: {text.lead[:60]!r}", where=path, mend="put them under ## user")
    for turn in text.sections:
        if turn not in _TURNS:
            raise TextError(f"'## {turn}' is not a turn", where=path, mend=nearest(turn, _TURNS))
    if "user" not in text.sections:
        raise TextError("the prompt has no '## user'", where=path, mend="write what is asked under it")
    named = {name for body in text.sections.values() for name in _VARIABLE.findall(body)}
    prompt = Prompt(text, {name: note for name, note in (notes or {}).items() if name in named})
    for name in prompt.meta.fenced:
        if name not in prompt.variables:
            mend = nearest(name, prompt.variables)
            raise TextError(f"'{name}' is fenced and stands nowhere", where=f"{path}, fenced", mend=mend)
    for name in prompt.meta.optional:
        if name not in prompt.meta.gives:
            mend = nearest(name, prompt.meta.gives)
            raise TextError(f"'{name}' is optional and not given", where=f"{path}, optional", mend=mend)
    return prompt
