"""Words of a text, runs of them, and both as numbers: what audit, firewall and distance count."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
# Words whose number is remembered; a corpus in one language has fewer, and what has more starts anew.
_KNOWN = 2_000_000
# An odd factor whose powers spread the words of a run over all 64 bits (the golden ratio, as in Fibonacci hashing).
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def words(text: str) -> list[str]:
    """Lower-case words of a text, without punctuation."""
    return [word.lower() for word in _WORD.findall(text)]


def shingles(text: str, size: int) -> list[tuple[str, ...]]:
    """Every run of ``size`` words of a text, once, in order; none of a shorter text."""
    return runs(words(text), size)


def runs(tokens: Sequence[str], size: int) -> list[tuple[str, ...]]:
    """Every run of ``size`` of these words, once, in order."""
    return list(dict.fromkeys(zip(*(tokens[n:] for n in range(size)), strict=False)))


class _Numbers(dict[str, int]):
    def __missing__(self, word: str) -> int:
        raw = word.encode("utf-8", "surrogatepass")
        number = int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little")
        if len(self) < _KNOWN:
            self[word] = number
        return number


_numbers = _Numbers()


def word_hashes(tokens: Sequence[str]) -> Hashes:
    """A number of 64 bits for each word, the same in every process."""
    return np.fromiter(map(_numbers.__getitem__, tokens), np.uint64, len(tokens))


def run_hashes(hashes: Hashes, size: int) -> Hashes:
    """A number of 64 bits for each run of ``size`` words, in order, from the numbers of the words."""
    if len(hashes) < size:
        return np.empty(0, np.uint64)
    last = len(hashes) - size + 1
    found = hashes[:last] * _FACTOR
    for at in range(1, size):
        found += hashes[at : at + last]
        found *= _FACTOR
    return np.asarray(found ^ (found >> np.uint64(29)), np.uint64)


def mixed(values: Hashes) -> Hashes:
    """The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): near numbers become far ones."""
    out: Hashes = values ^ (values >> np.uint64(30))
    out = out * np.uint64(0xBF58476D1CE4E5B9)
    out = out ^ (out >> np.uint64(27))
    out *= np.uint64(0x94D049BB133111EB)
    return np.asarray(out ^ (out >> np.uint64(31)), np.uint64)


class Known:
    """A set of numbers, and a table of their first bits: most numbers that are not in the set are not in the table."""

    _SHIFT = np.uint64(42)

    def __init__(self, numbers: Hashes) -> None:
        self.numbers = np.unique(numbers)
        self.table = np.zeros(1 << 22, bool)
        self.table[self.numbers >> self._SHIFT] = True

    def places(self, others: Hashes) -> list[int]:
        """The places of those among the others that are in the set."""
        maybe = np.flatnonzero(self.table[others >> self._SHIFT])
        if not len(maybe):
            return []
        at = np.minimum(np.searchsorted(self.numbers, others[maybe]), len(self.numbers) - 1)
        found: list[int] = maybe[self.numbers[at] == others[maybe]].tolist()
        return found
