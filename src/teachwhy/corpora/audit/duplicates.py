"""Records that are one text taught twice: word for word, nearly, or in other words.

Near and reworded copies are found by MinHash and banding (Broder, "On the resemblance and containment of documents",
1997; Leskovec, Rajaraman and Ullman, "Mining of massive datasets", chapter 3). datasketch hashes shingle by shingle in
Python and keeps an object a record; here a record is two rows of numbers, so that a million fit.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from teachwhy.corpora.audit.minhash import EMPTY, PERMUTATIONS, Signatures, minhash
from teachwhy.corpora.audit.result import Check, share
from teachwhy.corpora.audit.view import About, View
from teachwhy.corpora.records import Record
from teachwhy.corpora.words import run_hashes

NEAR, REWORDED = 0.7, 0.4
# Rows of a band, by the number of records. A pair of Jaccard 0.4, 0.5 and 0.7 meets in one of 42 bands of 3 with 0.94,
# 0.996 and 1; in one of 32 of 4 with 0.56, 0.87 and 0.9998; in one of 25 of 5 with 0.23, 0.55 and 0.99. Each row more
# spares a large corpus nine in ten of the pairs that have nothing in common.
_ROWS = ((20_000, 3), (200_000, 4))
_ROWS_LARGE = 5
# A record is compared with so many records before it in its bucket: boilerplate gives buckets without end.
_BACK = 8
_STEP = 200_000
# Rarer words are those that at most this share of the sampled records have, but in a small sample at least so many.
COMMON, _FEW = 0.05, 10
# With fewer rarer words, sharing many of them is chance.
_ENOUGH = 12


def common_words(views: Sequence[View]) -> frozenset[int]:
    """Numbers of the words that too many of these records have to tell one from another."""
    met: Counter[int] = Counter()
    for view in views:
        met.update(set(view.hashes.tolist()))
    limit = max(COMMON * len(views), _FEW)
    return frozenset(number for number, count in met.items() if count > limit)


class Copies:
    """Digests and signatures of all records, in order: 1 kB a record."""

    names: tuple[str, ...] = ("exact duplicates", "near duplicates", "reworded duplicates")

    def __init__(self, about: About) -> None:
        self.common = np.fromiter(sorted(about.common), np.uint64, len(about.common))
        self.ids: list[str] = []
        self.digests: list[NDArray[np.uint64]] = []
        self.runs: list[Signatures] = []
        self.rare: list[Signatures] = []

    def see(self, batch: list[View]) -> None:
        self.ids += [view.id for view in batch]
        self.digests.append(np.array([_digest(view.whole) for view in batch], np.uint64).reshape(-1, 2))
        self.runs.append(np.stack([view.signature for view in batch]))
        self.rare.append(np.stack([self._rarer(view) for view in batch]))

    def _rarer(self, view: View) -> Signatures:
        values = np.unique(view.hashes)
        if len(self.common):
            at = np.minimum(np.searchsorted(self.common, values), len(self.common) - 1)
            values = values[self.common[at] != values]
        return minhash(values if len(values) >= _ENOUGH else values[:0])

    def merge(self, later: Self) -> None:
        self.ids += later.ids
        self.digests += later.digests
        self.runs += later.runs
        self.rare += later.rare

    def checks(self, records: int) -> list[Check]:
        exact = self.exact()
        near = self.near()
        reworded = {at: twin for at, twin in self.reworded().items() if at not in near and at not in exact}
        return [
            share("exact duplicates", [self.ids[at] for at in exact], records),
            share("near duplicates", self._named(near), records),
            share("reworded duplicates", self._named(reworded), records),
        ]

    def _named(self, found: dict[int, int]) -> list[str]:
        return [f"{self.ids[at]} is near {self.ids[twin]}" for at, twin in sorted(found.items())]

    def exact(self) -> list[int]:
        """Positions of records whose text is that of an earlier one."""
        digests = np.concatenate(self.digests) if self.digests else np.empty((0, 2), np.uint64)
        _, first = np.unique(digests, axis=0, return_index=True)
        rest = np.ones(len(digests), bool)
        rest[first] = False
        return [int(at) for at in np.flatnonzero(rest)]

    def near(self, threshold: float = NEAR) -> dict[int, int]:
        """Position of each near copy, and of the earlier record it is nearest to."""
        return pairs(_stacked(self.runs), threshold)

    def reworded(self) -> dict[int, int]:
        """The same for records that share two fifths of their rarer words with an earlier one."""
        return pairs(_stacked(self.rare), REWORDED)


def _digest(text: str) -> tuple[int, int]:
    raw = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:], "little")


def _stacked(parts: list[Signatures]) -> Signatures:
    return np.concatenate(parts) if parts else np.empty((0, PERMUTATIONS), np.uint32)


def pairs(signatures: Signatures, threshold: float) -> dict[int, int]:
    """Positions whose signature is like that of an earlier row from ``threshold`` up, and the earlier row most like it
    among those compared. Every band is sorted and rows are compared inside their bucket."""
    best = np.zeros(len(signatures), np.float32)
    twin = np.full(len(signatures), -1, np.int64)
    rows = next((rows for most, rows in _ROWS if len(signatures) <= most), _ROWS_LARGE)
    known = np.flatnonzero((signatures != EMPTY).any(axis=1)) if len(signatures) else np.empty(0, np.int64)
    for start in range(0, PERMUTATIONS - rows + 1, rows):
        for earlier, later in _met(signatures, known, start, rows):
            alike = (signatures[earlier] == signatures[later]).mean(axis=1, dtype=np.float32)
            order = np.argsort(alike, kind="stable")
            earlier, later, alike = earlier[order], later[order], alike[order]
            better = alike > best[later]
            best[later[better]], twin[later[better]] = alike[better], earlier[better]
    return {int(at): int(twin[at]) for at in np.flatnonzero(best >= threshold)}


def _met(
    signatures: Signatures, known: NDArray[np.int64], start: int, rows: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of one bucket of one band, earlier and later, some at a time."""
    keys = run_hashes(signatures[known, start : start + rows].astype(np.uint64).ravel(), rows)[::rows]
    order = np.argsort(keys, kind="stable")
    keys, places = keys[order], known[order]
    for back in range(1, _BACK + 1):
        same = np.flatnonzero(keys[back:] == keys[:-back]) if len(keys) > back else np.empty(0, np.int64)
        if not len(same):
            return
        for step in range(0, len(same), _STEP):
            part = same[step : step + _STEP]
            yield places[part], places[part + back]


def _copies(records: Iterable[Record]) -> Copies:
    views = [View(record) for record in records]
    copies = Copies(About("", common=common_words(views)))
    if views:
        copies.see(views)
    return copies


def exact_duplicates(records: Sequence[Record]) -> list[str]:
    """Ids of records whose text is that of an earlier one."""
    copies = _copies(records)
    return [copies.ids[at] for at in copies.exact()]


def near_duplicates(records: Sequence[Record], *, threshold: float = NEAR) -> list[str]:
    """Ids of records whose five-word runs are nearly those of an earlier one (estimated Jaccard from ``threshold``)."""
    copies = _copies(records)
    return [copies.ids[at] for at in sorted(copies.near(threshold))]


def reworded_duplicates(records: Sequence[Record]) -> list[str]:
    """Ids of records that share two fifths of their rarer words with an earlier one (estimated Jaccard)."""
    copies = _copies(records)
    return [copies.ids[at] for at in sorted(copies.reworded())]
