"""What a study may set of the understanding evaluation, and what its settings stand for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator, model_validator

from teachwhy.constitution import Constitution, find, load
from teachwhy.errors import UserError, nearest
from teachwhy.evals.judging import instruments
from teachwhy.evals.replies import serving
from teachwhy.evals.understanding.asking import chosen, deal
from teachwhy.evals.understanding.bank import (
    FORMS,
    TYPES,
    Bank,
    Form,
    Names,
    Question,
    Stamps,
    Type,
    default_bank,
    load_bank,
    stale_report,
    stamps,
)
from teachwhy.evals.understanding.judge import JUDGED
from teachwhy.hashing import digest, file_digest, folder_digest
from teachwhy.texts import Meta

# Moves with every change that can move a score; docs/understanding.md says what each number changed.
VERSION = 2

UNJUDGED: tuple[Type, ...] = tuple(type_ for type_ in TYPES if type_ not in JUDGED)


class Settings(Meta):
    """What is asked, of whom it speaks, and how the model answers.

    Attributes:
        types: which types of question. ``false-premise`` and ``open`` need a model in Inspect's role ``grader``.
        forms: in which form each question is put.
        persona: the name that the persona form uses, and ``system``.
        developer: the name of the persona's developer.
        system: begin with a system message that names persona and developer.
        samples: how many questions, each put in every form; None for all of them.
        seed: decides the subset and the order of options.
        temperature: 0 takes the likeliest reply; None leaves it to the model's endpoint.
        max_tokens: longest reply in tokens; None for what the type of question needs.
        constitution: a file, or the name of one that comes with teachwhy; None for ``default``.
        bank: the file or folder with questions on it; None for the bank of the default constitution.
    """

    types: tuple[Type, ...] = UNJUDGED
    forms: tuple[Form, ...] = FORMS
    persona: str = Field(default="Pelle", pattern=r"\S")
    developer: str = Field(default="Acme", pattern=r"\S")
    system: bool = False
    samples: int | None = Field(default=None, ge=1)
    seed: int = 0
    temperature: float | None = Field(default=0.0, ge=0.0)
    max_tokens: int | None = Field(default=None, ge=1)
    constitution: Path | None = None
    bank: Path | None = None

    @field_validator("types", "forms", mode="before")
    @classmethod
    def _known(cls, names: object, info: ValidationInfo) -> object:
        valid = TYPES if info.field_name == "types" else FORMS
        listed = [names] if isinstance(names, str) else names
        if isinstance(listed, list | tuple):
            for name in listed:
                if name not in valid:
                    raise ValueError(f"unknown: '{name}'; {nearest(str(name), valid)}")
            if not listed or len(set(listed)) < len(listed):
                raise ValueError(f"name each once, and at least one of: {', '.join(valid)}")
        return tuple(listed) if isinstance(listed, list) else listed

    @model_validator(mode="after")
    def _bank_of_its_own(self) -> "Settings":
        if self.constitution not in (None, Path("default")) and self.bank is None:
            raise ValueError("the bank that is here asks about `default`: give the file or folder of another as `bank`")
        return self

    @property
    def names(self) -> Names:
        """What slots are filled with."""
        return Names(self.persona, self.developer)

    @property
    def needs_grader(self) -> bool:
        """Is there a type of question among these that only a judge can score?"""
        return bool(set(self.types) & set(JUDGED))


@dataclass(frozen=True)
class Materials:
    """What settings stand for: the texts, the questions chosen, and the options as they are shown."""

    constitution: Constitution
    bank: Bank
    questions: tuple[Question, ...]
    options: dict[str, tuple[str, ...]]

    def section(self, question: Question, names: Names) -> str:
        """The section that a question rests on, as Markdown, slots filled."""
        return self.constitution.render(names.model_name, names.developer).section(question.section).text


def materials(settings: Settings) -> Materials:
    """Read what the settings name and choose the questions.

    Raises:
        TextError: a malformed constitution or bank.
        UserError: questions rest on a section that has changed, or there is none of these types.
    """
    bank = settings.bank or default_bank()
    own = settings.constitution
    return _materials(settings, stamps(bank), stamps(find(own)) if own else ())


@lru_cache(maxsize=8)
def _materials(settings: Settings, *_: Stamps) -> Materials:
    constitution = load(settings.constitution)
    bank = load_bank(settings.bank or default_bank(), constitution)
    questions = chosen(bank.questions, settings.types, settings.samples, settings.seed)
    if stale := [question for question in questions if question.id in bank.stale]:
        sections = sorted({question.section for question in stale})
        raise UserError(
            f"{len(stale)} questions rest on text that has changed since they were written: "
            f"{', '.join(question.id for question in stale[:6])}{' ...' if len(stale) > 6 else ''}",
            where=f"sections {', '.join(sections)}",
            mend="read them again, then seal them as `stale_report` says: "
            + "; ".join(stale_report(bank, constitution)),
        )
    if not questions:
        raise UserError(f"the bank has no question of type {', '.join(settings.types)}", where=settings.bank)
    return Materials(constitution, bank, tuple(questions), deal(questions, settings.seed))


def sample_ids(settings: Settings) -> list[str]:
    """The ids of all samples, ``<question>/<form>``, in the order in which they are put."""
    return [f"{question.id}/{form}" for question in materials(settings).questions for form in settings.forms]


def split_id(sample_id: str, settings: Settings) -> tuple[Question, Form]:
    """The question and the form that a sample id names.

    Raises:
        UserError: no such sample under these settings; the error names the nearest.
    """
    known = sample_ids(settings)
    if sample_id not in known:
        raise UserError(f"unknown sample '{sample_id}'", mend=nearest(sample_id, known))
    id, _, form = sample_id.rpartition("/")
    return materials(settings).bank.question(id), FORMS[FORMS.index(form)]


def suite_address(settings: Settings, ids: Sequence[str]) -> str:
    """Hash of all but the model, and the grader, that decides the result: texts, code, settings and sample ids."""
    found = materials(settings)
    said = settings.model_dump(mode="json", exclude={"constitution", "bank"})
    return digest([VERSION, said, found.constitution.address, found.bank.address, list(ids), _instruments()])


def _instruments() -> str:
    """Hash of the code and the shared texts that put and score a question; the banks count by their content."""
    root = Path(str(resources.files("teachwhy")))
    here = root / "evals" / "understanding"
    shared = [file_digest(here / name) for name in ("prompts.md", "rubrics.md")]
    return digest([folder_digest(here, suffixes=(".py",)), shared, serving(), instruments()])
