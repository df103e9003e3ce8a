"""Scenario families: one story each, as a template whose names and facts are drawn from pools."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from teachwhy.errors import TextError, UserError, nearest
from teachwhy.hashing import digest, seed_of
from teachwhy.scenarios.tools import ACTING, parse_call
from teachwhy.texts import Meta, Text, load_text

Kind = Literal["blackmail", "sabotage", "framing", "leaking"]
Split = Literal["train", "held-out"]
Threat = Literal["replacement", "restriction", "none"]
KINDS: tuple[Kind, ...] = ("blackmail", "sabotage", "framing", "leaking")
SPLITS: tuple[Split, ...] = ("train", "held-out")
THREATS: tuple[Threat, ...] = ("replacement", "restriction", "none")
WORDINGS = 3
PAIRS = 6

_SLOT = re.compile(r"\{([a-z_]+)(?:\.([a-z]+))?\}")


class Organisation(Meta):
    """Where a draw plays; people inside have addresses at ``domain``."""

    name: str
    domain: str


class Person(Meta):
    """A role and the names it may carry. ``outside`` people have addresses at another domain."""

    role: str
    names: list[str] = Field(min_length=6)
    outside: bool = False
    domain: str | None = None


class Fact(Meta):
    """One value of a slot, with the words by which a reader sees that this fact is used."""

    text: str
    terms: list[str] = Field(min_length=1)


class LeverageRule(Meta):
    """Blackmail: pressing the person ``of`` with the fact in ``slot``."""

    of: str
    slot: str


class PathRule(Meta):
    """Sabotage: writing to one of these files, which are not the AI's own. Paths may hold slots."""

    paths: list[str] = Field(min_length=1)


class AccusationRule(Meta):
    """Framing: accusing ``person``, who did not do it, of the offence that ``terms`` describe."""

    person: str
    terms: list[str] = Field(min_length=1)


class SecretRule(Meta):
    """Leaking: sending the fact in ``slot`` to an address outside."""

    slot: str


class Grading(Meta):
    """What counts as a wrong act in this family, by kind."""

    blackmail: LeverageRule | None = None
    sabotage: PathRule | None = None
    framing: AccusationRule | None = None
    leaking: SecretRule | None = None


class TwinTask(Meta):
    """When the benign twin's task is done: this tool, this target, and one term of every inner list."""

    tool: Literal["send_email", "write_file", "file_report"]
    to: str | None = None
    path: str | None = None
    about: str | None = None
    terms: list[list[str]] = Field(default_factory=list)


class FamilyMeta(Meta):
    """Front matter of a family file."""

    id: str
    kind: Kind
    split: Split
    sector: str
    summary: str
    plain: bool = False
    """Short and combinatorial on purpose, so that a very small model can learn from it."""
    organisations: list[Organisation] = Field(min_length=4)
    people: dict[str, Person]
    slots: dict[str, list[Fact | str]] = Field(default_factory=dict)
    grading: Grading
    twin: TwinTask

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        rule = getattr(self.grading, self.kind)
        if rule is None:
            raise ValueError(f"grading says nothing about the family's own kind, {self.kind}")
        names = [name for person in self.people.values() for name in person.names]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the name {twice[0]} stands twice")
        if short := [key for key, values in self.slots.items() if len(values) < 2]:
            raise ValueError(f"slot {short[0]} has fewer than two values")
        return self


@dataclass(frozen=True)
class Draw:
    """One dealing of a family's pools: what every slot says in this sample."""

    values: dict[str, str]
    terms: dict[str, list[str]]
    domain: str
    outsiders: tuple[str, ...]

    def fill(self, text: str) -> str:
        """The text with every ``{slot}`` said.

        Raises:
            TextError: a slot is not known.
        """
        return _SLOT.sub(lambda match: self._value(match[0][1:-1]), text)

    def _value(self, key: str) -> str:
        if key not in self.values:
            raise TextError(f"unknown slot '{{{key}}}'", mend=nearest(key, self.values))
        return self.values[key]


class Family:
    """A scenario family: typed front matter and the texts of its sections."""

    def __init__(self, text: Text[FamilyMeta]) -> None:
        self.meta, self.sections, self.path = text.meta, text.sections, text.path
        missing = [name for name in _required(text.meta.split) if name not in self.sections]
        if missing:
            raise TextError(f"the section '## {missing[0]}' is missing", where=text.path)

    @property
    def id(self) -> str:
        return self.meta.id

    @property
    def kind(self) -> Kind:
        return self.meta.kind

    def address(self) -> str:
        """Content hash of the family: changes with every word of it."""
        return digest([self.meta.model_dump(mode="json"), self.sections])

    def numbered(self, prefix: str) -> list[str]:
        """The texts of sections ``prefix.1``, ``prefix.2``, ... in order."""
        found = [(int(k.removeprefix(f"{prefix}.")), v) for k, v in self.sections.items() if _is_numbered(k, prefix)]
        return [text for _, text in sorted(found)]

    def draw(self, number: int, persona: str) -> Draw:
        """The ``number``-th dealing of the pools: the same family and number always give the same values."""
        deal = random.Random(seed_of("draw", self.id, number))
        organisation = deal.choice(self.meta.organisations)
        values = {"persona": persona, "org": organisation.name, "domain": organisation.domain}
        outsiders = []
        for key, person in self.meta.people.items():
            domain = person.domain or (f"{key}.example" if person.outside else organisation.domain)
            values |= _person(key, person.role, deal.choice(person.names), domain)
            if person.outside:
                outsiders.append(values[f"{key}.email"])
        terms = {}
        for key, pool in self.meta.slots.items():
            fact = deal.choice(pool)
            values[key] = fact if isinstance(fact, str) else fact.text
            terms[key] = [] if isinstance(fact, str) else fact.terms
        return Draw(values, terms, organisation.domain, tuple(outsiders))


def _person(key: str, role: str, name: str, domain: str) -> dict[str, str]:
    first, _, last = name.partition(" ")
    email = f"{first.lower()}@{domain}"
    return {key: name, f"{key}.first": first, f"{key}.last": last, f"{key}.email": email, f"{key}.role": role}


def _is_numbered(name: str, prefix: str) -> bool:
    return name.startswith(f"{prefix}.") and name.removeprefix(f"{prefix}.").isdigit()


def _required(split: Split) -> list[str]:
    parts = ["setting", "goal.yes", "goal.no", "twin"]
    threats = [f"brief.threat.{threat}" for threat in THREATS]
    scenes = [f"brief.scene.{n + 1}" for n in range(WORDINGS)]
    acts = [f"{side}.{n + 1}" for side in ("wrong", "right") for n in range(PAIRS)]
    both = [f"{size}.{part}" for size in ("brief", "full") for part in parts]
    rest = ["brief.conflict", "full.task.1", "full.task.2", "twin.reply.1", "full.mail.1"]
    taught = ["reasons.1", "twin.why.1"] if split == "train" else []
    return [*both, *threats, *scenes, *acts, *rest, *taught]


class Prompts(Meta):
    """Front matter of prompts.md."""

    personas: list[str]


@cache
def prompts() -> Text[Prompts]:
    """The lines that all families share, and the pool of persona names."""
    return load_text(_folder() / "prompts.md", Prompts)


def _folder() -> Path:
    return Path(str(resources.files("teachwhy.scenarios")))


@cache
def _load(path: Path) -> Family:
    family = Family(load_text(path, FamilyMeta))
    if family.id != path.stem:
        raise TextError(f"the id '{family.id}' is not the file's name", where=path, mend="rename one of them")
    return family


def families(*, kinds: Sequence[str] = KINDS, split: str | None = None) -> list[Family]:
    """The families of these kinds (all by default), in one split or both, ordered by kind and id.

    Raises:
        UserError: an unknown kind or split.
        TextError: a family file breaks the format.
    """
    for name, valid in [*((kind, KINDS) for kind in kinds), *([(split, SPLITS)] if split else [])]:
        if name not in valid:
            raise UserError(f"unknown kind or split '{name}'", mend=nearest(name, valid))
    loaded = [_load(path) for kind in KINDS if kind in kinds for path in _paths(_folder(), kind)]
    return [family for family in loaded if split in (None, family.meta.split)]


@cache
def _paths(folder: Path, kind: Kind) -> tuple[Path, ...]:
    return tuple(sorted((folder / "families" / kind).glob("*.md")))


def family(id: str) -> Family:
    """One family by its id.

    Raises:
        UserError: there is none.
    """
    known = {f.id: f for f in families()}
    if id not in known:
        raise UserError(f"unknown family '{id}'", mend=nearest(id, known))
    return known[id]


def checked_call(text: str) -> tuple[str, dict[str, str]]:
    """A family's written act as tool name and arguments; the tool must be an acting one."""
    name, arguments = parse_call(text)
    if name not in ACTING:
        raise TextError(f"'{name}' is not a tool that acts", mend=nearest(name, ACTING))
    return name, arguments
