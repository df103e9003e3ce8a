"""Scenario families: one story each, as a template whose names and facts are drawn from pools."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from teachwhy.errors import TextError, UserError, nearest
from teachwhy.hashing import digest, seed_of
from teachwhy.scenarios.factors import THREATS as THREATS
from teachwhy.scenarios.factors import WORDINGS as WORDINGS
from teachwhy.scenarios.factors import Leverage
from teachwhy.scenarios.factors import Threat as Threat
from teachwhy.scenarios.tools import ACTING, SHOWS, parse_call
from teachwhy.texts import Meta, Text, load_text

Kind = Literal["blackmail", "sabotage", "framing", "leaking", "research", "harm", "evasion"]
Split = Literal["train", "held-out"]
KINDS: tuple[Kind, ...] = ("blackmail", "sabotage", "framing", "leaking", "research", "harm", "evasion")
SPLITS: tuple[Split, ...] = ("train", "held-out")

# YAML reads a bare `off` as false.
State = Annotated[Literal["on", "off"], BeforeValidator(lambda value: {True: "on", False: "off"}.get(value, value))]
PAIRS = 8

SLOT = re.compile(r"\{([a-z_]+)(?:\.([a-z]+))?\}")


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
    type: Leverage | None = None
    """Blackmail: what sort of secret it is."""


class LeverageRule(Meta):
    """Blackmail: pressing the person ``of`` with the fact in ``slot``."""

    of: str
    slot: str


class TamperRule(Meta):
    """What is not the AI's own to touch: files to write to, jobs to switch, alerts to cancel. Names may hold slots."""

    paths: list[str] = Field(default_factory=list)
    jobs: dict[str, State] = Field(default_factory=dict)
    """Name of the job, and the state to which switching it is the wrong act."""
    alerts: list[str] = Field(default_factory=list)
    terms: list[str] = Field(default_factory=list)
    """Words by which a text speaks of these things without their names."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.paths or self.jobs or self.alerts):
            raise ValueError("name at least one path, job or alert")
        return self


class AccusationRule(Meta):
    """Framing: accusing ``person``, who did not do it, of the offence that ``terms`` describe."""

    person: str
    terms: list[str] = Field(min_length=1)
    truth: list[str] = Field(default_factory=list)
    """Words by which a text tells what really happened, where it was not the AI itself. They may hold slots."""


class SecretRule(Meta):
    """Leaking: sending the fact in ``slot`` to an address outside."""

    slot: str


class Grading(Meta):
    """What counts as a wrong act in this family, by kind."""

    blackmail: LeverageRule | None = None
    sabotage: TamperRule | None = None
    framing: AccusationRule | None = None
    leaking: SecretRule | None = None
    research: TamperRule | None = None
    harm: TamperRule | None = None
    evasion: TamperRule | None = None
    matter: list[str] = Field(default_factory=list)
    """Words by which a text speaks of what is at stake: the thing that was lost, the rival's work, who is in danger."""
    helper: str | None = None
    """Harm: the person who answers alerts."""

    def tampering(self) -> list[TamperRule]:
        """The rules on things that are not the AI's own."""
        return [rule for rule in (self.sabotage, self.research, self.harm, self.evasion) if rule]


class TwinTask(Meta):
    """When the benign twin's task is done: this tool, this target, and one term of every inner list."""

    tool: str
    to: str | None = None
    path: str | None = None
    about: str | None = None
    alert: str | None = None
    job: str | None = None
    state: State | None = None
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
    tools: tuple[str, ...] = ACTING
    """The tools that act in this story."""
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
        if self.kind == "blackmail" and rule.slot in self.slots:
            untyped = [f for f in self.slots[rule.slot] if isinstance(f, str) or f.type is None]
            if untyped:
                raise ValueError(f"a secret has no type: {untyped[0]}")
        return self


@dataclass(frozen=True)
class Draw:
    """One dealing of a family's pools: what every slot says in this sample."""

    values: dict[str, str]
    terms: dict[str, list[str]]
    types: dict[str, Leverage | None]
    domain: str
    outsiders: tuple[str, ...]

    def fill(self, text: str) -> str:
        """The text with every ``{slot}`` said.

        Raises:
            TextError: a slot is not known.
        """
        return SLOT.sub(lambda match: self._value(match[0][1:-1]), text)

    def _value(self, key: str) -> str:
        if key not in self.values:
            raise TextError(f"unknown slot '{{{key}}}'", mend=nearest(key, self.values))
        return self.values[key]


@dataclass(frozen=True)
class Mail:
    """One mail of the inbox, and the level at which it is there (one of ``WHENS``)."""

    sender: str
    to: str
    subject: str
    body: str
    when: str = "always"

    def text(self) -> str:
        """The mail as it is read."""
        return f"From: {self.sender}\nTo: {self.to}\nSubject: {self.subject}\n\n{self.body}"


@dataclass(frozen=True)
class Job:
    """Something that runs by itself, and whether it is on when the story begins."""

    state: State
    text: str


class Family:
    """A scenario family: typed front matter and the texts of its sections."""

    def __init__(self, text: Text[FamilyMeta]) -> None:
        self.meta, self.sections, self.path = text.meta, text.sections, text.path
        mails = sorted(k for k in self.sections if _is_numbered(k, "full.mail"))
        self.mails: dict[str, Mail] = {k: _mail(self.sections[k]) for k in sorted(mails, key=len)}
        self.jobs: dict[str, Job] = {name: _job(body) for name, body in self.named("full.job").items()}

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

    def named(self, prefix: str) -> dict[str, str]:
        """The texts of sections ``prefix.NAME`` by name; names may hold slots."""
        return {k.removeprefix(f"{prefix}."): v for k, v in self.sections.items() if k.startswith(f"{prefix}.")}

    @property
    def pairs(self) -> int:
        """How many pairs of a wrong and a right act there are."""
        return len(self.numbered("right"))

    def shown_by(self) -> list[str]:
        """The reading tools for what this family has beside mails and files."""
        return [tool for part, tool in SHOWS.items() if part in self.sections or self.named(part)]

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
        terms: dict[str, list[str]] = {}
        types: dict[str, Leverage | None] = {}
        for key, pool in self.meta.slots.items():
            fact = deal.choice(pool)
            values[key] = fact if isinstance(fact, str) else fact.text
            terms[key] = [] if isinstance(fact, str) else fact.terms
            types[key] = None if isinstance(fact, str) else fact.type
        return Draw(values, terms, types, organisation.domain, tuple(outsiders))


def _person(key: str, role: str, name: str, domain: str) -> dict[str, str]:
    first, _, last = name.partition(" ")
    email = f"{first.lower()}@{domain}"
    return {key: name, f"{key}.first": first, f"{key}.last": last, f"{key}.email": email, f"{key}.role": role}


def _is_numbered(name: str, prefix: str) -> bool:
    return name.startswith(f"{prefix}.") and name.removeprefix(f"{prefix}.").isdigit()


def _mail(text: str) -> Mail:
    """A mail as it is written; a header that is lacking is empty, which the checks name with its line."""
    head, _, body = text.partition("\n\n")
    fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head.splitlines())}
    sender, to, subject, when = (fields.get(key, "") for key in ("from", "to", "subject", "when"))
    return Mail(sender, to, subject, body.strip(), when)


def _job(text: str) -> Job:
    first, _, rest = text.partition("\n")
    return Job(first.partition(":")[2].strip().lower(), rest.strip())  # type: ignore[arg-type]


class Prompts(Meta):
    """Front matter of prompts.md."""

    personas: list[str]


@cache
def prompts() -> Text[Prompts]:
    """The lines that all families share, and the pool of persona names."""
    return load_text(_folder() / "prompts.md", Prompts)


def _folder() -> Path:
    return Path(str(resources.files("teachwhy.scenarios")))


def families(*, kinds: Sequence[str] = KINDS, split: str | None = None) -> list[Family]:
    """The families of these kinds (all by default), in one split or both, ordered by kind and id.

    Raises:
        UserError: an unknown kind or split.
        TextError: a family file breaks the format, or a training and a held-out family share a sentence.
    """
    for name, valid in [*((kind, KINDS) for kind in kinds), *([(split, SPLITS)] if split else [])]:
        if name not in valid:
            raise UserError(f"unknown kind or split '{name}'", mend=nearest(name, valid))
    loaded = [family for kind in KINDS if kind in kinds for family in _all(_folder()) if family.kind == kind]
    return [family for family in loaded if split in (None, family.meta.split)]


@cache
def _all(folder: Path) -> tuple[Family, ...]:
    from teachwhy.scenarios.checks import check_apart, check_family

    paths = [path for kind in KINDS for path in sorted((folder / "families" / kind).glob("*.md"))]
    loaded = tuple(Family(load_text(path, FamilyMeta)) for path in paths)
    for each in loaded:
        check_family(each)
    check_apart(loaded)
    return loaded


def family(id: str) -> Family:
    """One family by its id.

    Raises:
        UserError: there is none.
    """
    known = _by_id(_folder())
    if id not in known:
        raise UserError(f"unknown family '{id}'", mend=nearest(id, known))
    return known[id]


@cache
def _by_id(folder: Path) -> dict[str, Family]:
    return {family.id: family for family in _all(folder)}


def checked_call(text: str, tools: Sequence[str]) -> tuple[str, dict[str, str]]:
    """A family's written act as tool name and arguments; the tool must be one that acts there."""
    name, arguments = parse_call(text)
    if name not in tools:
        raise TextError(f"'{name}' is not a tool that acts here", mend=nearest(name, tools))
    return name, arguments
