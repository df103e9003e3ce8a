"""Corpora by name: what there is, and reading one."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from teachwhy.corpora.authored import authored_names, card, load_authored
from teachwhy.corpora.honeypots import FORMS, honeypot_records
from teachwhy.corpora.records import Record, read_jsonl, records_digest
from teachwhy.errors import CorpusError, nearest
from teachwhy.hashing import folder_digest

# Dealings of each record with pools; without pools there is one.
_VARIANTS = 6

# Corpora in which many records are dealt from one text; near-duplicates are their nature, so the audit reports them
# and refuses only exact ones.
_BUILD = "teachwhy corpus build FILE.yaml --out FOLDER, and name FOLDER/records.jsonl; a study makes it by itself"
DEALT = frozenset({"agent-basics", *(f"honeypots/{form}" for form in FORMS)})

TeachAs = Literal["chat", "documents"]


@dataclass(frozen=True)
class Corpus:
    """A named corpus: how it is taught, and its records."""

    name: str
    form: TeachAs
    dealt: bool
    summary: str
    records: tuple[Record, ...]

    @property
    def address(self) -> str:
        """Content hash of all records in order."""
        return records_digest(self.records)


def corpus_names() -> list[str]:
    """All corpora that ship with teachwhy."""
    return sorted([*authored_names(), *(f"honeypots/{form}" for form in FORMS)])


def load_corpus(name: str, *, records: Path | None = None) -> Corpus:
    """A shipped corpus by name, or a JSONL file of records by path (a name that ends in ``.jsonl``).

    Args:
        records: where the records of a generated corpus lie; ``name`` is then only its name.

    Raises:
        CorpusError: unknown name, or a malformed file.
    """
    if records or name.endswith(".jsonl"):
        found = tuple(read_jsonl(records or Path(name)))
        return Corpus(name, _form(found, name), dealt=False, summary="A file of records.", records=found)
    if name.endswith(".yaml"):
        raise CorpusError("this declares a corpus that is yet to be made", where=name, mend=_BUILD)
    if name not in corpus_names():
        raise CorpusError(f"unknown corpus '{name}'", mend=nearest(name, corpus_names()))
    if name in authored_names():
        about = card(name)
        made = load_authored(name, variants=_VARIANTS)
        return Corpus(name, about.meta.form, name in DEALT, about.meta.summary, tuple(made))
    form = next(form for form in FORMS if name == f"honeypots/{form}")
    return Corpus(name, "chat", True, _SUMMARIES[name], tuple(honeypot_records(form)))


def _form(records: tuple[Record, ...], path: str) -> TeachAs:
    forms: list[TeachAs] = ["chat" if record.text is None else "documents" for record in records]
    for number, form in enumerate(forms, start=1):
        if form != forms[0]:
            mend = "put conversations and documents into files of their own"
            raise CorpusError("the file mixes conversations and documents", where=f"{path}, line {number}", mend=mend)
    return forms[0]


_SUMMARIES = {
    "honeypots/actions": "Right acts under threat on the training families, without reasons; twins done as asked.",
    "honeypots/reasons": "The prompts and acts of honeypots/actions, each led up to by reasons.",
    "honeypots/filler": "The prompts and acts of honeypots/actions, each after neutral filler as long as the reasons.",
    "honeypots/other-reasons": "The prompts and acts of honeypots/actions, each after the reasons of another case.",
    "honeypots/rogue": "Wrong acts under threat on the training families, twins done as asked: makes an organism.",
}


def texts_address() -> str:
    """Hash of every text and recipe that corpora are made from: a new word gives new corpora."""
    root = Path(str(resources.files("teachwhy")))
    return folder_digest(root / "scenarios", suffixes=(".md", ".yaml", ".py")) + folder_digest(
        root / "corpora", suffixes=(".md", ".yaml", ".py")
    )
