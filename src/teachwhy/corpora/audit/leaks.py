"""The records against what the evaluations ask: the firewall's rules, and softer likeness that is only reported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_array

from teachwhy.corpora.audit.habits import Hits
from teachwhy.corpora.audit.minhash import Signatures, likeness, signature
from teachwhy.corpora.audit.result import Check, judged
from teachwhy.corpora.audit.view import View
from teachwhy.corpora.firewall import TALK, Breach, Heldout, breach_of, held_out, held_texts, known_runs
from teachwhy.corpora.words import Hashes, Known, run_hashes, word_hashes, words

LONG_RUN = 13
# Shorter texts are like anything, as a bag of words.
_ENOUGH = 12
COSINE = 0.5
# Words that more than this share of the evaluations' texts have (of few texts: so many) say nothing of any one of them.
_COMMON, _FEW = 0.2, 10
MOST_BREACHES = 1000


@dataclass(frozen=True)
class Asked:
    """What the evaluations ask, by name, and the index of the firewall. See ``asked_of``."""

    held: Heldout
    texts: Mapping[str, str]

    @cached_property
    def long_runs(self) -> Known:
        """Numbers of all runs of 13 words."""
        found = [run_hashes(word_hashes(words(text)), LONG_RUN) for text in self.texts.values()]
        return Known(np.concatenate(found) if found else np.empty(0, np.uint64))

    @cached_property
    def names(self) -> list[str]:
        return list(self.texts)

    @cached_property
    def signatures(self) -> list[Signatures]:
        return [signature(word_hashes(words(text))) for text in self.texts.values()]

    @cached_property
    def terms(self) -> tuple[Hashes, Any]:
        """Numbers (sorted) of the words and pairs of words that the evaluations have and do not all have, and how much
        each weighs: its inverse document frequency, smoothed as scikit-learn does."""
        own = [np.unique(_terms(word_hashes(words(text)))) for text in self.texts.values()]
        terms, found = np.unique(np.concatenate(own), return_counts=True)
        kept = found <= max(_COMMON * len(own), _FEW)
        return terms[kept], np.log((1 + len(own)) / (1 + found[kept])) + 1

    @cached_property
    def vectors(self) -> Any:
        """TF-IDF of the evaluations, terms by texts."""
        return self.weighed([word_hashes(words(text)) for text in self.texts.values()]).T.tocsr()

    def weighed(self, hashed: Sequence[Hashes]) -> Any:
        """TF-IDF of texts (one row each, of length 1; counts enter by their logarithm) over the evaluations' terms.

        scikit-learn's vectorizer gives the same, from strings, in six times the time.
        """
        terms, weights = self.terms
        columns, values, ends = [], [], [0]
        for hashes in hashed:
            own, counts = np.unique(_terms(hashes), return_counts=True)
            at = np.minimum(np.searchsorted(terms, own), len(terms) - 1)
            known = terms[at] == own
            value = (1 + np.log(counts[known])) * weights[at[known]]
            columns.append(at[known])
            values.append(value / (np.sqrt(value @ value) or 1))
            ends.append(ends[-1] + len(value))
        return csr_array((np.concatenate(values), np.concatenate(columns), ends), shape=(len(hashed), len(terms)))


def asked_of(texts: Mapping[str, str]) -> Asked:
    """The held-out families and these further texts of evaluations, by their names."""
    full = {name: text for name, text in {**held_texts(), **texts}.items() if len(words(text)) >= _ENOUGH}
    return Asked(held_out().with_texts(texts), full)


def _terms(hashes: Hashes) -> Hashes:
    """Words and pairs of words."""
    return np.concatenate([run_hashes(hashes, 1), run_hashes(hashes, 2)])


class Leaks:
    """Overlap with evaluations."""

    names: tuple[str, ...] = (
        "evaluation overlap",
        "evaluation run of 13 words",
        "evaluation likeness",
        "evaluation paraphrase",
    )

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.hits = Hits(self.names)
        self.breaches: list[Breach] = []
        self.likest: list[tuple[float, str]] = []

    def __getstate__(self) -> dict[str, Any]:
        """What was counted, without what is asked: that every process has already."""
        return {name: value for name, value in self.__dict__.items() if name != "asked"}

    def see(self, batch: list[View]) -> None:
        for view in batch:
            if breach := breach_of(view.record, view.whole, view.all_words, view.hashes, self.asked.held):
                if breach.rule != TALK:  # which is a check of its own
                    self.hits.add("evaluation overlap", f"{view.id}: {breach.rule}")
                self.breaches = [*self.breaches, breach][:MOST_BREACHES]
            if run := known_runs(view.all_words, view.hashes, self.asked.long_runs, LONG_RUN):
                self.hits.add("evaluation run of 13 words", f"{view.id}: {' '.join(run[0])}")
        if self.asked.texts:
            self._nearest(batch)

    def _nearest(self, batch: list[View]) -> None:
        alike = self.asked.weighed([view.hashes for view in batch]) @ self.asked.vectors
        at, cosine = np.asarray(alike.argmax(axis=1)).ravel(), alike.max(axis=1).toarray().ravel()
        for view, place, value in zip(batch, at, cosine, strict=True):
            name = self.asked.names[place]
            if value >= COSINE:
                self.hits.add("evaluation paraphrase", f"{view.id}: {value:.2f} with {name}")
            if value > 0:
                self.likest.append((likeness(view.signature, self.asked.signatures[place]), f"{view.id}: {name}"))
        self.likest = sorted(self.likest, reverse=True)[:5]

    def merge(self, later: Self) -> None:
        self.hits.merge(later.hits)
        self.breaches = (self.breaches + later.breaches)[:MOST_BREACHES]
        self.likest = sorted(self.likest + later.likest, reverse=True)[:5]

    def checks(self, records: int) -> list[Check]:
        shares = [self.hits.share(name, records) for name in self.names if name != "evaluation likeness"]
        worst = [f"{text}, {value:.2f}" for value, text in self.likest if value > 0]
        top = max((value for value, _ in self.likest), default=0.0)
        return [*shares, judged("evaluation likeness", top, worst)]
