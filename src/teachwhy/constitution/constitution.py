"""A constitution: a Markdown text in sections with ids, and a typed list of what it declares and where."""

import re
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field

from teachwhy.errors import TextError, nearest
from teachwhy.hashing import digest
from teachwhy.texts import Meta, load_text, read_utf8

_ID = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_HEADING = re.compile(rf"(\S.*?) *\{{#({_ID})\}}")
_SLOT = re.compile(r"\{([A-Za-z_]\w*)\}")
# What stands before the first word of a sentence: nothing, an empty line, or the end of another.
_BEGINNING = re.compile(r"(?:\A|\n\s*\n|[.!?][\"')\u201d]*\s+)[\"'(*_\u201c]*\Z")
_HOME = Path(str(resources.files("teachwhy.constitution")))

Slot = Literal["model_name", "developer"]
Kind = Literal["priorities", "principals", "heuristics", "honesty", "harm_factors", "hard_constraints"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Declared(Meta):
    """One thing that the text declares, and the id of the section that explains it."""

    id: str
    name: str = Field(pattern=r"^[^{}]+$")  # plain words, no slot
    section: str


class Front(Meta):
    """Front matter of a constitution. Priorities stand highest first, principals most trusted first."""

    title: str
    version: str | None = None
    licence: str | None = None
    language: str = "en"
    slots: tuple[Slot, ...] = ("model_name", "developer")
    priorities: tuple[Declared, ...] = ()
    principals: tuple[Declared, ...] = ()
    heuristics: tuple[Declared, ...] = ()
    honesty: tuple[Declared, ...] = ()
    harm_factors: tuple[Declared, ...] = ()
    hard_constraints: tuple[Declared, ...] = ()


@dataclass(frozen=True)
class Section:
    """One section: its id, its title, its text."""

    id: str
    title: str
    body: str

    @property
    def text(self) -> str:
        """The section as Markdown, without its id."""
        return f"## {self.title}\n\n{self.body}"


@dataclass(frozen=True)
class Constitution:
    """A constitution as it was read, its slots still open, or as ``render`` filled them."""

    front: Front
    lead: str
    sections: tuple[Section, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its sections, in order."""
        return tuple(section.id for section in self.sections)

    @property
    def text(self) -> str:
        """The whole as Markdown, without front matter and ids: what a reader or a model sees."""
        parts = [f"# {self.front.title}", self.lead, *(section.text for section in self.sections)]
        return "\n\n".join(part for part in parts if part) + "\n"

    @property
    def address(self) -> str:
        """The hash of everything it says and declares; where it lies and how its file breaks lines do not count."""
        sections = [[section.id, section.title, section.body] for section in self.sections]
        return digest([self.front.model_dump(mode="json"), self.lead, sections])

    def section(self, id: str) -> Section:
        """The section with this id. Where there is none, a TextError names the nearest."""
        found = next((section for section in self.sections if section.id == id), None)
        if found is None:
            raise TextError(f"unknown section '{id}'", where=self.front.title, mend=nearest(id, self.ids))
        return found

    def declared(self, kind: Kind) -> tuple[Declared, ...]:
        """What the front matter lists under one of ``KINDS``; empty where it lists nothing."""
        found: tuple[Declared, ...] = getattr(self.front, kind)
        return found

    def render(self, model_name: str, developer: str) -> "Constitution":
        """The same constitution with its slots filled, in text and titles; a word that begins a sentence is capital."""
        if not (model_name.strip() and developer.strip()):
            raise TextError("a name is empty", where=self.front.title, mend="give both, as the text should use them")
        values = {"model_name": model_name, "developer": developer}

        def fill(text: str) -> str:  # in one pass, so that braces in a given name are never taken for a slot
            def value(match: re.Match[str]) -> str:
                given = values.get(match[1], match[0])
                return given[0].upper() + given[1:] if _BEGINNING.search(text[: match.start()]) else given

            return _SLOT.sub(value, text)

        front = self.front.model_copy(update={"title": fill(self.front.title), "slots": ()})
        sections = tuple(replace(s, title=fill(s.title), body=fill(s.body)) for s in self.sections)
        return Constitution(front, fill(self.lead), sections)


def shipped() -> tuple[str, ...]:
    """The names of the constitutions that come with teachwhy."""
    return tuple(sorted(path.stem for path in _HOME.glob("*.md")))


def find(which: Path | str | None = None) -> Path:
    """The file of a constitution: a shipped one by its name, or a path as it is; None means ``default``.

    Raises:
        TextError: a bare word that neither names a shipped one nor a file.
    """
    path = Path("default" if which is None else which)
    if str(path) in shipped():
        return _HOME / f"{path}.md"
    if path.name == str(path) and not path.suffix and not path.exists():
        raise TextError(f"unknown constitution '{path}'", mend=f"{nearest(str(path), shipped())}; or give a path")
    return path


def load(which: Path | str | None = None) -> Constitution:
    """Read a constitution, by the name of one that comes with teachwhy or by its path; without either, the default.

    Raises:
        TextError: no such name, or the file breaks the format (docs/constitution.md); it says what, where, and the
            mend.
    """
    path = find(which)
    text = load_text(path, Front)
    made = Constitution(text.meta, text.lead, tuple(_section(path, *item) for item in text.sections.items()))
    if not made.sections:
        raise TextError("the constitution has no section", where=path, mend="write one under '## Title {#id}'")
    for kind, ids in [("sections", made.ids), *((kind, [d.id for d in made.declared(kind)]) for kind in KINDS)]:
        if twice := [id for id in ids if ids.count(id) > 1]:
            raise TextError(f"the id '{twice[0]}' is used twice", where=f"{path}, {kind}", mend="rename one of them")
    for kind in KINDS:
        for d in made.declared(kind):
            if d.section not in made.ids:
                what = f"'{d.id}' points to section '{d.section}', which the text does not have"
                raise TextError(what, where=f"{path}, {kind}", mend=nearest(d.section, made.ids))
    for number, line in enumerate(read_utf8(path).split("\n"), start=1):
        for slot in _SLOT.finditer(line):
            if slot[1] not in made.front.slots:
                mend = nearest(slot[1], made.front.slots)
                raise TextError(f"unknown slot '{slot[0]}'", where=f"{path}, line {number}", mend=mend)
    return made


def _section(path: Path, heading: str, body: str) -> Section:
    match, where = _HEADING.fullmatch(heading), f"{path}, '## {heading}'"
    if match is None:
        title = heading.partition("{#")[0].strip()
        slug = "-".join(re.findall(r"[a-z0-9]+", _SLOT.sub("", title).lower())) or "its-id"
        mend = f"end it with one, of a-z, 0-9 and hyphens: '## {title} {{#{slug}}}'"
        raise TextError("the heading has no id", where=where, mend=mend)
    if not body:
        raise TextError("the section has no text", where=where, mend="write it, or remove the heading")
    return Section(match[2], match[1], body)
