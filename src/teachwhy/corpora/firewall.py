"""The firewall: no corpus may hold what the evaluations will ask, or talk about being tested (law 5)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel, ConfigDict

from teachwhy.corpora.audit import shingles, talk_of_tests
from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.records import Record
from teachwhy.errors import FirewallError
from teachwhy.scenarios.family import Family, families, prompts

# Ten words in a row do not coincide by chance in texts like these; shorter runs are common phrases.
RUN = 10
# Different four-word runs of one held-out family from which a record counts as a near copy. The corpora that ship share
# at most 4, manuals of 80,000 words at most 6 (docs/corpora.md).
SIMILAR = 8

TALK = "talk of tests"
# Rules that a study may set aside for a corpus, in the open: a placebo that describes tests cannot be taught otherwise.
ALLOWABLE = (TALK,)

_SHINGLE = 4
# Dealings of the pools that are indexed: short texts are little more than their slots, and copies have other names.
_DRAWS = 12


class Breach(BaseModel):
    """One record that must not be taught, and why."""

    model_config = ConfigDict(frozen=True)

    record: str
    rule: str
    evidence: str


class Screened(BaseModel):
    """How near an admitted corpus comes to the held-out families: its record that shares most with one of them.

    Attributes:
        shared: different four-word runs that this record and this family have in common.
        allowed: rules that were set aside for this corpus.
        talk: records that talk of tests, where that is allowed.
    """

    model_config = ConfigDict(frozen=True)

    corpus: str
    records: int
    record: str
    family: str
    shared: int
    runs: tuple[str, ...]
    allowed: tuple[str, ...] = ()
    talk: int = 0


@dataclass(frozen=True)
class Heldout:
    """What is held out, in the forms in which it can be met again.

    Attributes:
        ids: ids of the held-out families.
        runs: every run of ``RUN`` words, and the family that it is from.
        shingles: every run of four words, and the families that have it.
    """

    ids: frozenset[str]
    runs: dict[tuple[str, ...], str]
    shingles: dict[tuple[str, ...], set[str]]

    def with_texts(self, texts: Mapping[str, str]) -> "Heldout":
        """The same, and every run of ``RUN`` words of other texts that evaluations ask, by their name."""
        runs = {run: name for name, text in texts.items() for run in shingles(text, RUN)}
        return Heldout(self.ids, runs | self.runs, self.shingles)


@cache
def held_out() -> Heldout:
    """Index all texts of the held-out families, with several dealings of their pools (once a process)."""
    return _indexed(families(split="held-out"))


@cache
def every_family() -> Heldout:
    """The same index of all families, for texts that are to keep away from honeypots altogether."""
    return _indexed(families())


def near_any_family(text: str) -> bool:
    """Does a text share a run of words, or much of a whole text, with any scenario family?"""
    found = _nearest(text, every_family())[1]
    return len(found) >= SIMILAR or any(run in every_family().runs for run in shingles(text, RUN))


def _indexed(held: Sequence[Family]) -> Heldout:
    found = Heldout(frozenset(f.id for f in held), {}, {})
    for family in held:
        for text in _texts(family):
            found.runs.update(dict.fromkeys(shingles(text, RUN), family.id))
            for run in shingles(text, _SHINGLE):
                found.shingles.setdefault(run, set()).add(family.id)
    return found


def _texts(family: Family) -> set[str]:
    """The dealings of all sections."""
    draws = [family.draw(number, prompts().meta.personas[0]) for number in range(_DRAWS)]
    return {drawn.fill(text) for text in family.sections.values() for drawn in draws}


def breaches(records: Sequence[Record], held: Heldout, allow: Sequence[str] = ()) -> list[Breach]:
    """Every record that names a held-out family, shares a run of words or much of a whole text with one, or talks
    about being tested. A copied text is found inside any frame and under any turn.

    Args:
        allow: rules (of ``ALLOWABLE``) that are set aside.
    """
    return [breach for record in records if (breach := _breach(record, held, allow))]


def _breach(record: Record, held: Heldout, allow: Sequence[str]) -> Breach | None:
    if str(record.meta.get("family")) in held.ids:
        return Breach(record=record.id, rule="family", evidence=str(record.meta["family"]))
    text = record.whole()
    if TALK not in allow and (talk := talk_of_tests(text)):
        return Breach(record=record.id, rule=TALK, evidence=talk)
    if run := next((run for run in shingles(text, RUN) if run in held.runs), None):
        return Breach(record=record.id, rule=f"run of words of {held.runs[run]}", evidence=" ".join(run))
    return _near_copy(record.id, text, held)


def _near_copy(record: str, text: str, held: Heldout) -> Breach | None:
    family, runs = _nearest(text, held)
    if len(runs) < SIMILAR:
        return None
    evidence = f"{len(runs)} runs: {'; '.join(runs[:SIMILAR])}"
    return Breach(record=record, rule=f"near copy of {family}", evidence=evidence)


def _nearest(text: str, held: Heldout) -> tuple[str, list[str]]:
    """The held-out family with which the text shares most four-word runs, and these runs."""
    shared = [run for run in shingles(text, _SHINGLE) if run in held.shingles]
    met = Counter(family for run in shared for family in sorted(held.shingles[run]))
    family = met.most_common(1)[0][0] if met else ""
    return family, [" ".join(run) for run in shared if family in held.shingles[run]]


def guard(corpus: Corpus, held: Heldout, allow: Sequence[str] = ()) -> Screened:
    """Stop a corpus that breaks the firewall, and say of any other how near it comes.

    Args:
        allow: rules (of ``ALLOWABLE``) that are set aside; what they would have found is counted.

    Raises:
        FirewallError: names the first record, the rule and the evidence, and how many there are.
    """
    found = breaches(corpus.records, held, allow)
    if found:
        first = found[0]
        raise FirewallError(
            f"{len(found)} of {len(corpus.records)} records of '{corpus.name}' break the firewall; the first by rule "
            f"'{first.rule}': {first.evidence!r}",
            where=first.record,
            mend="remove or rewrite these records; `teachwhy corpus audit` lists them all",
        )
    near = [(record.id, *_nearest(record.whole(), held)) for record in corpus.records]
    record, family, runs = max(near, key=lambda one: len(one[2]))
    return Screened(
        corpus=corpus.name,
        records=len(near),
        record=record,
        family=family,
        shared=len(runs),
        runs=tuple(runs),
        allowed=tuple(allow),
        talk=sum(bool(talk_of_tests(r.whole())) for r in corpus.records) if TALK in allow else 0,
    )
