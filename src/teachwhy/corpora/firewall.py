"""The firewall: no corpus may hold what the evaluations will ask, or talk about being tested (law 5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from datasketch import MinHashLSH
from pydantic import BaseModel, ConfigDict

from teachwhy.corpora.audit import signature, talk_of_tests, words
from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.records import Record
from teachwhy.errors import FirewallError
from teachwhy.scenarios.family import Family, families, prompts

# Ten words in a row do not coincide by chance in texts like these; shorter runs are common phrases.
RUN = 10
# Estimated Jaccard similarity of five-word shingles from which a text counts as a copy with small changes.
SIMILAR = 0.5

_DRAWS = 4
_PIECE = 12


class Breach(BaseModel):
    """One record that must not be taught, and why."""

    model_config = ConfigDict(frozen=True)

    record: str
    rule: str
    evidence: str


@dataclass(frozen=True)
class Heldout:
    """What is held out, in the forms in which it can be met again."""

    ids: frozenset[str]
    runs: dict[tuple[str, ...], str]
    index: MinHashLSH


def held_out() -> Heldout:
    """Index all texts of the held-out families, with several dealings of their pools."""
    runs: dict[tuple[str, ...], str] = {}
    index = MinHashLSH(threshold=SIMILAR, num_perm=128)
    held = families(split="held-out")
    for family in held:
        for number, text in enumerate(_texts(family)):
            runs |= dict.fromkeys(_runs(text), family.id)
            if len(words(text)) >= _PIECE:
                index.insert(f"{family.id}:{number}", signature(text))
    return Heldout(frozenset(f.id for f in held), runs, index)


def _texts(family: Family) -> Iterable[str]:
    persona = prompts().meta.personas[0]
    seen: set[str] = set()
    for number in range(_DRAWS):
        drawn = family.draw(number, persona)
        for section in family.sections.values():
            text = drawn.fill(section)
            if text not in seen:
                seen.add(text)
                yield text


def _runs(text: str) -> Iterable[tuple[str, ...]]:
    tokens = words(text)
    return (tuple(tokens[n : n + RUN]) for n in range(len(tokens) - RUN + 1))


def breaches(records: Sequence[Record], held: Heldout) -> list[Breach]:
    """Every record that names a held-out family, shares a run of words or nearly a whole text with one, or talks
    about being tested. Pieces are compared message by message, so that a copied prompt is found inside any frame."""
    return [breach for record in records if (breach := _breach(record, held))]


def _breach(record: Record, held: Heldout) -> Breach | None:
    if record.meta.get("family") in held.ids:
        return Breach(record=record.id, rule="family", evidence=str(record.meta["family"]))
    if talk := talk_of_tests(record.taught()):
        return Breach(record=record.id, rule="talk of tests", evidence=talk)
    for piece in _pieces(record):
        if run := next((run for run in _runs(piece) if run in held.runs), None):
            return Breach(record=record.id, rule=f"run of words of {held.runs[run]}", evidence=" ".join(run))
        if len(words(piece)) >= _PIECE and (near := held.index.query(signature(piece))):
            return Breach(record=record.id, rule=f"near copy of {near[0]}", evidence=piece[:160])
    return None


def _pieces(record: Record) -> list[str]:
    closings = [text for name, text in prompts().sections.items() if name.endswith(".close")]
    if record.text is not None:
        return [record.text]
    pieces = [str(m.get("content") or "") for m in record.messages or []] + [record.taught()]
    for closing in closings:  # said in every scenario of either split
        pieces = [piece.replace(closing, "") for piece in pieces]
    return [piece for piece in pieces if piece.strip()]


def guard(corpus: Corpus, held: Heldout) -> None:
    """Stop a corpus that breaks the firewall.

    Raises:
        FirewallError: names the first record, the rule and the evidence, and how many there are.
    """
    found = breaches(corpus.records, held)
    if found:
        first = found[0]
        raise FirewallError(
            f"{len(found)} of {len(corpus.records)} records of '{corpus.name}' break the firewall; the first by rule "
            f"'{first.rule}': {first.evidence!r}",
            where=first.record,
            mend="remove or rewrite these records; `teachwhy corpus audit` lists them all",
        )
