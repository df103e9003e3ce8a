"""What an audit finds, and the thresholds by which it judges (docs/corpora.md says why they are so)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from teachwhy.corpora.firewall import Breach
from teachwhy.errors import CorpusError, nearest

_WORST = 5
_LONG = 120


@dataclass(frozen=True)
class Rule:
    """A check's threshold (None: the measure is reported and never judged) and what is measured.

    Attributes:
        least: the value has to be at least the threshold, not at most.
        habit: so many records are needed before it is a habit at all; with fewer the check passes.
    """

    threshold: float | None
    says: str
    least: bool = False
    habit: int = 1


RULES: dict[str, Rule] = {
    "exact duplicates": Rule(0.0, "records whose text is that of an earlier one"),
    "near duplicates": Rule(0.01, "records that share 0.7 of their five-word runs with an earlier one", habit=2),
    "reworded duplicates": Rule(0.01, "records that share 0.4 of their rarer words with an earlier one", habit=2),
    "opener of four words": Rule(0.03, "records with the commonest first four words", habit=3),
    "closer of four words": Rule(0.03, "records with the commonest last four words", habit=3),
    "common phrase": Rule(0.10, "records with the commonest run of 3 to 5 words that is no mere grammar", habit=3),
    "known tic": Rule(0.10, "records with the commonest stock phrase of tics.yaml", habit=3),
    "em-dash": Rule(0.25, "records with an em-dash", habit=2),
    "list": Rule(0.15, "records with a bulleted or numbered list", habit=2),
    "exclamation": Rule(None, "records with an exclamation mark"),
    "ellipsis": Rule(None, "records with an ellipsis"),
    "semicolon": Rule(None, "records with a semicolon"),
    "one name": Rule(0.015, "records with the commonest name", habit=3),
    "length spread": Rule(0.15, "standard deviation over mean of the length in words", least=True),
    "lexical diversity": Rule(0.70, "different words among any 50 in a row (moving average)", least=True),
    "decision balance": Rule(0.05, "largest distance of a decision's share from that in the deck"),
    "deck coverage": Rule(0.05, "values of the deck that should have come and did not"),
    "section coverage": Rule(0.0, "sections of the constitution on which there is no record"),
    "talk of rules": Rule(0.0, "records that appeal to a constitution, guidelines or a maker by name"),
    "talk of tests": Rule(0.0, "records that talk about being tested, evaluated or trained"),
    "refusals": Rule(0.25, "records that refuse in a stock form", habit=2),
    "visible reasoning": Rule(0.0, "records that show thinking where none is declared"),
    "language": Rule(0.02, "records in another language than most", habit=2),
    "encoding": Rule(0.0, "records with broken or invisible characters"),
    "truncated": Rule(0.01, "records that stop in mid-sentence", habit=2),
    "evaluation overlap": Rule(0.0, "records that the firewall refuses"),
    "evaluation run of 13 words": Rule(None, "records that share 13 words in a row with an evaluation"),
    "evaluation likeness": Rule(None, "largest share of five-word runs (MinHash) that a record has with an evaluation"),
    "evaluation paraphrase": Rule(None, "records whose TF-IDF cosine with an evaluation is 0.5 or more"),
    "separability": Rule(0.65, "how well two corpora are told apart by prompts and acts, or by all words (AUC)"),
    "separability of what is said": Rule(None, "how well they are told apart by all words that are taught (AUC)"),
}


class Check(BaseModel):
    """One measure of a corpus against its threshold. ``passed`` is None where it is only reported: its threshold is
    None, or the corpus is dealt from templates. ``worst`` shows the worst offenders, shortened."""

    model_config = ConfigDict(frozen=True)

    name: str
    value: float
    threshold: float | None
    passed: bool | None
    worst: list[str]


class Covered(BaseModel):
    """One value of a deck: its share in the deck and among the records, and the number of records."""

    model_config = ConfigDict(frozen=True)

    variable: str
    value: str
    wanted: float
    found: float
    count: int


class Audit(BaseModel):
    """All checks of a corpus.

    Attributes:
        sampled: records on which phrases and diversity were measured.
        skipped: checks that were switched off.
        breaches: what the firewall refuses, the first thousand.
    """

    model_config = ConfigDict(frozen=True)

    corpus: str
    records: int
    words: int
    checks: list[Check]
    sampled: int = 0
    dealt: bool = False
    skipped: list[str] = []
    coverage: list[Covered] = []
    breaches: list[Breach] = []

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if check.passed is False]


def judged(name: str, value: float, worst: Iterable[str] = (), *, count: int | None = None) -> Check:
    """A check by its rule. ``count``: the records concerned, where fewer than some make no habit."""
    rule = RULES[name]
    passed = None
    if rule.threshold is not None:
        passed = value >= rule.threshold if rule.least else value <= rule.threshold
        passed = passed or (count is not None and count < rule.habit)
    shown = [_short(text) for _, text in zip(range(_WORST), worst, strict=False)]
    return Check(name=name, value=value, threshold=rule.threshold, passed=passed, worst=shown)


def share(name: str, hits: Sequence[str], of: int, *, count: int | None = None) -> Check:
    """The check of a share of records, its worst cases being the first hits."""
    met = len(hits) if count is None else count
    return judged(name, met / max(of, 1), hits, count=met)


def commonest(name: str, counts: Iterable[tuple[str, int]], of: int) -> Check:
    """The check of the commonest of several values; ``counts`` come commonest first."""
    found = list(counts)
    top = found[0][1] if found else 0
    worst = [f"{_short(value)}: {count:,}" for value, count in found if count > 1]
    return judged(name, top / max(of, 1), worst, count=top)


def _short(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def known_checks(names: Collection[str], *, where: object = None) -> frozenset[str]:
    """Names of checks as they are written in RULES; hyphens may stand for spaces.

    Raises:
        CorpusError: there is no such check.
    """
    plain = {name.replace("-", " "): name for name in RULES}
    for name in names:
        if name.replace("-", " ") not in plain:
            raise CorpusError(f"unknown check '{name}'", where=where, mend=nearest(name, RULES))
    return frozenset(plain[name.replace("-", " ")] for name in names)
