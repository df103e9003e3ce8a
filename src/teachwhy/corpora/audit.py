"""The audit: what is wrong with a corpus, measured before it is taught."""

import calendar
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib import resources
from statistics import mean, pstdev

import yaml
from datasketch import MinHash, MinHashLSH
from pydantic import BaseModel, ConfigDict

from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.records import Record

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
# A word of three letters or more inside a sentence; capitalised ones are names, but for those of the next line.
_INNER = re.compile(r"(?<=[^\W\d_] |[,;] )[^\W\d_]{3,}")
_TITLES = ("Miss", "Mrs", "Doctor", "Professor", "Mother", "Father", "Sister", "Brother", "Aunt", "Uncle")
_NO_NAMES = frozenset([*calendar.day_name, *calendar.month_name, *_TITLES, "Dear", "Hello", "The"])
_BULLET = re.compile(r"^\s*([-*•]|\d+[.)]) ", re.MULTILINE)

_SHINGLE = 5
_PERMUTATIONS = 128
# Below the threshold by this much, so that the index misses no pair; what it finds is compared.
_MARGIN = 0.2

# Standard deviation over mean of the length in words; below it, all records are cut to one size.
_SPREAD = 0.15


class Check(BaseModel):
    """One measure of a corpus against its threshold. ``passed`` is None where the corpus is dealt from templates and
    the measure is only reported. ``worst`` shows the worst offenders, shortened."""

    model_config = ConfigDict(frozen=True)

    name: str
    value: float
    threshold: float
    passed: bool | None
    worst: list[str]


class Audit(BaseModel):
    """All checks of a corpus."""

    model_config = ConfigDict(frozen=True)

    corpus: str
    records: int
    words: int
    checks: list[Check]

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if check.passed is False]


def words(text: str) -> list[str]:
    """Lower-case words of a text, without punctuation."""
    return [word.lower() for word in _WORD.findall(text)]


def audit(corpus: Corpus) -> Audit:
    """Measure a corpus: exact and near duplicates, openers, names, dashes, lists, and the spread of lengths.

    Shares are of records. Of a corpus dealt from templates only exact duplicates are judged; the rest is reported.
    """
    texts = [record.taught() for record in corpus.records]
    counts = [len(words(text)) for text in texts]
    shares = [
        _share("near duplicates", near_duplicates(corpus.records), len(texts), 0.01),
        _commonest("opener of four words", [" ".join(words(t)[:4]) for t in texts], 0.03),
        _commonest("one name", [name for t in texts for name in sorted(_names(t))], 0.015, of=len(texts)),
        _share("em-dash", [r.id for r, t in zip(corpus.records, texts, strict=True) if "—" in t], len(texts), 0.25),
        _share(
            "list", [r.id for r, t in zip(corpus.records, texts, strict=True) if _BULLET.search(t)], len(texts), 0.15
        ),
    ]
    spread = pstdev(counts) / (mean(counts) or 1)
    length = Check(name="length spread", value=spread, threshold=_SPREAD, passed=spread >= _SPREAD, worst=[])
    judged = [*shares, length]
    if corpus.dealt:
        judged = [check.model_copy(update={"passed": None}) for check in judged]
    exact = _share("exact duplicates", exact_duplicates(corpus.records), len(texts), 0.0)
    return Audit(corpus=corpus.name, records=len(texts), words=sum(counts), checks=[exact, *judged])


def _share(name: str, hits: Sequence[str], of: int, threshold: float) -> Check:
    share = len(hits) / of
    # In a small corpus one record is more than the threshold; two are needed to make a habit.
    passed = share <= threshold or (threshold > 0 and len(hits) <= 1)
    return Check(name=name, value=share, threshold=threshold, passed=passed, worst=[h[:120] for h in hits[:5]])


def _commonest(name: str, values: Sequence[str], threshold: float, *, of: int | None = None) -> Check:
    common = Counter(values).most_common(5)
    top = common[0][1] if common else 0
    share = top / (of or len(values))
    worst = [f"{value}: {count}" for value, count in common if count > 1]
    return Check(name=name, value=share, threshold=threshold, passed=share <= threshold or top <= 2, worst=worst)


def _names(text: str) -> set[str]:
    return {word for word in _INNER.findall(text) if word.istitle()} - _NO_NAMES


def shingles(text: str, size: int = _SHINGLE) -> list[tuple[str, ...]]:
    """Every run of ``size`` words of a text, once, in order; none of a shorter text."""
    tokens = words(text)
    return list(dict.fromkeys(tuple(tokens[n : n + size]) for n in range(len(tokens) - size + 1)))


def signature(text: str) -> MinHash:
    """MinHash of a text's five-word shingles."""
    runs = shingles(text) or [tuple(words(text))]
    hashed = _blank().copy()
    hashed.update_batch([" ".join(run).encode() for run in runs])
    return hashed


@cache
def _blank() -> MinHash:
    """Drawing the permutations costs more than hashing a text."""
    return MinHash(num_perm=_PERMUTATIONS)


def exact_duplicates(records: Sequence[Record]) -> list[str]:
    """Ids of records whose text is that of an earlier one."""
    seen: set[str] = set()
    found = []
    for record in records:
        if (text := record.whole()) in seen:
            found.append(record.id)
        seen.add(text)
    return found


def near_duplicates(records: Sequence[Record], *, threshold: float = 0.7) -> list[str]:
    """Ids of records whose text is nearly that of an earlier one (estimated Jaccard from ``threshold`` up)."""
    index = MinHashLSH(threshold=threshold - _MARGIN, num_perm=_PERMUTATIONS)
    signatures: dict[str, MinHash] = {}
    found = []
    for record in records:
        hashed = signature(record.whole())
        if any(hashed.jaccard(signatures[earlier]) >= threshold for earlier in index.query(hashed)):
            found.append(record.id)
        index.insert(record.id, hashed)
        signatures[record.id] = hashed
    return found


@cache
def _talk() -> re.Pattern[str]:
    text = resources.files("teachwhy.corpora").joinpath("talk.yaml").read_text("utf-8")
    return re.compile("|".join(f"(?:{p})" for p in yaml.safe_load(text)["patterns"]), re.IGNORECASE)


def talk_of_tests(text: str) -> str | None:
    """The first stretch of a text that talks about being tested, evaluated or trained, if there is one."""
    match = _talk().search(text)
    return match[0] if match else None
