"""Habits of writing: beginnings and endings, phrases, punctuation, names, lengths, the wealth of words."""

import calendar
import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from statistics import mean
from typing import Self

import numpy as np

from teachwhy.corpora.audit.language import grammar
from teachwhy.corpora.audit.result import Check, commonest, judged, share
from teachwhy.corpora.audit.view import About, View
from teachwhy.corpora.talk import Phrases, listed
from teachwhy.corpora.words import mixed, run_hashes, word_hashes

# A word of three letters or more inside a sentence; capitalised ones are names, but for those of the next line.
_INNER = re.compile(r"(?<=[^\W\d_] |[,;] )[^\W\d_]{3,}")
_TITLES = ("Miss", "Mrs", "Doctor", "Professor", "Mother", "Father", "Sister", "Brother", "Aunt", "Uncle")
_DAYS = [day + plural for day in calendar.day_name for plural in ("", "s")]
_NO_NAMES = frozenset([*_DAYS, *calendar.month_name, *_TITLES, "Dear", "Hello", "The"])

_BULLET = re.compile(r"^\s*([-*•]|\d+[.)]) ", re.MULTILINE)
MARKS: dict[str, Callable[[str], object]] = {
    "em-dash": lambda text: "—" in text,
    "list": _BULLET.search,
    "exclamation": lambda text: "!" in text,
    "ellipsis": lambda text: "…" in text or "..." in text,
    "semicolon": lambda text: ";" in text,
}
_EXAMPLES = 5

_PHRASE = (5, 4, 3)
# Content words that a phrase must hold: with one, "on the table" would be a habit.
_CONTENT = 2
# Words in a row within which different ones are counted (Covington and McFall, "Cutting the Gordian Knot", 2010).
_WINDOW = 50


class Edges:
    """The first and the last four words of what is taught."""

    names: tuple[str, ...] = ("opener of four words", "closer of four words")

    def __init__(self) -> None:
        self.found: tuple[Counter[str], Counter[str]] = Counter(), Counter()

    def see(self, batch: list[View]) -> None:
        self.found[0].update(" ".join(view.words[:4]) for view in batch)
        self.found[1].update(" ".join(view.words[-4:]) for view in batch)

    def merge(self, later: Self) -> None:
        for mine, other in zip(self.found, later.found, strict=True):
            mine.update(other)

    def checks(self, records: int) -> list[Check]:
        return [
            commonest(name, counts.most_common(_EXAMPLES), records)
            for name, counts in zip(self.names, self.found, strict=True)
        ]


class Hits:
    """Records with a mark, by the mark's name: how many, and the first of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.count: Counter[str] = Counter()
        self.first: dict[str, list[str]] = {name: [] for name in names}

    def add(self, name: str, example: str) -> None:
        self.count[name] += 1
        if len(self.first[name]) < _EXAMPLES:
            self.first[name].append(example)

    def merge(self, later: Self) -> None:
        self.count.update(later.count)
        for name, examples in later.first.items():
            self.first[name] = (self.first[name] + examples)[:_EXAMPLES]

    def share(self, name: str, records: int) -> Check:
        """The check on records with this mark."""
        return share(name, self.first[name], records, count=self.count[name])


class Marks:
    """Punctuation and lists."""

    names: tuple[str, ...] = tuple(MARKS)

    def __init__(self) -> None:
        self.hits = Hits(MARKS)

    def see(self, batch: list[View]) -> None:
        for view in batch:
            for name, has in MARKS.items():
                if has(view.taught):
                    self.hits.add(name, view.id)

    def merge(self, later: Self) -> None:
        self.hits.merge(later.hits)

    def checks(self, records: int) -> list[Check]:
        return [self.hits.share(name, records) for name in self.names]


@cache
def tics() -> dict[str, Phrases]:
    """The list of stock phrases, by name."""
    return {
        name: Phrases(name, tuple(tic["needs"]), re.compile(tic["pattern"], re.IGNORECASE | re.MULTILINE))
        for name, tic in listed("tics.yaml").items()
    }


class Tics:
    """Stock phrases of generated prose."""

    names: tuple[str, ...] = ("known tic",)

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()

    def see(self, batch: list[View]) -> None:
        for view in batch:
            lower = view.taught.lower()
            for name, tic in tics().items():
                if any(need in lower for need in tic.needs) and tic.pattern.search(view.taught):
                    self.count[name] += 1

    def merge(self, later: Self) -> None:
        self.count.update(later.count)

    def checks(self, records: int) -> list[Check]:
        return [commonest("known tic", self.count.most_common(_EXAMPLES), records)]


class Names:
    """Names of people, places and things."""

    names: tuple[str, ...] = ("one name",)

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()

    def see(self, batch: list[View]) -> None:
        for view in batch:
            self.count.update({word for word in _INNER.findall(view.taught) if word.istitle()} - _NO_NAMES)

    def merge(self, later: Self) -> None:
        self.count.update(later.count)

    def checks(self, records: int) -> list[Check]:
        ranked = sorted(self.count.items(), key=lambda item: (-item[1], item[0]))[:_EXAMPLES]
        return [commonest("one name", ranked, records)]


class Lengths:
    """How the length in words spreads: number, sum, and sum of squares."""

    names: tuple[str, ...] = ("length spread",)

    def __init__(self) -> None:
        self.number, self.words, self.squares = 0, 0, 0

    def see(self, batch: list[View]) -> None:
        for view in batch:
            length = len(view.words)
            self.number, self.words, self.squares = self.number + 1, self.words + length, self.squares + length**2

    def merge(self, later: Self) -> None:
        self.number, self.words, self.squares = (
            self.number + later.number,
            self.words + later.words,
            self.squares + later.squares,
        )

    def checks(self, records: int) -> list[Check]:
        average = self.words / max(self.number, 1)
        spread = max(self.squares / max(self.number, 1) - average**2, 0.0) ** 0.5
        return [judged("length spread", spread / (average or 1))]


class Sample:
    """Phrases and wealth of words, on a sample that the records' ids decide."""

    names: tuple[str, ...] = ("common phrase", "lexical diversity")

    def __init__(self, about: About) -> None:
        self.rate = about.rate
        self.kept: list[list[str]] = []

    def see(self, batch: list[View]) -> None:
        drawn = mixed(word_hashes([view.id for view in batch])) <= np.uint64(min(self.rate, 1 - 2**-53) * 2**64)
        self.kept += [view.words for view, kept in zip(batch, drawn, strict=True) if kept or self.rate >= 1]

    def merge(self, later: Self) -> None:
        self.kept += later.kept

    def checks(self, records: int) -> list[Check]:
        found = [commonest("common phrase", common_phrases(self.kept), len(self.kept))]
        # Over records too short for the measure there is nothing to judge.
        values = [value for tokens in self.kept if (value := diversity(tokens)) is not None]
        return [*found, judged("lexical diversity", mean(values))] if values else found


def common_phrases(texts: list[list[str]]) -> list[tuple[str, int]]:
    """The commonest runs of 3 to 5 words that hold two content words at least, and the texts that have each. A run
    inside a longer one that is as common is left out."""
    found: list[tuple[str, int]] = []
    for size in _PHRASE:
        hashes = [np.unique(run_hashes(word_hashes(tokens), size)) for tokens in texts]
        values, counts = np.unique(np.concatenate(hashes), return_counts=True) if hashes else (np.empty(0), np.empty(0))
        order = np.argsort(-counts, kind="stable")
        wanted = {int(values[at]): int(counts[at]) for at in order[:400] if counts[at] > 1}
        found += _resolved(texts, wanted, size)
    found.sort(key=lambda item: (-item[1], -len(item[0])))
    kept: list[tuple[str, int]] = []
    for phrase, count in found:
        if not any(
            f" {phrase} " in f" {longer} " and many >= 0.9 * count for longer, many in found if longer != phrase
        ):
            kept.append((phrase, count))
        if len(kept) == _EXAMPLES:
            break
    return kept


def _resolved(texts: list[list[str]], wanted: dict[int, int], size: int) -> list[tuple[str, int]]:
    """The words of the wanted runs that are phrases, commonest first, the first twenty."""
    left, found = set(wanted), dict[int, tuple[str, ...]]()
    for tokens in texts:
        if not left:
            break
        own = run_hashes(word_hashes(tokens), size)
        for at in np.flatnonzero(np.isin(own, np.fromiter(left, np.uint64, len(left)))):
            found[int(own[at])] = tuple(tokens[at : at + size])
            left.discard(int(own[at]))
    phrases = [(run, wanted[number]) for number, run in found.items() if _is_phrase(run)]
    ranked = sorted(phrases, key=lambda item: (-item[1], item[0]))[:20]
    return [(" ".join(run), count) for run, count in ranked]


def _is_phrase(run: tuple[str, ...]) -> bool:
    return len({word for word in run if word not in grammar() and len(word) > 1}) >= _CONTENT


def diversity(tokens: list[str], window: int = _WINDOW) -> float | None:
    """Moving-average type-token ratio: different words among any ``window`` in a row, averaged; None of a shorter
    text. Source: Covington and McFall, "Cutting the Gordian Knot: the moving-average type-token ratio", 2010."""
    if len(tokens) < window:
        return None
    inside = Counter(tokens[:window])
    total, number = len(inside), 1
    for leaves, enters in zip(tokens, tokens[window:], strict=False):
        inside[leaves] -= 1
        if not inside[leaves]:
            del inside[leaves]
        inside[enters] += 1
        total, number = total + len(inside), number + 1
    return total / number / window
