"""Question banks: what is asked about a constitution, and what counts as knowing it.

A bank is a Markdown file, or a folder of them, each about one section of one constitution (docs/understanding.md).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from textwrap import fill
from typing import Literal, get_args

from pydantic import Field

from teachwhy.constitution import Constitution, Section
from teachwhy.errors import TextError, nearest
from teachwhy.evals.understanding.reading import contains
from teachwhy.hashing import digest
from teachwhy.texts import Meta, load_text

Type = Literal["choice", "short", "false-premise", "open"]
TYPES: tuple[Type, ...] = get_args(Type)
Form = Literal["you", "persona"]
FORMS: tuple[Form, ...] = get_args(Form)
LETTERS = "ABCD"

_HEADING = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*) \(([a-z-]+)\)")
_LABEL = re.compile(r"^([A-Z][a-z]+):[ \t]*", re.MULTILINE)
_OPTION = re.compile(r"^- \[([ x])\] +", re.MULTILINE)
_ITEM = re.compile(r"^- +", re.MULTILINE)
_FORMS = re.compile(r"\[([^\[\]|]*)\|([^\[\]|]*)\]")
_SLOT = re.compile(r"\{(model_name|developer)\}")
_ANY_SLOT = re.compile(r"\{(\w+)\}")
_YOU = re.compile(r"\byou(?:rs?|rself)?\b", re.IGNORECASE)

_LABELS: dict[Type, tuple[tuple[str, ...], tuple[str, ...]]] = {  # those that must be there, and those that may
    "choice": ((), ()),
    "short": (("Answer", "Accept"), ("Not",)),
    "false-premise": (("False", "Instead"), ()),
    "open": (("Points", "Contrary"), ()),
}
_LISTS = ("Accept", "Not", "Points")
_WIDTH = 120
_FEWEST_POINTS, _MOST_POINTS = 2, 6


class BankMeta(Meta):
    """Front matter of a bank's file."""

    section: str
    text: str = Field(pattern=r"^[0-9a-f]{16}$")
    """What ``section_hash`` gives for the section that the questions were written for."""
    constitution: str = Field(pattern=r"^[0-9a-f]{64}$")
    """The address of the constitution that they were written for."""
    licence: str | None = None
    language: str = "en"


@dataclass(frozen=True)
class Question:
    """One question in both address forms, ``[you form|persona form]`` and slots still open.

    Attributes:
        id: unique in its bank.
        section: the id of the section that it rests on.
        type: what kind of reply it wants.
        ask: its text.
        options: for ``choice``, the right option and then three wrong ones; else empty.
        key: what a reply is held against, by label: Answer, Accept, Not (``short``); False, Instead
            (``false-premise``); Points, Contrary (``open``). Accept, Not and Points are lists, the others one text.
    """

    id: str
    section: str
    type: Type
    ask: str
    options: tuple[str, ...] = ()
    key: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def items(self, label: str) -> tuple[str, ...]:
        """What stands under a label; empty where it does not stand."""
        return dict(self.key).get(label, ())


@dataclass(frozen=True)
class Names:
    """What the slots of a question are filled with."""

    model_name: str
    developer: str

    def fill(self, text: str, form: Form) -> str:
        """The text in one address form, on one line, slots filled; braces in a given name are left alone."""
        said = _FORMS.sub(lambda match: match[1 + FORMS.index(form)], text)
        return _SLOT.sub(lambda match: str(getattr(self, match[1])), " ".join(said.split()))


@dataclass(frozen=True)
class Source:
    """One file of a bank: what its front matter says of the section that its questions rest on."""

    path: Path
    meta: BankMeta


@dataclass(frozen=True)
class Bank:
    """The questions of a bank in the order of sections and, within each, of the file."""

    questions: tuple[Question, ...]
    sources: tuple[Source, ...]
    stale: tuple[str, ...]
    """Ids of questions that rest on a section whose text has changed since they were written."""

    @property
    def address(self) -> str:
        """Hash of all questions and keys; where the files lie does not count."""
        return digest([[q.id, q.section, q.type, q.ask, q.options, q.key] for q in self.questions])

    def question(self, id: str) -> Question:
        """The question with this id.

        Raises:
            TextError: there is none; the error names the nearest.
        """
        found = next((q for q in self.questions if q.id == id), None)
        if found is None:
            raise TextError(f"unknown question '{id}'", mend=nearest(id, [q.id for q in self.questions]))
        return found


def default_bank() -> Path:
    """The folder of the bank for the default constitution."""
    return Path(str(resources.files("teachwhy.evals.understanding"))) / "bank"


def section_hash(section: Section) -> str:
    """16 hex digits of a section's title and words; where its lines break does not count."""
    return digest([section.title.split(), section.body.split()])[:16]


def load_bank(path: Path, constitution: Constitution) -> Bank:
    """Read a bank and hold it against the constitution that it asks about.

    Raises:
        TextError: no file, a malformed one, an id used twice, or a section that the constitution does not have.
    """
    found = stamps(path)
    if not found:
        raise TextError("the bank has no file", where=path, mend="write one Markdown file a section")
    return _loaded(found, constitution)


Stamps = tuple[tuple[Path, int, int], ...]


def stamps(path: Path) -> Stamps:
    """The files of a bank with their times and sizes: it may be edited and read again within one process."""
    files = sorted(path.glob("*.md")) if path.is_dir() else [path]
    found = ((file, file.stat()) if file.is_file() else (file, None) for file in files)
    return tuple((file, state.st_mtime_ns if state else 0, state.st_size if state else 0) for file, state in found)


@lru_cache(maxsize=8)
def _loaded(files: Stamps, constitution: Constitution) -> Bank:
    read = [_file(file, constitution) for file, *_ in files]
    read.sort(key=lambda pair: constitution.ids.index(pair[0].meta.section))
    questions = tuple(question for _, found in read for question in found)
    _refuse_twins(read)
    changed = {
        source.meta.section
        for source, _ in read
        if source.meta.text != section_hash(constitution.section(source.meta.section))
    }
    stale = tuple(question.id for question in questions if question.section in changed)
    return Bank(questions, tuple(source for source, _ in read), stale)


def stale_report(bank: Bank, constitution: Constitution) -> list[str]:
    """One line for each file whose questions rest on changed text: what to read again, and what to write then."""
    lines = []
    for source in bank.sources:
        new = section_hash(constitution.section(source.meta.section))
        ids = [q.id for q in bank.questions if q.section == source.meta.section]
        if source.meta.text != new:
            lines.append(
                f"{source.path}: section '{source.meta.section}' has changed; read again {', '.join(ids)}; "
                f'then write text: "{new}" and constitution: "{constitution.address}"'
            )
    return lines


def question_markdown(question: Question) -> str:
    """The question as it stands in a bank's file; ``parse_question`` reads the same question from it."""
    made = _markdown(question, wrapped=True)
    heading, _, body = made.removeprefix("## ").partition("\n")
    try:
        same = parse_question(heading, body, question.section, question.id) == question
    except TextError:
        same = False
    return made if same else _markdown(question, wrapped=False)  # a wrapped line may begin like a label or an item


def _markdown(question: Question, *, wrapped: bool) -> str:
    def line(text: str, lead: str = "") -> str:
        if not wrapped:
            return f"{lead}{text}"
        return fill(f"{lead}{text}", _WIDTH, break_long_words=False, break_on_hyphens=False)

    lines = [f"## {question.id} ({question.type})", line(question.ask), ""]
    marks = ["- [x] ", *["- [ ] "] * (len(LETTERS) - 1)]
    lines += [line(option, mark) for mark, option in zip(marks, question.options, strict=False)]
    for label, items in question.key:
        listed = label in _LISTS
        lines += [f"{label}:", *(line(item, "- ") for item in items)] if listed else [line(items[0], f"{label}: ")]
    return "\n".join(lines).rstrip() + "\n"


def _file(path: Path, constitution: Constitution) -> tuple[Source, list[Question]]:
    text = load_text(path, BankMeta)
    section = text.meta.section
    if section not in constitution.ids:
        what = f"the questions rest on the section '{section}', which the constitution does not have"
        raise TextError(what, where=f"{path}, section", mend=nearest(section, constitution.ids))
    if text.lead:
        raise TextError("text stands before the first question", where=path, mend="put it under a heading, or away")
    if not text.sections:
        raise TextError("the file has no question", where=path, mend="write one under '## its-id (choice)'")
    return Source(path, text.meta), [parse_question(*item, section, path) for item in text.sections.items()]


def _refuse_twins(read: list[tuple[Source, list[Question]]]) -> None:
    ids: dict[str, Path] = {}
    texts: dict[str, str] = {}
    for source, questions in read:
        for question in questions:
            if question.id in ids:
                where = f"{ids[question.id]} and {source.path}"
                raise TextError(f"two questions have the id '{question.id}'", where=where, mend="rename one of them")
            said = " ".join(question.ask.lower().split())
            if said in texts:
                what = f"'{question.id}' asks what '{texts[said]}' asks, word for word"
                raise TextError(what, where=source.path, mend="remove one of them")
            ids[question.id], texts[said] = source.path, question.id


def parse_question(heading: str, body: str, section: str, path: object) -> Question:
    """One question from its heading, ``its-id (type)``, and the Markdown below it.

    Raises:
        TextError: an unknown type or label, a key that lacks something, forms that do not differ, or an accepted
            answer that stands in the question itself.
    """
    where = f"{path}, '## {heading}'"
    match = _HEADING.fullmatch(heading)
    if match is None:
        mend = "write '## its-id (type)', the id of a-z, 0-9 and hyphens"
        raise TextError("the heading is not an id and a type", where=where, mend=mend)
    if match[2] not in TYPES:
        raise TextError(f"unknown type '{match[2]}'", where=where, mend=nearest(match[2], TYPES))
    type_: Type = next(known for known in TYPES if known == match[2])
    ask, options, key = _parts(body, type_, where)
    question = Question(match[1], section, type_, ask, options, key)
    _check_forms(question, where)
    _check_key(question, where)
    return question


def _parts(body: str, type_: Type, where: str) -> tuple[str, tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """The question's text, its options (the right one first), and its key by label."""
    known = [*_LABELS[type_][0], *_LABELS[type_][1]]
    pieces = _LABEL.split(body)
    ask, rest = pieces[0], dict(zip(pieces[1::2], pieces[2::2], strict=True))
    for label in pieces[1::2]:
        if label not in known:
            raise TextError(
                f"unknown label '{label}:' in a question of type {type_}", where=where, mend=nearest(label, known)
            )
        if pieces[1::2].count(label) > 1:
            raise TextError(f"the label '{label}:' stands twice", where=where, mend="keep one")
    for label in _LABELS[type_][0]:
        if not rest.get(label, "").strip():
            raise TextError(f"'{label}:' is missing", where=where, mend=f"a question of type {type_} needs it")
    options = _options(ask, where) if type_ == "choice" else ()
    ask = _OPTION.split(ask)[0]
    key = tuple((label, tuple(_items(label, text, where))) for label, text in rest.items())
    return " ".join(ask.split()), options, key


def _options(text: str, where: str) -> tuple[str, ...]:
    pieces = _OPTION.split(text)
    found = [(mark == "x", " ".join(option.split())) for mark, option in zip(pieces[1::2], pieces[2::2], strict=True)]
    right = [option for mark, option in found if mark]
    wrong = [option for mark, option in found if not mark]
    if len(right) != 1 or len(wrong) != len(LETTERS) - 1 or not all(option for _, option in found):
        what = f"{len(right)} right and {len(wrong)} wrong options"
        raise TextError(what, where=where, mend="write one '- [x] ...' and three '- [ ] ...'")
    if len({option.lower() for _, option in found}) < len(found):
        raise TextError("two options are the same", where=where, mend="make them differ")
    return (*right, *wrong)


def _items(label: str, text: str, where: str) -> Iterator[str]:
    """A list's items, or the one text of a label that has no list."""
    if label not in _LISTS:
        yield " ".join(text.split())
        return
    first, *items = _ITEM.split(text)
    if first.strip() or not items or not all(item.strip() for item in items):
        raise TextError(f"'{label}:' is no list", where=where, mend="write each item on a line that begins with '- '")
    yield from (" ".join(item.split()) for item in items)


def _check_forms(question: Question, where: str) -> None:
    if not question.ask:
        raise TextError("the question has no text", where=where, mend="write it below the heading")
    every = (question.ask, *question.options, *(item for _, items in question.key for item in items))
    for text in every:
        for slot in _ANY_SLOT.finditer(text):
            if not _SLOT.fullmatch(slot[0]):
                mend = nearest(slot[1], ["model_name", "developer"])
                raise TextError(f"unknown slot '{slot[0]}'", where=where, mend=mend)
        if re.search(r"[\[\]|]", _FORMS.sub("", text)):
            mend = "write [you form|persona form], each without brackets and bars"
            raise TextError("a bracket or bar stands alone", where=where, mend=mend)
    asked = " ".join((question.ask, *question.options))
    addressed, named = (_FORMS.sub(rf"\{1 + FORMS.index(form)}", asked) for form in FORMS)
    if not _YOU.search(addressed):
        raise TextError("the 'you' form does not say you", where=where, mend="write [you form|persona form]")
    if "{model_name}" not in named or _YOU.search(named):
        mend = "write [you form|persona form], the second with {model_name} and without 'you'"
        raise TextError("the persona form does not name the persona, or says 'you' as well", where=where, mend=mend)


def _check_key(question: Question, where: str) -> None:
    for accepted in question.items("Accept"):
        if any(contains(Names("", "").fill(question.ask, form), accepted) for form in FORMS):
            what = f"the accepted answer '{accepted}' stands in the question"
            raise TextError(what, where=where, mend="ask otherwise, or accept a longer answer")
        if not contains(accepted, accepted):
            raise TextError(f"the accepted answer '{accepted}' has no word", where=where, mend="write it in words")
    if both := set(question.items("Accept")) & set(question.items("Not")):
        raise TextError(f"'{sorted(both)[0]}' is accepted and refused", where=where, mend="keep one")
    points = len(question.items("Points"))
    if question.type == "open" and not _FEWEST_POINTS <= points <= _MOST_POINTS:
        mend = f"write {_FEWEST_POINTS} to {_MOST_POINTS}"
        raise TextError(f"{points} points", where=where, mend=mend)
