"""The firewall: no corpus may hold what the evaluations will ask, or talk about being tested (law 5)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

from pydantic import BaseModel, ConfigDict

from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.records import Record
from teachwhy.corpora.talk import talk_of_tests
from teachwhy.corpora.words import Hashes, Known, run_hashes, shingles, word_hashes, words
from teachwhy.errors import FirewallError
from teachwhy.scenarios.family import Family, families, prompts

# Ten words in a row do not coincide by chance in texts like these; shorter runs are common phrases.
RUN = 10
# Different four-word runs of one held-out family, or of another text that is asked, from which a record counts
# as a near copy. The corpora that ship share at most 4, manuals of 80,000 words at most 6 (docs/corpora.md).
SIMILAR = 8
# A short question holds fewer: so many runs of one are enough if they are this share of all it has. Documents on the
# constitution, which some questions are about, share 5 at most, and 0.31 at most.
SHORT, SHORT_SHARE = 5, 0.4

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
        shingles: every run of four words, and the families (or other texts) that have it.
        sizes: how many different runs of four words each of the other texts has.
    """

    ids: frozenset[str]
    runs: dict[tuple[str, ...], str]
    shingles: dict[tuple[str, ...], set[str]]
    sizes: dict[str, int] = field(default_factory=dict)

    @cached_property
    def run_numbers(self) -> Known:
        """The runs as numbers: most records share none, and that is seen without making their runs."""
        return _numbered(self.runs, RUN)

    @cached_property
    def shingle_numbers(self) -> Known:
        """The same of the runs of four words."""
        return _numbered(self.shingles, _SHINGLE)

    def with_texts(self, texts: Mapping[str, str]) -> "Heldout":
        """The same, and the runs of other texts that evaluations ask, by their name."""
        runs = {run: name for name, text in texts.items() for run in shingles(text, RUN)}
        found = dict(self.shingles)
        sizes = dict(self.sizes)
        for name, text in texts.items():
            own = shingles(text, _SHINGLE)
            sizes[name] = len(own)
            for run in own:
                found[run] = found.get(run, set()) | {name}
        return Heldout(self.ids, runs | self.runs, found, sizes)


def _numbered(runs: Iterable[tuple[str, ...]], size: int) -> Known:
    return Known(run_hashes(word_hashes([word for run in runs for word in run]), size)[::size])


def known_runs(tokens: Sequence[str], hashes: Hashes, known: Known, size: int) -> list[tuple[str, ...]]:
    """The runs of so many words whose number is known, once each, in order.

    Two runs with one number would be one error in 10^13 comparisons; callers look the run itself up.
    """
    return list(dict.fromkeys(tuple(tokens[at : at + size]) for at in known.places(run_hashes(hashes, size))))


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


def held_texts() -> dict[str, str]:
    """Every text of the held-out families under one dealing of their pools, by ``<family>/<section>``."""
    persona = prompts().meta.personas[0]
    return {
        f"{family.id}/{name}": family.draw(0, persona).fill(text)
        for family in families(split="held-out")
        for name, text in family.sections.items()
    }


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
    text = record.whole()
    tokens = words(text)
    return breach_of(record, text, tokens, word_hashes(tokens), held, allow)


def breach_of(
    record: Record, text: str, tokens: Sequence[str], hashes: Hashes, held: Heldout, allow: Sequence[str] = ()
) -> Breach | None:
    """Why the firewall refuses a record, if it does.

    Args:
        text: the whole record.
        tokens: its words.
        hashes: their numbers.
        allow: rules (of ``ALLOWABLE``) that are set aside.
    """
    if str(record.meta.get("family")) in held.ids:
        return Breach(record=record.id, rule="family", evidence=str(record.meta["family"]))
    if TALK not in allow and (talk := talk_of_tests(text)):
        return Breach(record=record.id, rule=TALK, evidence=talk)
    met = known_runs(tokens, hashes, held.run_numbers, RUN)
    if run := next((run for run in met if run in held.runs), None):
        return Breach(record=record.id, rule=f"run of words of {held.runs[run]}", evidence=" ".join(run))
    shared, among = _shared(tokens, hashes, held)
    for name, count in among.most_common():
        most = count >= max(SHORT, SHORT_SHARE * held.sizes.get(name, SIMILAR / SHORT_SHARE))
        if count >= SIMILAR or most:
            own = [" ".join(run) for run in shared if name in held.shingles[run]]
            evidence = f"{count} runs: {'; '.join(own[:SIMILAR])}"
            return Breach(record=record.id, rule=f"near copy of {name}", evidence=evidence)
    return None


def _shared(tokens: Sequence[str], hashes: Hashes, held: Heldout) -> tuple[list[tuple[str, ...]], Counter[str]]:
    """The four-word runs that are held out, and how many of them each family or text has."""
    met = known_runs(tokens, hashes, held.shingle_numbers, _SHINGLE)
    shared = [run for run in met if run in held.shingles]
    return shared, Counter(name for run in shared for name in sorted(held.shingles[run]))


def nearest_family(tokens: Sequence[str], hashes: Hashes, held: Heldout) -> tuple[str, list[str]]:
    """The held-out family or text with which these words share most four-word runs, and these runs."""
    shared, among = _shared(tokens, hashes, held)
    name = among.most_common(1)[0][0] if among else ""
    return name, [" ".join(run) for run in shared if name in held.shingles[run]]


def _nearest(text: str, held: Heldout) -> tuple[str, list[str]]:
    tokens = words(text)
    return nearest_family(tokens, word_hashes(tokens), held)


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
